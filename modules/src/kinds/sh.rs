//! Sample and hold: takes the level of `in` at each trigger and keeps it.
//!
//! Two outputs for two uses. `out` is a control: it steps in the very frame of the trigger and neither rings nor comes late.
//! `audio` is a sound: the same steps, each at the true time of its trigger between two frames and with the level that `in` had
//! there, through the residual tables of `vco` ([`crate::dsp::residual`]), so that they do not alias. That takes 16
//! frames, and rings for as many about each step, as every band-limited step does; so it is not a choice that a control could fall into.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::cubic::Cubic;
use crate::dsp::residual::{self, BEST, Residuals, TAPS};
use crate::dsp::schmitt::{self, gate};
use crate::dsp::steady::CHUNK;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to take levels from"),
    Trig: PortSpec::new("trig", Signal::Trigger, "a rising edge takes a new level"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the level that was taken last"),
    Audio: PortSpec::new("audio", Signal::Audio, "the same to listen to: its steps do not alias, 16 frames late"),
} }

const PARAMS: &[ParamSpec] = &[];

/// The `sh` kind.
pub struct SampleHold;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    held: f32,
    gate: f32,
    /// The level of `audio`.
    heard: f32,
    /// Its gate.
    heard_gate: f32,
    /// Whether `audio` was computed in the block before.
    is_heard: u32,
    /// The last three samples of `in` and of `trig`, oldest first.
    recent: [[f32; 3]; 2],
    /// What past steps still add to the frames of `audio` to come.
    tail: [f32; TAPS],
}

impl Module for SampleHold {
    const SPEC: KindSpec = KindSpec {
        name: "sh",
        summary: "takes a level at each trigger and holds it",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("trig"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (input, trig) = (block.input(In::Main), block.input(In::Trig));
        if block.is_wanted(Out::Audio) {
            listen(voices, input, trig, &block.tables.residuals, block.output(Out::Audio));
        } else {
            for voice in voices.iter_mut() {
                voice.is_heard = 0;
            }
        }
        let (mut held, mut on) = ([0.0; W], [0.0; W]);
        for channel in 0..W {
            (held[channel], on[channel]) = (voices[channel].held, voices[channel].gate);
        }
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            for channel in 0..W {
                let now = gate(on[channel], trig[frame][channel]);
                held[channel] = if now > on[channel] { input[frame][channel] } else { held[channel] };
                on[channel] = now;
            }
            *out = held;
        }
        for channel in 0..W {
            (voices[channel].held, voices[channel].gate) = (held[channel], on[channel]);
        }
    }
}

/// Computes `audio`.
#[inline(always)]
fn listen<const W: usize>(
    voices: &mut [Voice; W],
    input: &[[f32; W]],
    trig: &[[f32; W]],
    residuals: &Residuals,
    outputs: &mut [[f32; W]],
) {
    for ((input, trig), outputs) in input.chunks(CHUNK).zip(trig.chunks(CHUNK)).zip(outputs.chunks_mut(CHUNK)) {
        for channel in 0..W {
            let mut samples = [[0.0; CHUNK]; 2];
            for (frame, (input, trig)) in input.iter().zip(trig).enumerate() {
                (samples[0][frame], samples[1][frame]) = (input[channel], trig[channel]);
            }
            let audio = voices[channel].draw(&samples, input.len(), residuals);
            for (row, sample) in outputs.iter_mut().zip(audio) {
                row[channel] = sample;
            }
        }
    }
}

impl Voice {
    /// A chunk of `audio`, from one of `in` and of `trig`.
    #[inline(never)]
    fn draw(&mut self, [input, trig]: &[[f32; CHUNK]; 2], frames: usize, residuals: &Residuals) -> [f32; CHUNK] {
        if self.is_heard == 0 {
            (self.is_heard, self.heard, self.heard_gate) = (1, self.held, self.gate);
            self.tail = [0.0; TAPS];
            self.tail[..BEST.latency].fill(self.held);
        }
        let mut canvas = [0.0; CHUNK + TAPS];
        canvas[..TAPS].copy_from_slice(&self.tail);
        for frame in 0..frames {
            let now = gate(self.heard_gate, trig[frame]);
            let [inputs, trigs] = &mut self.recent;
            if now > self.heard_gate {
                let path = Cubic::through([trigs[0], trigs[1], trigs[2], trig[frame]]);
                let time = path.time_of(f64::from(schmitt::ON) - f64::from(trigs[2]), 0.0, 1.0);
                let level = Cubic::through([inputs[0], inputs[1], inputs[2], input[frame]]).at(time) as f32 + inputs[2];
                residual::add(&residuals.step, &mut canvas[frame..], (1.0 - time) as f32, level - self.heard);
                self.heard = level;
            }
            self.heard_gate = now;
            *inputs = [inputs[1], inputs[2], input[frame]];
            *trigs = [trigs[1], trigs[2], trig[frame]];
            canvas[BEST.latency + frame] += self.heard;
        }
        self.tail.copy_from_slice(&canvas[frames..frames + TAPS]);
        let mut audio = [0.0; CHUNK];
        audio.copy_from_slice(&canvas[..CHUNK]);
        audio
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use crate::rig::Rig;
    use crate::spectrum::periodic;

    #[test]
    fn steps_at_audio_rate_alias_in_out_and_not_in_audio() {
        let (_, sh) = crate::kind("sh").unwrap();
        let mut rig = Rig::new(sh, 1, 48_000.0, 64);
        let (input, trig) = (rig.patch("in", 1.0), rig.patch("trig", 1.0));
        let mut heard = [const { Vec::new() }; 2];
        for block in 0..1_500 {
            for (cable, hz) in [(input, 170.0), (trig, 7.0 * 170.0)] {
                rig.feed(cable, |_, frame| (TAU * (hz / 48_000.0 * (block * 64 + frame) as f64).fract()).sin() as f32);
            }
            rig.step();
            for (heard, port) in heard.iter_mut().zip(["out", "audio"]) {
                heard.extend(rig.output(port, 0));
            }
        }
        let [out, audio] = heard.map(|heard| periodic(&heard, 48_000.0, 170.0).alias_db);
        assert!(out > -40.0 && audio < -80.0, "out {out:.1} dB, audio {audio:.1} dB");
    }
}
