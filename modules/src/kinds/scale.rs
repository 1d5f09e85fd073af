//! Scale: a signal made larger, smaller or upside down, and moved: what an attenuverter with an offset knob does.
//!
//! At its defaults it passes every sample as it is. An lfo of -1..1 becomes 0..1 with `scale=0.5 offset=0.5`.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::module::Stateless;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to scale"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "in times scale plus offset"),
} }

const RANGE: (f32, f32) = (-16.0, 16.0);

table! { P: ParamSpec = PARAMS {
    Scale: ParamSpec::linear("scale", Unit::Ratio, RANGE, 1.0).smooth(5.0).help("factor; below zero inverts"),
    Offset: ParamSpec::linear("offset", Unit::Ratio, RANGE, 0.0).smooth(5.0).help("added after that: octaves, for a pitch"),
} }

/// The `scale` kind.
pub struct Scale;

impl Module for Scale {
    const SPEC: KindSpec = KindSpec {
        name: "scale",
        summary: "scales, inverts and shifts a signal: attenuverter and offset",
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
        let input = block.input(In::Main);
        let (scale, offset) = (block.param(P::Scale), block.param(P::Offset));
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let (scale, offset) = (scale.at(frame), offset.at(frame));
            for lane in 0..W {
                out[lane] = input[frame][lane] * scale[lane] + offset[lane];
            }
        }
    }
}
