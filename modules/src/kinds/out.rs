//! The way out: what is patched here is what is heard.
//!
//! The last module of every cycle, executed by the engine. A limiter protects ears and loudspeakers: it passes every
//! sample bit for bit while the signal stays within -1..1. A peak above that takes both sides down at once, in the
//! very frame and without latency, so no sample ever leaves -1..1; 10 ms after the last peak (so that a bass note is
//! not reshaped within its cycle) the gain returns, nine tenths of the way in 70 ms, to exactly 1.
//! It guards; it is no mastering limiter: an instant attack bends the first edge of a peak.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::approach;
use crate::dsp::math::scrub;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Left: PortSpec::new("left", Signal::Audio, "left loudspeaker"),
    Right: PortSpec::new("right", Signal::Audio, "right loudspeaker"),
} }

table! { Heard: PortSpec = OUTPUTS {
    Left: PortSpec::new("left", Signal::Audio, "what the left loudspeaker gets"),
    Right: PortSpec::new("right", Signal::Audio, "what the right loudspeaker gets"),
} }

// The conductor heeds it (DESIGN 5): what follows the tempo hears of it with each block. It changes nothing that is heard here.
const PARAMS: &[ParamSpec] = &[ParamSpec::linear("bpm", Unit::BeatsPerMinute, (1.0, 999.0), 120.0)
    .help("tempo of the whole patch: what clocks follow")];

/// How long the gain stays down after a peak.
const HOLD_S: f32 = 0.010;

/// Time constant of the gain's return: ln(10) of them are nine tenths of the way.
const RELEASE_S: f64 = 0.030;

/// A gain this close to 1 is 1: -120 dB, so that the last step is not heard.
const RECOVERED: f64 = 1.0 - 1e-6;

/// A peak that reaches this, after the gain, renews the hold: a sampled sine does not meet its own crest each cycle.
const RENEW: f64 = 0.98;

/// The `out` kind.
pub struct Out;

/// The limiter.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// 0..1; exactly 1 at rest. An f32 would stall on its way there: its last bit is wider than the last steps.
    gain: f64,
    /// Frames until the gain may return.
    hold: u32,
    reserved: u32,
}

impl Module for Out {
    const SPEC: KindSpec = KindSpec {
        name: "out",
        summary: "what is patched here is heard; always there; a limiter holds peaks beyond -1..1",
        source: "",
        role: Role::Output,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, _channel: usize, _seed: u64, _rate_hz: f32) {
        voice.gain = 1.0;
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let inputs = [block.input(In::Left), block.input(In::Right)];
        let hold_frames = (HOLD_S * block.rate_hz) as u32;
        let release = approach(1.0 / (RELEASE_S * f64::from(block.rate_hz)));
        for frame in 0..block.frames {
            for channel in 0..W {
                let sides = inputs.map(|rows| rows[frame][channel]);
                let gain = voices[channel].step(sides, hold_frames, release);
                for (side, heard) in [Heard::Left, Heard::Right].into_iter().enumerate() {
                    block.output(heard)[frame][channel] = limit(sides[side], gain);
                }
            }
        }
    }
}

impl Voice {
    /// The gain for this frame.
    #[inline(always)]
    fn step(&mut self, sides: [f32; 2], hold_frames: u32, release: f64) -> f32 {
        let peak = scrub(sides[0]).abs().max(scrub(sides[1]).abs());
        if self.hold > 0 {
            self.hold -= 1;
        } else if self.gain < 1.0 {
            self.gain += (1.0 - self.gain) * release;
            if self.gain > RECOVERED {
                self.gain = 1.0;
            }
        }
        if peak > 1.0 {
            let peak = f64::from(peak);
            if peak * self.gain > RENEW {
                self.hold = hold_frames;
            }
            self.gain = self.gain.min(1.0 / peak);
        }
        self.gain as f32
    }
}

/// `x` times `gain`, within -1..1; the very bits of `x` at rest (a product would flush the smallest numbers to zero).
#[inline(always)]
fn limit(x: f32, gain: f32) -> f32 {
    let bounded = (scrub(x) * gain).clamp(-1.0, 1.0);
    if gain == 1.0 && x.abs() <= 1.0 { x } else { bounded }
}
