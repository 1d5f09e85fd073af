//! Euclidean rhythms: so many pulses, laid as evenly as can be over so many steps.
//!
//! Three over eight is the tresillo, five over eight the cinquillo. Each pulse of the clock is one step; the first one, and the
//! first one after a reset or in the frame of a reset, is the first step. `rotate` moves the rhythm later. The accents are laid
//! over its pulses in the same even way, and move with them.
//!
//! Source: Bjorklund's algorithm as Toussaint gives it, "The Euclidean algorithm generates traditional musical rhythms",
//! BRIDGES 2005; the rhythms begin as they do there.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::clocked::{Clocked, walk};
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Clock: PortSpec::new("clock", Signal::Trigger, "goes to the next step"),
    Reset: PortSpec::new("reset", Signal::Trigger, "the next pulse is the first step"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Gate, "the clock's pulses that belong to the rhythm"),
    Gate: PortSpec::new("gate", Signal::Gate, "1 for the whole of each step that has a pulse"),
    Accent: PortSpec::new("accent", Signal::Gate, "the clock's pulses that are accented"),
    Rest: PortSpec::new("rest", Signal::Gate, "the clock's pulses that are left out"),
} }

table! { P: ParamSpec = PARAMS {
    Steps: ParamSpec::count("steps", (1, STEPS_MAX), 8).help("steps of the rhythm"),
    Pulses: ParamSpec::count("pulses", (0, STEPS_MAX), 3).help("pulses among them"),
    Rotate: ParamSpec::count("rotate", (0, STEPS_MAX - 1), 0).help("steps by which the rhythm is moved later"),
    Accents: ParamSpec::count("accents", (0, STEPS_MAX), 1).help("accents among the pulses"),
} }

/// Longest rhythm: its steps are the bits of a word.
const STEPS_MAX: u16 = 32;

/// The `euclid` kind.
pub struct Euclid;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    clocked: Clocked,
    /// Steps since the rhythm began.
    next: u32,
    /// Whether the step that is played has a pulse, an accent: 0 or 1.
    has_pulse: u32,
    has_accent: u32,
}

/// The params in one frame.
struct Rhythm {
    steps: u32,
    pulses: u32,
    rotate: u32,
    accents: u32,
}

