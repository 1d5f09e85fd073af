//! Clock: pulses in time with the transport, or by itself at its own tempo.
//!
//! `every` is the way from pulse to pulse in beats (quarter notes): 1/4 for sixteenths, 4 for bars of four, 1/3 for triplets; a
//! cable into it doubles and halves. Pulses lie at whole multiples of it, counted from beat 0, so clocks of every kind of
//! division stay together. Where a pulse lies is computed from the beat itself and never summed up: it does not drift, and it
//! comes in the first frame that is not before it. `run=free` counts at `bpm`, from where the transport was.
//!
//! `swing` is the share of each pair of pulses that the first one takes: 50 % is straight, 66.7 % a triplet feel, as Roger
//! Linn's drum machines count it (Linn LM-1, 1980). `width` is the part of its time for which a pulse is up; the frame before a
//! pulse is always down.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::pulse::{Pulse, pulse_frames};
use crate::dsp::schmitt::gate;
use crate::{Block, Module, Transport};

table! { In: PortSpec = INPUTS {
    Reset: PortSpec::new("reset", Signal::Trigger, "starts a free clock again from beat 0"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Gate, "the pulses"),
    Reset: PortSpec::new("reset", Signal::Trigger, "a pulse when time starts, or jumps back"),
    Phase: PortSpec::new("phase", Signal::Unipolar, "rises from 0 to 1 from pulse to pulse"),
} }

table! { P: ParamSpec = PARAMS {
    Every: ParamSpec::exponential("every", Unit::Beats, (1.0 / 64.0, 64.0), 1.0)
        .help("beats from pulse to pulse: 1/4 is a sixteenth note"),
    Swing: ParamSpec::linear("swing", Unit::Ratio, (0.25, 0.75), 0.5)
        .help("share of a pair of pulses that the first takes: 50% is straight"),
    Width: ParamSpec::linear("width", Unit::Ratio, (0.01, 0.99), 0.5).help("part of its time for which a pulse is up"),
    Run: ParamSpec::choice("run", &["transport", "free"])
        .help("free: at its own bpm, whether the transport runs or not"),
    Bpm: ParamSpec::exponential("bpm", Unit::Ratio, (10.0, 1_000.0), 120.0).help("beats per minute of a free clock"),
} }

/// A pulse that lies this part of a frame after a frame belongs to that frame: what is rounded in a beat must not cost one.
const NUDGE_FRAMES: f64 = 1e-4;

/// Denominators of divisions that an f32 cannot hold; those of 2, 4, 8 ... it does.
const ODD: [f64; 7] = [3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0];

/// The `clock` kind.
pub struct Clock;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    count: Count,
    /// One over two pulses, in beats.
    pairs_per_beat: f64,
    /// Where the pulse begins that time is in, and where the next one does, in pairs of pulses.
    from: f64,
    to: f64,
    /// One over the way between the two.
    per_pair: f64,
    /// The params that these were computed from.
    every: f32,
    swing: f32,
    /// The pulse: 0 or 1.
    on: f32,
    /// The reset input.
    gate: f32,
    reset: Pulse,
    is_running: u32,
    /// A pulse that came while one was up, which has to go down first: it is a frame late.
    is_owed: u32,
    reserved: u32,
}

/// A beat, counted in frames from where the tempo changed last: sums of roundings do not occur.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Count {
    start: f64,
    per_frame: f64,
    frames: u64,
}

impl Count {
    fn beat(&self) -> f64 {
        self.start + self.per_frame * self.frames as f64
    }

    fn pace(&mut self, per_frame: f64) {
        if per_frame != self.per_frame {
            *self = Count { start: self.beat(), per_frame, frames: 0 };
        }
    }
}

/// The params in one frame.
struct Setting {
    every: f32,
    swing: f32,
    width: f64,
    /// Beats per frame of a free clock.
    free: Option<f64>,
}

