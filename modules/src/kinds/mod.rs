//! One file a kind.

pub mod out;
pub mod vca;
pub mod vcf;
pub mod vco;

#[cfg(test)]
mod vcf_tests;
#[cfg(test)]
mod vco_tests;
