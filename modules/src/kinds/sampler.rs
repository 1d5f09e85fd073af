//! Sampler: plays a recording, at any pitch, in either direction, once or round and round.
//!
//! A playhead reads between the samples with a windowed sinc ([`sinc`](crate::dsp::sinc)). When a file is loaded it is brought to
//! the engine's rate, and laid down again at a half, a quarter, ... of it: pitched up, a head reads the octave below its speed
//! and stretches the sinc over the rest, so nothing folds below 19 kHz (-100 dB), up to five octaves.
//! A head never jumps. Whatever would make it (a new trigger, the end, a loop, another file) starts a second head, and the two
//! are crossfaded for 3 ms; a loop fades in what lies before its start (silence, before the file), and so keeps its exact length. Only a head that starts
//! where the file does is there at once: that edge is the recording's own. A loop shorter than 50 ms is taken for a cycle of a wave and
//! joined without a fade.
//!
//! Source: Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP 1984; Williams, "Pyramidal parametrics", 1983 (the octaves).

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::math::exp2;
use crate::dsp::resample;
use crate::dsp::schmitt::gate;
use crate::{Block, Module, Param, Prepared, Recording, Sound};
use head::{Frame, Head, SPEED_MAX, Scene, octaves, region};

mod head;

table! { In: PortSpec = INPUTS {
    Gate: PortSpec::new("gate", Signal::Gate, "on: plays from the start; off: fades out"),
    Trig: PortSpec::new("trig", Signal::Trigger, "plays from the start to the end"),
    Pitch: PortSpec::new("pitch", Signal::Pitch, "octaves; with root it decides the speed"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "half of left and right together"),
    Left: PortSpec::new("left", Signal::Audio, "the file's first channel"),
    Right: PortSpec::new("right", Signal::Audio, "its second; of a mono file the first"),
} }

const C4_HZ: f32 = 261.625_58;

table! { P: ParamSpec = PARAMS {
    File: ParamSpec::file("file").help("the recording"),
    Root: ParamSpec::exponential("root", Unit::Hertz, (8.0, 16_000.0), C4_HZ).help("the note at which it plays as recorded"),
    Tune: ParamSpec::linear("tune", Unit::Cents, (-1_200.0, 1_200.0), 0.0).smooth(5.0).help("detunes it"),
    Speed: ParamSpec::linear("speed", Unit::Ratio, (-4.0, 4.0), 1.0).smooth(5.0).help("1: as recorded; below 0: backwards"),
    Start: ParamSpec::linear("start", Unit::Ratio, (0.0, 1.0), 0.0).help("where it starts, as a part of the file"),
    End: ParamSpec::linear("end", Unit::Ratio, (0.0, 1.0), 1.0).help("where it ends, as a part of the file"),
    Loop: ParamSpec::choice("loop", &["off", "on", "pingpong"]).help("at the end: off stops, on starts again, pingpong turns"),
    Level: ParamSpec::linear("level", Unit::Gain, (0.0, 4.0), 1.0).smooth(5.0).help("how loud; notes set it by their velocity"),
} }

const OFF: usize = 0;
const ON: usize = 1;
const PINGPONG: usize = 2;

/// Length of a crossfade. Shorter ones are heard as ticks, longer ones soften attacks.
const FADE_S: f32 = 0.003;

/// A shorter loop is a cycle of a wave.
const CYCLE_S: f32 = 0.050;

/// Heads of a voice: the one that plays, and those that fade out.
const HEADS: usize = 3;

/// The `sampler` kind.
pub struct Sampler;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    heads: [Head; HEADS],
    gate: f32,
    trig: f32,
    /// 1 if the gate started what plays.
    is_gated: u32,
    reserved: u32,
}

impl Module for Sampler {
    const SPEC: KindSpec = KindSpec {
        name: "sampler",
        summary: "plays a sound file at any pitch, once or looped",
        source: "Smith & Gossett, \"A flexible sampling-rate conversion method\", ICASSP 1984",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes {
            pitch: Some("pitch"),
            gate: Some("gate"),
            velocity: Some("level"),
            trigger: Some("trig"),
            voices: None,
        },
    };

    type Voice = Voice;

