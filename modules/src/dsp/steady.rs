//! An oscillator at fixed pitch: the naive wave in one vectorised loop, then only the frames that hold an edge.
//!
//! Phase has 48 bits here: a cycle of 100 seconds still has its exact length, and the loop over frames needs no more
//! than 32-bit arithmetic (16 bits of fraction times at most 2^16 frames).

use super::divider::{Divider, Square};
use super::residual::{self, Residuals, TAPS};
use super::wave::{self, QUARTER, THREE_QUARTERS, Wave};

/// Frames that are computed at once.
pub const CHUNK: usize = 64;

/// Work space of one wave over one chunk: the first [`TAPS`] values carry over what earlier edges still owe.
pub type Canvas = [f32; CHUNK + TAPS];

/// One cycle of a 48-bit phase.
pub const CYCLE_48: u64 = 1 << 48;

/// A phase that moves by the same amount every frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady {
    /// Where the phase stood at the frame before the first; 48 bits.
    pub phase: u64,
    /// How far it moves a frame; below half a cycle; 48 bits.
    pub step: u64,
    /// Width of the pulse.
    pub width: u32,
}

impl Steady {
    /// The phase after `frames`.
    #[inline(always)]
    pub fn after(&self, frames: usize) -> u64 {
        self.phase.wrapping_add(self.step.wrapping_mul(frames as u64)) & (CYCLE_48 - 1)
    }

    /// Adds `frames` frames of a wave to `canvas`, as late as its residuals are.
    #[inline(always)]
    pub fn draw(&self, wave: Wave, frames: usize, tables: &Residuals, canvas: &mut Canvas) {
        let (width, late) = (self.width, tables.latency());
        let rise = self.step as f32 * (1.0 / CYCLE_48 as f32);
        match wave {
            Wave::Saw => {
                self.naive(frames, late, canvas, wave::saw);
                self.edges(0, frames, &tables.step, -2.0, canvas);
            }
            Wave::Pulse => {
                self.naive(
                    frames,
                    late,
                    canvas,
                    #[inline(always)]
                    |phase| wave::pulse(phase, width),
                );
                self.edges(0, frames, &tables.step, 2.0, canvas);
                self.edges(width, frames, &tables.step, -2.0, canvas);
            }
            Wave::Tri => {
                self.naive(frames, late, canvas, wave::tri);
                self.edges(QUARTER, frames, &tables.ramp, -8.0 * rise, canvas);
                self.edges(THREE_QUARTERS, frames, &tables.ramp, 8.0 * rise, canvas);
            }
            Wave::Sine => self.naive(frames, late, canvas, wave::sine),
        }
    }

    /// Adds `frames` frames of the divided square.
    #[inline(always)]
    pub fn draw_sub(&self, frames: usize, mut square: Square<'_>) -> Divider {
        self.passes(
            0,
            frames,
            #[inline(always)]
            |frame, age| square.edge(frame, age, true),
        );
        square.hold(frames);
        square.divider
    }

    /// The bare phase of the frames to come, as a signal.
    #[inline(always)]
    pub fn bare(&self, into: &mut [f32]) {
        for (frame, value) in into.iter_mut().enumerate() {
            *value = wave::bare(self.phase_at(frame));
        }
    }

    #[inline(always)]
    fn phase_at(&self, frame: usize) -> u32 {
        let (high, low) = ((self.phase >> 16) as u32, self.phase as u32 & 0xFFFF);
        let (step_high, step_low) = ((self.step >> 16) as u32, self.step as u32 & 0xFFFF);
        let count = frame as u32 + 1;
        high.wrapping_add(step_high.wrapping_mul(count)).wrapping_add((low + step_low * count) >> 16)
    }

    #[inline(always)]
    fn naive(&self, frames: usize, late: usize, canvas: &mut Canvas, shape: impl Fn(u32) -> f32) {
        for (frame, value) in canvas[late..late + frames].iter_mut().enumerate() {
            *value += shape(self.phase_at(frame));
        }
    }

    /// Adds a residual wherever the phase passes `offset`.
    #[inline(always)]
    fn edges(&self, offset: u32, frames: usize, rows: &residual::Rows, amount: f32, canvas: &mut Canvas) {
        self.passes(
            offset,
            frames,
            #[inline(always)]
            |frame, age| residual::add(rows, &mut canvas[frame..], age, amount),
        );
    }

    /// Tells `each` frame on the way to which the phase passes `offset`, and how many frames ago that is there.
    #[inline(always)]
    fn passes(&self, offset: u32, frames: usize, mut each: impl FnMut(usize, f32)) {
        if self.step == 0 {
            return;
        }
        let mut phase = self.phase.wrapping_sub(u64::from(offset) << 16) & (CYCLE_48 - 1);
        let per_step = 1.0 / self.step as f32;
        let mut reached = 0;
        loop {
            let steps = (CYCLE_48 - phase).div_ceil(self.step);
            if steps > (frames - reached) as u64 {
                return;
            }
            reached += steps as usize;
            phase = phase + steps * self.step - CYCLE_48;
            each(reached - 1, phase as i64 as f32 * per_step);
        }
    }
}
