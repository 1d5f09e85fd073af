//! DSP that more than one kind needs.

pub mod course;
pub mod cubic;
pub mod decay;
pub mod divider;
pub mod halfband;
pub mod interpolate;
pub mod ladder;
pub mod math;
pub mod moving;
pub mod random;
pub mod residual;
pub mod schmitt;
pub mod steady;
pub mod svf;
pub mod switch;
pub mod sync;
pub mod wave;
