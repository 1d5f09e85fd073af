//! Chorus: a signal among copies of itself, each late by a time that keeps moving, so that none is quite in tune.
//!
//! Three voices a side, as in the string ensembles of the seventies: their delays are pushed by a slow sine (`rate`) and
//! a small quick one, a third of a cycle apart from voice to voice, a sixth from side to side. A low-pass (`tone`)
//! stands for the bucket brigades' filters. Copies are read by Lagrange interpolation of order 5, so that the only dullness is that of `tone`.
//!
//! Source: the Solina String Ensemble (ARP, 1974), after Haible's Triple Chorus; Dattorro, "Effect design 2", JAES 45:10, 1997.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::glide::{Glide, pull};
use crate::dsp::interpolate::{NEAR, lagrange6};
use crate::dsp::math::sin_cos_pi;
use crate::dsp::wave::{CYCLE, sine};
use crate::{Block, Module, Param, Tape};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to multiply"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "half of left and right together"),
    Left: PortSpec::new("left", Signal::Audio, "left side"),
    Right: PortSpec::new("right", Signal::Audio, "right side"),
} }

const DELAY_S: (f32, f32) = (0.002, 0.030);

table! { P: ParamSpec = PARAMS {
    Rate: ParamSpec::exponential("rate", Unit::Hertz, (0.02, 10.0), 0.6).help("how often the copies come and go"),
    Depth: ParamSpec::linear("depth", Unit::Ratio, (0.0, 1.0), 0.5).help("how far they are detuned"),
    Delay: ParamSpec::exponential("delay", Unit::Seconds, DELAY_S, 0.008).help("how late they are on average"),
    Tone: ParamSpec::exponential("tone", Unit::Hertz, (1_000.0, 20_000.0), 10_000.0).smooth(5.0).help("where the copies get duller"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 0.5).smooth(20.0).help("0: only the signal; 1: only the copies"),
} }

/// Voices of both sides; even ones are on the left.
const VOICES: usize = 6;

/// The quick sine.
const QUICK_HZ: f64 = 5.9;

/// Furthest that the sines push, as parts of the delay: together never to where the interpolation would look ahead.
const REACH: [f32; 2] = [0.7, 0.1];

/// And the fastest, in frames per frame: 0.06 is a semitone.
const SPEED: [f32; 2] = [0.06, 0.01];

/// Time constants of the glides.
const GLIDE_S: f64 = 0.05;

/// The `chorus` kind.
pub struct Chorus;

/// One channel's state; the sound is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Cycles per frame of the slow sine.
    rate: Glide,
    /// Mean delay in frames, and the pushes of both sines.
    delay: Glide,
    pushes: [Glide; 2],
    /// Of the sines; 2^32 is one cycle.
    phases: [u32; 2],
    /// The low-pass.
    low: f32,
    reserved: u32,
}

/// The params in one frame.
#[derive(Clone, Copy)]
struct Controls {
    rate_hz: f32,
    depth: f32,
    delay_s: f32,
    tone_hz: f32,
}

impl Module for Chorus {
    const SPEC: KindSpec = KindSpec {
        name: "chorus",
        summary: "six copies, each a little late and out of tune, to both sides",
        source: "the string ensembles' three-phase modulation; Dattorro, \"Effect design 2\", JAES 45:10, 1997",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn tape_frames(rate_hz: f32) -> usize {
        (DELAY_S.1 * (1.0 + REACH[0] + REACH[1]) * rate_hz) as usize + 8
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let [rate, depth, delay, tone, mix] =
            [P::Rate, P::Depth, P::Delay, P::Tone, P::Mix].map(|param| block.param(param));
        let (frames, per_second) = (block.frames, block.rate_hz);
        let pull = pull(GLIDE_S, per_second, 1);
        for channel in 0..W {
            let (mut tapes, mut outputs) = block.tapes_and_outputs(channel);
            for frame in 0..frames {
                let at = |param: &Param<'_, W>| param.at(frame)[channel];
                let controls =
                    Controls { rate_hz: at(&rate), depth: at(&depth), delay_s: at(&delay), tone_hz: at(&tone) };
                let dry = input[frame][channel];
                let wet = voices[channel].sing(&mut tapes.ring(0), frame, dry, controls, pull, per_second);
                let mix = at(&mix);
                let (left, right) = (dry * (1.0 - mix) + wet[0] * mix, dry * (1.0 - mix) + wet[1] * mix);
                outputs.of(Out::Left)[frame][channel] = left;
                outputs.of(Out::Right)[frame][channel] = right;
                outputs.of(Out::Main)[frame][channel] = 0.5 * (left + right);
            }
        }
    }
}

impl Voice {
    /// The copies of one frame, left and right.
    #[inline(always)]
    fn sing(
        &mut self,
        tape: &mut Tape<'_>,
        frame: usize,
        input: f32,
        controls: Controls,
        pull: f64,
        per_second: f32,
    ) -> [f32; 2] {
        // One pole, trapezoidal: -3 dB at `tone` (Zavalishin, The Art of VA Filter Design, 3.10).
        let (sin, cos) = sin_cos_pi((controls.tone_hz / per_second).min(0.49));
        let rise = (input - self.low) * (sin / (sin + cos));
        let dulled = self.low + rise;
        self.low = dulled + rise;
        tape.write(frame, dulled);

        let delay = self.delay.step(f64::from(controls.delay_s * per_second), pull);
        let slow = self.rate.step(f64::from(controls.rate_hz / per_second), pull);
        let turns = [slow, QUICK_HZ / f64::from(per_second)];
        let mut pushes = [0.0; 2];
        for k in 0..2 {
            let fastest = SPEED[k] / (std::f64::consts::TAU * turns[k]) as f32;
            let push = controls.depth * fastest.min(REACH[k] * controls.delay_s * per_second);
            // The glide lags behind a shrinking delay by no more than the delay's own does.
            pushes[k] = self.pushes[k].step(f64::from(push), pull).min(f64::from(REACH[k]) * delay) as f32;
            self.phases[k] = self.phases[k].wrapping_add((turns[k] * CYCLE) as u32);
        }
        let mut sides = [0.0; 2];
        for voice in 0..VOICES {
            let apart = (voice as u32).wrapping_mul((CYCLE / VOICES as f64) as u32);
            let (slow, quick) = (sine(self.phases[0].wrapping_add(apart)), sine(self.phases[1].wrapping_add(apart)));
            let at = (delay + f64::from(pushes[0] * slow + pushes[1] * quick)).max((NEAR + 1) as f64);
            let whole = at as usize;
            let cells: [f32; 6] = tape.neighbours(frame, whole - NEAR);
            let weights = lagrange6((at - whole as f64) as f32);
            for k in 0..6 {
                sides[voice % 2] += weights[k] * cells[k];
            }
        }
        // Copies out of step add up by their power: 1 over the root of 3.
        [sides[0] * 0.577_350_26, sides[1] * 0.577_350_26]
    }
}
