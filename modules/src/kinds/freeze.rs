//! Freeze: holds a moment of sound for as long as a gate is on.
//!
//! The moment is a spectrum of 2048 points, heard twice 512 frames apart: how far a bin's phase turned in between is its
//! frequency, far finer than the bins' spacing. From then on a new stretch of sound is made every 512 frames from the same
//! levels, with phases that turn on at the speed of their nearest peak: tones go on as tones, in tune and as loud, and nothing
//! repeats, so it does not buzz. `blur` throws the phases of every stretch about; from 0.5 on a chord becomes a choir of noises.
//! Stretches come and go under the square of Hann's window, and the signal under what that leaves: it takes up to two stretches (10 to
//! 21 ms) until a moment is caught, and 43 ms until it has replaced the signal, or the signal it.
//!
//! The work is done once in 512 frames: 18 us, and 1 us in other blocks of 64.
//!
//! Source: Dolson, "The phase vocoder: a tutorial", CMJ 10:4, 1986; Laroche & Dolson, "Improved phase vocoder", IEEE Trans. SAP 7:3, 1999.

use bytemuck::{Pod, Zeroable};
use realfft::num_complex::Complex32;
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::random::Random;
use crate::dsp::schmitt::gate;
use crate::dsp::stft::{hann, listen, turn};
use crate::dsp::wave::{QUARTER, sine};
use crate::{Block, Ffts, Module, Tape};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal"),
    Gate: PortSpec::new("gate", Signal::Gate, "on: holds the sound of this moment"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the signal, or the moment that is held"),
} }

table! { P: ParamSpec = PARAMS {
    Freeze: ParamSpec::choice("freeze", &["off", "on"]).help("as the gate"),
    Blur: ParamSpec::linear("blur", Unit::Ratio, (0.0, 1.0), 0.1).help("0: tones stay tones; 1: all is noise of the same colour"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 1.0).smooth(20.0)
        .help("0: only the signal; 1: the held moment in its place"),
} }

const POINTS: usize = 2048;
const BINS: usize = POINTS / 2 + 1;

/// Frames from one stretch to the next.
const HOP: usize = POINTS / OVERLAP;
const OVERLAP: usize = 4;

/// The sum of the squares of four of Hann's windows.
const WINDOWS: f32 = 1.5;

/// The `freeze` kind.
pub struct Freeze;

/// One channel's state; what was heard is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Per bin: level, phase, and how far that turns from stretch to stretch; 2^32 is one cycle.
    levels: [f32; BINS],
    phases: [u32; BINS],
    turns: [u32; BINS],
    /// What the stretches so far give in the frames to come.
    coming: [f32; POINTS],
    /// 1 for each of the last four stretches, the latest first, that was made.
    made: [f32; OVERLAP],
    random: Random,
    gate: f32,
    /// Spectra of this moment that were heard: 0, 1, 2.
    caught: u32,
}

impl Module for Freeze {
    const SPEC: KindSpec = KindSpec {
        name: "freeze",
        summary: "holds a moment of sound for as long as a gate is on",
        source: "Dolson, \"The phase vocoder: a tutorial\", CMJ 10:4, 1986",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: Some("gate"), velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.random = Random::new(seed, channel);
    }

    fn tape_frames(_rate_hz: f32) -> usize {
        POINTS
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (input, gates) = (block.input(In::Main), block.input(In::Gate));
        let (freeze, blur, mix) = (block.param(P::Freeze), block.param(P::Blur), block.param(P::Mix));
        let (frames, position, ffts) = (block.frames, block.position(), block.ffts);
        for channel in 0..W {
            let voice = &mut voices[channel];
            let (mut tape, out) = block.tape_and_output(channel, Out::Main);
            for frame in 0..frames {
                let within = ((position + frame as u64) % HOP as u64) as usize;
                if within == 0 {
                    let is_on = voice.gate > 0.5 || freeze.at(frame)[channel] > 0.5;
                    voice.stretch(&tape, frame, is_on, blur.at(frame)[channel], ffts);
                }
                voice.gate = gate(voice.gate, gates[frame][channel]);
                let dry = input[frame][channel];
                tape.write(frame, dry);
                let mix = mix.at(frame)[channel];
                let wet = voice.coming[within] + dry * (1.0 - voice.share(within));
                out[frame][channel] = dry * (1.0 - mix) + wet * mix;
            }
        }
    }
}

