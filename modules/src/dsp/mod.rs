//! DSP that more than one kind needs.

pub mod math;
