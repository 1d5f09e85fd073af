//! Scope: passes its signal bit for bit, so that it can be looked at where it is patched in.
//!
//! The engine reads its output block by block for display; here nothing is drawn.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::module::Stateless;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to look at"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the same signal"),
} }

const PARAMS: &[ParamSpec] = &[];

/// The `scope` kind.
pub struct Scope;

impl Module for Scope {
    const SPEC: KindSpec = KindSpec {
        name: "scope",
        summary: "passes a signal on unchanged: a named place to look at with scope",
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
        block.output(Out::Main).copy_from_slice(input);
    }
}
