//! Limiter: nothing ever leaves ±threshold, and what stays below passes bit for bit, 4 ms late.
//!
//! It looks ahead. For every sample: what gain would just hold it; the lowest such gain within 4 ms; its slow return; and
//! the mean of that over 4 ms in two passes, so that the gain goes down along an S that ends where the peak begins.
//! Means of exact multiples of 2^-24 in f64 are exact: at rest the gain is 1 and not nearly 1, for ever. Sums of peaks between
//! samples (true peaks) are not looked for. `link` is a second signal whose peaks count too: cross the links of two
//! limiters, and both sides of a stereo sound go down together.
//!
//! Source: Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design", JAES 60:6, 2012 (look-ahead, return);
//! running maximum by doubling: Bender & Farach-Colton, "The LCA Problem Revisited", LATIN 2000 (sparse table).

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::block::Tapes;
use crate::dsp::decay::Approach;
use crate::dsp::log::OCTAVES_PER_DB;
use crate::dsp::math::exp2;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to limit"),
    Link: PortSpec::new("link", Signal::Audio, "another sound whose peaks count as well"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the sound, within the threshold, 4 ms late"),
    Gain: PortSpec::new("gain", Signal::Unipolar, "the gain that out has: 1 at rest"),
} }

table! { P: ParamSpec = PARAMS {
    Threshold: ParamSpec::linear("threshold", Unit::Decibels, (-60.0, 0.0), 0.0).smooth(20.0)
        .help("what out never leaves: 0 dB is 1"),
    Release: ParamSpec::exponential("release", Unit::Seconds, (0.001, 5.0), 0.1).smooth(20.0)
        .help("time in which nine tenths of the gain come back"),
} }

/// How far it looks ahead.
const AHEAD_S: f32 = 0.004;

/// Time constants in nine tenths: ln(10).
const RELEASE_CONSTANTS: f64 = std::f64::consts::LN_10;

/// A reduction this small is none: -120 dB.
const RECOVERED: f64 = 1e-6;

/// Reductions are whole multiples of this.
const STEP: f64 = 1.0 / 16_777_216.0;

/// Rings of the tape: the sound, its threshold, the reduction held and once averaged, and from there on the largest
/// reduction of the last 1, 2, 4, ... 1024 frames.
const SOUND: usize = 0;
const BOUND: usize = 1;
const HELD: usize = 2;
const MEAN: usize = 3;
const LARGEST: usize = 4;
const DOUBLINGS: usize = 11;

/// The `limiter` kind.
pub struct Limiter;

/// One channel's state; the sound and its reductions are on the tapes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// The reduction (1 less the gain) on its way back to 0.
    reduction: f64,
    /// Sums of the last reductions, and of the last means of them.
    sums: [f64; 2],
}

impl Module for Limiter {
    const SPEC: KindSpec = KindSpec {
        name: "limiter",
        summary: "brick-wall limiter: looks 4 ms ahead, bit-exact below its threshold",
        source: "Giannoulis, Massberg & Reiss, JAES 60:6, 2012",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    const TAPES: usize = LARGEST + DOUBLINGS;

    fn tape_frames(rate_hz: f32) -> usize {
        2 * half(rate_hz) + 2
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (input, link) = (block.input(In::Main), block.input(In::Link));
        let threshold = block.param(P::Threshold);
        let release = Approach::new(block.param(P::Release), RELEASE_CONSTANTS, block.rate_hz);
        let half = half(block.rate_hz);
        for lane in 0..W {
            let mut voice = voices[lane];
            let (mut tapes, mut outputs) = block.tapes_and_outputs(lane);
            for frame in 0..input.len() {
                let (sample, other) = (input[frame][lane], link[frame][lane]);
                let bound = exp2(threshold.at(frame)[lane] * OCTAVES_PER_DB);
                let peak = sample.abs().max(other.abs());
                let needed = if peak > bound { 1.0 - f64::from(bound) / f64::from(peak) } else { 0.0 };
                let reduction = voice.step(&mut tapes, frame, needed, release.at(frame)[lane], half);
                tapes.write(SOUND, frame, sample);
                tapes.write(BOUND, frame, bound);
                let (late, bound) = (tapes.read(SOUND, frame, 2 * half), tapes.read(BOUND, frame, 2 * half));
                let gain = 1.0 - reduction;
                let held = (f64::from(late) * gain).clamp(f64::from(-bound), f64::from(bound)) as f32;
                // At rest the very bits, and no product.
                outputs.of(Out::Main)[frame][lane] = if reduction == 0.0 { late } else { held };
                outputs.of(Out::Gain)[frame][lane] = gain as f32;
            }
            voices[lane] = voice;
        }
    }
}

/// Half of what it looks ahead, in frames: the length of each mean.
fn half(rate_hz: f32) -> usize {
    // Both halves and this frame together are what the doublings can reach.
    ((0.5 * AHEAD_S * rate_hz) as usize).clamp(1, (1 << (DOUBLINGS - 1)) - 1)
}

impl Voice {
    /// The reduction for the sample of `2 * half` frames ago, given what the newest sample needs.
    #[inline(always)]
    fn step(&mut self, tapes: &mut Tapes<'_>, frame: usize, needed: f64, release: f64, half: usize) -> f64 {
        let held = largest(tapes, frame, steps(needed), 2 * half + 1);
        self.reduction -= release * self.reduction;
        if self.reduction < RECOVERED {
            self.reduction = 0.0;
        }
        self.reduction = self.reduction.max(f64::from(held));
        let mut mean = steps(self.reduction);
        for (sum, ring) in self.sums.iter_mut().zip([HELD, MEAN]) {
            tapes.write(ring, frame, mean);
            *sum += f64::from(mean) - f64::from(tapes.read(ring, frame, half));
            mean = steps(*sum / half as f64);
        }
        f64::from(mean)
    }
}

/// The next multiple of [`STEP`]: an f32 holds it exactly, and an f64 sums any number of them exactly.
#[inline(always)]
fn steps(reduction: f64) -> f32 {
    ((reduction * (1.0 / STEP)).ceil() * STEP) as f32
}

/// The largest of the last `window` values, `newest` among them. Each ring holds the largest of twice as many as the one before, so two
/// reads are enough for any length.
#[inline(always)]
fn largest(tapes: &mut Tapes<'_>, frame: usize, newest: f32, window: usize) -> f32 {
    let doublings = window.ilog2() as usize;
    let mut largest = newest;
    for doubling in 0..doublings.min(DOUBLINGS - 1) {
        tapes.write(LARGEST + doubling, frame, largest);
        largest = largest.max(tapes.read(LARGEST + doubling, frame, 1 << doubling));
    }
    let last = LARGEST + doublings.min(DOUBLINGS - 1);
    tapes.write(last, frame, largest);
    largest.max(tapes.read(last, frame, window.saturating_sub(1 << (last - LARGEST))))
}