    /// Per channel (two at most) the recording at the engine's rate and its octaves; `note` counts the recording's own frames.
    fn prepare(recording: &Recording, rate_hz: f32, _frames: usize) -> Result<Prepared, String> {
        let channels = resample::channels(recording, rate_hz)?;
        let mut prepared = Prepared { channels: channels.len().min(2), ..Prepared::default() };
        for channel in channels.into_iter().take(2) {
            prepared.note = u32::try_from(channel.len()).map_err(|_| "this file is too long".to_owned())?;
            prepared.samples.extend(octaves(channel));
        }
        Ok(prepared)
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let [gates, trigs, pitch] = [In::Gate, In::Trig, In::Pitch].map(|port| block.input(port));
        let [root, tune, speed, start, end, repeat, level] =
            [P::Root, P::Tune, P::Speed, P::Start, P::End, P::Loop, P::Level].map(|param| block.param(param));
        let files = block.param(P::File).at(block.frames - 1);
        let frames = block.frames;
        let is_stereo_wanted = block.is_wanted(Out::Main) || block.is_wanted(Out::Right);
        let mut scene = Scene {
            sounds: block.sounds,
            place: 0,
            sinc: &block.tables.sinc,
            fade: (FADE_S * block.rate_hz) as u32,
            cycle: f64::from(CYCLE_S * block.rate_hz),
            is_stereo_wanted,
        };
        for channel in 0..W {
            scene.place = if scene.sounds.at(files[channel] as usize).is_some() { files[channel] as u32 } else { 0 };
            let (_, mut outputs) = block.tapes_and_outputs(channel);
            for frame in 0..frames {
                let at = |param: &Param<'_, W>| param.at(frame)[channel];
                let octaves = pitch[frame][channel] + at(&tune) * (1.0 / 1_200.0);
                let step = at(&speed) * exp2(octaves.clamp(-20.0, 20.0)) * (C4_HZ / at(&root));
                let controls = Frame {
                    gate: gates[frame][channel],
                    trig: trigs[frame][channel],
                    step: step.clamp(-SPEED_MAX, SPEED_MAX),
                    start: at(&start),
                    end: at(&end),
                    repeat: at(&repeat) as usize,
                };
                let [left, right] = voices[channel].play(&scene, controls).map(|side| side * at(&level));
                outputs.of(Out::Left)[frame][channel] = left;
                outputs.of(Out::Right)[frame][channel] = right;
                outputs.of(Out::Main)[frame][channel] = 0.5 * (left + right);
            }
        }
    }
}

impl Voice {
    /// One frame of left and right.
    #[inline(never)]
    fn play(&mut self, scene: &Scene<'_>, frame: Frame) -> [f32; 2] {
        let (was_on, was_fired) = (self.gate, self.trig);
        (self.gate, self.trig) = (gate(was_on, frame.gate), gate(was_fired, frame.trig));
        let (opens, fires) = (self.gate > was_on, self.trig > was_fired);
        let is_moved = self.heads[0].place != 0 && self.heads[0].place != scene.place;
        if opens || fires {
            self.is_gated = u32::from(opens);
        }
        if opens || fires || is_moved {
            self.hand_over(scene, Head::start(scene, &frame));
        } else if self.gate < was_on && self.is_gated == 1 {
            self.hand_over(scene, Head::zeroed());
        }
        if let Some(sound) = scene.sounds.at(self.heads[0].place as usize) {
            self.turn(scene, &frame, &sound);
        }
        let mut sides = [0.0; 2];
        for head in &mut self.heads {
            if let Some(sound) = scene.sounds.at(head.place as usize) {
                let heard = head.read(scene, &frame, &sound);
                let gain = head.gain(scene.fade);
                sides = [sides[0] + gain * heard[0], sides[1] + gain * heard[1]];
                head.advance(frame.step);
            }
        }
        sides
    }

    /// Lets the playing head fade out, and `next` play.
    fn hand_over(&mut self, scene: &Scene<'_>, next: Head) {
        let last = self.heads[0];
        if last.place != 0 {
            // Where both others still fade, the one that is nearer its end gives way.
            let other = if self.heads[1].fall_left <= self.heads[2].fall_left { 1 } else { 2 };
            self.heads[other] = Head { fall_left: scene.fade, ..last };
        }
        self.heads[0] = next;
    }

    /// At the end of what is played: stops, starts again, or turns.
    fn turn(&mut self, scene: &Scene<'_>, frame: &Frame, sound: &Sound<'_>) {
        let (first, last) = region(frame, sound);
        let head = self.heads[0];
        let speed = f64::from(frame.step * head.way);
        if speed == 0.0 {
            return;
        }
        let (edge, length) = (if speed > 0.0 { last } else { first }, last - first);
        let left = (edge - head.at) * speed.signum();
        let turned = Head { at: 2.0 * edge - head.at, way: -head.way, ..head };
        let again = Head { at: head.at - length.copysign(speed), ..head };
        if frame.repeat != OFF && length < scene.cycle {
            if left <= 0.0 {
                let next = if frame.repeat == PINGPONG { turned } else { again };
                self.heads[0] = Head { at: next.at.clamp(first, last), ..next };
            }
            return;
        }
        // A hand-over waits for the one before.
        if left > f64::from(scene.fade) * speed.abs() || (frame.repeat != OFF && head.rise_left > 0) {
            return;
        }
        let next = match frame.repeat {
            OFF => Head::zeroed(),
            PINGPONG => turned,
            _ => again,
        };
        self.hand_over(scene, Head { rise_left: scene.fade, ..next });
    }
}
