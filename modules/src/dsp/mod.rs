//! DSP that more than one kind needs.

pub mod clocked;
pub mod convolution;
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
pub mod resample;
pub mod residual;
pub mod schmitt;
pub mod sinc;
pub mod steady;
pub mod stft;
pub mod svf;
pub mod switch;
pub mod sync;
pub mod vactrol;
pub mod wave;
