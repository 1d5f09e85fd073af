//! Reading between samples.

/// Samples that [`lagrange6`] takes on the near side of the point, besides the one at it.
pub const NEAR: usize = 2;

/// Weights of samples -2..=3 for the point `part` (0..1) of the way from sample 0 to sample 1.
///
/// Lagrange, order 5 (Laakso et al., "Splitting the unit delay", 1996, eq. 42): flattest at DC and never above unity
/// gain in its middle interval, so a feedback loop through it cannot grow. -0.16 dB at 10 kHz of 48 kHz at worst
/// (cubic: -0.53 dB), which matters as every echo passes it once more. Exact at whole samples.
#[inline(always)]
pub fn lagrange6(part: f32) -> [f32; 6] {
    let [a, b, c, d, e, g] = [part + 2.0, part + 1.0, part, part - 1.0, part - 2.0, part - 3.0];
    let (ab, eg) = (a * b, e * g);
    let (abc, deg) = (ab * c, d * eg);
    [
        b * c * deg * (-1.0 / 120.0),
        a * c * deg * (1.0 / 24.0),
        ab * deg * (-1.0 / 12.0),
        abc * eg * (1.0 / 12.0),
        abc * d * g * (-1.0 / 24.0),
        abc * d * e * (1.0 / 120.0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_exact_at_samples_and_never_amplify() {
        assert_eq!(lagrange6(0.0)[2], 1.0);
        assert!(lagrange6(0.0).iter().enumerate().all(|(k, &w)| k == 2 || w == 0.0));
        let mut worst_10k = 1.0f64;
        for part in 0..=50 {
            let weights = lagrange6(part as f32 / 50.0);
            for step in 0..=100 {
                let w = std::f64::consts::PI * f64::from(step) / 100.0;
                let (mut re, mut im) = (0.0, 0.0);
                for (k, &weight) in weights.iter().enumerate() {
                    re += f64::from(weight) * libm::cos(w * k as f64);
                    im += f64::from(weight) * libm::sin(w * k as f64);
                }
                let gain = libm::hypot(re, im);
                assert!(gain < 1.0 + 1e-6, "gain {gain} at part {part}, step {step}");
                if step == 42 {
                    worst_10k = worst_10k.min(gain);
                }
            }
        }
        assert!(20.0 * libm::log10(worst_10k) > -0.2, "{} dB at 10 kHz", 20.0 * libm::log10(worst_10k));
    }
}
