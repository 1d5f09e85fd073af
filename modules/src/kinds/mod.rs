//! One file a kind.

pub mod out;
pub mod vca;
pub mod vcf;
#[cfg(test)]
mod vcf_tests;
pub mod vco;
#[cfg(test)]
mod vco_tests;
