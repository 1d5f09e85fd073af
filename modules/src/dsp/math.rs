//! Elementary functions that vectorise, give the same bits on every machine, and never branch.

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

/// `x` if it is finite, within ±[`SIGNAL_MAX`]; 0 for NaN and infinities. What crosses a cable passes through here.
#[inline(always)]
pub fn scrub(x: f32) -> f32 {
    if x.is_finite() { x.clamp(-SIGNAL_MAX, SIGNAL_MAX) } else { 0.0 }
}

/// Largest magnitude on a cable: +120 dB, beyond all music and far from overflow when squared.
pub const SIGNAL_MAX: f32 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;

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
