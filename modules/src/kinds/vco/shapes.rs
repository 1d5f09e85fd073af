//! Which shapes are heard in `out`: a change of shape fades.

use bytemuck::{Pod, Zeroable};

use super::WAVES;
use crate::dsp::residual::TAPS;
use crate::dsp::steady::{CHUNK, Canvas};
use crate::dsp::switch::fade_frames;
use crate::dsp::wave::Wave;

/// Seconds in which one shape takes over from another: eased, this leaves no corner (vco_tests.rs, a_change_of_shape).
const SHAPE_FADE_S: f32 = 0.005;

/// Lengths of fades, in frames.
#[derive(Clone, Copy)]
pub(super) struct Fades {
    shape: u32,
    /// Of latency, and of the seat among the voices of a note.
    pub(super) switch: u32,
}

impl Fades {
    pub(super) fn new(rate_hz: f32) -> Fades {
        Fades { shape: (SHAPE_FADE_S * rate_hz) as u32, switch: fade_frames(rate_hz) }
    }
}

/// How far each shape has come into `out`: see [`share`].
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Shapes([u32; WAVES]);

impl Shapes {
    /// One shape, and none in a fade.
    pub(super) fn only(shape: usize, fades: Fades) -> Shapes {
        let mut shapes = [0; WAVES];
        shapes[shape] = full(fades.shape);
        Shapes(shapes)
    }

    /// Whether a wave has a share in `out`.
    #[inline(always)]
    pub(super) fn plays(&self, wave: Wave, shape: usize) -> bool {
        self.0[wave as usize] > 0 || shape == wave as usize
    }

    /// Adds the share of a wave in `out`.
    #[inline(always)]
    pub(super) fn mix(&self, wave: Wave, shape: usize, fades: Fades, canvas: &Canvas, main: &mut [f32; CHUNK]) {
        let (fade, is_chosen) = (self.0[wave as usize], shape == wave as usize);
        let is_alone = self.0.iter().enumerate().all(|(other, &fade)| other == shape || fade == 0);
        if is_alone && is_chosen && fade == full(fades.shape) {
            main.copy_from_slice(&canvas[..CHUNK]);
            return;
        }
        for (frame, (sum, value)) in main.iter_mut().zip(canvas).enumerate() {
            *sum += share(faded(fade, is_chosen, frame as u32 + 1, fades.shape), fades.shape) * value;
        }
    }

    /// Moves past `frames`.
    #[inline(always)]
    pub(super) fn advance(&mut self, shape: usize, frames: u32, fades: Fades) {
        for (wave, fade) in self.0.iter_mut().enumerate() {
            *fade = faded(*fade, wave == shape, frames, fades.shape);
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
