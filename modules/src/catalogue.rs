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
    Kind::of::<kinds::keys::Keys>(),
    Kind::of::<kinds::split::Split>(),
    Kind::of::<kinds::merge::Merge>(),
    Kind::of::<kinds::pan::Pan>(),
    Kind::of::<kinds::scale::Scale>(),
    Kind::of::<kinds::compare::Compare>(),
    Kind::of::<kinds::logic::Logic>(),
    Kind::of::<kinds::quantize::Quantize>(),
    Kind::of::<kinds::follow::Follow>(),
    Kind::of::<kinds::clock::Clock>(),
    Kind::of::<kinds::divide::Divide>(),
    Kind::of::<kinds::seq::Seq>(),
    Kind::of::<kinds::euclid::Euclid>(),
    Kind::of::<kinds::random::Voltages>(),
    Kind::of::<kinds::reverb::Reverb>(),
    Kind::of::<kinds::chorus::Chorus>(),
    Kind::of::<kinds::shift::Shift>(),
    Kind::of::<kinds::sampler::Sampler>(),
    Kind::of::<kinds::conv::Conv>(),
    Kind::of::<kinds::freeze::Freeze>(),
    Kind::of::<kinds::spectrum::Spectrum>(),
    Kind::of::<kinds::input::Input>(),
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
