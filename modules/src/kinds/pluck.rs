//! Plucked string: a burst of noise that runs round and round in a loop as long as one cycle, a little duller each time.
//!
//! Extended Karplus-Strong. A trigger plucks: one period of noise, new each time, which `brightness` and `level` soften as
//! a finger does, enters the string at `position` (0.5: its middle, no even harmonics; small: near the bridge). A filter of
//! two zeros in the loop takes more from high partials than from low, as `brightness` says, at every pitch as much per
//! second. `decay` is the time in which the fundamental falls by 60 dB, exact wherever the filter alone would not make it shorter.
//! In tune to a hundredth of a cent up to 4 kHz, within one to 5 kHz: the loop's whole delay is one period ([`crate::dsp::tuned`]). A new
//! pluck adds to what still rings; pitch bends, and a new note takes over in 10 ms.
//!
//! Source: Karplus & Strong, "Digital Synthesis of Plucked-String and Drum Timbres", CMJ 7:2, 1983; Jaffe & Smith,
//! "Extensions of the Karplus-Strong Plucked-String Algorithm", in the same issue.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::approach;
use crate::dsp::head::{Head, soft_limit};
use crate::dsp::math::exp2;
use crate::dsp::random::Random;
use crate::dsp::schmitt::gate;
use crate::dsp::tuned;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Trig: PortSpec::new("trig", Signal::Trigger, "a rising edge plucks"),
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the string"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (tuned::LOWEST_HZ, 10_000.0), 261.6256)
        .help("frequency at pitch 0"),
    Decay: ParamSpec::exponential("decay", Unit::Seconds, (0.01, 60.0), 3.0).smooth(20.0)
        .help("time in which the fundamental falls by 60 dB"),
    Brightness: ParamSpec::linear("brightness", Unit::Ratio, (0.0, 1.0), 0.6).smooth(20.0)
        .help("how much of the high partials the pluck has, and the string keeps"),
    Position: ParamSpec::linear("position", Unit::Ratio, (0.01, 0.5), 0.13)
        .help("where the next pluck is, in parts of the string: 0.5 is its middle"),
    Level: ParamSpec::linear("level", Unit::Gain, (0.0, 2.0), 1.0).help("loudness of the next pluck"),
} }

/// Octaves in 60 dB: log2(1000).
const FALL_OCTAVES: f64 = 9.965_784_284_662_087;

/// Most that comes back from a loop: what would be more decays in 0.7 million periods.
const GAIN_MAX: f32 = 0.999_99;

/// The string whose loop is as bright as `brightness` says: C4.
const MATERIAL_HZ: f32 = 261.6;

/// Level of the noise: a pluck's first cycles peak at about 1.
const NOISE: f32 = 0.7;

/// Where the softest and the brightest finger's low pass begins: 156 Hz and 20 kHz.
const BRIGHTEST_HZ: f32 = 20_000.0;
const FINGER_OCTAVES: f32 = 7.0;

/// Rings of the tape.
const STRING: usize = 0;
const FINGER: usize = 1;

/// The `pluck` kind.
pub struct Pluck;

/// One channel's state; the string is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    head: Head,
    random: Random,
    gate: f32,
    /// Frames of noise still to come, their level, and their low pass: its state and its share per frame.
    burst_left: u32,
    level: f32,
    soft: f32,
    softness: f32,
    /// Frames from the finger to the bridge and back.
    way: u32,
}

impl Module for Pluck {
    const SPEC: KindSpec = KindSpec {
        name: "pluck",
        summary: "plucked string: Karplus-Strong, extended, in tune",
        source: "Jaffe & Smith, Extensions of the Karplus-Strong Plucked-String Algorithm, CMJ 7:2, 1983",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes {
            pitch: Some("pitch"),
            gate: Some("trig"),
            velocity: Some("level"),
            trigger: Some("trig"),
            voices: None,
        },
    };

    type Voice = Voice;

    const TAPES: usize = 2;

    fn tape_frames(rate_hz: f32) -> usize {
        tuned::tape_frames(rate_hz)
    }

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (trig, pitch) = (block.input(In::Trig), block.input(In::Pitch));
        let (freq, decay, brightness) = (block.param(P::Freq), block.param(P::Decay), block.param(P::Brightness));
        let (position, level) = (block.param(P::Position), block.param(P::Level));
        let (rate_hz, motion) = (block.rate_hz, tuned::motion(block.rate_hz));
        for lane in 0..W {
            let voice = &mut voices[lane];
            let (mut tapes, mut outputs) = block.tapes_and_outputs(lane);
            for (frame, out) in outputs.of(Out::Main).iter_mut().enumerate() {
                let period = tuned::period(freq.at(frame)[lane] * exp2(pitch[frame][lane]), rate_hz);
                let (loudness, brightness) = (level.at(frame)[lane], brightness.at(frame)[lane]);
                let now = gate(voice.gate, trig[frame][lane]);
                if now > voice.gate {
                    voice.pluck(period, brightness, position.at(frame)[lane], loudness, rate_hz);
                }
                voice.gate = now;
                let noise = voice.noise();
                tapes.write(FINGER, frame, noise);
                let struck = noise - tapes.read(FINGER, frame, voice.way as usize);
                voice.head.aim(period, &motion);
                let brightness = kept(brightness, period, rate_hz);
                let mut string = tapes.ring(STRING);
                let rung = voice.head.hear(&motion, |delay| tuned::read(&string, frame, delay, brightness));
                let value = struck + soft_limit(loop_gain(period, decay.at(frame)[lane], brightness, rate_hz) * rung);
                string.write(frame, value);
                out[lane] = value;
            }
        }
    }
}

impl Voice {
    /// Lays a finger on the string. What is decided here holds for the whole pluck, so that its noise sums up to exactly 0.
    #[inline(always)]
    fn pluck(&mut self, period: f64, brightness: f32, position: f32, level: f32, rate_hz: f32) {
        self.burst_left = period as u32;
        self.level = NOISE * level;
        let corner_hz = BRIGHTEST_HZ * exp2(FINGER_OCTAVES * (brightness - 1.0));
        self.softness = approach(std::f64::consts::TAU * f64::from(corner_hz / rate_hz)) as f32;
        self.way = (f64::from(position) * period).max(1.0) as u32;
    }

    #[inline(always)]
    fn noise(&mut self) -> f32 {
        let mut noise = 0.0;
        if self.burst_left > 0 {
            self.burst_left -= 1;
            noise = self.level * self.random.bipolar();
        }
        self.soft += self.softness * (noise - self.soft);
        self.soft
    }
}

/// The brightness of the loop's filter: a material takes as many dB per second from a partial, however long the string is, and so
/// the fewer per period the shorter it is.
#[inline(always)]
fn kept(brightness: f32, period: f64, rate_hz: f32) -> f32 {
    (1.0 - (1.0 - brightness) * (period as f32 * (MATERIAL_HZ / rate_hz))).max(0.0)
}

/// What comes back after one period, before the damping filter.
#[inline(always)]
fn loop_gain(period: f64, decay_s: f32, brightness: f32, rate_hz: f32) -> f32 {
    let fall = exp2((-FALL_OCTAVES * period / (f64::from(decay_s) * f64::from(rate_hz))) as f32);
    (fall / tuned::damping(brightness, period)).min(GAIN_MAX)
}
