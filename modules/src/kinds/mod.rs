//! One file a kind.

pub mod adsr;
pub mod comb;
pub mod comp;
pub mod delay;
pub mod drive;
pub mod fold;
pub mod lfo;
pub mod limiter;
pub mod meter;
pub mod mix;
pub mod noise;
pub mod op;
pub mod out;
pub mod pluck;
pub mod ring;
pub mod scope;
pub mod sh;
pub mod slew;
pub mod vca;
pub mod vcf;
pub mod vco;
pub mod wavetable;

#[cfg(test)]
mod dynamics_tests;
#[cfg(test)]
mod op_tests;
#[cfg(test)]
mod shape_tests;
#[cfg(test)]
mod string_tests;
#[cfg(test)]
mod vcf_tests;
#[cfg(test)]
mod vco_tests;
#[cfg(test)]
mod wavetable_tests;
