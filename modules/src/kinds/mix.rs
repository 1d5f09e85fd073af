//! Mixer: eight signals, each with its gain, summed in the order of their numbers.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::module::Stateless;
use crate::{Block, Module};

const LINES: usize = 8;

const INPUTS: &[PortSpec] = &[
    input("in1", "first signal"),
    input("in2", "second signal"),
    input("in3", "third signal"),
    input("in4", "fourth signal"),
    input("in5", "fifth signal"),
    input("in6", "sixth signal"),
    input("in7", "seventh signal"),
    input("in8", "eighth signal"),
];

const PARAMS: &[ParamSpec] = &[
    gain("gain1", "linear gain of in1; below zero inverts"),
    gain("gain2", "linear gain of in2; below zero inverts"),
    gain("gain3", "linear gain of in3; below zero inverts"),
    gain("gain4", "linear gain of in4; below zero inverts"),
    gain("gain5", "linear gain of in5; below zero inverts"),
    gain("gain6", "linear gain of in6; below zero inverts"),
    gain("gain7", "linear gain of in7; below zero inverts"),
    gain("gain8", "linear gain of in8; below zero inverts"),
];

const _: () = assert!(INPUTS.len() == LINES && PARAMS.len() == LINES);

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the sum of all inputs, each times its gain"),
} }

const fn input(name: &'static str, summary: &'static str) -> PortSpec {
    PortSpec::new(name, Signal::Audio, summary)
}

const fn gain(name: &'static str, summary: &'static str) -> ParamSpec {
    ParamSpec::linear(name, Unit::Gain, (-8.0, 8.0), 1.0).smooth(5.0).help(summary)
}

/// The `mix` kind.
pub struct Mix;

impl Module for Mix {
    const SPEC: KindSpec = KindSpec {
        name: "mix",
        summary: "sums eight signals, each with its gain",
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
        block.output(Out::Main).fill([0.0; W]);
        for line in 0..LINES {
            if !block.is_patched(line) {
                continue;
            }
            let input = block.input(line);
            let gain = block.param(line);
            for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
                let gain = gain.at(frame);
                for channel in 0..W {
                    out[channel] += input[frame][channel] * gain[channel];
                }
            }
        }
    }
}
