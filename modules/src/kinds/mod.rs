//! One file a kind.

pub mod adsr;
pub mod chorus;
pub mod conv;
pub mod delay;
pub mod freeze;
pub mod input;
pub mod lfo;
pub mod mix;
pub mod noise;
pub mod out;
pub mod reverb;
pub mod sampler;
pub mod scope;
pub mod sh;
pub mod shift;
pub mod slew;
pub mod spectrum;
pub mod vca;
pub mod vcf;
pub mod vco;

#[cfg(test)]
mod chorus_tests;
#[cfg(test)]
mod conv_tests;
#[cfg(test)]
mod freeze_tests;
#[cfg(test)]
mod input_tests;
#[cfg(test)]
mod reverb_tests;
#[cfg(test)]
mod sampler_tests;
#[cfg(test)]
mod shift_tests;
#[cfg(test)]
mod spectrum_tests;
#[cfg(test)]
mod vcf_tests;
#[cfg(test)]
mod vco_tests;
