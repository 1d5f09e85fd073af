//! The way out: what is patched here is what is heard.
//!
//! The last module of every cycle, executed by the engine. A limiter protects ears: it passes every sample bit
//! for bit while the signal stays within -1..1.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::module::Stateless;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Left: PortSpec::new("left", Signal::Audio, "left loudspeaker"),
    Right: PortSpec::new("right", Signal::Audio, "right loudspeaker"),
} }

table! { Heard: PortSpec = OUTPUTS {
    Left: PortSpec::new("left", Signal::Audio, "what the left loudspeaker gets"),
    Right: PortSpec::new("right", Signal::Audio, "what the right loudspeaker gets"),
} }

const PARAMS: &[ParamSpec] = &[];

/// The `out` kind.
pub struct Out;

impl Module for Out {
    const SPEC: KindSpec = KindSpec {
        name: "out",
        summary: "what is patched here is heard; always there",
        source: "",
        role: Role::Output,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None },
    };

    type Voice = Stateless;

    #[inline(always)]
    fn process<const W: usize>(_voices: &mut [Stateless; W], block: &mut Block<'_, W>) {
        for (input, output) in [(In::Left, Heard::Left), (In::Right, Heard::Right)] {
            let rows = block.input(input);
            block.output(output).copy_from_slice(rows);
        }
    }
}
