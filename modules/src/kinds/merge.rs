//! Merge: single signals side by side on one poly cable, bit for bit.
//!
//! `create merge*4` makes a cable of four channels, the first of which carries `in1`, the second `in2`, and so on. A poly
//! cable into `in3` gives its own third channel there.

use tine_protocol::spec::{CHANNELS_MAX, KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::module::Stateless;
use crate::{Block, Module};

const INPUTS: &[PortSpec] = &[
    channel("in1", "first channel"),
    channel("in2", "second channel; unheard where the module has none"),
    channel("in3", "third channel"),
    channel("in4", "fourth channel"),
    channel("in5", "fifth channel"),
    channel("in6", "sixth channel"),
    channel("in7", "seventh channel"),
    channel("in8", "eighth channel"),
    channel("in9", "ninth channel"),
    channel("in10", "tenth channel"),
    channel("in11", "eleventh channel"),
    channel("in12", "twelfth channel"),
    channel("in13", "thirteenth channel"),
    channel("in14", "fourteenth channel"),
    channel("in15", "fifteenth channel"),
    channel("in16", "sixteenth channel"),
];

const _: () = assert!(INPUTS.len() == CHANNELS_MAX);

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "all channels of the module"),
} }

const PARAMS: &[ParamSpec] = &[];

const fn channel(name: &'static str, summary: &'static str) -> PortSpec {
    PortSpec::new(name, Signal::Audio, summary)
}

/// The `merge` kind.
pub struct Merge;

impl Module for Merge {
    const SPEC: KindSpec = KindSpec {
        name: "merge",
        summary: "puts single signals side by side on one poly cable",
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
        for lane in 0..W {
            let input = block.input((block.first_channel + lane).min(CHANNELS_MAX - 1));
            for (out, row) in block.output(Out::Main).iter_mut().zip(input) {
                out[lane] = row[lane];
            }
        }
    }
}