impl Voice {
    /// At the start of a stretch: hears, and makes, what is due.
    #[inline(never)]
    fn stretch(&mut self, tape: &Tape<'_>, frame: usize, is_on: bool, blur: f32, ffts: &Ffts) {
        if self.made.contains(&1.0) {
            self.coming.copy_within(HOP.., 0);
            self.coming[POINTS - HOP..].fill(0.0);
        }
        self.made = [0.0, self.made[0], self.made[1], self.made[2]];
        if !is_on {
            self.caught = 0;
            return;
        }
        match self.caught {
            0 => {
                let spectrum = listen::<POINTS, BINS>(tape, frame, ffts);
                for bin in 0..BINS {
                    self.phases[bin] = turn(spectrum[bin]);
                }
                self.caught = 1;
                return;
            }
            1 => {
                let spectrum = listen::<POINTS, BINS>(tape, frame, ffts);
                for bin in 0..BINS {
                    let phase = turn(spectrum[bin]);
                    self.levels[bin] = spectrum[bin].norm_sqr().sqrt();
                    self.turns[bin] = phase.wrapping_sub(self.phases[bin]);
                    self.phases[bin] = phase;
                }
                self.lock();
                // The stretch to make begins where the one that was heard ends.
                for bin in 0..BINS {
                    self.phases[bin] = self.phases[bin].wrapping_add(self.turns[bin].wrapping_mul(OVERLAP as u32));
                }
                self.caught = 2;
            }
            _ => {
                for bin in 0..BINS {
                    self.phases[bin] = self.phases[bin].wrapping_add(self.turns[bin]);
                }
            }
        }
        self.make(blur, ffts);
    }

    /// Lets the bins around each peak turn as fast as it does (Laroche & Dolson's locked phases): a tone is spread over several
    /// bins, which would otherwise drift apart and fade by up to 6 dB.
    fn lock(&mut self) {
        let (mut start, mut before) = (0, None);
        for bin in 2..BINS - 2 {
            let level = self.levels[bin];
            if self.levels[bin - 2..bin].iter().chain(&self.levels[bin + 1..bin + 3]).any(|&other| other >= level) {
                continue;
            }
            if let Some((peak, turn)) = before {
                let middle = (peak + bin) / 2 + 1;
                self.turns[start..middle].fill(turn);
                start = middle;
            }
            before = Some((bin, self.turns[bin]));
        }
        if let Some((_, turn)) = before {
            self.turns[start..].fill(turn);
        }
    }

    /// Adds a stretch to what is to come.
    fn make(&mut self, blur: f32, ffts: &Ffts) {
        let mut spectrum = [Complex32::default(); BINS];
        let spread = blur * 2_147_483_648.0;
        for bin in 0..BINS {
            let thrown = (self.random.bipolar() * spread) as i32 as u32;
            let phase = self.phases[bin].wrapping_add(thrown);
            let level = self.levels[bin];
            spectrum[bin] = Complex32::new(level * sine(phase.wrapping_add(QUARTER)), level * sine(phase));
        }
        let mut time = [0.0; POINTS];
        ffts.inverse(&mut spectrum, &mut time, &mut [Complex32::default(); POINTS]);
        let gain = loudness(blur) / (POINTS as f32 * WINDOWS);
        for (index, value) in time.iter().enumerate() {
            self.coming[index] += gain * hann(index, POINTS) * value;
        }
        self.made[0] = 1.0;
    }

    /// How much of the windows of the last four stretches is filled, `within` the present one.
    #[inline(always)]
    fn share(&self, within: usize) -> f32 {
        if self.made == [0.0; OVERLAP] {
            return 0.0;
        }
        if self.made == [1.0; OVERLAP] {
            return 1.0;
        }
        let mut share = 0.0;
        for (age, made) in self.made.iter().enumerate() {
            let window = hann(age * HOP + within, POINTS);
            share += made * window * window;
        }
        share * (1.0 / WINDOWS)
    }
}

/// What makes up for the level that is lost where phases do not meet.
///
/// Phases thrown by up to half a cycle times `blur` leave c = sin(pi blur) / (pi blur) of the amplitude in step, and of the rest a
/// quarter of the power: stretches in step add up by their amplitude under their own window, others by their power without it.
fn loudness(blur: f32) -> f32 {
    let angle = std::f64::consts::PI * f64::from(blur);
    let in_step = if angle < 1e-6 { 1.0 } else { libm::sin(angle) / angle };
    let power = in_step * in_step;
    (1.0 / libm::sqrt(power + 0.25 * (1.0 - power))) as f32
}
