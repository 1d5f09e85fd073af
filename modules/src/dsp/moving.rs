//! An oscillator whose pitch, pulse width or sync moves from frame to frame.
//!
//! First the phase of every frame, then per shape: the naive wave, and a residual at each edge. Frames that may hold an edge are
//! found by integer compares, in a loop that vectorises; only those few are looked at closely, as paths through the last four
//! samples ([`super::cubic`]): when exactly did phase - offset pass a whole cycle, in which direction, how fast. Paths may
//! turn round within a frame (through-zero FM), and a reset (hard sync) splits its frame in two.

use super::cubic::{Crossings, Cubic};
use super::residual::{self, LATENCY, Residuals};
use super::steady::{CHUNK, Canvas};
use super::wave::{self, CYCLE, Motion, QUARTER, Reset, THREE_QUARTERS, Wave};

/// Phase, width and resets of one channel over one chunk, with as many frames before it as the cubics need.
pub struct Course {
    /// Frames in this chunk.
    pub frames: usize,
    /// `[i + 2]`: how far the phase moved on the way to frame `i`, resets aside.
    pub steps: [i32; CHUNK + 2],
    /// `[i + 3]`: the pulse width at frame `i`.
    pub widths: [u32; CHUNK + 3],
    /// `[i + 1]`: the phase at frame `i`.
    pub phases: [u32; CHUNK + 1],
    /// Bit `i`: the phase was reset on the way to frame `i`.
    pub resets: u64,
    /// When, between the frame before (0) and frame `i` (1).
    pub reset_times: [f64; CHUNK],
}

/// A movement in cycles per frame, below one half, as a step of the phase: rounded to nearest, halves away from zero.
#[inline(always)]
pub fn step_of(rise: f32) -> i32 {
    let step = rise * CYCLE as f32;
    (step + 0.5f32.copysign(step)) as i32
}

/// What a shape's edges depend on: the phase less this, in whole cycles.
#[derive(Clone, Copy)]
enum Offset {
    Fixed(u32),
    Width,
}

impl Course {
    /// A chunk that does not move yet.
    #[inline(always)]
    pub fn new(frames: usize) -> Course {
        Course {
            frames,
            steps: [0; CHUNK + 2],
            widths: [0; CHUNK + 3],
            phases: [0; CHUNK + 1],
            resets: 0,
            reset_times: [0.0; CHUNK],
        }
    }

    /// Computes the phases from the one before the chunk, through steps and resets.
    #[inline(always)]
    pub fn set_phases(&mut self, before: u32) {
        let mut phase = before;
        self.phases[0] = before;
        if self.resets == 0 {
            for frame in 0..self.frames {
                phase = phase.wrapping_add(self.steps[frame + 2] as u32);
                self.phases[frame + 1] = phase;
            }
            return;
        }
        for frame in 0..self.frames {
            phase = if self.resets >> frame & 1 == 0 {
                phase.wrapping_add(self.steps[frame + 2] as u32)
            } else {
                self.since_reset(frame) as u32
            };
            self.phases[frame + 1] = phase;
        }
    }

    /// Adds this chunk of a wave to `canvas`, [`LATENCY`] late.
    #[inline(always)]
    pub fn draw(&self, wave: Wave, tables: &Residuals, canvas: &mut Canvas) {
        match wave {
            Wave::Saw => {
                self.naive(
                    canvas,
                    #[inline(always)]
                    |phase, _| wave::saw(phase),
                );
                self.jumps(Offset::Fixed(0), -2.0, tables, canvas);
            }
            Wave::Pulse => {
                self.naive(canvas, wave::pulse);
                self.jumps(Offset::Fixed(0), 2.0, tables, canvas);
                self.jumps(Offset::Width, -2.0, tables, canvas);
            }
            Wave::Tri => {
                self.naive(
                    canvas,
                    #[inline(always)]
                    |phase, _| wave::tri(phase),
                );
                self.bends(Offset::Fixed(QUARTER), -8.0, tables, canvas);
                self.bends(Offset::Fixed(THREE_QUARTERS), 8.0, tables, canvas);
            }
            Wave::Sine => self.naive(
                canvas,
                #[inline(always)]
                |phase, _| wave::sine(phase),
            ),
        }
        self.reset_edges(wave, tables, canvas);
    }

    #[inline(always)]
    fn naive(&self, canvas: &mut Canvas, shape: impl Fn(u32, u32) -> f32) {
        let frames = self.frames;
        let (phases, widths) = (&self.phases[1..=frames], &self.widths[3..frames + 3]);
        for ((value, &phase), &width) in canvas[LATENCY..LATENCY + frames].iter_mut().zip(phases).zip(widths) {
            *value += shape(phase, width);
        }
    }

    /// Jumps of `amount` where the phase rises past the offset, of minus that where it falls back.
    #[inline(always)]
    fn jumps(&self, offset: Offset, amount: f32, tables: &Residuals, canvas: &mut Canvas) {
        self.edges(
            offset,
            #[inline(always)]
            |frame, time, is_rising, _| {
                let amount = if is_rising { amount } else { -amount };
                residual::add(&tables.step, &mut canvas[frame..], (1.0 - time) as f32, amount);
            },
        );
    }

    /// Slopes that change by `amount` times the frequency, whatever its direction, and with them the curvature.
    #[inline(always)]
    fn bends(&self, offset: Offset, amount: f32, tables: &Residuals, canvas: &mut Canvas) {
        self.edges(
            offset,
            #[inline(always)]
            |frame, time, is_rising, phase| {
                let side = if is_rising { amount } else { -amount };
                let (age, into) = ((1.0 - time) as f32, &mut canvas[frame..]);
                residual::add(&tables.ramp, into, age, amount * phase.slope(time).abs() as f32);
                residual::add(&tables.bow, into, age, side * phase.bend(time) as f32);
            },
        );
    }

