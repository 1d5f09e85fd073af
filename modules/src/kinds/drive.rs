//! Drive: bends a sound until it grows warm, sharp or broken.
//!
//! Four curves, all with a slope of 1 at rest, so that what is quiet passes as it is. `tanh` rounds off evenly, as transistor
//! pairs and tape do; `hard` cuts at ±1; `diode` squeezes without ever flattening, as the diodes in a pedal's feedback;
//! `tube` bends early above and late below, which makes even harmonics. `tone` then tilts the spectrum around 700 Hz,
//! by up to 6 dB either way, and a capacitor takes out the DC that lopsided curves make.
//! Four times the rate and antiderivative antialiasing: [`crate::dsp::shaper`]. 4.7 frames late.
//!
//! Source: Parker, Zavalishin & Le Bivic, DAFx-16; the curves: [`crate::dsp::curves`].

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::curves;
use crate::dsp::dc::DcBlock;
use crate::dsp::math::{exp2, sin_cos_pi};
use crate::dsp::shaper::{self, CHUNK, Shaper, TIMES};
use crate::dsp::switch::{self, Switch, blend};
use crate::{Block, Module, Param};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to bend"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the bent sound, without DC"),
} }

table! { P: ParamSpec = PARAMS {
    Drive: ParamSpec::exponential("drive", Unit::Gain, (0.1, 100.0), 1.0).smooth(5.0)
        .help("gain before the curve"),
    Curve: ParamSpec::choice("curve", &["tanh", "hard", "diode", "tube"])
        .help("tanh: round; hard: clips at 1; diode: ever softer, never flat; tube: lopsided"),
    Tone: ParamSpec::linear("tone", Unit::Ratio, (-1.0, 1.0), 0.0).smooth(5.0)
        .help("below 0 darker, above 0 brighter; 0 leaves the spectrum alone"),
    Level: ParamSpec::linear("level", Unit::Gain, (0.0, 8.0), 1.0).smooth(5.0).help("linear amplitude after all"),
} }

const TANH: usize = 0;
const HARD: usize = 1;
const DIODE: usize = 2;

/// Where `tone` tilts.
const TILT_HZ: f32 = 700.0;

/// The `drive` kind.
pub struct Drive;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    mean: f64,
    shaper: shaper::Memory,
    /// State of the tilt's low pass.
    low: f32,
    curve: Switch,
    reserved: u32,
}

impl Module for Drive {
    const SPEC: KindSpec = KindSpec {
        name: "drive",
        summary: "distortion: tanh, hard, diode or tube curve, tone, without audible aliasing",
        source: "Parker, Zavalishin & Le Bivic, DAFx-16",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade = switch::fade_frames(block.rate_hz);
        let choices = block.choice(P::Curve);
        for lane in 0..W {
            voices[lane].curve.meet(choices[lane], fade);
        }
        let common = switch::common::<W>(
            #[inline(always)]
            |lane| voices[lane].curve,
        );
        let mut shaper = Shaper::<W>::load(
            #[inline(always)]
            |lane| voices[lane].shaper,
        );
        let mut tilt = Tilt::load(voices, block.rate_hz);
        let mut dc = DcBlock::<W>::load(
            block.rate_hz,
            #[inline(always)]
            |lane| voices[lane].mean,
        );
        let input = block.input(In::Main);
        let (drive, tone, level) = (block.param(P::Drive), block.param(P::Tone), block.param(P::Level));

        for (index, out) in block.output(Out::Main).chunks_mut(CHUNK).enumerate() {
            let start = index * CHUNK;
            for (frame, row) in out.iter_mut().enumerate() {
                let (drive, input) = (drive.at(start + frame), input[start + frame]);
                for lane in 0..W {
                    row[lane] = input[lane] * drive[lane];
                }
            }
            shaper.run(
                out,
                #[inline(always)]
                |ways, means| match common {
                    Some(curve) => bend_all(curve, ways.as_flattened(), means.as_flattened_mut(), W),
                    None => {
                        for lane in 0..W {
                            let turn = voices[lane].curve;
                            for (row, mean) in means.iter_mut().enumerate() {
                                let (from, to) = (ways[row][lane], ways[row + 1][lane]);
                                let [old, new] = turn.choices().map(|curve| bend(curve, from, to));
                                mean[lane] = blend(old, new, turn.share(start + row / TIMES, fade));
                            }
                        }
                    }
                },
            );
            for (frame, row) in out.iter_mut().enumerate() {
                let level = level.at(start + frame);
                *row = dc.step(tilt.step(*row, &tone, start + frame));
                for lane in 0..W {
                    row[lane] *= level[lane];
                }
            }
        }

        for lane in 0..W {
            let voice = &mut voices[lane];
            (voice.shaper, voice.mean, voice.low) = (shaper.store(lane), dc.store(lane), tilt.low[lane]);
            voice.curve.advance(block.frames);
        }
    }
}

/// The mean of a curve on the way from `a` to `b`.
#[inline(always)]
fn bend(curve: usize, a: f32, b: f32) -> f32 {
    match curve {
        TANH => curves::tanh(a, b),
        HARD => curves::hard(a, b),
        DIODE => curves::diode(a, b),
        _ => curves::tube(a, b),
    }
}

/// The means of one curve for all rows and lanes at once: sample `i` comes from sample `i - width`.
#[inline(always)]
fn bend_all(curve: usize, ways: &[f32], means: &mut [f32], width: usize) {
    macro_rules! each {
        ($mean:path) => {
            for ((mean, &a), &b) in means.iter_mut().zip(ways).zip(&ways[width..]) {
                *mean = $mean(a, b);
            }
        };
    }
    match curve {
        TANH => each!(curves::tanh),
        HARD => each!(curves::hard),
        DIODE => each!(curves::diode),
        _ => each!(curves::tube),
    }
}

/// Lows down as much as highs go up: a one-pole low pass splits them (Zavalishin, The Art of VA Filter Design, 3.10).
struct Tilt<const W: usize> {
    low: [f32; W],
    gain: f32,
}

impl<const W: usize> Tilt<W> {
    #[inline(always)]
    fn load(voices: &[Voice; W], rate_hz: f32) -> Self {
        let (sin, cos) = sin_cos_pi(TILT_HZ / rate_hz);
        let mut low = [0.0; W];
        for lane in 0..W {
            low[lane] = voices[lane].low;
        }
        Tilt { low, gain: sin / (sin + cos) }
    }

    #[inline(always)]
    fn step(&mut self, input: [f32; W], tone: &Param<'_, W>, frame: usize) -> [f32; W] {
        let is_flat = tone.constant() == Some(0.0);
        let tone = tone.at(frame);
        let mut output = [0.0; W];
        for lane in 0..W {
            let rise = self.gain * (input[lane] - self.low[lane]);
            let low = self.low[lane] + rise;
            self.low[lane] = low + rise;
            output[lane] =
                if is_flat { input[lane] } else { low * exp2(-tone[lane]) + (input[lane] - low) * exp2(tone[lane]) };
        }
        output
    }
}
