//! DSP that more than one kind needs.

pub mod cubic;
pub mod math;
pub mod moving;
pub mod residual;
pub mod steady;
pub mod sync;
pub mod wave;
