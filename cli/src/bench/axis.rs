//! A logarithmic axis for times: what matters is the tail. Knows no drawing.

/// From values to places.
pub struct Axis {
    /// Where it begins.
    pub least: f64,
    /// Where it ends.
    pub greatest: f64,
}

impl Axis {
    /// An axis from the decade part (1, 2, 5) below the least to the one above the greatest.
    pub fn over(least: f64, greatest: f64) -> Axis {
        let least = least.max(1e-3);
        let steps: Vec<f64> =
            (-4..12).flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(decade))).collect();
        let below = steps.iter().rev().copied().find(|step| *step <= least).unwrap_or(least);
        let above = steps.iter().copied().find(|step| *step > greatest.max(below * 1.5)).unwrap_or(greatest * 2.0);
        Axis { least: below, greatest: above }
    }

    /// Where a value stands: 0..1.
    pub fn part(&self, value: f64) -> f64 {
        let value = value.clamp(self.least, self.greatest);
        (value / self.least).ln() / (self.greatest / self.least).ln()
    }

    /// Values to be written below.
    pub fn ticks(&self) -> Vec<f64> {
        let decades = (self.greatest / self.least).log10();
        let steps: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = (-4..12).flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        all.filter(|tick| (self.least * 0.999..=self.greatest * 1.001).contains(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_what_it_was_made_for_and_rises() {
        let axis = Axis::over(0.3, 42.0);
        assert_eq!((axis.least, axis.greatest), (0.2, 50.0));
        assert!(axis.part(0.2) == 0.0 && axis.part(50.0) == 1.0 && axis.part(1.0) < axis.part(2.0));
        assert!(axis.ticks().contains(&10.0));
        let flat = Axis::over(0.0, 0.0);
        assert!(flat.part(0.0).is_finite());
    }
}
