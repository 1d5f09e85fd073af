//! Exponential approach: the coefficient that makes `y += k * (target - y)` an exact exponential.

use crate::Param;

/// Time constants in which the distance to the target falls by 60 dB: ln(1000).
pub const FALL_60_DB: f64 = 6.907_755_278_982_137;

/// 1 - e^-x for `x` of 0 or more: the share of the way to its target that an exponential covers in `x` time constants.
///
/// Relative error below 1e-8 for x <= 2 and never out of 0..1; no cancellation for a small `x`, as `1 - exp(-x)` has.
/// e^-x - 1 = (u + 1)^16 - 1 with u = e^(-x/16) - 1 from six Taylor terms; squaring w = u + 1 in terms of u is
/// w^2 - 1 = u * (u + 2).
#[inline(always)]
pub fn approach(x: f64) -> f64 {
    // 1 - e^-32 is 1 to 1e-14, and the series holds up to there.
    let t = x.clamp(0.0, 32.0) * (-1.0 / 16.0);
    let mut u = t
        * (1.0
            + t * (1.0 / 2.0) * (1.0 + t * (1.0 / 3.0) * (1.0 + t * 0.25 * (1.0 + t * 0.2 * (1.0 + t * (1.0 / 6.0))))));
    for _ in 0..4 {
        u *= u + 2.0;
    }
    (-u).clamp(0.0, 1.0)
}

/// The coefficient of a param that is a time in seconds: computed once where the param rests, else per frame.
#[derive(Clone, Copy)]
pub struct Approach<'a, const W: usize> {
    constant: Option<f64>,
    seconds: Param<'a, W>,
    /// Time constants in the time that the param names, over frames per second.
    scale: f64,
}

impl<'a, const W: usize> Approach<'a, W> {
    /// An approach that lasts `constants` time constants in the seconds that `seconds` names ([`FALL_60_DB`], say).
    #[inline(always)]
    pub fn new(seconds: Param<'a, W>, constants: f64, rate_hz: f32) -> Self {
        let scale = constants / f64::from(rate_hz);
        let constant = seconds.constant().map(|seconds| approach(scale / f64::from(seconds)));
        Approach { constant, seconds, scale }
    }

    /// The coefficient in `frame`, per channel.
    #[inline(always)]
    pub fn at(&self, frame: usize) -> [f64; W] {
        match self.constant {
            Some(coefficient) => [coefficient; W],
            None => {
                let seconds = self.seconds.at(frame);
                let mut coefficients = [0.0; W];
                for channel in 0..W {
                    coefficients[channel] = approach(self.scale / f64::from(seconds[channel]));
                }
                coefficients
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approach_meets_the_exponential_for_long_and_short_times() {
        for step in -90..=10 {
            let x = libm::exp10(f64::from(step) * 0.1) * 0.2;
            let exact = -libm::expm1(-x);
            assert!((approach(x) / exact - 1.0).abs() < 1e-8, "approach({x})");
        }
        assert_eq!(approach(0.0), 0.0);
        for x in [3.0, 10.0, 31.0, 1e9] {
            assert!((approach(x) + libm::expm1(-x)).abs() < 0.02, "approach({x}) = {}", approach(x));
        }
    }
}
