//! Noise: every pitch at once. White is bright, pink has equal power in every octave, brown is a rumble.
//!
//! White is even over -1..1 (-4.8 dB RMS). Pink is white through seven one-pole filters side by side, fitted to
//! -3 dB per octave by minimax: within 0.03 dB from 1/14000 to 0.45 of the sample rate. As -3 dB per octave has no
//! corner, the same coefficients serve every rate. Brown is a leaky integrator (Al-Alaoui, "Novel digital
//! integrator", 1993, whose zero at -1/7 keeps -6 dB per octave up to 20 kHz) that forgets below 4 Hz, so it does
//! not wander off. Pink and brown have -12 dB RMS: their peaks rarely pass 1.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::decay::approach;
use crate::dsp::random::{Random, RandomLanes};
use crate::dsp::switch::{self, Switch};
use crate::{Block, Module};

const INPUTS: &[PortSpec] = &[];

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the noise; each channel its own"),
} }

table! { P: ParamSpec = PARAMS {
    Color: ParamSpec::choice("color", &["white", "pink", "brown"])
        .help("white: flat; pink: -3 dB per octave; brown: -6 dB per octave"),
} }

const WHITE: usize = 0;
const PINK: usize = 1;
const BROWN: usize = 2;

/// Pole and gain of each of pink's filters, then the gain of the white that passes by them.
/// Fitted with scipy's least_squares, reweighted towards equal ripple, on log magnitude over 7e-5..0.4545 of the rate.
const PINK_POLES: [f32; 7] =
    [0.999_624_7, 0.997_873_55, 0.990_483_34, 0.958_383_3, 0.828_601_5, 0.425_983_67, -0.377_809_64];
const PINK_GAINS: [f32; 7] =
    [0.004_236_042, 0.005_531_005_4, 0.011_124_104, 0.023_094_684, 0.047_028_016, 0.095_185_45, -0.020_070_415];
const PINK_DIRECT: f32 = 0.055_148_51;

/// Below this brown noise is flat.
const BROWN_HZ: f64 = 4.0;

/// Al-Alaoui's zero.
const BROWN_ZERO: f64 = 1.0 / 7.0;

/// RMS of pink and brown; in pink it is part of the gains.
const RMS: f64 = 0.25;

/// The `noise` kind.
pub struct Noise;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    random: Random,
    pink: [f32; 7],
    brown: f32,
    /// The white sample before, for brown's zero.
    before: f32,
    color: Switch,
}

impl Module for Noise {
    const SPEC: KindSpec = KindSpec {
        name: "noise",
        summary: "white, pink or brown noise",
        source: "xoroshiro64*, Blackman & Vigna 2018",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade = switch::fade_frames(block.rate_hz);
        let colors = block.choice(P::Color);
        let (mut has_pink, mut has_brown) = (false, false);
        for channel in 0..W {
            let color = &mut voices[channel].color;
            color.meet(colors[channel], fade);
            has_pink |= color.plays(PINK);
            has_brown |= color.plays(BROWN);
        }
        let common = switch::common::<W>(
            #[inline(always)]
            |channel| voices[channel].color,
        );
        let mut random = RandomLanes::<W>::load(
            #[inline(always)]
            |channel| voices[channel].random,
        );
        let mut pink = Pink::<W>::load(voices);
        let mut brown = Brown::<W>::load(voices, block.rate_hz);

        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let white = random.bipolar();
            let mut sounds = [white; 3];
            if has_pink {
                sounds[PINK] = pink.step(&white);
            }
            if has_brown {
                sounds[BROWN] = brown.step(&white);
            }
            match common {
                Some(color) => *out = sounds[color.min(BROWN)],
                None => {
                    for channel in 0..W {
                        let color = voices[channel].color;
                        let [from, to] = color.choices().map(|color| sounds[color.min(BROWN)][channel]);
                        out[channel] = switch::blend(from, to, color.share(frame, fade));
                    }
                }
            }
        }

        for channel in 0..W {
            let voice = &mut voices[channel];
            voice.random = random.store(channel);
            // A channel's state must not depend on what its neighbours play.
            if voice.color.plays(PINK) {
                for pole in 0..7 {
                    voice.pink[pole] = pink.poles[pole][channel];
                }
            }
            if voice.color.plays(BROWN) {
                (voice.brown, voice.before) = (brown.level[channel], brown.before[channel]);
            }
            voice.color.advance(block.frames);
        }
    }
}

const _: () = assert!(WHITE == 0 && PINK == 1 && BROWN == 2);

struct Pink<const W: usize> {
    poles: [[f32; W]; 7],
}

impl<const W: usize> Pink<W> {
    #[inline(always)]
    fn load(voices: &[Voice; W]) -> Self {
        let mut poles = [[0.0; W]; 7];
        for pole in 0..7 {
            for channel in 0..W {
                poles[pole][channel] = voices[channel].pink[pole];
            }
        }
        Pink { poles }
    }

    #[inline(always)]
    fn step(&mut self, white: &[f32; W]) -> [f32; W] {
        let mut sum = [0.0; W];
        for channel in 0..W {
            sum[channel] = PINK_DIRECT * white[channel];
        }
        for pole in 0..7 {
            for channel in 0..W {
                let level = PINK_POLES[pole] * self.poles[pole][channel] + white[channel];
                self.poles[pole][channel] = level;
                sum[channel] += PINK_GAINS[pole] * level;
            }
        }
        sum
    }
}

struct Brown<const W: usize> {
    level: [f32; W],
    before: [f32; W],
    leak: f32,
    gain: f32,
}

impl<const W: usize> Brown<W> {
    #[inline(always)]
    fn load(voices: &[Voice; W], rate_hz: f32) -> Self {
        let leak = approach(std::f64::consts::TAU * BROWN_HZ / f64::from(rate_hz));
        let pole = 1.0 - leak;
        // The power of (1 + z/7) / (1 - pole z) is 1 + (pole + 1/7)^2 / (1 - pole^2); white's own is 1/3.
        let power = (1.0 + (pole + BROWN_ZERO) * (pole + BROWN_ZERO) / (1.0 - pole * pole)) / 3.0;
        let gain = (RMS / libm::sqrt(power)) as f32;
        let (mut level, mut before) = ([0.0; W], [0.0; W]);
        for channel in 0..W {
            (level[channel], before[channel]) = (voices[channel].brown, voices[channel].before);
        }
        Brown { level, before, leak: leak as f32, gain }
    }

    #[inline(always)]
    fn step(&mut self, white: &[f32; W]) -> [f32; W] {
        for channel in 0..W {
            let push = self.gain * (white[channel] + BROWN_ZERO as f32 * self.before[channel]);
            self.level[channel] = self.level[channel] - self.leak * self.level[channel] + push;
            self.before[channel] = white[channel];
        }
        self.level
    }
}
