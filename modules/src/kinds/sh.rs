//! Sample and hold: takes the level of `in` at each trigger and keeps it.
//!
//! Met to the frame. At audio rate its steps alias: they are not yet band-limited through the residual tables of
//! `vco` (SOUND, "The other kinds").

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::schmitt::gate;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to take levels from"),
    Trig: PortSpec::new("trig", Signal::Trigger, "a rising edge takes a new level"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the level that was taken last"),
} }

const PARAMS: &[ParamSpec] = &[];

/// The `sh` kind.
pub struct SampleHold;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    held: f32,
    gate: f32,
}

impl Module for SampleHold {
    const SPEC: KindSpec = KindSpec {
        name: "sh",
        summary: "takes a level at each trigger and holds it",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("trig"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (input, trig) = (block.input(In::Main), block.input(In::Trig));
        let (mut held, mut on) = ([0.0; W], [0.0; W]);
        for channel in 0..W {
            (held[channel], on[channel]) = (voices[channel].held, voices[channel].gate);
        }
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            for channel in 0..W {
                let now = gate(on[channel], trig[frame][channel]);
                held[channel] = if now > on[channel] { input[frame][channel] } else { held[channel] };
                on[channel] = now;
            }
            *out = held;
        }
        for channel in 0..W {
            voices[channel] = Voice { held: held[channel], gate: on[channel] };
        }
    }
}
