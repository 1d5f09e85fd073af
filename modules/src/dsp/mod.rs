//! DSP that more than one kind needs.

pub mod clocked;
pub mod cubic;
pub mod decay;
pub mod glide;
pub mod halfband;
pub mod hilbert;
pub mod interpolate;
pub mod ladder;
pub mod math;
pub mod moving;
pub mod network;
pub mod portamento;
pub mod pulse;
pub mod random;
pub mod residual;
pub mod schmitt;
pub mod steady;
pub mod svf;
pub mod switch;
pub mod sync;
pub mod vactrol;
pub mod wave;
