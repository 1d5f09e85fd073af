//! Logic: gates out of two gates.
//!
//! Each input is read as a gate, on above 0.5 and off below 0.25; every output is exactly 0 or 1 and changes in the frame in which
//! its inputs do. Sums of cables are an `or` already; `xor` of two clocks makes rhythms, `not` turns a gate over.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::schmitt::gate;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    A: PortSpec::new("a", Signal::Gate, "one gate"),
    B: PortSpec::new("b", Signal::Gate, "the other"),
} }

table! { Out: PortSpec = OUTPUTS {
    And: PortSpec::new("and", Signal::Gate, "1 while both are on"),
    Or: PortSpec::new("or", Signal::Gate, "1 while any is on"),
    Xor: PortSpec::new("xor", Signal::Gate, "1 while one alone is on"),
    Nand: PortSpec::new("nand", Signal::Gate, "1 unless both are on"),
    Nor: PortSpec::new("nor", Signal::Gate, "1 while none is on"),
    Xnor: PortSpec::new("xnor", Signal::Gate, "1 while both are the same"),
    Not: PortSpec::new("not", Signal::Gate, "1 while a is off"),
} }

const PARAMS: &[ParamSpec] = &[];

/// The `logic` kind.
pub struct Logic;

/// One channel's gates, 0 or 1.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    a: f32,
    b: f32,
}

impl Module for Logic {
    const SPEC: KindSpec = KindSpec {
        name: "logic",
        summary: "and, or, xor and their opposites of two gates",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: Some("a"), velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let inputs = [block.input(In::A), block.input(In::B)];
        let (mut a, mut b) = ([0.0; W], [0.0; W]);
        for channel in 0..W {
            (a[channel], b[channel]) = (voices[channel].a, voices[channel].b);
        }
        for frame in 0..block.frames {
            let (mut and, mut or) = ([0.0; W], [0.0; W]);
            for channel in 0..W {
                a[channel] = gate(a[channel], inputs[0][frame][channel]);
                b[channel] = gate(b[channel], inputs[1][frame][channel]);
                and[channel] = a[channel] * b[channel];
                or[channel] = a[channel].max(b[channel]);
            }
            let mut xor = or;
            for channel in 0..W {
                xor[channel] -= and[channel];
            }
            for (port, level) in [(Out::And, and), (Out::Or, or), (Out::Xor, xor)] {
                block.output(port)[frame] = level;
            }
            for (port, level) in [(Out::Nand, and), (Out::Nor, or), (Out::Xnor, xor), (Out::Not, a)] {
                let out = &mut block.output(port)[frame];
                for channel in 0..W {
                    out[channel] = 1.0 - level[channel];
                }
            }
        }
        for channel in 0..W {
            voices[channel] = Voice { a: a[channel], b: b[channel] };
        }
    }
}
