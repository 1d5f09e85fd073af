//! Reverb: a room, in which every sound is answered by thousands of echoes that die away together.
//!
//! A click enters through four all-passes in a row per side, which smear it (Schroeder's diffusers with Dattorro's lengths),
//! and then lives in a network of sixteen lines ([`network`](crate::dsp::network)). `size` stretches all lines: the tail bends
//! in pitch while it glides, for about a second, as when a wall moves. DC is blocked on the way in, so it does not pile up.
//! Left and right enter and leave along orthogonal directions: one side alone fills both within its first echoes.
//!
//! Source: Jot & Chaigne, AES 90, 1991; Schroeder, "Natural sounding artificial reverberation", JAES 10:3, 1962 (diffusers).

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::approach;
use crate::dsp::glide::{Glide, pull};
use crate::dsp::interpolate::{NEAR, lagrange6};
use crate::dsp::network::{LINES, LONGEST_S, Network, PIECE, Wish};
use crate::{Block, Module, Tapes};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal, to both sides"),
    Left: PortSpec::new("left", Signal::Audio, "the signal, to the left only"),
    Right: PortSpec::new("right", Signal::Audio, "the signal, to the right only"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "half of left and right together"),
    Left: PortSpec::new("left", Signal::Audio, "left side"),
    Right: PortSpec::new("right", Signal::Audio, "right side"),
} }

const SIZE_MAX: f32 = 2.0;
const PREDELAY_MAX_S: f32 = 0.25;

table! { P: ParamSpec = PARAMS {
    Size: ParamSpec::exponential("size", Unit::Ratio, (0.2, SIZE_MAX), 1.0)
        .help("0.2: a cell, 1: a hall, 2: a cathedral; glides for a second, bending the tail"),
    Decay: ParamSpec::exponential("decay", Unit::Seconds, (0.1, 100.0), 2.0).smooth(20.0).help("time to fall by 60 dB"),
    Damp: ParamSpec::exponential("damp", Unit::Hertz, (200.0, 20_000.0), 5_000.0).smooth(20.0)
        .help("the tail lasts half as long here, and ever shorter above"),
    Predelay: ParamSpec::linear("predelay", Unit::Seconds, (0.0, PREDELAY_MAX_S), 0.0).help("silence before the room answers"),
    Mod: ParamSpec::linear("mod", Unit::Ratio, (0.0, 1.0), 0.4).help("how far the walls sway: 0.5 ms at 1"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 0.3).smooth(20.0).help("0: only the signal; 1: only the room"),
} }

/// Diffusers of one side: seconds and gain (Dattorro 1997, table 1).
const DIFFUSERS: [(f32, f32); 4] = [(0.004_77, 0.75), (0.003_6, 0.75), (0.012_73, 0.625), (0.009_31, 0.625)];

/// The right side's are longer by this ratio, so that the sides differ from the first echo on.
const RIGHT: f32 = 1.117;

/// Rings after those of the lines: four diffusers of each side, then the predelay of each.
const DIFFUSER: usize = LINES;
const PREDELAY: usize = LINES + 8;

/// Below this the room hears nothing.
const DC_HZ: f64 = 8.0;

/// Time constants of the glides: `size` moves the longest line by 0.24 s at most, which is half a frame per frame.
const SIZE_S: f64 = 0.2;
const PREDELAY_S: f64 = 0.2;
const MOD_S: f64 = 0.05;

/// Level of the room: at a `decay` of 2 s noise comes out about as loud as it goes in.
const LEVEL: f32 = 4.0;

/// The `reverb` kind.
pub struct Reverb;

/// One channel's state; the sound is on the tapes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    size: Glide,
    predelay: Glide,
    sway: Glide,
    network: Network,
    /// Per side and DC blocker: what it heard last, and gave.
    blocked: [[[f32; 2]; 2]; 2],
}

/// What the block's rate decides.
#[derive(Clone, Copy)]
struct Rate {
    hz: f32,
    leak: f32,
    /// Lengths of the diffusers, left and right.
    diffusers: [[usize; 4]; 2],
}

