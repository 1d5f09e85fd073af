//! Kaiser's window: of all short ones, that which keeps most energy under its main lobe, as steep as one number says.
//!
//! Source: Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974; Oppenheim & Schafer,
//! Discrete-Time Signal Processing 7.5.3.

/// The window of one shape.
pub struct Kaiser {
    beta: f64,
    scale: f64,
}

impl Kaiser {
    /// `beta` trades the main lobe's width for lower side lobes.
    pub fn new(beta: f64) -> Kaiser {
        Kaiser { beta, scale: 1.0 / bessel_i0(beta) }
    }

    /// 1 in the middle (0), and 0 from its ends (-1 and 1) on.
    pub fn at(&self, part: f64) -> f64 {
        let inside = 1.0 - part * part;
        if inside <= 0.0 { 0.0 } else { bessel_i0(self.beta * libm::sqrt(inside)) * self.scale }
    }
}

/// Modified Bessel function of order 0, by its power series (Abramowitz & Stegun 9.6.12).
fn bessel_i0(x: f64) -> f64 {
    let quarter = 0.25 * x * x;
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::Kaiser;

    #[test]
    fn its_values_are_the_published_ones() {
        // numpy.kaiser(11, 8.6).
        let window = Kaiser::new(8.6);
        for (part, value) in [(0.2, 0.8494161890910448), (-0.6, 0.20105486954533092), (0.8, 0.04188720541565504)] {
            assert!((window.at(part) - value).abs() < 1e-9, "{part}: {}", window.at(part));
        }
        assert!((window.at(0.0) - 1.0).abs() < 1e-15);
        assert_eq!((window.at(1.0), window.at(-1.5)), (0.0, 0.0));
    }
}