impl Module for Euclid {
    const SPEC: KindSpec = KindSpec {
        name: "euclid",
        summary: "Euclidean rhythms: pulses and accents laid evenly over steps",
        source: "Toussaint, \"The Euclidean algorithm generates traditional musical rhythms\", BRIDGES 2005",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("clock"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (clock, reset) = (block.input(In::Clock), block.input(In::Reset));
        let params = [P::Steps, P::Pulses, P::Rotate, P::Accents].map(|param| block.param(param));
        for frame in 0..block.frames {
            let counts = params.map(|param| param.at(frame));
            let [mut out, mut on, mut accent, mut rest] = [[0.0; W]; OUTPUTS.len()];
            for channel in 0..W {
                let voice = &mut voices[channel];
                let heard = voice.clocked.hear(clock[frame][channel], reset[frame][channel]);
                if heard.is_reset {
                    voice.next = 0;
                }
                if heard.is_pulse {
                    let [steps, pulses, rotate, accents] = counts.map(|count| count[channel] as u32);
                    voice.advance(&Rhythm { steps, pulses, rotate, accents });
                }
                let up = if heard.is_up { 1.0 } else { 0.0 };
                on[channel] = voice.has_pulse as f32;
                out[channel] = up * on[channel];
                accent[channel] = up * voice.has_accent as f32;
                rest[channel] = up - out[channel];
            }
            for (port, row) in [(Out::Main, out), (Out::Gate, on), (Out::Accent, accent), (Out::Rest, rest)] {
                block.output(port)[frame] = row;
            }
        }
    }
}

impl Voice {
    /// Goes to the next step. The rhythm is made anew each time, which takes less than a microsecond.
    #[inline(never)]
    fn advance(&mut self, rhythm: &Rhythm) {
        let steps = rhythm.steps.clamp(1, u32::from(STEPS_MAX));
        let (step, _) = walk(&mut self.next, steps);
        let place = (step + steps - rhythm.rotate % steps) % steps;
        let pulses = bjorklund(rhythm.pulses, steps);
        self.has_pulse = pulses >> place & 1;
        // Which of the pulses this one is.
        let number = (pulses & ((1 << place) - 1)).count_ones();
        self.has_accent = self.has_pulse & bjorklund(rhythm.accents, pulses.count_ones()) >> number;
    }
}

/// A group of steps, and how often it occurs.
#[derive(Clone, Copy)]
struct Group {
    bits: u32,
    length: u32,
    count: u32,
}

/// `pulses` spread over `steps` (at most 32); bit 0 is the first step.
fn bjorklund(pulses: u32, steps: u32) -> u32 {
    let pulses = pulses.min(steps);
    if pulses == 0 {
        return 0;
    }
    let mut many = Group { bits: 1, length: 1, count: pulses };
    let mut few = Group { bits: 0, length: 1, count: steps - pulses };
    // As in Euclid's algorithm: each of the many takes one of the few as long as there are any, until at most one is left over.
    loop {
        let pairs = many.count.min(few.count);
        if pairs == 0 {
            break;
        }
        let rest = if many.count > few.count { many } else { few };
        many = Group { bits: many.bits | few.bits << many.length, length: many.length + few.length, count: pairs };
        few = Group { count: rest.count - pairs, ..rest };
        if few.count <= 1 {
            break;
        }
    }
    let (mut rhythm, mut at) = (0, 0);
    for group in [many, few] {
        for _ in 0..group.count {
            rhythm |= group.bits << at;
            at += group.length;
        }
    }
    rhythm
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of Toussaint's paper, section 4.
    const PUBLISHED: [(u32, u32, &str); 23] = [
        (2, 3, "x.x"),
        (2, 5, "x.x.."),
        (3, 4, "x.xx"),
        (3, 5, "x.x.x"),
        (3, 7, "x.x.x.."),
        (3, 8, "x..x..x."),
        (4, 7, "x.x.x.x"),
        (4, 9, "x.x.x.x.."),
        (4, 11, "x..x..x..x."),
        (5, 6, "x.xxxx"),
        (5, 7, "x.xx.xx"),
        (5, 8, "x.xx.xx."),
        (5, 9, "x.x.x.x.x"),
        (5, 11, "x.x.x.x.x.."),
        (5, 12, "x..x.x..x.x."),
        (5, 16, "x..x..x..x..x..."),
        (7, 8, "x.xxxxxx"),
        (7, 12, "x.xx.x.xx.x."),
        (7, 16, "x..x.x.x..x.x.x."),
        (9, 16, "x.xx.x.x.xx.x.x."),
        (11, 24, "x..x.x.x.x.x..x.x.x.x.x."),
        (13, 24, "x.xx.x.x.x.x.xx.x.x.x.x."),
        (4, 12, "x..x..x..x.."),
    ];

    #[test]
    fn the_rhythms_are_those_that_were_published() {
        for (pulses, steps, published) in PUBLISHED {
            let bits = bjorklund(pulses, steps);
            let rhythm: String = (0..steps).map(|step| if bits >> step & 1 == 1 { 'x' } else { '.' }).collect();
            assert_eq!(rhythm, published, "E({pulses},{steps})");
        }
    }

    #[test]
    fn every_rhythm_has_its_pulses_and_no_two_gaps_differ_by_more_than_one() {
        for steps in 1..=u32::from(STEPS_MAX) {
            for pulses in 1..=steps {
                let bits = bjorklund(pulses, steps);
                assert_eq!(bits.count_ones(), pulses, "E({pulses},{steps})");
                let at: Vec<u32> = (0..steps).filter(|step| bits >> step & 1 == 1).collect();
                assert_eq!(at[0], 0, "it begins with a pulse");
                let gaps = (0..at.len()).map(|k| (at[(k + 1) % at.len()] + steps - at[k] - 1) % steps + 1);
                assert!(gaps.clone().max().unwrap() - gaps.min().unwrap() <= 1, "E({pulses},{steps})");
            }
        }
    }
}
