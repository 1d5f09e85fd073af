//! Voltage-controlled amplifier: one signal sets the loudness of another.
//!
//! Linear: a gate or envelope of 0..1 into `gain` opens it fully at 1 when the knob is at 0.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::module::Stateless;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to scale"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "in times gain"),
} }

table! { P: ParamSpec = PARAMS {
    Gain: ParamSpec::linear("gain", Unit::Gain, (-8.0, 8.0), 1.0).smooth(5.0).help("linear amplitude; below zero inverts"),
} }

/// The `vca` kind.
pub struct Vca;

impl Module for Vca {
    const SPEC: KindSpec = KindSpec {
        name: "vca",
        summary: "amplifier whose gain is a signal",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: Some("gain"), trigger: None, voices: None },
    };

    type Voice = Stateless;

    #[inline(always)]
    fn process<const W: usize>(_voices: &mut [Stateless; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let gain = block.param(P::Gain);
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let gain = gain.at(frame);
            for channel in 0..W {
                out[channel] = input[frame][channel] * gain[channel];
            }
        }
    }
}
