//! Step sequencer: sixteen steps of pitch and velocity, one for each pulse of a clock.
//!
//! The first pulse, and the first one after a reset or in the frame of a reset, plays the first step. A step whose velocity is 0
//! is a rest: pitch and velocity stay as they are, so that the note before it dies away in tune. A gate stays on for `length`
//! of the way to the next pulse, as the last two pulses were apart (until that is known: as long as the clock's own pulse); at 1
//! it is tied to the next note, and `glide` leads there ([`crate::dsp::portamento`]). `end` tells that all steps were played, in the
//! frame in which they begin again. A note played by hand transposes.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::clocked::{Clocked, walk};
use crate::dsp::decay::{Approach, FALL_60_DB};
use crate::dsp::portamento::Portamento;
use crate::dsp::pulse::{Pulse, pulse_frames};
use crate::dsp::random::Random;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Clock: PortSpec::new("clock", Signal::Trigger, "plays the next step"),
    Reset: PortSpec::new("reset", Signal::Trigger, "the next pulse plays the first step"),
    Pitch: PortSpec::new("pitch", Signal::Pitch, "transposes"),
} }

table! { Out: PortSpec = OUTPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "of the note that was played last"),
    Gate: PortSpec::new("gate", Signal::Gate, "1 while a note is held"),
    Trig: PortSpec::new("trig", Signal::Trigger, "a pulse for each note"),
    Velocity: PortSpec::new("velocity", Signal::Unipolar, "of the note that was played last"),
    Step: PortSpec::new("step", Signal::Unipolar, "which step is played: 0 for the first, 1/16 more for each"),
    End: PortSpec::new("end", Signal::Trigger, "a pulse when the steps begin again"),
} }

/// Steps that there are.
const STEPS: usize = 16;

const PARAMS: &[ParamSpec] = &[
    ParamSpec::count("steps", (1, STEPS as u16), 8).help("how many of the steps are played"),
    ParamSpec::choice("mode", &["forward", "reverse", "pendulum", "random", "drunk"])
        .help("pendulum goes there and back, random anywhere, drunk one step either way"),
    ParamSpec::linear("glide", Unit::Seconds, (0.0, 5.0), 0.0)
        .help("time to reach the next note, to 1/1000 of the interval"),
    ParamSpec::linear("length", Unit::Ratio, (0.0, 1.0), 0.5)
        .help("part of its step for which a gate is on; 1 ties it to the next"),
    pitch("step1"),
    pitch("step2"),
    pitch("step3"),
    pitch("step4"),
    pitch("step5"),
    pitch("step6"),
    pitch("step7"),
    pitch("step8"),
    pitch("step9"),
    pitch("step10"),
    pitch("step11"),
    pitch("step12"),
    pitch("step13"),
    pitch("step14"),
    pitch("step15"),
    pitch("step16"),
    velocity("vel1"),
    velocity("vel2"),
    velocity("vel3"),
    velocity("vel4"),
    velocity("vel5"),
    velocity("vel6"),
    velocity("vel7"),
    velocity("vel8"),
    velocity("vel9"),
    velocity("vel10"),
    velocity("vel11"),
    velocity("vel12"),
    velocity("vel13"),
    velocity("vel14"),
    velocity("vel15"),
    velocity("vel16"),
];

/// Places in the table.
const COUNT: usize = 0;
const MODE: usize = 1;
const GLIDE: usize = 2;
const LENGTH: usize = 3;
const PITCHES: usize = 4;
const VELOCITIES: usize = PITCHES + STEPS;

const _: () = assert!(PARAMS.len() == VELOCITIES + STEPS);

const fn pitch(name: &'static str) -> ParamSpec {
    ParamSpec::linear(name, Unit::Octaves, (-5.0, 5.0), 0.0).help("pitch of this step, in octaves from c4")
}

const fn velocity(name: &'static str) -> ParamSpec {
    ParamSpec::linear(name, Unit::Ratio, (0.0, 1.0), 1.0).help("velocity of this step; 0 is a rest")
}

const FORWARD: usize = 0;
const REVERSE: usize = 1;
const PENDULUM: usize = 2;
const RANDOM: usize = 3;

/// The `seq` kind.
pub struct Seq;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    glide: Portamento,
    random: Random,
    clocked: Clocked,
    /// Pulses since the reset or since the steps began again.
    next: u32,
    /// The step that is played, and the last one that was no rest.
    step: u32,
    note: u32,
    velocity: f32,
    /// Frames since the last pulse, and between the two before that; [`UNKNOWN`] before there are any.
    since: u32,
    interval: u32,
    /// Frames for which the gate stays on, or [`WHILE_UP`] or [`TIED`].
    gate_left: u32,
    /// The gate goes down for one frame first.
    has_gap: u32,
    trig: Pulse,
    end: Pulse,
}

/// As a number of frames: no pulse was heard, or none for a day.
const UNKNOWN: u32 = u32::MAX;

/// As what is left of a gate: on until the clock's own pulse is over, or until the next pulse.
const WHILE_UP: u32 = u32::MAX;
const TIED: u32 = u32::MAX - 1;

