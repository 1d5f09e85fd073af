//! Voltage-controlled oscillator: saw, pulse, triangle and sine from one phase, without audible aliasing.
//!
//! A naive wave plus a band-limited residual at every edge ([`crate::dsp::residual`]). What sets the quality under
//! modulation is the time of each edge within its frame ([`crate::dsp::moving`]). A channel whose pitch, width and
//! sync rest takes a path that does nothing per frame but the naive wave ([`crate::dsp::steady`]).
//! All outputs are 16 frames late, so that the residuals may begin before their edges.
//!
//! Source: Brandt, "Hard Sync Without Aliasing", ICMC 2001; Esqueda, Välimäki, Bilbao, "Rounding Corners with BLAMP",
//! DAFx-16; targets and measurements: SOUND.md.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::moving::Course;
use crate::dsp::residual::TAPS;
use crate::dsp::steady::{CHUNK, Canvas, Steady};
use crate::dsp::sync::Sync;
use crate::dsp::wave::{self, Wave};
use crate::{Block, Module, Param};

mod controls;
use controls::{Controls, width_of};

table! { In: PortSpec = INPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
    Fm: PortSpec::new("fm", Signal::Audio, "linear frequency modulation, through zero; fm_depth scales it"),
    Sync: PortSpec::new("sync", Signal::Trigger, "a rise through 0, or a gate, starts the cycle again at that very moment"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the shape that the shape param names"),
    Saw: PortSpec::new("saw", Signal::Audio, "rising saw"),
    Pulse: PortSpec::new("pulse", Signal::Audio, "pulse of width pw, without DC"),
    Tri: PortSpec::new("tri", Signal::Audio, "triangle"),
    Sine: PortSpec::new("sine", Signal::Audio, "sine"),
    Phase: PortSpec::new("phase", Signal::Bipolar, "bare phase, rising through 0 where a cycle begins: the exact source for a sync input"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (0.01, 20_000.0), 261.6256).smooth(5.0)
        .help("frequency at pitch 0"),
    Shape: ParamSpec::choice("shape", &["saw", "pulse", "tri", "sine"])
        .help("what out gives; a change fades over 5 ms"),
    Pw: ParamSpec::linear("pw", Unit::Cycles, (0.01, 0.99), 0.5).smooth(5.0)
        .help("part of a cycle for which the pulse is high"),
    FmDepth: ParamSpec::linear("fm_depth", Unit::Ratio, (-16.0, 16.0), 1.0).smooth(5.0)
        .help("deviation for an fm signal of 1, in times the frequency: 1 swings between 0 and twice the frequency"),
} }

/// Waves that exist.
const WAVES: usize = 4;

/// The output of each.
const WAVE_OUTS: [(Wave, Out); WAVES] =
    [(Wave::Saw, Out::Saw), (Wave::Pulse, Out::Pulse), (Wave::Tri, Out::Tri), (Wave::Sine, Out::Sine)];

/// Seconds in which one shape takes over from another: eased, this leaves no corner (vco_tests.rs, a_change_of_shape).
const FADE_S: f32 = 0.005;

/// Fastest movement, in cycles per frame: what is meant to be faster stays just below half the rate.
const RISE_MAX: f32 = 0.499;

/// State of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// The phase, and its fraction: together 64 bits.
    phase: u32,
    fraction: u32,
    /// The last two steps of the phase, oldest first.
    steps: [i32; 2],
    /// The last three pulse widths, oldest first.
    widths: [u32; 3],
    sync: Sync,
    /// How far each shape has come into `out`: see [`share`].
    fades: [u32; WAVES],
    /// Bit per wave whose tail is up to date.
    live: u32,
    is_started: u32,
    /// Per wave, what its past still adds to the frames to come.
    tails: [[f32; TAPS]; WAVES],
}

/// The `vco` kind.
pub struct Vco;

