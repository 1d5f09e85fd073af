//! Envelope follower: how loud a signal is, as a control.
//!
//! `peak` reads the height of the wave, `rms` its power, averaged over 25 ms: a sine of 1 reads 1 and 0.707. What was read
//! goes through two stages, first one that rises at once and falls with `release`, then one that smooths with `attack`: so the
//! reading of a steady tone does not depend on how the two times compare, as it does where one filter switches between them.
//! `attack` and `release` are the times in which the distance to a new level falls by 60 dB.
//! Source: Giannoulis, Massberg & Reiss, "Digital dynamic range compressor design", JAES 60:6, 2012, eq. 17.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::{Approach, FALL_60_DB, approach};
use crate::dsp::switch::{Switch, blend, fade_frames};
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to listen to"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Unipolar, "how loud it is"),
} }

table! { P: ParamSpec = PARAMS {
    Attack: ParamSpec::exponential("attack", Unit::Seconds, (0.0001, 10.0), 0.01).smooth(20.0)
        .help("time to rise to a new level, within 60 dB"),
    Release: ParamSpec::exponential("release", Unit::Seconds, (0.001, 60.0), 0.3).smooth(20.0).help("time to fall by 60 dB"),
    Mode: ParamSpec::choice("mode", &["peak", "rms"]).help("peak: the height of the wave; rms: its power"),
} }

const PEAK: usize = 0;
const RMS: usize = 1;

/// Time constant of the mean of `rms`: the ripple of a 100 Hz sine stays below 2 %.
const MEAN_S: f64 = 0.025;

/// What has fallen to here is silence: -180 dB, and its square.
const SILENT: f64 = 1e-9;

/// The `follow` kind.
pub struct Follow;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Mean of the square.
    power: f64,
    /// The reading after the release stage.
    held: f64,
    /// And after the attack stage.
    level: f64,
    mode: Switch,
    reserved: u32,
}

impl Module for Follow {
    const SPEC: KindSpec = KindSpec {
        name: "follow",
        summary: "envelope follower: how loud a signal is, as a control",
        source: "Giannoulis, Massberg & Reiss, \"Digital dynamic range compressor design\", JAES 60:6, 2012",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let attack = Approach::new(block.param(P::Attack), FALL_60_DB, block.rate_hz);
        let release = Approach::new(block.param(P::Release), FALL_60_DB, block.rate_hz);
        let mean = approach(1.0 / (MEAN_S * f64::from(block.rate_hz)));
        let fade = fade_frames(block.rate_hz);
        let modes = block.choice(P::Mode);
        let (mut power, mut held, mut level) = ([0.0; W], [0.0; W], [0.0; W]);
        for channel in 0..W {
            let voice = &mut voices[channel];
            voice.mode.meet(modes[channel], fade);
            (power[channel], held[channel], level[channel]) = (voice.power, voice.held, voice.level);
        }
        let is_resting = voices.iter().all(|voice| voice.mode.settled().is_some());
        let mut shares = [0.0; W];

        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let (attack, release) = (attack.at(frame), release.at(frame));
            if frame == 0 || !is_resting {
                for channel in 0..W {
                    let [from, to] = voices[channel].mode.choices().map(|mode| if mode == RMS { 1.0 } else { 0.0 });
                    shares[channel] = blend(from, to, voices[channel].mode.share(frame, fade));
                }
            }
            for channel in 0..W {
                let x = f64::from(input[frame][channel]);
                power[channel] = settle(power[channel] + (x * x - power[channel]) * mean, SILENT * SILENT);
                let (peak, rms) = (x.abs(), power[channel].sqrt());
                let share = f64::from(shares[channel]);
                let reading = if share >= 1.0 { rms } else { peak + (rms - peak) * share };
                held[channel] = settle((held[channel] - held[channel] * release[channel]).max(reading), SILENT);
                let next = level[channel] + (held[channel] - level[channel]) * attack[channel];
                level[channel] = settle(next, SILENT);
                out[channel] = level[channel] as f32;
            }
        }

        for channel in 0..W {
            let voice = &mut voices[channel];
            (voice.power, voice.held, voice.level) = (power[channel], held[channel], level[channel]);
            voice.mode.advance(block.frames);
        }
    }
}

const _: () = assert!(PEAK == 0 && RMS == 1);

/// `x`, or 0 once it is silence.
#[inline(always)]
fn settle(x: f64, silent: f64) -> f64 {
    if x < silent { 0.0 } else { x }
}
