//! One file a kind.

pub mod adsr;
pub mod chorus;
pub mod clock;
pub mod compare;
pub mod delay;
pub mod divide;
pub mod euclid;
pub mod follow;
pub mod keys;
pub mod lfo;
pub mod logic;
pub mod merge;
pub mod mix;
pub mod noise;
pub mod out;
pub mod pan;
pub mod quantize;
pub mod random;
pub mod reverb;
pub mod scale;
pub mod scope;
pub mod seq;
pub mod sh;
pub mod shift;
pub mod slew;
pub mod split;
pub mod vca;
pub mod vcf;
pub mod vco;

#[cfg(test)]
mod chorus_tests;
#[cfg(test)]
mod reverb_tests;
#[cfg(test)]
mod shift_tests;
#[cfg(test)]
mod vcf_play_tests;
#[cfg(test)]
mod vcf_tests;
#[cfg(test)]
mod vco_tests;
