//! DSP that more than one kind needs.

pub mod decay;
pub mod interpolate;
pub mod math;
pub mod random;
pub mod schmitt;
pub mod switch;
