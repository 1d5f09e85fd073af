//! A playhead: where it reads, how it gets louder and softer, and what lies under it.

use bytemuck::{Pod, Zeroable};

use super::ON;
use crate::dsp::resample;
use crate::dsp::sinc::{STRETCH_MAX, Sinc, TAPS_MAX};
use crate::{Sound, Sounds};

/// Fastest read, in frames per frame: what the lowest octave and the sinc's stretch reach.
pub(super) const SPEED_MAX: f32 = 32.0;

/// Octaves laid down below the recording's own.
const OCTAVES: usize = 4;

const _: () = assert!((1 << OCTAVES) as f32 * STRETCH_MAX == SPEED_MAX);

/// A playhead: part of a voice's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Head {
    /// Frames from the file's start.
    pub(super) at: f64,
    /// The file's place in the store; 0: the head rests.
    pub(super) place: u32,
    /// 1 with the speed, -1 against it.
    pub(super) way: f32,
    /// Frames of fade-in that are still to come.
    pub(super) rise_left: u32,
    /// Frames until it has faded out, counted from 1; 0: it does not.
    pub(super) fall_left: u32,
}

/// The controls of one frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) gate: f32,
    pub(super) trig: f32,
    /// Frames per frame.
    pub(super) step: f32,
    /// Parts of the file.
    pub(super) start: f32,
    pub(super) end: f32,
    pub(super) repeat: usize,
}

/// What stays the same over a block.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) sounds: Sounds<'a>,
    /// The place of the file to play; 0: none.
    pub(super) place: u32,
    pub(super) sinc: &'a Sinc,
    /// Frames of a crossfade.
    pub(super) fade: u32,
    /// Frames of the longest loop that is joined without one.
    pub(super) cycle: f64,
    pub(super) is_stereo_wanted: bool,
}

/// First and last frame of what is played: whole ones, so that a loop has the same samples every time; at least one apart.
pub(super) fn region(frame: &Frame, sound: &Sound<'_>) -> (f64, f64) {
    let frames = f64::from(sound.note);
    let (a, b) = (libm::round(f64::from(frame.start) * frames), libm::round(f64::from(frame.end) * frames));
    let first = a.min(b);
    (first, a.max(b).max(first + 1.0))
}

/// Frames of the recording `below` octaves down.
fn octave_frames(frames: usize, below: usize) -> usize {
    frames.div_ceil(1 << below)
}

/// `recording` and its octaves, one after another.
pub(super) fn octaves(recording: Vec<f32>) -> Vec<f32> {
    let frames = recording.len();
    let (mut cells, mut octave) = (recording.clone(), recording);
    for below in 1..=OCTAVES {
        octave = resample::halve(&octave);
        octave.resize(octave_frames(frames, below), 0.0);
        cells.extend_from_slice(&octave);
    }
    cells
}

impl Head {
    /// A head where playing starts; at rest if there is nothing to play.
    pub(super) fn start(scene: &Scene<'_>, frame: &Frame) -> Head {
        let Some(sound) = scene.sounds.at(scene.place as usize) else { return Head::zeroed() };
        let (first, last) = region(frame, &sound);
        let at = if frame.step < 0.0 { last - 1.0 } else { first };
        let is_edge = at <= 0.0 || at >= f64::from(sound.note) - 1.0;
        Head { at, place: scene.place, way: 1.0, rise_left: if is_edge { 0 } else { scene.fade }, fall_left: 0 }
    }

    pub(super) fn gain(&self, fade: u32) -> f32 {
        let smooth = |part: f32| part * part * (3.0 - 2.0 * part);
        let part = |left: u32| left as f32 / fade.max(1) as f32;
        let rise = if self.rise_left == 0 { 1.0 } else { smooth(1.0 - part(self.rise_left)) };
        if self.fall_left == 0 { rise } else { rise * smooth(part(self.fall_left)) }
    }

    pub(super) fn advance(&mut self, step: f32) {
        // A head that stands or runs off stays within reach of its numbers.
        self.at = (self.at + f64::from(step * self.way)).clamp(-1e9, 1e10);
        self.rise_left = self.rise_left.saturating_sub(1);
        if self.fall_left == 1 {
            *self = Head::zeroed();
        }
        self.fall_left = self.fall_left.saturating_sub(1);
    }

    /// What lies under the head, left and right.
    pub(super) fn read(&self, scene: &Scene<'_>, frame: &Frame, sound: &Sound<'_>) -> [f32; 2] {
        let frames = sound.note as usize;
        let speed = frame.step.abs();
        let (mut below, mut base, mut scale) = (0, 0, 1.0);
        while below < OCTAVES && speed * scale as f32 > STRETCH_MAX {
            base += octave_frames(frames, below);
            below += 1;
            scale *= 0.5;
        }
        let at = self.at * scale;
        let whole = at.floor();
        let weights = scene.sinc.weights((at - whole) as f32, speed * scale as f32);
        let first = whole as i64 + weights.first;
        let length = octave_frames(frames, below) as i64;
        let (start, end) = region(frame, sound);
        let is_cycle = frame.repeat == ON && end - start < scene.cycle;
        let mut cells = [[0.0; TAPS_MAX]; 2];
        for side in 0..if scene.is_stereo_wanted && sound.channels > 1 { 2 } else { 1 } {
            let cells = &mut cells[side][..weights.count];
            if is_cycle {
                let (start, turn) = ((start * scale) as i64, ((end - start) * scale).max(1.0) as i64);
                for (tap, cell) in cells.iter_mut().enumerate() {
                    let index = start + (first + tap as i64 - start).rem_euclid(turn);
                    *cell = if (0..length).contains(&index) { sound.read(side, base + index as usize) } else { 0.0 };
                }
                continue;
            }
            let before = (-first).clamp(0, cells.len() as i64) as usize;
            let there = (length - first).clamp(before as i64, cells.len() as i64) as usize;
            sound.copy(side, base + (first + before as i64).max(0) as usize, &mut cells[before..there]);
        }
        let mut sides = [0.0; 2];
        for tap in 0..weights.count {
            for side in 0..2 {
                sides[side] += weights.values[tap] * cells[side][tap];
            }
        }
        if sound.channels > 1 { sides } else { [sides[0]; 2] }
    }
}
