//! Quantizer: turns any voltage into notes of a scale.
//!
//! The nearest note of the scale is taken, in twelve equal steps to the octave, as exactly as an f32 holds it. A note is left
//! only once the input is `hyst` past the middle between it and the next, so that a noisy voltage does not trill. `trig` tells
//! each new note. With a cable into its own `trig` it takes a note at each trigger and holds it.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::pulse::{Pulse, pulse_frames};
use crate::dsp::schmitt::gate;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Pitch, "the voltage to bring into tune"),
    Trig: PortSpec::new("trig", Signal::Trigger, "takes a note; unpatched, every change is heard at once"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Pitch, "a note of the scale"),
    Trig: PortSpec::new("trig", Signal::Trigger, "a pulse for each new note"),
} }

table! { P: ParamSpec = PARAMS {
    Scale: ParamSpec::choice("scale", &SCALE_NAMES).help("which notes there are"),
    Root: ParamSpec::choice("root", &["c", "db", "d", "eb", "e", "f", "gb", "g", "ab", "a", "bb", "b"])
        .help("the note that the scale begins with"),
    Hyst: ParamSpec::linear("hyst", Unit::Cents, (0.0, 40.0), 5.0)
        .help("how far past the middle between two notes the input leaves one for the other"),
} }

/// Semitones of an octave.
const OCTAVE: i32 = 12;

/// Scales by name, and the semitones above the root that belong to them.
const SCALES: [(&str, &[u16]); 21] = [
    ("chromatic", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ("major", &[0, 2, 4, 5, 7, 9, 11]),
    ("minor", &[0, 2, 3, 5, 7, 8, 10]),
    ("harmonic-minor", &[0, 2, 3, 5, 7, 8, 11]),
    ("melodic-minor", &[0, 2, 3, 5, 7, 9, 11]),
    ("dorian", &[0, 2, 3, 5, 7, 9, 10]),
    ("phrygian", &[0, 1, 3, 5, 7, 8, 10]),
    ("lydian", &[0, 2, 4, 6, 7, 9, 11]),
    ("mixolydian", &[0, 2, 4, 5, 7, 9, 10]),
    ("locrian", &[0, 1, 3, 5, 6, 8, 10]),
    ("major-pentatonic", &[0, 2, 4, 7, 9]),
    ("minor-pentatonic", &[0, 3, 5, 7, 10]),
    ("blues", &[0, 3, 5, 6, 7, 10]),
    ("whole-tone", &[0, 2, 4, 6, 8, 10]),
    ("diminished", &[0, 2, 3, 5, 6, 8, 9, 11]),
    ("hirajoshi", &[0, 2, 3, 7, 8]),
    ("hijaz", &[0, 1, 4, 5, 7, 8, 10]),
    ("major-triad", &[0, 4, 7]),
    ("minor-triad", &[0, 3, 7]),
    ("fifths", &[0, 7]),
    ("octaves", &[0]),
];

const SCALE_NAMES: [&str; SCALES.len()] = {
    let mut names = [""; SCALES.len()];
    let mut scale = 0;
    while scale < SCALES.len() {
        names[scale] = SCALES[scale].0;
        scale += 1;
    }
    names
};

/// Bit `s` of each: the scale has the note `s` semitones above its root.
const SCALE_MASKS: [u16; SCALES.len()] = {
    let mut masks = [0; SCALES.len()];
    let mut scale = 0;
    while scale < SCALES.len() {
        let mut degree = 0;
        while degree < SCALES[scale].1.len() {
            masks[scale] |= 1 << SCALES[scale].1[degree];
            degree += 1;
        }
        assert!(masks[scale] & 1 == 1, "a scale has its root");
        scale += 1;
    }
    masks
};

/// Highest pitch that is looked at, in octaves: twice as far as anything sounds.
const PITCH_MAX: f32 = 40.0;

/// The `quantize` kind.
pub struct Quantize;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// The note that is held, in semitones from C4.
    note: i32,
    /// The same in octaves.
    tuned: f32,
    /// What it was taken from.
    pitch: f32,
    /// Scale, root and hysteresis as they were then.
    key: Key,
    gate: f32,
    pulse: Pulse,
    is_started: u32,
}

