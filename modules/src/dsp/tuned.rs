//! A delay that is a note: what strings and combs read from their tape.
//!
//! The loop is exactly one period long: the filter in it has linear phase, and its one frame is part of what the head
//! reads. Between samples Lagrange interpolation of order 5 ([`super::interpolate`]), which never amplifies, and whose delay
//! is right to a small part of a cent up to 5 kHz.
//!
//! Source: Jaffe & Smith, "Extensions of the Karplus-Strong Plucked-String Algorithm", CMJ 7:2, 1983; the filter:
//! J. O. Smith, Physical Audio Signal Processing, 2010, "The Extended Karplus-Strong Algorithm" (damping, two zeros).

use super::head::Motion;
use super::interpolate::{NEAR, lagrange6};
use super::switch;
use super::wave::sin_pi;
use crate::block::Tape;

/// Lowest note.
pub const LOWEST_HZ: f32 = 10.0;

/// Shortest period, in frames: the filter looks one sample nearer than the interpolation, and this frame is not yet written.
pub const SHORTEST: f64 = (NEAR + 2) as f64;

/// Frames of tape for the lowest note.
pub fn tape_frames(rate_hz: f32) -> usize {
    (rate_hz / LOWEST_HZ) as usize + 16
}

/// How a note's head moves: bends and vibrato glide, in 5 ms; another note, half a semitone off or more, fades in over 10 ms.
#[inline(always)]
pub fn motion(rate_hz: f32) -> Motion {
    Motion {
        pull: 1.0 / (0.005 * f64::from(rate_hz)),
        speeds: (-1.0, 0.5),
        leap: f64::INFINITY,
        leap_shares: (0.97, 0.97),
        leap_frames: switch::fade_frames(rate_hz),
        nearest: SHORTEST,
    }
}

/// Frames of one cycle of `hz`.
#[inline(always)]
pub fn period(hz: f32, rate_hz: f32) -> f64 {
    (f64::from(rate_hz) / f64::from(hz.max(LOWEST_HZ))).max(SHORTEST)
}

/// The damping filter's gain for a wave of `period` frames: brightness 1 dulls nothing, 0 takes out half the rate.
#[inline(always)]
pub fn damping(brightness: f32, period: f64) -> f32 {
    let sin = sin_pi((1.0 / period) as f32);
    1.0 - (1.0 - brightness) * sin * sin
}

/// What went onto the tape `delay` frames ago, through the damping filter.
#[inline(always)]
pub fn read(tape: &Tape<'_>, frame: usize, delay: f64, brightness: f32) -> f32 {
    let whole = (delay as usize).max(SHORTEST as usize);
    let weights = lagrange6((delay - whole as f64) as f32);
    let mut taps = [0.0; 8];
    for (k, tap) in taps.iter_mut().enumerate() {
        *tap = tape.read(frame, whole + k - NEAR - 1);
    }
    let (middle, sides) = (0.5 + 0.5 * brightness, 0.25 - 0.25 * brightness);
    let mut sum = 0.0;
    for (k, weight) in weights.iter().enumerate() {
        sum += weight * (middle * taps[k + 1] + sides * (taps[k] + taps[k + 2]));
    }
    sum
}