impl Module for Clock {
    const SPEC: KindSpec = KindSpec {
        name: "clock",
        summary: "pulses in time with the transport, or at a tempo of its own; swing",
        source: "swing as a share of a pair: Linn LM-1, 1980",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: Some("reset"), voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let transport = block.transport;
        let input = block.input(In::Reset);
        let (every, swing, width) = (block.param(P::Every), block.param(P::Swing), block.param(P::Width));
        let (run, bpm) = (block.param(P::Run), block.param(P::Bpm));
        let per_minute = 1.0 / (60.0 * f64::from(block.rate_hz));
        let length = pulse_frames(block.rate_hz);
        for frame in 0..block.frames {
            let (every, swing, width) = (every.at(frame), swing.at(frame), width.at(frame));
            let (run, bpm) = (run.at(frame), bpm.at(frame));
            let now = Transport { beat: transport.at(frame), ..transport };
            let (mut on, mut reset, mut phase) = ([0.0; W], [0.0; W], [0.0; W]);
            for channel in 0..W {
                let setting = Setting {
                    every: every[channel],
                    swing: swing[channel],
                    width: f64::from(width[channel]),
                    free: (run[channel] > 0.5).then_some(f64::from(bpm[channel]) * per_minute),
                };
                let voice = &mut voices[channel];
                phase[channel] = voice.tick(&now, &setting, input[frame][channel], length);
                (on[channel], reset[channel]) = (voice.on, voice.reset.level());
            }
            block.output(Out::Main)[frame] = on;
            block.output(Out::Reset)[frame] = reset;
            block.output(Out::Phase)[frame] = phase;
        }
    }
}

impl Voice {
    /// Moves on by one frame; returns the phase.
    fn tick(&mut self, transport: &Transport, setting: &Setting, reset: f32, pulse_frames: u32) -> f32 {
        let on = gate(self.gate, reset);
        let is_struck = on > self.gate;
        self.gate = on;
        let mut begins = self.is_running == 0;
        match setting.free {
            Some(per_frame) if is_struck => {
                self.count = Count { start: 0.0, per_frame, frames: 0 };
                begins = true;
            }
            Some(per_frame) => self.count.pace(per_frame),
            None => {
                // Half a frame: a beat that was rounded is no jump.
                begins |= transport.beat < self.count.beat() - 0.5 * transport.beats_per_frame;
                self.count = Count { start: transport.beat, per_frame: transport.beats_per_frame, frames: 0 };
            }
        }
        let step = self.count.per_frame;
        self.is_running = u32::from(step > 0.0);
        if begins && step > 0.0 {
            self.reset.fire(pulse_frames);
        }
        let at = self.locate(setting);
        let phase = ((at - self.from) * self.per_pair).clamp(0.0, 1.0);
        self.on = if step > 0.0 { self.level(at, phase, setting.width) } else { 0.0 };
        self.count.frames += 1;
        phase as f32
    }

    /// The time now in pairs of pulses, of which the first takes the share `swing`; finds the pulse that it is in.
    fn locate(&mut self, setting: &Setting) -> f64 {
        let is_new = setting.every != self.every || setting.swing != self.swing;
        if setting.every != self.every {
            self.pairs_per_beat = 0.5 / exact(setting.every);
        }
        let at = (self.count.beat() + NUDGE_FRAMES * self.count.per_frame) * self.pairs_per_beat;
        if is_new || at < self.from || at >= self.to {
            (self.every, self.swing) = (setting.every, setting.swing);
            let (pair, swing) = (at.floor(), f64::from(setting.swing));
            let middle = pair + swing;
            (self.from, self.to) = if at < middle { (pair, middle) } else { (middle, pair + 1.0) };
            self.per_pair = 1.0 / (self.to - self.from);
        }
        at
    }

    /// Whether a pulse is up.
    #[inline(always)]
    fn level(&mut self, at: f64, phase: f64, width: f64) -> f32 {
        let step = self.count.per_frame * self.pairs_per_beat;
        if at - step < self.from || self.is_owed != 0 {
            // Only a jump in time gets here while a pulse is up.
            self.is_owed = u32::from(self.on > 0.5);
            return 1.0 - self.on;
        }
        if phase >= width || at + step >= self.to { 0.0 } else { self.on }
    }
}

/// The number of beats that was meant: 1/3 as an f32 is a frame off after some ten minutes.
fn exact(every: f32) -> f64 {
    let every = f64::from(every);
    for odd in ODD {
        // In 256ths of a triplet, a quintuplet, ...
        let parts = every * odd * 256.0;
        if (parts - parts.round()).abs() <= parts * f64::from(f32::EPSILON) {
            return parts.round() / (odd * 256.0);
        }
    }
    every
}