impl Module for Vco {
    const SPEC: KindSpec = KindSpec {
        name: "vco",
        summary: "oscillator: saw, pulse, triangle, sine; linear FM through zero, hard sync",
        source: "Brandt, Hard Sync Without Aliasing, ICMC 2001; Esqueda et al., Rounding Corners with BLAMP, DAFx-16",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let tables = block.tables;
        let controls = Controls::new(block);
        let shapes = block.choice(P::Shape);
        let is_main_wanted = block.is_wanted(Out::Main);
        let fade_frames = (FADE_S * block.rate_hz) as u32;
        let mut steady = [None; W];
        for lane in 0..W {
            steady[lane] = controls.steady(&voices[lane], lane);
        }

        for lane in 0..W {
            voices[lane].begin(shapes[lane], width_of(controls.pw.at(0)[lane]), fade_frames);
        }
        let mut steps = [[0i32; W]; CHUNK];
        for start in (0..block.frames).step_by(CHUNK) {
            let frames = CHUNK.min(block.frames - start);
            let rows = start..start + frames;
            if steady.iter().any(Option::is_none) {
                controls.steps(start, &mut steps[..frames]);
            }
            for lane in 0..W {
                let voice = &mut voices[lane];
                let mut course;
                let motion = match steady[lane] {
                    Some(steady) => Motion::Steady(Steady { phase: voice.phase_48(), ..steady }),
                    None => {
                        course = Course::new(frames);
                        voice.plot(&mut course, &controls, lane, start, &steps);
                        Motion::Moving(&course)
                    }
                };
                let mut main = [0.0; CHUNK];
                for (wave, out) in WAVE_OUTS {
                    let is_mixed = is_main_wanted && (voice.fades[wave as usize] > 0 || shapes[lane] == wave as usize);
                    if !is_mixed && !block.is_wanted(out) {
                        voice.live &= !(1 << wave as u32);
                        continue;
                    }
                    let mut canvas = voice.lend_tail(wave);
                    match &motion {
                        Motion::Steady(steady) => steady.draw(wave, frames, &tables.residuals, &mut canvas),
                        Motion::Moving(course) => course.draw(wave, &tables.residuals, &mut canvas),
                    }
                    voice.keep_tail(wave, frames, &canvas);
                    if is_mixed {
                        voice.mix(wave, shapes[lane], fade_frames, &canvas, &mut main);
                    }
                    if block.is_wanted(out) {
                        write(&mut block.output(out)[rows.clone()], lane, &canvas);
                    }
                }
                if is_main_wanted {
                    voice.fade(shapes[lane], frames as u32, fade_frames);
                    write(&mut block.output(Out::Main)[rows.clone()], lane, &main);
                }
                if block.is_wanted(Out::Phase) {
                    let mut phases = [0.0; CHUNK];
                    motion.phases(&mut phases[..frames]);
                    write(&mut block.output(Out::Phase)[rows.clone()], lane, &phases);
                }
                voice.advance(&motion, frames);
            }
        }
    }
}

/// How the phase of a channel moves through a chunk.
enum Motion<'a> {
    Steady(Steady),
    Moving(&'a Course),
}

impl Motion<'_> {
    /// The bare phase as a signal.
    #[inline(always)]
    fn phases(&self, into: &mut [f32]) {
        match self {
            Motion::Steady(steady) => steady.bare(into),
            Motion::Moving(course) => {
                for (value, &phase) in into.iter_mut().zip(&course.phases[1..]) {
                    *value = wave::bare(phase);
                }
            }
        }
    }
}

/// Writes one channel of an output.
#[inline(always)]
fn write<const W: usize>(rows: &mut [[f32; W]], lane: usize, values: &[f32]) {
    for (row, value) in rows.iter_mut().zip(values) {
        row[lane] = *value;
    }
}

impl Voice {
    /// The phase with as much of its fraction as [`Steady`] takes.
    #[inline(always)]
    fn phase_48(&self) -> u64 {
        (u64::from(self.phase) << 32 | u64::from(self.fraction)) >> 16
    }

    /// At the very first block: no shape fades in, and the width has always been what it is.
    #[inline(always)]
    fn begin(&mut self, shape: usize, width: u32, fade_frames: u32) {
        if self.is_started == 0 {
            self.is_started = 1;
            self.widths = [width; 3];
            self.fades[shape] = full(fade_frames);
        }
    }

