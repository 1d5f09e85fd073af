//! Every kind there is, one line each.

use crate::kinds;
use crate::runner::Kind;

/// All kinds, in the order in which `modules` lists them. The index is a kind's number within one build.
#[rustfmt::skip]
pub static CATALOGUE: &[Kind] = &[
    Kind::of::<kinds::vco::Vco>(),
    Kind::of::<kinds::vcf::Vcf>(),
    Kind::of::<kinds::vca::Vca>(),
    Kind::of::<kinds::out::Out>(),
];

/// The kind called `name`, and its number.
pub fn kind(name: &str) -> Option<(usize, &'static Kind)> {
    CATALOGUE.iter().enumerate().find(|(_, kind)| kind.spec.name == name)
}
