//! Elementary functions that vectorise, give the same bits on every machine, and never branch.

use std::f32::consts::{FRAC_PI_4, PI};

/// 2^x; relative error below 2e-7, exact at whole numbers, `x` clamped to -126..126.
///
/// Taylor series of 2^f on |f| <= 1/2: the first term left out is (ln 2 / 2)^8 / 8! = 5e-9.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves the nearest whole number in the low bits of the significand.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-126.0, 126.0);
    let shifted = x + ROUND;
    let whole = shifted - ROUND;
    let f = x - whole;
    let poly = 1.0
        + f * (std::f32::consts::LN_2
            + f * (0.240_226_5
                + f * (0.055_504_11
                    + f * (0.009_618_129 + f * (0.001_333_355_8 + f * (1.540_353e-4 + f * 1.525_273_4e-5))))));
    let exponent = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    poly * f32::from_bits(exponent)
}

/// `x` rounded to the nearest whole number, for |x| below 2^31.
///
/// In two parts of 10 and 22 bits, each added to 1.5 * 2^23: a conversion by `as` saturates, which no SIMD level has, and takes its
/// lanes one by one.
#[inline(always)]
pub fn round(x: f32) -> i32 {
    const ROUND: f32 = 12_582_912.0;
    let high = x * (1.0 / 1_024.0) + ROUND;
    let low = x - (high - ROUND) * 1_024.0 + ROUND;
    let (high, low) = (high.to_bits().wrapping_sub(ROUND.to_bits()), low.to_bits().wrapping_sub(ROUND.to_bits()));
    (high << 10).wrapping_add(low) as i32
}

/// sin(pi x) and cos(pi x) for `x` of 0..=0.5, both to a relative error below 3e-7: their ratio is the tangent that tunes a filter.
///
/// Polynomials of degree 9 and 8 on 0..=1/4 (minimax in relative error, by weighted least squares); above, the two swap places.
#[inline(always)]
pub fn sin_cos_pi(x: f32) -> (f32, f32) {
    let is_far = x > 0.25;
    let near = if is_far { 0.5 - x } else { x };
    let z = near * near;
    let sin = near * (PI + z * (-5.167_712_8 + z * (2.550_162_6 + z * (-0.599_201_4 + z * 0.080_995_89))));
    let cos = 1.0 + z * (-4.934_802 + z * (4.058_706_9 + z * (-1.335_035_9 + z * 0.231_261_1)));
    if is_far { (cos, sin) } else { (sin, cos) }
}

/// tan(pi x) as a ratio, for `x` of 0 to below 0.5: relative error below 3e-7 (0.0004 cent where it tunes a filter).
///
/// x P(x^2) / (1/4 - x^2): the pole at 1/2 stands in the denominator, the next lies at 3/2, so that P of degree 4 is enough
/// (minimax in relative error, by reweighted least squares: 5e-8). Kept as a ratio because a filter's coefficients divide by more.
#[inline(always)]
pub fn tan_pi(x: f32) -> (f32, f32) {
    let z = x * x;
    let poly = FRAC_PI_4 + z * (-0.557_733_7 + z * (-0.134_894_15 + z * (-0.051_076_975 + z * -0.029_693_36)));
    (x * poly, (0.5 - x) * (0.5 + x))
}

/// tanh(x): a continued fraction, cut off where it reaches 1 (error below 2e-5 there, 1e-7 for |x| < 2).
///
/// Source: Lambert's continued fraction for tanh, 7 terms (Abramowitz & Stegun 4.5.70).
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let (above, below) = tanh_ratio(x);
    above / below
}

/// The same as a ratio, for formulas that divide anyway; the second is 1 at 0 and at most 31.
#[inline(always)]
pub fn tanh_ratio(x: f32) -> (f32, f32) {
    let x = x.clamp(-4.97, 4.97);
    let z = x * x;
    let square = z * z;
    let above = x * ((1.0 + z * (17_325.0 / 135_135.0)) + square * (378.0 / 135_135.0 + z * (1.0 / 135_135.0)));
    let below = (1.0 + z * (62_370.0 / 135_135.0)) + square * (3_150.0 / 135_135.0 + z * (28.0 / 135_135.0));
    (above, below)
}

/// `x` if it is finite, within ±[`SIGNAL_MAX`]; 0 for NaN and infinities. What crosses a cable passes through here.
#[inline(always)]
pub fn scrub(x: f32) -> f32 {
    if x.is_finite() { x.clamp(-SIGNAL_MAX, SIGNAL_MAX) } else { 0.0 }
}

/// Largest magnitude on a cable: +60 dB, beyond all music.
pub const SIGNAL_MAX: f32 = 1e3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_nearest_over_the_whole_range() {
        for step in 0..200_000u32 {
            let x = (step.wrapping_mul(2_654_435_769) as i32 as f32) * (0.999 * libm::exp2f(-((step % 31) as f32)));
            assert!((f64::from(round(x)) - f64::from(x)).abs() <= 0.5, "{x}");
        }
        assert_eq!(
            [0.0, -0.4, 0.6, 2_147_483_520.0, -2_147_483_520.0].map(round),
            [0, 0, 1, 2_147_483_520, -2_147_483_520]
        );
    }

    #[test]
    fn the_tangent_is_exact_to_rounding() {
        for step in 1..5_000 {
            let x = step as f32 * 1e-4;
            let exact = libm::tan(std::f64::consts::PI * f64::from(x));
            // In cents: 1e-6 is 0.002.
            for ((above, below), limit) in [(sin_cos_pi(x), 6e-7), (tan_pi(x), 3e-7)] {
                assert!((f64::from(above) / f64::from(below) / exact - 1.0).abs() < limit, "tan(pi {x})");
            }
        }
    }

    #[test]
    fn tanh_is_smooth_bounded_and_close() {
        for step in -8_000..=8_000 {
            let x = step as f32 * 0.001;
            let limit = if x.abs() < 2.0 { 4e-7 } else { 2e-4 };
            assert!((f64::from(tanh(x)) - libm::tanh(f64::from(x))).abs() < limit, "tanh({x}) = {}", tanh(x));
            assert!(tanh(x).abs() <= 1.000_1);
        }
    }

    #[test]
    fn exp2_is_exact_at_octaves_and_close_between() {
        for octave in -120..=120 {
            assert_eq!(exp2(octave as f32), libm::exp2(f64::from(octave)) as f32);
        }
        for step in -12_000..=12_000 {
            let x = step as f32 * 0.001;
            let exact = libm::exp2(f64::from(x));
            assert!((f64::from(exp2(x)) / exact - 1.0).abs() < 2e-7, "exp2({x})");
        }
    }
}
