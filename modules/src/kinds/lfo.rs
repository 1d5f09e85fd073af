//! Low-frequency oscillator: a slow wave that moves other things.
//!
//! A phase in f64 (exact to 1e-10 cycles after an hour) read through a shape. All shapes start a cycle at the same
//! phase; sine and tri start at 0 and rise. `random` holds a new even random value for each cycle.
//!
//! Two outputs for two uses. `out` is a control: its edges come in their very frame, and neither ring nor wait. `audio` is the same
//! wave to listen to, up to 1 kHz and beyond by modulation: its edges go through the residual tables of `vco` (lfo/tone.rs), which
//! takes 16 frames. Two outputs, and no switch-over at some rate: a rate that sweeps up through it would change the latency under way.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::random::Random;
use crate::dsp::schmitt::gate;
use crate::dsp::steady::CHUNK;
use crate::dsp::switch::{self, Switch};
use crate::{Block, Module};

mod shape;
mod tone;

use shape::{wave, wrap};
use tone::{Moment, Tone};

table! { In: PortSpec = INPUTS {
    Reset: PortSpec::new("reset", Signal::Trigger, "a rising edge starts the cycle again"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Bipolar, "the wave, -1..1"),
    Audio: PortSpec::new("audio", Signal::Audio, "the same to listen to: its edges do not alias, 16 frames late"),
} }

table! { P: ParamSpec = PARAMS {
    Rate: ParamSpec::exponential("rate", Unit::Hertz, (0.001, 1_000.0), 1.0).smooth(5.0).help("cycles per second"),
    Shape: ParamSpec::choice("shape", &["sine", "tri", "saw", "ramp", "square", "random"])
        .help("saw falls, ramp rises, random holds a new value each cycle"),
    Phase: ParamSpec::linear("phase", Unit::Cycles, (0.0, 1.0), 0.0).smooth(20.0)
        .help("head start within the cycle: 0.25 is a quarter of a wave ahead"),
} }

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
    tone: Tone,
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

        let is_heard = block.is_wanted(Out::Audio);
        let mut moments = is_heard.then(|| [[Moment::default(); CHUNK]; W]);
        for start in (0..block.frames).step_by(CHUNK) {
            let frames = CHUNK.min(block.frames - start);
            for (index, out) in block.output(Out::Main)[start..start + frames].iter_mut().enumerate() {
                let frame = start + index;
                let mut is_new = [false; W];
                if let Some(rows) = reset {
                    for channel in 0..W {
                        let now = gate(on[channel], rows[frame][channel]);
                        is_new[channel] = now > on[channel];
                        on[channel] = now;
                        phase[channel] = if is_new[channel] { 0.0 } else { phase[channel] };
                    }
                }
                let is_reset = is_new;
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
                            let [from, to] =
                                turn.choices().map(|shape| wave(shape, &[read[channel]], &[held[channel]])[0]);
                            out[channel] = switch::blend(from, to, turn.share(frame, fade));
                        }
                    }
                }
                if let Some(moments) = &mut moments {
                    for channel in 0..W {
                        let shape = voices[channel].shape;
                        moments[channel][index] = Moment {
                            phase: read[channel],
                            held: held[channel],
                            out: out[channel],
                            is_reset: is_reset[channel],
                            shapes: shape.choices(),
                            share: shape.share(frame, fade),
                        };
                    }
                }
            }
            for channel in 0..W {
                let Some(moments) = &moments else {
                    voices[channel].tone.skip();
                    continue;
                };
                let sound = voices[channel].tone.draw(&moments[channel][..frames], &block.tables.residuals);
                for (row, sample) in block.output(Out::Audio)[start..start + frames].iter_mut().zip(sound) {
                    row[channel] = sample;
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

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use crate::rig::Rig;
    use crate::spectrum::{cents, frequency, periodic};

    fn lfo(shape: usize, rate_hz: f32) -> Rig {
        let (_, kind) = crate::kind("lfo").unwrap();
        Rig::new(kind, 1, 48_000.0, 64).with("shape", shape as f32).with("rate", rate_hz)
    }

    #[test]
    fn the_audio_of_every_shape_is_clean_where_out_aliases() {
        for shape in 0..5 {
            for rate_hz in [110.0, 440.0, 970.0] {
                let sound = lfo(shape, rate_hz).render("audio", 1_500);
                let found = periodic(&sound, 48_000.0, f64::from(rate_hz));
                assert!(found.alias_db < -130.0 && found.dc.abs() < 1e-6, "shape {shape} at {rate_hz} Hz: {found:?}");
                let off = cents(frequency(&sound, 48_000.0, f64::from(rate_hz)), f64::from(rate_hz));
                assert!(off.abs() < 0.001, "shape {shape} at {rate_hz} Hz: {off} cents");
            }
        }
        let naive = periodic(&lfo(2, 970.0).render("out", 1_500), 48_000.0, 970.0);
        assert!(naive.alias_db > -60.0, "{naive:?}");
    }

    #[test]
    fn frequency_modulation_and_resets_of_the_audio_stay_clean() {
        for shape in 0..5 {
            let mut rig = lfo(shape, 880.0);
            let phase = rig.patch("phase", 1.0);
            rig = rig.with("phase", 0.5);
            let mut sound = Vec::new();
            for block in 0..1_500 {
                rig.feed(phase, |_, frame| {
                    0.1 * (TAU * (110.0 / 48_000.0 * (block * 64 + frame) as f64).fract()).sin() as f32
                });
                rig.step();
                sound.extend(rig.output("audio", 0));
            }
            let found = periodic(&sound, 48_000.0, 110.0);
            assert!(found.alias_db < -110.0, "shape {shape}: {found:?}");
            // A reset every 400 frames, in its very frame: 120 Hz.
            let mut rig = lfo(shape, 317.0);
            let reset = rig.patch("reset", 1.0);
            let mut sound = Vec::new();
            for block in 0..1_500 {
                rig.feed(reset, |_, frame| if (block * 64 + frame) % 400 < 200 { 1.0 } else { 0.0 });
                rig.step();
                sound.extend(rig.output("audio", 0));
            }
            let high: f64 = sound[48_000..].windows(3).map(|at| f64::from(at[0] - 2.0 * at[1] + at[2]).powi(2)).sum();
            assert!(high.is_finite() && sound.iter().all(|x| x.abs() < 1.4), "shape {shape}");
        }
    }
}
