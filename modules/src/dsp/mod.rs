//! DSP that more than one kind needs.

pub mod banks;
pub mod cubic;
pub mod curves;
pub mod cycles;
pub mod dc;
pub mod decay;
pub mod halfband;
pub mod head;
pub mod interpolate;
pub mod ladder;
pub mod log;
pub mod math;
pub mod moving;
pub mod random;
pub mod residual;
pub mod schmitt;
pub mod shaper;
pub mod steady;
pub mod svf;
pub mod switch;
pub mod sync;
pub mod tuned;
pub mod wave;
