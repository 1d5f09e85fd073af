//! Random voltages and gates, free or clocked, that may remember themselves.
//!
//! Each step takes the next cell of a loop of `length` cells. With the probability `change` the cell is drawn anew first: at 1
//! nothing comes back, at 0 the loop is locked and repeats for ever, in between it mutates slowly. Each cell also holds
//! the luck of its gate: it opens where that is below `chance`, so a locked loop has a rhythm that `chance` thins out.
//! `smooth` goes from steps to a continuous curve that reaches each value just as the next one is due.
//!
//! Without a cable in `trig` it steps at `rate`; with one at each trigger. `uniform` is even over -1..1; `normal` has a
//! deviation of 1/3, and what would lie beyond ±1 is held there. Steps are met to the frame and not band-limited.
//! Source: the loop is that of Whitwell's Turing Machine (Music Thing Modular, 2012), with whole voltages for its bits;
//! Box & Muller, "A note on the generation of random normal deviates", 1958.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::clocked::{Clocked, walk};
use crate::dsp::random::Random;
use crate::dsp::switch::blend;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Trig: PortSpec::new("trig", Signal::Trigger, "takes the next value; unpatched, rate does"),
    Reset: PortSpec::new("reset", Signal::Trigger, "the next value is the first of the loop"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Bipolar, "the values, -1..1"),
    Gate: PortSpec::new("gate", Signal::Gate, "opens by chance: as long as the trigger, or for half a step"),
} }

table! { P: ParamSpec = PARAMS {
    Rate: ParamSpec::exponential("rate", Unit::Hertz, (0.001, 1_000.0), 2.0).smooth(5.0)
        .help("steps per second where trig is unpatched"),
    Smooth: ParamSpec::linear("smooth", Unit::Ratio, (0.0, 1.0), 0.0).smooth(20.0)
        .help("0: steps; 1: a curve; between: a glide for that part of a step"),
    Dist: ParamSpec::choice("dist", &["uniform", "normal"])
        .help("how values are drawn: evenly, or more of them near 0"),
    Chance: ParamSpec::linear("chance", Unit::Ratio, (0.0, 1.0), 0.5).help("probability of a gate at each step"),
    Change: ParamSpec::linear("change", Unit::Ratio, (0.0, 1.0), 1.0)
        .help("probability that a step draws anew instead of repeating the loop"),
    Length: ParamSpec::count("length", (1, CELLS), 16).help("steps of the loop"),
} }

/// Longest loop.
const CELLS: u16 = 32;

/// Deviation of the normal distribution: three of them reach 1.
const DEVIATION: f64 = 1.0 / 3.0;

/// The `random` kind.
pub struct Voltages;

/// One step of the loop.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Cell {
    value: f32,
    /// Even over 0..1.
    luck: f32,
}

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Steps of the free clock, 0..1.
    phase: f64,
    random: Random,
    clocked: Clocked,
    /// Steps since the loop began.
    next: u32,
    /// Frames since the last trigger, and between the two before; 0 before there are two.
    since: u32,
    interval: u32,
    /// The gate of this step may open: 0 or 1.
    is_open: u32,
    /// Where the curve comes from, goes to, and is.
    from: f32,
    to: f32,
    level: f32,
    is_started: u32,
    cells: [Cell; CELLS as usize],
}

/// What a step needs to know.
struct Draw {
    is_normal: bool,
    chance: f32,
    change: f32,
    length: u32,
}

