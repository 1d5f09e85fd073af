//! Low-frequency oscillator: a slow wave that moves other things.
//!
//! A phase in f64 (exact to 1e-10 cycles after an hour) read through a shape. All shapes start a cycle at the same
//! phase; sine and tri start at 0 and rise. `random` holds a new even random value for each cycle.
//!
//! Up to 1 kHz it can be heard. Its jumps and corners are not yet band-limited: at audio rates saw, ramp, square
//! and random alias until they take their edges through the residual tables of `vco` (SOUND, "The other kinds").

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::random::Random;
use crate::dsp::schmitt::gate;
use crate::dsp::switch::{self, Switch};
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Reset: PortSpec::new("reset", Signal::Trigger, "a rising edge starts the cycle again"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Bipolar, "the wave, -1..1"),
} }

table! { P: ParamSpec = PARAMS {
    Rate: ParamSpec::exponential("rate", Unit::Hertz, (0.001, 1_000.0), 1.0).smooth(5.0).help("cycles per second"),
    Shape: ParamSpec::choice("shape", &["sine", "tri", "saw", "ramp", "square", "random"])
        .help("saw falls, ramp rises, random holds a new value each cycle"),
    Phase: ParamSpec::linear("phase", Unit::Cycles, (0.0, 1.0), 0.0).smooth(20.0)
        .help("head start within the cycle: 0.25 is a quarter of a wave ahead"),
} }

const SINE: usize = 0;
const TRI: usize = 1;
const SAW: usize = 2;
const RAMP: usize = 3;
const SQUARE: usize = 4;

/// The `lfo` kind.
pub struct Lfo;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// 0..1, without the phase param.
    phase: f64,
    /// 0..1, with the phase param, one frame ago.
    read: f64,
    /// The value of `random` in this cycle.
    held: f32,
    /// The reset gate.
    gate: f32,
    random: Random,
    shape: Switch,
    reserved: u32,
}

impl Module for Lfo {
    const SPEC: KindSpec = KindSpec {
        name: "lfo",
        summary: "slow wave that moves other params",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("reset"), voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
        voice.held = voice.random.bipolar();
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade = switch::fade_frames(block.rate_hz);
        let choices = block.choice(P::Shape);
        let (mut phase, mut read, mut held, mut on) = ([0.0; W], [0.0; W], [0.0; W], [0.0; W]);
        for channel in 0..W {
            let voice = &mut voices[channel];
            voice.shape.meet(choices[channel], fade);
            (phase[channel], read[channel]) = (voice.phase, voice.read);
            (held[channel], on[channel]) = (voice.held, voice.gate);
        }
        let common = switch::common::<W>(
            #[inline(always)]
            |channel| voices[channel].shape,
        );
        let reset = block.is_patched(In::Reset).then(|| block.input(In::Reset));
        if reset.is_none() {
            on = [0.0; W];
        }
        let (rate, offset) = (block.param(P::Rate), block.param(P::Phase));
        let period_s = 1.0 / f64::from(block.rate_hz);

        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let mut is_new = [false; W];
            if let Some(rows) = reset {
                for channel in 0..W {
                    let now = gate(on[channel], rows[frame][channel]);
                    is_new[channel] = now > on[channel];
                    on[channel] = now;
                    phase[channel] = if is_new[channel] { 0.0 } else { phase[channel] };
                }
            }
            let (rate, offset) = (rate.at(frame), offset.at(frame));
            for channel in 0..W {
                let at = wrap(phase[channel] + f64::from(offset[channel]));
                // A fall by more than half a cycle is the turn of a cycle; less is the phase param moving back.
                is_new[channel] |= read[channel] - at > 0.5;
                read[channel] = at;
                phase[channel] = wrap(phase[channel] + f64::from(rate[channel]) * period_s);
            }
            if is_new.contains(&true) {
                for channel in 0..W {
                    if is_new[channel] {
                        held[channel] = voices[channel].random.bipolar();
                    }
                }
            }
            match common {
                Some(shape) => *out = wave(shape, &read, &held),
                None => {
                    for channel in 0..W {
                        let turn = voices[channel].shape;
                        let [from, to] = turn.choices().map(|shape| wave(shape, &[read[channel]], &[held[channel]])[0]);
                        out[channel] = switch::blend(from, to, turn.share(frame, fade));
                    }
                }
            }
        }

        for channel in 0..W {
            let voice = &mut voices[channel];
            (voice.phase, voice.read) = (phase[channel], read[channel]);
            (voice.held, voice.gate) = (held[channel], on[channel]);
            voice.shape.advance(block.frames);
        }
    }
}

/// A phase below 2, within 0..1.
#[inline(always)]
fn wrap(phase: f64) -> f64 {
    if phase >= 1.0 { phase - 1.0 } else { phase }
}

/// The wave at each channel's phase.
#[inline(always)]
fn wave<const W: usize>(shape: usize, phase: &[f64; W], held: &[f32; W]) -> [f32; W] {
    let mut out = [0.0; W];
    for channel in 0..W {
        let phase = phase[channel];
        out[channel] = match shape {
            SINE => sine(triangle(phase)),
            TRI => triangle(phase) as f32,
            SAW => (1.0 - 2.0 * phase) as f32,
            RAMP => (2.0 * phase - 1.0) as f32,
            SQUARE if phase < 0.5 => 1.0,
            SQUARE => -1.0,
            _ => held[channel],
        };
    }
    out
}

/// From 0 up to 1 at a quarter, down to -1 at three quarters.
#[inline(always)]
fn triangle(phase: f64) -> f64 {
    1.0 - 4.0 * (wrap(phase + 0.25) - 0.5).abs()
}

/// sin(pi/2 * x) for -1..1: a triangle bent into a sine.
///
/// Taylor series; the first term left out is (pi/2)^13 / 13! = 6e-8, or -144 dB.
#[inline(always)]
fn sine(x: f64) -> f32 {
    let x = x as f32;
    let xx = x * x;
    let poly = std::f32::consts::FRAC_PI_2
        + xx * (-0.645_964_1
            + xx * (0.079_692_626 + xx * (-0.004_681_754 + xx * (1.604_411_8e-4 - xx * 3.598_843e-6))));
    (x * poly).clamp(-1.0, 1.0)
}