    /// Fills in a chunk in which the phase does not move evenly.
    #[inline(always)]
    fn plot<const W: usize>(
        &mut self,
        course: &mut Course,
        controls: &Controls<'_, W>,
        lane: usize,
        start: usize,
        steps: &[[i32; W]; CHUNK],
    ) {
        let frames = course.frames;
        course.steps[..2].copy_from_slice(&self.steps);
        for (step, row) in course.steps[2..frames + 2].iter_mut().zip(steps) {
            *step = row[lane];
        }
        course.widths[..3].copy_from_slice(&self.widths);
        let widths = &mut course.widths[3..frames + 3];
        match controls.pw {
            Param::Constant(pw) => widths.fill(width_of(pw)),
            Param::Varying(rows) => {
                for (width, row) in widths.iter_mut().zip(&rows[start..]) {
                    *width = width_of(row[lane]);
                }
            }
        }
        if let Some(sync) = controls.sync {
            for (frame, row) in sync[start..start + frames].iter().enumerate() {
                if let Some(time) = self.sync.next(row[lane]) {
                    course.resets |= 1 << frame;
                    course.reset_times[frame] = time;
                }
            }
        }
        course.set_phases(self.phase);
    }

    /// Moves on to the end of a chunk.
    #[inline(always)]
    fn advance(&mut self, motion: &Motion, frames: usize) {
        match motion {
            Motion::Steady(steady) => {
                let phase = steady.after(frames) << 16;
                self.phase = (phase >> 32) as u32;
                self.fraction = phase as u32;
                self.steps = [(steady.step >> 16) as i32; 2];
                self.widths = [steady.width; 3];
            }
            Motion::Moving(course) => {
                self.phase = course.phases[frames];
                self.steps.copy_from_slice(&course.steps[frames..frames + 2]);
                self.widths.copy_from_slice(&course.widths[frames..frames + 3]);
            }
        }
    }

    /// A canvas that begins with what earlier edges still owe; with nothing for a wave that was not drawn of late.
    #[inline(always)]
    fn lend_tail(&self, wave: Wave) -> Canvas {
        let mut canvas = [0.0; CHUNK + TAPS];
        if self.live >> wave as u32 & 1 == 1 {
            canvas[..TAPS].copy_from_slice(&self.tails[wave as usize]);
        }
        canvas
    }

    #[inline(always)]
    fn keep_tail(&mut self, wave: Wave, frames: usize, canvas: &Canvas) {
        self.live |= 1 << wave as u32;
        self.tails[wave as usize].copy_from_slice(&canvas[frames..frames + TAPS]);
    }

    /// Adds the share of a wave in `out`.
    #[inline(always)]
    fn mix(&self, wave: Wave, shape: usize, fade_frames: u32, canvas: &Canvas, main: &mut [f32; CHUNK]) {
        let (fade, is_chosen) = (self.fades[wave as usize], shape == wave as usize);
        let is_alone = self.fades.iter().enumerate().all(|(other, &fade)| other == shape || fade == 0);
        if is_alone && is_chosen && fade == full(fade_frames) {
            main.copy_from_slice(&canvas[..CHUNK]);
            return;
        }
        for (frame, (sum, value)) in main.iter_mut().zip(canvas).enumerate() {
            *sum += share(faded(fade, is_chosen, frame as u32 + 1, fade_frames), fade_frames) * value;
        }
    }

    /// Moves the fades on.
    #[inline(always)]
    fn fade(&mut self, shape: usize, frames: u32, fade_frames: u32) {
        for (wave, fade) in self.fades.iter_mut().enumerate() {
            *fade = faded(*fade, wave == shape, frames, fade_frames);
        }
    }
}

/// Where a fade stands after `frames`.
#[inline(always)]
fn faded(fade: u32, is_chosen: bool, frames: u32, fade_frames: u32) -> u32 {
    if is_chosen { (fade + frames).min(full(fade_frames)) } else { fade.saturating_sub(frames) }
}

/// Where a fade ends. A shape that comes waits [`TAPS`] frames for its residuals to be complete, and the one
/// that goes waits as long.
#[inline(always)]
fn full(fade_frames: u32) -> u32 {
    fade_frames + 2 * TAPS as u32
}

/// The share of a shape in `out`: from 0 to 1 without a corner at either end.
#[inline(always)]
fn share(fade: u32, fade_frames: u32) -> f32 {
    let part = fade.saturating_sub(TAPS as u32).min(fade_frames) as f32 / fade_frames as f32;
    part * part * (3.0 - 2.0 * part)
}