/// What a pulse needs to know, besides the velocity of its step.
struct Play {
    steps: u32,
    mode: usize,
    length: f32,
    pulse_frames: u32,
}

impl Module for Seq {
    const SPEC: KindSpec = KindSpec {
        name: "seq",
        summary: "step sequencer: sixteen steps of pitch and velocity",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: Some("clock"), voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
        (voice.since, voice.interval) = (UNKNOWN, UNKNOWN);
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let [clock, reset, transpose] = [In::Clock, In::Reset, In::Pitch].map(|port| block.input(port));
        let (steps, mode, length) = (block.param(COUNT), block.param(MODE), block.param(LENGTH));
        let glide = Approach::new(block.param(GLIDE), FALL_60_DB, block.rate_hz);
        let pulse_frames = pulse_frames(block.rate_hz);
        for frame in 0..block.frames {
            let (steps, mode, length, share) = (steps.at(frame), mode.at(frame), length.at(frame), glide.at(frame));
            let [mut pitch, mut on, mut trig, mut velocity, mut step, mut end] = [[0.0; W]; OUTPUTS.len()];
            for channel in 0..W {
                let voice = &mut voices[channel];
                if voice.hear(clock[frame][channel], reset[frame][channel]) {
                    let (steps, mode) = (steps[channel] as u32, mode[channel] as usize);
                    let play = Play { steps, mode, length: length[channel], pulse_frames };
                    voice.advance(&play);
                    let velocity = block.param(VELOCITIES + voice.step as usize % STEPS);
                    voice.strike(velocity.at(frame)[channel], &play);
                }
                on[channel] = voice.gate();
                let note = block.param(PITCHES + voice.note as usize % STEPS).at(frame)[channel];
                pitch[channel] = voice.glide.step(note, share[channel]) + transpose[frame][channel];
                (trig[channel], end[channel]) = (voice.trig.level(), voice.end.level());
                (velocity[channel], step[channel]) = (voice.velocity, voice.step as f32 / STEPS as f32);
            }
            let rows = [pitch, on, trig, velocity, step, end];
            for (port, row) in
                [Out::Pitch, Out::Gate, Out::Trig, Out::Velocity, Out::Step, Out::End].into_iter().zip(rows)
            {
                block.output(port)[frame] = row;
            }
        }
    }
}

impl Voice {
    /// Whether the next step is due.
    #[inline(always)]
    fn hear(&mut self, clock: f32, reset: f32) -> bool {
        let heard = self.clocked.hear(clock, reset);
        if heard.is_reset {
            self.next = 0;
        }
        if self.gate_left == WHILE_UP && !heard.is_up {
            self.gate_left = 0;
        }
        self.since = self.since.saturating_add(1);
        heard.is_pulse
    }

    /// Goes to the step that comes next.
    fn advance(&mut self, play: &Play) {
        let last = play.steps.saturating_sub(1);
        let is_first = self.next == 0;
        let (count, is_again) = walk(&mut self.next, if play.mode == PENDULUM { 2 * last } else { last + 1 });
        if is_again {
            self.end.fire(play.pulse_frames);
        }
        let drawn = self.random.bipolar();
        self.step = match play.mode {
            FORWARD => count,
            REVERSE => last - count,
            PENDULUM => count.min(2 * last - count),
            _ if is_first => 0,
            RANDOM => ((0.5 + 0.5 * drawn) * play.steps as f32) as u32,
            _ => stagger(self.step.min(last), last, drawn),
        }
        .min(last);
    }

    /// Plays the step, if it is no rest.
    fn strike(&mut self, velocity: f32, play: &Play) {
        // The shorter of the last two ways: a pause does not make the note after it a long one.
        let interval = self.since.min(self.interval);
        (self.interval, self.since) = (self.since, 0);
        let left = std::mem::take(&mut self.gate_left);
        if velocity <= 0.0 {
            return;
        }
        (self.note, self.velocity) = (self.step, velocity);
        self.trig.fire(play.pulse_frames);
        // One that is still on goes down for a frame, so that the note is heard as a new one; unless it was tied to it.
        self.has_gap = u32::from(left != 0 && left != TIED);
        self.gate_left = match interval {
            _ if play.length >= 1.0 => TIED,
            UNKNOWN => WHILE_UP,
            frames => ((f64::from(play.length) * f64::from(frames) + 0.5) as u32).clamp(1, (frames - 1).max(1)),
        };
    }

    /// The gate in this frame.
    #[inline(always)]
    fn gate(&mut self) -> f32 {
        if self.has_gap != 0 {
            self.has_gap = 0;
            return 0.0;
        }
        match self.gate_left {
            0 => 0.0,
            WHILE_UP | TIED => 1.0,
            left => {
                self.gate_left = left - 1;
                1.0
            }
        }
    }
}

/// One step either way; back from the ends.
fn stagger(step: u32, last: u32, drawn: f32) -> u32 {
    let is_up = step == 0 || (drawn >= 0.0 && step < last);
    if is_up { step + 1 } else { step - 1 }
}
