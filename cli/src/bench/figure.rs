//! What a suite measured: samples, what they come to, and what was promised. Knows no output.

use hdrhistogram::Histogram;
use serde::Serialize;

/// One line of the report. Numbers are in `unit`; a figure that was not measured is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// The suite.
    pub suite: &'static str,
    /// What was measured.
    pub name: String,
    /// Unit of all numbers here.
    pub unit: &'static str,
    /// How many samples.
    pub count: u64,
    /// Half of the samples are not above it.
    pub p50: Option<f64>,
    /// 99 of 100 are not above it.
    pub p99: Option<f64>,
    /// 999 of 1000 are not above it.
    pub p999: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The best that others reach on the same measurement, in the figure's unit, and who.
    pub peer: Option<String>,
    /// What was promised, and whether it was kept.
    pub targets: Vec<Target>,
    /// For the drawing: least and greatest value of a bin, and how many samples fell into it.
    pub bins: Vec<(f64, f64, u64)>,
}

/// A promise: the quantile is below the bound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// `p99` or `max`.
    pub of: &'static str,
    /// In the figure's unit.
    pub below: f64,
    /// Whether it was kept.
    pub is_met: bool,
}

/// Samples of one kind.
pub struct Samples {
    histogram: Histogram<u64>,
    /// Stored steps per unit.
    steps: f64,
    unit: &'static str,
}

impl Samples {
    /// Times, given in nanoseconds and shown in microseconds.
    pub fn micros() -> Samples {
        Samples::new(1000.0, "us")
    }

    /// Times, given in nanoseconds and shown in milliseconds.
    pub fn millis() -> Samples {
        Samples::new(1e6, "ms")
    }

    /// Whole numbers of `unit`.
    pub fn whole(unit: &'static str) -> Samples {
        Samples::new(1.0, unit)
    }

    fn new(steps: f64, unit: &'static str) -> Samples {
        // Three significant digits up to a minute: no suite takes one for a single sample.
        let histogram = Histogram::new_with_max(60_000_000_000, 3).expect("these bounds are legal");
        Samples { histogram, steps, unit }
    }

    /// One more: nanoseconds, or a whole number.
    pub fn add(&mut self, value: u64) {
        self.histogram.saturating_record(value);
    }

    /// What they come to.
    pub fn figure(&self, suite: &'static str, name: impl Into<String>) -> Figure {
        let of = |value: u64| (!self.histogram.is_empty()).then_some(value as f64 / self.steps);
        let bins = self.histogram.iter_recorded().map(|bin| {
            let value = bin.value_iterated_to();
            let least = self.histogram.lowest_equivalent(value) as f64 / self.steps;
            (least, value as f64 / self.steps, bin.count_since_last_iteration())
        });
        Figure {
            suite,
            name: name.into(),
            unit: self.unit,
            count: self.histogram.len(),
            p50: of(self.histogram.value_at_quantile(0.5)),
            // A quantile of fewer samples is only the largest by another name.
            p99: of(self.histogram.value_at_quantile(0.99)).filter(|_| self.histogram.len() >= 100),
            p999: of(self.histogram.value_at_quantile(0.999)).filter(|_| self.histogram.len() >= 1000),
            max: of(self.histogram.max()),
            peer: None,
            targets: Vec::new(),
            bins: bins.collect(),
        }
    }
}

impl Figure {
    /// A single number.
    pub fn single(suite: &'static str, name: impl Into<String>, unit: &'static str, value: f64) -> Figure {
        Figure { suite, name: name.into(), unit, count: 1, max: Some(value), ..Figure::default() }
    }

    /// The 99th percentile shall be below `below`; not judged where there are too few samples for one.
    pub fn p99_below(mut self, below: f64) -> Figure {
        let judged = self.p99.map(|value| Target { of: "p99", below, is_met: value < below });
        self.targets.extend(judged);
        self
    }

    /// The largest shall be below `below`.
    pub fn max_below(mut self, below: f64) -> Figure {
        let is_met = self.max.is_some_and(|value| value < below);
        self.targets.push(Target { of: "max", below, is_met });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_to_their_quantiles_in_their_unit() {
        let mut samples = Samples::micros();
        (1..=1000).for_each(|number| samples.add(number * 1000));
        let figure = samples.figure("osc", "x").p99_below(991.0).max_below(1000.0);
        let near = |value: Option<f64>, wanted: f64| (value.unwrap() / wanted - 1.0).abs() < 2e-3;
        assert!(near(figure.p50, 500.0) && near(figure.p99, 990.0) && near(figure.p999, 999.0), "{figure:?}");
        assert!(near(figure.max, 1000.0));
        assert_eq!(figure.bins.iter().map(|bin| bin.2).sum::<u64>(), 1000);
        assert_eq!(figure.targets.iter().map(|target| target.is_met).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn without_samples_nothing_is_claimed() {
        let figure = Samples::millis().figure("osc", "x").p99_below(1.0).max_below(1.0);
        assert_eq!((figure.p50, figure.max, figure.targets[0].is_met), (None, None, false));
    }
}