impl Module for Reverb {
    const SPEC: KindSpec = KindSpec {
        name: "reverb",
        summary: "a room: stereo reverb of sixteen lines",
        source: "Jot & Chaigne, \"Digital delay networks for designing artificial reverberators\", AES 90, 1991",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    const TAPES: usize = PREDELAY + 2;

    fn tape_frames(rate_hz: f32) -> usize {
        ((SIZE_MAX * LONGEST_S).max(PREDELAY_MAX_S) * rate_hz) as usize + 16
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let inputs = [In::Main, In::Left, In::Right].map(|port| block.input(port));
        let (size, decay, damp) = (block.param(P::Size), block.param(P::Decay), block.param(P::Damp));
        let (predelay, sway, mix) = (block.param(P::Predelay), block.param(P::Mod), block.param(P::Mix));
        let rate = Rate::new(block.rate_hz);
        let frames = block.frames;
        for channel in 0..W {
            let (mut tapes, mut outputs) = block.tapes_and_outputs(channel);
            for start in (0..frames).step_by(PIECE) {
                let end = (start + PIECE).min(frames);
                let mut dry = [[0.0; 2]; PIECE];
                for (frame, dry) in (start..end).zip(&mut dry) {
                    let both = inputs[0][frame][channel];
                    *dry = [both + inputs[1][frame][channel], both + inputs[2][frame][channel]];
                }
                // Controls are met once a piece, a third of a millisecond, at its end.
                let at = |param: crate::Param<'_, W>| param.at(end - 1)[channel];
                let wish = Wish { size: at(size), decay_s: at(decay), damp_hz: at(damp) };
                let mut wet = dry;
                let wet = &mut wet[..end - start];
                voices[channel].hear(&mut tapes, start, wet, wish, at(predelay), at(sway), &rate);
                for (frame, (dry, wet)) in (start..end).zip(dry.iter().zip(wet)) {
                    let mix = mix.at(frame)[channel];
                    let left = dry[0] * (1.0 - mix) + wet[0] * (mix * LEVEL);
                    let right = dry[1] * (1.0 - mix) + wet[1] * (mix * LEVEL);
                    outputs.of(Out::Left)[frame][channel] = left;
                    outputs.of(Out::Right)[frame][channel] = right;
                    outputs.of(Out::Main)[frame][channel] = 0.5 * (left + right);
                }
            }
        }
    }
}

impl Rate {
    fn new(hz: f32) -> Rate {
        let frames = |(seconds, _): (f32, f32)| (seconds * hz) as usize;
        let longer = |(seconds, gain): (f32, f32)| frames((seconds * RIGHT, gain));
        let leak = approach(std::f64::consts::TAU * DC_HZ / f64::from(hz)) as f32;
        Rate { hz, leak, diffusers: [DIFFUSERS.map(frames), DIFFUSERS.map(longer)] }
    }
}

impl Voice {
    /// Replaces `sides`, what each side hears, by what the room answers.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn hear(
        &mut self,
        tapes: &mut Tapes<'_>,
        start: usize,
        sides: &mut [[f32; 2]],
        wish: Wish,
        predelay_s: f32,
        sway: f32,
        rate: &Rate,
    ) {
        let frames = sides.len();
        let size = self.size.step(f64::from(wish.size), pull(SIZE_S, rate.hz, frames)) as f32;
        let sway = self.sway.step(f64::from(sway), pull(MOD_S, rate.hz, frames)) as f32;
        let pull = pull(PREDELAY_S, rate.hz, 1);
        for (frame, side) in sides.iter_mut().enumerate() {
            let delay = self.predelay.step(f64::from(predelay_s), pull) * f64::from(rate.hz);
            for ear in 0..2 {
                let mut open = side[ear];
                // Two in a row: what one leaves of a step has a mean, which would live in the room as long as any sound.
                for blocked in &mut self.blocked[ear] {
                    let [heard, given] = *blocked;
                    let input = open;
                    open = input - heard + given * (1.0 - rate.leak);
                    *blocked = [input, open];
                }
                let late = delayed(tapes, PREDELAY + ear, start + frame, open, delay);
                side[ear] = diffused(tapes, ear, start + frame, late, rate);
            }
        }
        self.network.run(tapes, start, sides, Wish { size, ..wish }, sway, rate.hz);
    }
}

/// `input`, `delay` frames late: exact to the frame up to the reach of the interpolation, which cannot look ahead.
#[inline(always)]
fn delayed(tapes: &mut Tapes<'_>, ring: usize, frame: usize, input: f32, delay: f64) -> f32 {
    let mut tape = tapes.ring(ring);
    tape.write(frame, input);
    if delay < NEAR as f64 {
        return tape.read(frame, 0) + (tape.read(frame, NEAR) - tape.read(frame, 0)) * (delay / NEAR as f64) as f32;
    }
    let whole = delay as usize;
    let cells: [f32; 6] = tape.neighbours(frame, whole - NEAR);
    let weights = lagrange6((delay - whole as f64) as f32);
    let mut sum = 0.0;
    for k in 0..6 {
        sum += weights[k] * cells[k];
    }
    sum
}

/// Four all-passes in a row (Schroeder 1962): the same at every pitch, but no longer at once.
#[inline(always)]
fn diffused(tapes: &mut Tapes<'_>, ear: usize, frame: usize, input: f32, rate: &Rate) -> f32 {
    let mut value = input;
    for (stage, (_, gain)) in DIFFUSERS.iter().enumerate() {
        let mut tape = tapes.ring(DIFFUSER + 4 * ear + stage);
        let late = tape.read(frame, rate.diffusers[ear][stage]);
        let inner = value + gain * late;
        tape.write(frame, inner);
        value = late - gain * inner;
    }
    value
}
