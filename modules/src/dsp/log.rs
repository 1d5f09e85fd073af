//! Logarithms and exponentials that keep their relative error near 0, vectorise, and give the same bits on every machine.

use std::f32::consts::{LN_2, LOG2_E};

/// Octaves (doublings of an amplitude) in a decibel.
pub const OCTAVES_PER_DB: f32 = 0.166_096_4;

/// Decibels in a doubling of an amplitude.
pub const DB_PER_OCTAVE: f32 = 6.020_6;

/// ln(1 + u) for `u` of 0 or more; relative error below 4e-7.
#[inline(always)]
pub fn ln_1p(u: f32) -> f32 {
    let (exponent, part) = split(1.0 + u);
    // Near 0 the sum has lost digits of u, but there u itself is what is left of it.
    exponent * LN_2 + ln_near_1(if exponent == 0.0 { u } else { part })
}

/// log2(x) for a normal `x` above 0; error below 3e-7, or 2e-6 dB of a level.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    let (exponent, part) = split(x);
    exponent + ln_near_1(part) * LOG2_E
}

/// e^x - 1 for `x` of 0..=20; relative error below 2e-6, below 3e-7 for x < 1.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let octaves = x * LOG2_E;
    let shifted = octaves + ROUND;
    let f = octaves - (shifted - ROUND);
    // 2^f - 1, the series of math::exp2 without its first term.
    let rise = f
        * (LN_2
            + f * (0.240_226_5
                + f * (0.055_504_11
                    + f * (0.009_618_129 + f * (0.001_333_355_8 + f * (1.540_353e-4 + f * 1.525_273_4e-5))))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    (power - 1.0) + power * rise
}

/// `x` as 2^exponent (1 + part), with 1 + part of 3/4..3/2.
#[inline(always)]
fn split(x: f32) -> (f32, f32) {
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(0.75f32.to_bits()) as i32) >> 23;
    (exponent as f32, f32::from_bits(bits.wrapping_sub((exponent as u32) << 23)) - 1.0)
}

/// ln(1 + s) for `s` of -1/4..=1/2: 2 artanh(s / (2 + s)), whose first term left out is 0.2^10 / 11 = 1e-8 (Abramowitz &
/// Stegun 4.1.27).
#[inline(always)]
fn ln_near_1(s: f32) -> f32 {
    let t = s / (2.0 + s);
    let z = t * t;
    2.0 * t * (1.0 + z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f32, exact: f64, tolerance: f64, what: &str, x: f32) {
        assert!((f64::from(found) - exact).abs() <= tolerance * exact.abs(), "{what}({x}) = {found}, not {exact}");
    }

    #[test]
    fn relative_errors_stay_small_near_zero_and_far_from_it() {
        for step in 0..4_000 {
            let x = libm::exp10f(step as f32 * 0.003 - 8.0);
            assert_close(ln_1p(x), libm::log1p(f64::from(x)), 4e-7, "ln_1p", x);
            assert!((f64::from(log2(x)) - libm::log2(f64::from(x))).abs() < 3e-6, "log2({x}) = {}", log2(x));
            if x < 20.0 {
                assert_close(exp_m1(x), libm::expm1(f64::from(x)), if x < 1.0 { 3e-7 } else { 2e-6 }, "exp_m1", x);
            }
        }
        assert_eq!([ln_1p(0.0), exp_m1(0.0), log2(1.0), log2(8.0)], [0.0, 0.0, 0.0, 3.0]);
    }
}
