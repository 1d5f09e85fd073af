//! The shapes of an lfo: their values, and where they jump and bend.

use std::f64::consts::TAU;

pub(super) const SINE: usize = 0;
pub(super) const TRI: usize = 1;
pub(super) const SAW: usize = 2;
pub(super) const RAMP: usize = 3;
pub(super) const SQUARE: usize = 4;
pub(super) const RANDOM: usize = 5;

/// A phase below 2, within 0..1.
#[inline(always)]
pub(super) fn wrap(phase: f64) -> f64 {
    if phase >= 1.0 { phase - 1.0 } else { phase }
}

/// The wave at each channel's phase.
#[inline(always)]
pub(super) fn wave<const W: usize>(shape: usize, phase: &[f64; W], held: &[f32; W]) -> [f32; W] {
    let mut out = [0.0; W];
    for channel in 0..W {
        let phase = phase[channel];
        out[channel] = match shape {
            SINE => sine(triangle(phase)),
            TRI => triangle(phase) as f32,
            SAW => (1.0 - 2.0 * phase) as f32,
            RAMP => (2.0 * phase - 1.0) as f32,
            SQUARE if phase < 0.5 => 1.0,
            SQUARE => -1.0,
            _ => held[channel],
        };
    }
    out
}

/// By how much a shape jumps where its phase rises past `quarter` (0..=3) of a cycle. `random` jumps by what it draws.
pub(super) fn jump(shape: usize, quarter: i32) -> f64 {
    match (shape, quarter) {
        (SAW | SQUARE, 0) => 2.0,
        (RAMP, 0) | (SQUARE, 2) => -2.0,
        _ => 0.0,
    }
}

/// By how much its slope changes there, per cycle.
pub(super) fn bend(shape: usize, quarter: i32) -> f64 {
    match (shape, quarter) {
        (TRI, 1) => -8.0,
        (TRI, 3) => 8.0,
        _ => 0.0,
    }
}

/// Its slope at `phase`, per cycle.
pub(super) fn slope(shape: usize, phase: f64) -> f64 {
    match shape {
        SINE => TAU * libm::cos(TAU * phase),
        TRI if (0.25..0.75).contains(&phase) => -4.0,
        TRI => 4.0,
        SAW => -2.0,
        RAMP => 2.0,
        _ => 0.0,
    }
}

/// From 0 up to 1 at a quarter, down to -1 at three quarters.
#[inline(always)]
fn triangle(phase: f64) -> f64 {
    1.0 - 4.0 * (wrap(phase + 0.25) - 0.5).abs()
}

/// sin(pi/2 * x) for -1..1: a triangle bent into a sine.
///
/// Taylor series; the first term left out is (pi/2)^13 / 13! = 6e-8, or -144 dB.
#[inline(always)]
fn sine(x: f64) -> f32 {
    let x = x as f32;
    let xx = x * x;
    let poly = std::f32::consts::FRAC_PI_2
        + xx * (-0.645_964_1
            + xx * (0.079_692_626 + xx * (-0.004_681_754 + xx * (1.604_411_8e-4 - xx * 3.598_843e-6))));
    (x * poly).clamp(-1.0, 1.0)
}
