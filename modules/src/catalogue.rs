//! Every kind there is, one line each.

use crate::kinds;
use crate::runner::Kind;

/// All kinds, in the order in which `modules` lists them. The index is a kind's number within one build.
pub static CATALOGUE: &[Kind] = &[
    Kind::of::<kinds::vco::Vco>(),
    Kind::of::<kinds::vcf::Vcf>(),
    Kind::of::<kinds::vca::Vca>(),
    Kind::of::<kinds::lfo::Lfo>(),
    Kind::of::<kinds::adsr::Adsr>(),
    Kind::of::<kinds::noise::Noise>(),
    Kind::of::<kinds::mix::Mix>(),
    Kind::of::<kinds::sh::SampleHold>(),
    Kind::of::<kinds::slew::Slew>(),
    Kind::of::<kinds::delay::Delay>(),
    Kind::of::<kinds::scope::Scope>(),
    Kind::of::<kinds::out::Out>(),
    Kind::of::<kinds::op::Op>(),
    Kind::of::<kinds::fold::Fold>(),
    Kind::of::<kinds::drive::Drive>(),
    Kind::of::<kinds::ring::Ring>(),
    Kind::of::<kinds::wavetable::Wavetable>(),
    Kind::of::<kinds::pluck::Pluck>(),
    Kind::of::<kinds::comb::Comb>(),
    Kind::of::<kinds::limiter::Limiter>(),
    Kind::of::<kinds::comp::Comp>(),
    Kind::of::<kinds::meter::Meter>(),
];

/// The kind called `name`, and its number.
pub fn kind(name: &str) -> Option<(usize, &'static Kind)> {
    CATALOGUE.iter().enumerate().find(|(_, kind)| kind.spec.name == name)
}
