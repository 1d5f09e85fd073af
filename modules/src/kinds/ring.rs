//! Ring modulator: the product of two signals. Every pair of tones becomes their sum and their difference, and neither
//! is left: bells, robots, tremolo.
//!
//! Four quadrants, exact: one multiplication, no offset that would let a carrier through while the input is silent. Below
//! `mix` 1 the input itself is heard too, which makes it amplitude modulation. Sums of frequencies beyond half the rate
//! fold down, so two bright sounds alias: then filter one of them first.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::switch::blend;
use crate::module::Stateless;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "one signal"),
    Carrier: PortSpec::new("carrier", Signal::Audio, "the other, often a sine"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "in times carrier"),
} }

table! { P: ParamSpec = PARAMS {
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 1.0).smooth(5.0).help("0: only in; 1: only the product"),
} }

/// The `ring` kind.
pub struct Ring;

impl Module for Ring {
    const SPEC: KindSpec = KindSpec {
        name: "ring",
        summary: "ring modulator: the product of two signals",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Stateless;

    #[inline(always)]
    fn process<const W: usize>(_voices: &mut [Stateless; W], block: &mut Block<'_, W>) {
        let (input, carrier) = (block.input(In::Main), block.input(In::Carrier));
        let mix = block.param(P::Mix);
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let mix = mix.at(frame);
            for lane in 0..W {
                let dry = input[frame][lane];
                out[lane] = blend(dry, dry * carrier[frame][lane], mix[lane]);
            }
        }
    }
}