/// What decides which note a pitch becomes.
#[derive(Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Key {
    scale: u32,
    root: i32,
    hyst_cents: f32,
}

impl Module for Quantize {
    const SPEC: KindSpec = KindSpec {
        name: "quantize",
        summary: "brings a pitch into tune: the nearest note of a scale",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("in"), gate: None, velocity: None, trigger: Some("trig"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let trig = block.is_patched(In::Trig).then(|| block.input(In::Trig));
        let (scale, root, hyst) = (block.param(P::Scale), block.param(P::Root), block.param(P::Hyst));
        let length = pulse_frames(block.rate_hz);
        for frame in 0..block.frames {
            let (scale, root, hyst) = (scale.at(frame), root.at(frame), hyst.at(frame));
            let (mut notes, mut changes) = ([0.0; W], [0.0; W]);
            for channel in 0..W {
                let voice = &mut voices[channel];
                let key = Key { scale: scale[channel] as u32, root: root[channel] as i32, hyst_cents: hyst[channel] };
                if voice.listens(trig.map(|rows| rows[frame][channel])) {
                    voice.take(input[frame][channel], key, length);
                }
                notes[channel] = voice.tuned;
                changes[channel] = voice.pulse.level();
            }
            block.output(Out::Main)[frame] = notes;
            block.output(Out::Trig)[frame] = changes;
        }
    }
}

impl Voice {
    /// Whether this frame's pitch counts.
    #[inline(always)]
    fn listens(&mut self, trig: Option<f32>) -> bool {
        let Some(level) = trig else { return true };
        let on = gate(self.gate, level);
        let is_taken = on > self.gate;
        self.gate = on;
        is_taken
    }

    /// Takes the nearest note, unless the held one is near enough.
    #[inline(always)]
    fn take(&mut self, pitch: f32, key: Key, pulse_frames: u32) {
        // Most voltages rest most of the time.
        if pitch == self.pitch && key == self.key && self.is_started != 0 {
            return;
        }
        let note = self.choose(pitch, key);
        if note != self.note && self.is_started != 0 {
            self.pulse.fire(pulse_frames);
        }
        let tuned = (f64::from(note) / f64::from(OCTAVE)) as f32;
        *self = Voice { note, tuned, pitch, key, is_started: 1, ..*self };
    }

    #[inline(never)]
    fn choose(&self, pitch: f32, key: Key) -> i32 {
        let at = f64::from(pitch.clamp(-PITCH_MAX, PITCH_MAX)) * f64::from(OCTAVE);
        let nearest = nearest(at, key);
        let away = |note: i32| (at - f64::from(note)).abs();
        // Past the middle by h, a pitch is 2 h nearer to the next note. There are 100 cents to a semitone.
        let is_near = away(self.note) - away(nearest) <= 0.02 * f64::from(key.hyst_cents);
        if self.is_started != 0 && is_near && has(self.note, key) { self.note } else { nearest }
    }
}

/// Whether a note belongs to the scale.
fn has(note: i32, key: Key) -> bool {
    let mask = SCALE_MASKS.get(key.scale as usize).copied().unwrap_or(1);
    mask >> (note - key.root).rem_euclid(OCTAVE) & 1 == 1
}

/// The note of the scale that is nearest to `at` semitones; the lower one of two.
fn nearest(at: f64, key: Key) -> i32 {
    let below = at.floor() as i32;
    let find = |step: i32| (0..OCTAVE).map(|away| step * away).find(|&away| has(below + (step > 0) as i32 + away, key));
    let low = below + find(-1).unwrap_or(0);
    let high = below + 1 + find(1).unwrap_or(0);
    if f64::from(high) - at < at - f64::from(low) { high } else { low }
}
