//! What is played by hand: `note`, `gate` and `trig` become pitch, gate, velocity and trigger, with glide and bend.
//!
//! What the player holds arrives per channel, as if it were patched into the inputs; a cable there adds to it. `glide` is the
//! time in which a new note is reached, whatever the interval ([`crate::dsp::portamento`]); the first note ever is there at once.
//! With `legato` only notes that overlap glide: those that come while the gate is on, or within 2 ms of its fall, since a
//! held channel that is played again sees its gate fall for a moment. `bend` comes after the glide.
//! `trig` gives a pulse where a gate goes on, and passes on what is triggered.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::{Approach, FALL_60_DB};
use crate::dsp::portamento::Portamento;
use crate::dsp::pulse::{Pulse, pulse_frames};
use crate::dsp::schmitt::gate;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "the note; a cable transposes it"),
    Gate: PortSpec::new("gate", Signal::Gate, "on while a key is down"),
    Velocity: PortSpec::new("velocity", Signal::Unipolar, "how hard the key was struck"),
    Trig: PortSpec::new("trig", Signal::Trigger, "strikes without holding"),
} }

table! { Out: PortSpec = OUTPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "the note on its glide, bent"),
    Gate: PortSpec::new("gate", Signal::Gate, "1 while the note is held"),
    Velocity: PortSpec::new("velocity", Signal::Unipolar, "how hard, 0..1, until the next note"),
    Trig: PortSpec::new("trig", Signal::Trigger, "a pulse as a gate goes on, or as it is triggered"),
} }

table! { P: ParamSpec = PARAMS {
    Glide: ParamSpec::linear("glide", Unit::Seconds, (0.0, 5.0), 0.0)
        .help("time to reach the next note, to 1/1000 of the interval; 0: at once"),
    Legato: ParamSpec::choice("legato", &["off", "on"]).help("on: glide only from a note that is still held"),
    Bend: ParamSpec::linear("bend", Unit::Octaves, (-4.0, 4.0), 0.0).smooth(5.0).help("octaves added to the pitch"),
} }

/// A gate that was off for less than this was played again, not let go: longer than any block between the two edges of a
/// retrigger, shorter than any hand between two keys.
const RETRIGGER_S: f32 = 0.002;

/// The `keys` kind.
pub struct Keys;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    glide: Portamento,
    /// The note that it goes to.
    note: f32,
    gate: f32,
    trig: f32,
    pulse: Pulse,
    /// Frames since the gate was on, as far as they matter.
    idle: u32,
    /// 1 from the first gate on.
    has_played: u32,
}

/// What a channel hears in one frame.
struct Touch {
    pitch: f32,
    gate: f32,
    trig: f32,
    glide_share: f64,
    is_legato: bool,
}

/// Lengths in frames.
struct Lengths {
    retrigger: u32,
    pulse: u32,
}

impl Module for Keys {
    const SPEC: KindSpec = KindSpec {
        name: "keys",
        summary: "what is played by hand: pitch, gate, velocity and trigger per channel, with glide and bend",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes {
            pitch: Some("pitch"),
            gate: Some("gate"),
            velocity: Some("velocity"),
            trigger: Some("trig"),
            voices: None,
        },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let [pitch, gates, velocity, trig] =
            [In::Pitch, In::Gate, In::Velocity, In::Trig].map(|port| block.input(port));
        let glide = Approach::new(block.param(P::Glide), FALL_60_DB, block.rate_hz);
        let (legato, bend) = (block.param(P::Legato), block.param(P::Bend));
        let lengths = Lengths { retrigger: (RETRIGGER_S * block.rate_hz) as u32, pulse: pulse_frames(block.rate_hz) };
        for frame in 0..block.frames {
            let (share, legato, bend) = (glide.at(frame), legato.at(frame), bend.at(frame));
            let (mut notes, mut on, mut struck) = ([0.0; W], [0.0; W], [0.0; W]);
            for channel in 0..W {
                let touch = Touch {
                    pitch: pitch[frame][channel],
                    gate: gates[frame][channel],
                    trig: trig[frame][channel],
                    glide_share: share[channel],
                    is_legato: legato[channel] > 0.5,
                };
                let voice = &mut voices[channel];
                (notes[channel], struck[channel]) = voice.play(&touch, &lengths);
                notes[channel] += bend[channel];
                on[channel] = voice.gate;
            }
            block.output(Out::Pitch)[frame] = notes;
            block.output(Out::Gate)[frame] = on;
            block.output(Out::Velocity)[frame] = velocity[frame];
            block.output(Out::Trig)[frame] = struck;
        }
    }
}

impl Voice {
    /// The pitch without bend, and the trigger.
    fn play(&mut self, touch: &Touch, lengths: &Lengths) -> (f32, f32) {
        // What was held up to now decides: pitch and gate of a new note come in the same frame.
        let is_held = self.gate > 0.5 || self.idle < lengths.retrigger;
        let on = gate(self.gate, touch.gate);
        if touch.pitch != self.note {
            self.note = touch.pitch;
            if self.has_played == 0 || (touch.is_legato && !is_held) {
                self.glide.jump(self.note);
            }
        }
        if on > self.gate {
            self.pulse.fire(lengths.pulse);
            self.has_played = 1;
        }
        if on > 0.5 {
            self.idle = 0;
        } else {
            self.pulse.stop();
            self.idle = self.idle.saturating_add(1);
        }
        self.gate = on;
        self.trig = gate(self.trig, touch.trig);
        (self.glide.step(self.note, touch.glide_share), self.pulse.level().max(self.trig))
    }
}
