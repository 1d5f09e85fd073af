//! Envelope: opens when a gate goes on, closes when it goes off.
//!
//! Each segment is an exact exponential towards a target, as a capacitor through a resistor: attack aims at 1.3 and
//! turns at 1 (the overshoot gives the round attack of the analogue circuits; Redmon, "Envelope generators", EarLevel
//! 2013), decay aims at `sustain`, release at 0. `attack` is the time from 0 to 1; `decay` and `release` are the times
//! in which the distance to the target falls by 60 dB. A gate that comes back attacks from the present level, so
//! nothing jumps. The level is f64: over a minute an f32's rounding would bend the curve.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::{Approach, FALL_60_DB};
use crate::dsp::schmitt::gate;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Gate: PortSpec::new("gate", Signal::Gate, "on: attack, decay, sustain; off: release"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Unipolar, "the envelope, 0..1"),
} }

const SECONDS: (f32, f32) = (0.0005, 60.0);

table! { P: ParamSpec = PARAMS {
    Attack: ParamSpec::exponential("attack", Unit::Seconds, SECONDS, 0.005).help("time to rise from 0 to 1"),
    Decay: ParamSpec::exponential("decay", Unit::Seconds, SECONDS, 0.3).help("time to fall to sustain, within 60 dB"),
    Sustain: ParamSpec::linear("sustain", Unit::Ratio, (0.0, 1.0), 0.7).smooth(20.0)
        .help("level while the gate stays on"),
    Release: ParamSpec::exponential("release", Unit::Seconds, SECONDS, 0.3).help("time to fall by 60 dB after the gate"),
} }

/// What an attack aims at.
const OVERSHOOT: f64 = 1.3;

/// Time constants from 0 to 1 on the way to [`OVERSHOOT`]: ln(1.3 / 0.3).
const ATTACK_CONSTANTS: f64 = 1.466_337_068_793_427;

/// A release that has fallen to here is over: -180 dB.
const SILENT: f64 = 1e-9;

/// The `adsr` kind.
pub struct Adsr;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    level: f64,
    /// The gate: 1 on, 0 off.
    gate: f32,
    /// 1 from the gate's rise until the level reaches 1.
    attacks: f32,
}

impl Module for Adsr {
    const SPEC: KindSpec = KindSpec {
        name: "adsr",
        summary: "envelope: attack, decay, sustain, release",
        source: "exponential segments; attack aims at 1.3 as analogue envelopes do",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: Some("gate"), velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let attack = Approach::new(block.param(P::Attack), ATTACK_CONSTANTS, block.rate_hz);
        let decay = Approach::new(block.param(P::Decay), FALL_60_DB, block.rate_hz);
        let release = Approach::new(block.param(P::Release), FALL_60_DB, block.rate_hz);
        let sustain = block.param(P::Sustain);
        let input = block.input(In::Gate);
        let (mut level, mut on, mut attacks) = ([0.0; W], [0.0; W], [0.0; W]);
        for channel in 0..W {
            let voice = &voices[channel];
            (level[channel], on[channel], attacks[channel]) = (voice.level, voice.gate, voice.attacks);
        }

        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let (attack, decay, release) = (attack.at(frame), decay.at(frame), release.at(frame));
            let (sustain, input) = (sustain.at(frame), input[frame]);
            for channel in 0..W {
                // Selects, not branches: the channels' segments lie side by side in SIMD lanes.
                let now = gate(on[channel], input[channel]);
                let attacking = if now > on[channel] { 1.0 } else { attacks[channel] * now };
                let held = f64::from(sustain[channel]);
                let target = if now > 0.5 { held } else { 0.0 };
                let k = if now > 0.5 { decay[channel] } else { release[channel] };
                let target = if attacking > 0.5 { OVERSHOOT } else { target };
                let k = if attacking > 0.5 { attack[channel] } else { k };
                // Only an attack gets to 1, and above: it is full.
                let next = (level[channel] + (target - level[channel]) * k).min(1.0);
                let silent = if now > 0.5 { -1.0 } else { SILENT };
                level[channel] = if next < silent { 0.0 } else { next };
                attacks[channel] = if next >= 1.0 { 0.0 } else { attacking };
                on[channel] = now;
                out[channel] = level[channel] as f32;
            }
        }

        for channel in 0..W {
            voices[channel] = Voice { level: level[channel], gate: on[channel], attacks: attacks[channel] };
        }
    }
}