    /// What a reset itself does to a wave; edges before and after it in the same frame are ordinary ones.
    #[inline(always)]
    fn reset_edges(&self, wave: Wave, tables: &Residuals, canvas: &mut Canvas) {
        for frame in bits(self.resets) {
            let time = self.reset_times[frame];
            let (path, lag) = (self.path(frame, Offset::Fixed(0)), self.path(frame, Offset::Width));
            let (phase, width) = (cycles(self.phases[frame]), cycles(self.widths[frame + 2]));
            let motion = Motion {
                phase: phase + path.at(time),
                lag: phase - width + lag.at(time),
                width: width + path.at(time) - lag.at(time),
                rise: path.slope(time),
                bend: path.bend(time),
            };
            let reset = Reset::new(wave, motion);
            let (age, into) = ((1.0 - time) as f32, &mut canvas[frame..]);
            residual::add(&tables.step, into, age, reset.step as f32);
            if matches!(wave, Wave::Tri | Wave::Sine) {
                residual::add(&tables.ramp, into, age, reset.ramp as f32);
                residual::add(&tables.bow, into, age, reset.bow as f32);
            }
        }
    }

    /// Tells `each` edge: frame, time within it, direction, and the path of the phase itself.
    #[inline(always)]
    fn edges(&self, offset: Offset, mut each: impl FnMut(usize, f64, bool, Cubic)) {
        for frame in bits(self.suspects(offset) | self.resets) {
            let path = self.path(frame, offset);
            let (old, new) = match offset {
                Offset::Fixed(offset) => (cycles(offset), cycles(offset)),
                Offset::Width => (cycles(self.widths[frame + 2]), cycles(self.widths[frame + 3])),
            };
            let start = cycles(self.phases[frame]) - old;
            let phase = self.path(frame, Offset::Fixed(0));
            // A reset splits its frame; otherwise the second part stays empty.
            let parts = if self.resets >> frame & 1 == 0 {
                [path.crossings((0.0, start), (1.0, start + path.at(1.0))), Crossings::default()]
            } else {
                let time = self.reset_times[frame];
                let offset_then = old + phase.at(time) - path.at(time);
                let end = self.since_reset(frame) as f64 / CYCLE - new;
                [
                    path.crossings((0.0, start), (time, start + path.at(time))),
                    path.crossings((time, -offset_then), (1.0, end)),
                ]
            };
            for part in &parts {
                for (time, is_rising) in part.iter() {
                    each(frame, time, is_rising, phase);
                }
            }
        }
    }

    /// Frames in which the phase less `offset` passes a whole cycle, or may do so and turn back.
    #[inline(always)]
    fn suspects(&self, offset: Offset) -> u64 {
        let mut flags = [0u8; CHUNK];
        let frames = self.frames;
        let (before, after) = (&self.phases[..frames], &self.phases[1..=frames]);
        let (last_steps, steps) = (&self.steps[1..=frames], &self.steps[2..frames + 2]);
        let (old, new) = (&self.widths[2..frames + 2], &self.widths[3..frames + 3]);
        for frame in 0..frames {
            let (step, last) = (steps[frame] >> 3, last_steps[frame] >> 3);
            // Slopes at both ends of the parabola through the last three phases; scaled, so that they fit.
            let is_turning = (last + step) ^ (3 * step - last) < 0;
            let is_passing = match offset {
                Offset::Fixed(offset) => {
                    let (before, after) = (before[frame].wrapping_sub(offset), after[frame].wrapping_sub(offset));
                    (after < before) != (step < 0)
                }
                Offset::Width => {
                    let is_wrapping = (after[frame] < before[frame]) != (step < 0);
                    // Wraps of the phase, plus or minus one where it changed sides with the width.
                    let wraps = if is_wrapping { 1 | step >> 31 } else { 0 };
                    let sides = i32::from(before[frame] < old[frame]) - i32::from(after[frame] < new[frame]);
                    wraps + sides != 0
                }
            };
            flags[frame] = u8::from(is_passing | is_turning);
        }
        let mut mask = 0;
        for (index, bytes) in flags.chunks_exact(8).enumerate() {
            let word = bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
            // Gathers the lowest bit of every byte into the top byte (Warren, Hacker's Delight).
            mask |= (word.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
        }
        mask
    }

    /// How phase - offset moved on the way to `frame`, resets aside.
    #[inline(always)]
    fn path(&self, frame: usize, offset: Offset) -> Cubic {
        let rise = |age: usize| {
            let step = f64::from(self.steps[frame + 2 - age]);
            let (new, old) = (self.widths[frame + 3 - age], self.widths[frame + 2 - age]);
            match offset {
                Offset::Fixed(_) => step / CYCLE,
                Offset::Width => (step - (f64::from(new) - f64::from(old))) / CYCLE,
            }
        };
        Cubic::new(rise(2), rise(1), rise(0))
    }

    /// How far the phase has moved at `frame` since the reset on the way to it.
    #[inline(always)]
    fn since_reset(&self, frame: usize) -> i64 {
        let path = self.path(frame, Offset::Fixed(0));
        libm::round((path.at(1.0) - path.at(self.reset_times[frame])) * CYCLE) as i64
    }
}

/// A phase in cycles.
#[inline(always)]
fn cycles(phase: u32) -> f64 {
    f64::from(phase) / CYCLE
}

/// The numbers of the bits that are set, from the lowest.
#[inline(always)]
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        bit
    })
}
