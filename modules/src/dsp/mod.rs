//! DSP that more than one kind needs.

pub mod cubic;
pub mod halfband;
pub mod ladder;
pub mod math;
pub mod moving;
pub mod residual;
pub mod steady;
pub mod svf;
pub mod sync;
pub mod wave;
