//! Clock divider: lets every second, third, fourth ... pulse through.
//!
//! The first pulse passes everywhere, and so does the first after a reset, even in the same frame. A pulse that passes stays up
//! for as long as the clock's own does.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::clocked::Clocked;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Trigger, "the clock to divide"),
    Reset: PortSpec::new("reset", Signal::Trigger, "counts from the next pulse on"),
} }

const OUTPUTS: &[PortSpec] = &[
    PortSpec::new("out", Signal::Gate, "one of as many pulses as by says"),
    PortSpec::new("div2", Signal::Gate, "every second pulse"),
    PortSpec::new("div4", Signal::Gate, "every fourth"),
    PortSpec::new("div8", Signal::Gate, "every eighth"),
    PortSpec::new("div16", Signal::Gate, "every sixteenth"),
    PortSpec::new("div32", Signal::Gate, "every thirty-second"),
];

/// What each output divides by; the first has the param.
const DIVISORS: [u32; 6] = [1, 2, 4, 8, 16, 32];

const _: () = assert!(OUTPUTS.len() == DIVISORS.len());

table! { P: ParamSpec = PARAMS {
    By: ParamSpec::count("by", (1, 128), 3).help("what out divides by"),
} }

/// The `divide` kind.
pub struct Divide;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Pulses since the reset.
    count: u32,
    /// Bit per output: the pulse that is up passes.
    passes: u32,
    clocked: Clocked,
}

impl Module for Divide {
    const SPEC: KindSpec = KindSpec {
        name: "divide",
        summary: "lets every second, third, fourth ... pulse of a clock through",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("in"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (clock, reset, by) = (block.input(In::Main), block.input(In::Reset), block.param(P::By));
        for frame in 0..block.frames {
            let by = by.at(frame);
            for channel in 0..W {
                voices[channel].hear(clock[frame][channel], reset[frame][channel], by[channel] as u32);
            }
            for output in 0..DIVISORS.len() {
                let out = &mut block.output(output)[frame];
                for channel in 0..W {
                    out[channel] = (voices[channel].passes >> output & 1) as f32;
                }
            }
        }
    }
}

impl Voice {
    #[inline(always)]
    fn hear(&mut self, clock: f32, reset: f32, by: u32) {
        let heard = self.clocked.hear(clock, reset);
        if heard.is_reset {
            self.count = 0;
        }
        if heard.is_pulse {
            self.pass(by);
        } else if !heard.is_up {
            self.passes = 0;
        }
    }

    /// Counts a pulse.
    fn pass(&mut self, by: u32) {
        for (output, divisor) in DIVISORS.into_iter().enumerate() {
            let divisor = if output == 0 { by.max(1) } else { divisor };
            self.passes |= u32::from(self.count.is_multiple_of(divisor)) << output;
        }
        self.count = self.count.wrapping_add(1);
    }
}
