//! One file a kind.

pub mod adsr;
pub mod chorus;
pub mod clock;
pub mod comb;
pub mod comp;
pub mod compare;
pub mod conv;
pub mod delay;
pub mod divide;
pub mod drive;
pub mod euclid;
pub mod fold;
pub mod follow;
pub mod freeze;
pub mod input;
pub mod keys;
pub mod lfo;
pub mod limiter;
pub mod logic;
pub mod merge;
pub mod meter;
pub mod mix;
pub mod noise;
pub mod op;
pub mod out;
pub mod pan;
pub mod pluck;
pub mod quantize;
pub mod random;
pub mod reverb;
pub mod ring;
pub mod sampler;
pub mod scale;
pub mod scope;
pub mod seq;
pub mod sh;
pub mod shift;
pub mod slew;
pub mod spectrum;
pub mod split;
pub mod vca;
pub mod vcf;
pub mod vco;
pub mod wavetable;

#[cfg(test)]
mod chorus_tests;
#[cfg(test)]
mod conv_tests;
#[cfg(test)]
mod dynamics_tests;
#[cfg(test)]
mod freeze_tests;
#[cfg(test)]
mod input_tests;
#[cfg(test)]
mod op_tests;
#[cfg(test)]
mod reverb_tests;
#[cfg(test)]
mod sampler_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod shift_tests;
#[cfg(test)]
mod spectrum_tests;
#[cfg(test)]
mod string_tests;
#[cfg(test)]
mod vcf_play_tests;
#[cfg(test)]
mod vcf_tests;
#[cfg(test)]
mod vco_tests;
#[cfg(test)]
mod wavetable_tests;
