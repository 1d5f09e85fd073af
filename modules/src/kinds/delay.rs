//! Echo: repeats what it hears after `time`, again and again as `feedback` says.
//!
//! The way a tape echo does it: `time` moves the read head, and small moves bend the pitch smoothly, from
//! an octave down to an octave up. A leap (by more than a quarter of a second, or to less than half) is crossfaded to
//! a second head instead. Samples in between are read by Lagrange interpolation of order 5, which never amplifies.
//! Echoes pass a soft limit that leaves -1..1 untouched and never lets through more than ±2, so `feedback` above 1
//! rings for ever and stays finite.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::block::Tape;
use crate::dsp::head::{Head, Motion, soft_limit};
use crate::dsp::interpolate::{NEAR, lagrange6};
use crate::dsp::switch;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to repeat"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the signal and its echoes"),
} }

const LONGEST_S: f32 = 10.0;

table! { P: ParamSpec = PARAMS {
    Time: ParamSpec::exponential("time", Unit::Seconds, (0.001, LONGEST_S), 0.25)
        .help("time between echoes; moving it bends their pitch"),
    Feedback: ParamSpec::linear("feedback", Unit::Ratio, (0.0, 1.1), 0.3).smooth(20.0)
        .help("how much of an echo is repeated; from 1 on it never ends"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 0.5).smooth(20.0).help("0: only the signal; 1: only the echoes"),
} }

/// How quickly the head takes up a new place, in seconds.
const GLIDE_S: f64 = 0.010;

/// Fastest moves of the head, in frames per frame: towards now (an octave up) and away (an octave down).
const SPEED: (f64, f64) = (-1.0, 0.5);

/// A longer move is a leap, in seconds.
const LEAP_S: f64 = 0.25;

/// So is one to less than this share of the time: a glide there reads its own echoes again on the way, each time an
/// octave higher, up to where they alias.
const LEAP_SHARE: f64 = 0.5;

/// Nearest place to read: the interpolation looks `NEAR` samples nearer, and this frame is not yet written.
const NEAREST: f64 = (NEAR + 1) as f64;

/// The `delay` kind.
pub struct Delay;

/// One channel's state; the sound is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Voice {
    head: Head,
}

impl Module for Delay {
    const SPEC: KindSpec = KindSpec {
        name: "delay",
        summary: "echo: tape-like delay with feedback",
        source: "Laakso et al., \"Splitting the unit delay\", 1996",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn tape_frames(rate_hz: f32) -> usize {
        (LONGEST_S * rate_hz) as usize + 8
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let (time, feedback, mix) = (block.param(P::Time), block.param(P::Feedback), block.param(P::Mix));
        let rate_hz = f64::from(block.rate_hz);
        let motion = Motion {
            pull: 1.0 / (GLIDE_S * rate_hz),
            speeds: SPEED,
            leap: LEAP_S * rate_hz,
            leap_shares: (LEAP_SHARE, 0.0),
            // A leap's fade is longer than a switch's: the two sounds have nothing in common.
            leap_frames: 3 * switch::fade_frames(block.rate_hz),
            nearest: NEAREST,
        };
        for channel in 0..W {
            let mut head = voices[channel].head;
            let (mut tape, out) = block.tape_and_output(channel, Out::Main);
            for (frame, out) in out.iter_mut().enumerate() {
                let target = whole_if_meant(f64::from(time.at(frame)[channel]) * rate_hz).max(NEAREST);
                let (feedback, mix) = (feedback.at(frame)[channel], mix.at(frame)[channel]);
                let dry = input[frame][channel];
                head.aim(target, &motion);
                let wet = head.hear(
                    &motion,
                    #[inline(always)]
                    |delay_frames| read(&tape, frame, delay_frames),
                );
                tape.write(frame, dry + soft_limit(feedback * wet));
                out[channel] = dry * (1.0 - mix) + wet * mix;
            }
            voices[channel].head = head;
        }
    }
}

/// The nearest whole number of frames, where an f32 of seconds cannot say it more closely: such echoes keep every bit.
#[inline(always)]
fn whole_if_meant(frames: f64) -> f64 {
    let whole = (frames + 0.5) as u32 as f64;
    if (frames - whole).abs() <= frames * f64::from(f32::EPSILON) { whole } else { frames }
}

/// What was on the tape `delay_frames` before this frame.
#[inline(always)]
fn read(tape: &Tape<'_>, frame: usize, delay_frames: f64) -> f32 {
    let whole = delay_frames as usize;
    let part = (delay_frames - whole as f64) as f32;
    if part == 0.0 {
        // A head at rest: the common case.
        return tape.read(frame, whole);
    }
    let weights = lagrange6(part);
    let mut sum = 0.0;
    for (k, weight) in weights.iter().enumerate() {
        sum += weight * tape.read(frame, whole + k - NEAR);
    }
    sum
}
