//! Split: each channel of a poly cable on an output of its own, bit for bit.
//!
//! Where the voices of a chord go ways of their own: one to a delay, one to the left. However many channels the module itself
//! has, all give the same.

use tine_protocol::spec::{CHANNELS_MAX, KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::module::Stateless;
use crate::{Block, Module};

const INPUTS: &[PortSpec] = &[PortSpec::new("in", Signal::Audio, "the channels to take apart").poly()];

const PARAMS: &[ParamSpec] = &[];

const OUTPUTS: &[PortSpec] = &[
    channel("out1", "first channel"),
    channel("out2", "second channel; silent where there is none"),
    channel("out3", "third channel"),
    channel("out4", "fourth channel"),
    channel("out5", "fifth channel"),
    channel("out6", "sixth channel"),
    channel("out7", "seventh channel"),
    channel("out8", "eighth channel"),
    channel("out9", "ninth channel"),
    channel("out10", "tenth channel"),
    channel("out11", "eleventh channel"),
    channel("out12", "twelfth channel"),
    channel("out13", "thirteenth channel"),
    channel("out14", "fourteenth channel"),
    channel("out15", "fifteenth channel"),
    channel("out16", "sixteenth channel"),
    PortSpec::new("channels", Signal::Unipolar, "how many channels come in: 1/16 for each"),
];

/// The output that counts.
const COUNT: usize = CHANNELS_MAX;

const _: () = assert!(OUTPUTS.len() == CHANNELS_MAX + 1);

const fn channel(name: &'static str, summary: &'static str) -> PortSpec {
    PortSpec::new(name, Signal::Audio, summary)
}

/// The `split` kind.
pub struct Split;

impl Module for Split {
    const SPEC: KindSpec = KindSpec {
        name: "split",
        summary: "each channel of a poly cable on an output of its own",
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
        let (heard, channels) = block.poly();
        for channel in 0..CHANNELS_MAX {
            if block.is_wanted(channel) {
                for (out, row) in block.output(channel).iter_mut().zip(heard) {
                    *out = [row[channel]; W];
                }
            }
        }
        if block.is_wanted(COUNT) {
            block.output(COUNT).fill([channels as f32 / CHANNELS_MAX as f32; W]);
        }
    }
}