impl Module for Voltages {
    const SPEC: KindSpec = KindSpec {
        name: "random",
        summary: "random voltages and gates, stepped or smooth, free or clocked, with a memory",
        source: "Whitwell, Turing Machine, Music Thing Modular, 2012; Box & Muller 1958",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("trig"), voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
        for cell in 0..voice.cells.len() {
            voice.cells[cell] = draw(&mut voice.random, false);
        }
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (trig, reset) = (block.input(In::Trig), block.input(In::Reset));
        let is_free = !block.is_patched(In::Trig);
        let [rate, smooth, dist, chance, change, length] =
            [P::Rate, P::Smooth, P::Dist, P::Chance, P::Change, P::Length].map(|param| block.param(param));
        let frame_s = 1.0 / f64::from(block.rate_hz);
        for frame in 0..block.frames {
            let (rate, smooth) = (rate.at(frame), smooth.at(frame));
            let (mut out, mut on) = ([0.0; W], [0.0; W]);
            for channel in 0..W {
                let voice = &mut voices[channel];
                let rise = f64::from(rate[channel]) * frame_s;
                let is_due = voice.hear(trig[frame][channel], reset[frame][channel], rise, is_free);
                if is_due {
                    voice.step(&Draw {
                        is_normal: dist.at(frame)[channel] > 0.5,
                        chance: chance.at(frame)[channel],
                        change: change.at(frame)[channel],
                        length: length.at(frame)[channel] as u32,
                    });
                }
                let way = voice.way(rise, is_free);
                voice.glide(way, smooth[channel]);
                out[channel] = voice.level;
                let is_up = if is_free { way < 0.5 } else { voice.clocked.is_up() };
                on[channel] = if is_up { voice.is_open as f32 } else { 0.0 };
            }
            block.output(Out::Main)[frame] = out;
            block.output(Out::Gate)[frame] = on;
        }
    }
}

impl Voice {
    /// Whether the next step is due.
    #[inline(always)]
    fn hear(&mut self, trig: f32, reset: f32, rise: f64, is_free: bool) -> bool {
        let heard = self.clocked.hear(trig, reset);
        if heard.is_reset {
            self.next = 0;
        }
        self.since = self.since.saturating_add(1);
        if !is_free {
            return heard.is_pulse;
        }
        self.phase += rise;
        let is_due = self.phase >= 1.0 || heard.is_reset || self.is_started == 0;
        if self.phase >= 1.0 {
            self.phase -= self.phase.floor();
        }
        if heard.is_reset || self.is_started == 0 {
            self.phase = 0.0;
        }
        is_due
    }

    /// Takes the next cell.
    fn step(&mut self, play: &Draw) {
        let (cell, _) = walk(&mut self.next, play.length.min(CELLS.into()));
        let cell = &mut self.cells[cell as usize % CELLS as usize];
        if even(&mut self.random) < play.change {
            *cell = draw(&mut self.random, play.is_normal);
        }
        (self.from, self.to) = (self.level, cell.value);
        self.is_open = u32::from(cell.luck < play.chance);
        self.interval = if self.is_started == 0 { 0 } else { self.since };
        (self.since, self.is_started) = (0, 1);
    }

    /// How far this step is on the way to the next, 0..1 and beyond.
    #[inline(always)]
    fn way(&self, rise: f64, is_free: bool) -> f64 {
        match self.interval {
            _ if is_free => self.phase,
            // Until there were two triggers the rate is the best guess.
            0 => f64::from(self.since) * rise,
            interval => f64::from(self.since) / f64::from(interval),
        }
    }

    /// Moves the level: a smoothstep, which leaves and arrives without a corner.
    #[inline(always)]
    fn glide(&mut self, way: f64, smooth: f32) {
        let part = if way < f64::from(smooth) { (way / f64::from(smooth)) as f32 } else { 1.0 };
        self.level = blend(self.from, self.to, part * part * (3.0 - 2.0 * part));
    }
}

/// Even over 0..1, 1 excluded.
#[inline(always)]
fn even(random: &mut Random) -> f32 {
    0.5 + 0.5 * random.bipolar()
}

/// A new cell.
#[inline(never)]
fn draw(random: &mut Random, is_normal: bool) -> Cell {
    let (first, second) = (random.bipolar(), even(random));
    let value = if is_normal {
        // Over 0..1, 0 excluded, for the logarithm.
        let radius = libm::sqrt(-2.0 * libm::log(f64::from(0.5 - 0.5 * first)));
        let normal = radius * libm::cos(std::f64::consts::TAU * f64::from(second));
        (DEVIATION * normal).clamp(-1.0, 1.0) as f32
    } else {
        first
    };
    Cell { value, luck: even(random) }
}
