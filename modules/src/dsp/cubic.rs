//! What a signal did between its last two samples: the cubic through the last four.
//!
//! The alias of a modulated oscillator is decided by how well the time of a crossing within a frame is known: a straight line
//! between two samples gives -75 dB, a cubic some 50 dB more (SOUND.md). Four samples behind, none ahead: no latency.
//! Source: Newton's interpolation with differences at t = 0, 1, -1, -2 (Abramowitz & Stegun 25.2.28 ff.).

/// A cubic with value 0 at t = 0 (the sample before last); t = 1 is the last sample.
#[derive(Clone, Copy, Debug)]
pub struct Cubic {
    first: f64,
    second: f64,
    third: f64,
}

/// Times within a frame at which levels were crossed, in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crossings {
    times: [f64; Crossings::MAX],
    is_rising: [bool; Crossings::MAX],
    count: usize,
}

impl Crossings {
    /// A path that turns once and moves by less than 1.5 levels a frame crosses no more.
    const MAX: usize = 4;

    fn push(&mut self, time: f64, is_rising: bool) {
        if self.count < Self::MAX {
            self.times[self.count] = time;
            self.is_rising[self.count] = is_rising;
            self.count += 1;
        }
    }

    /// Each crossing: its time 0..=1, and whether the path rose.
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = (f64, bool)> + '_ {
        (0..self.count).map(|index| (self.times[index], self.is_rising[index]))
    }
}

impl Cubic {
    /// From the last three differences between neighbouring samples, oldest first.
    #[inline(always)]
    pub fn new(oldest: f64, middle: f64, latest: f64) -> Cubic {
        Cubic { first: latest, second: 0.5 * (latest - middle), third: (latest - 2.0 * middle + oldest) / 6.0 }
    }

    /// Through the last four samples, oldest first: the path from the one before last to the last.
    #[inline(always)]
    pub fn through(samples: [f32; 4]) -> Cubic {
        let [a, b, c, d] = samples.map(f64::from);
        Cubic::new(b - a, c - b, d - c)
    }

    /// How far the path is from where it was at t = 0; exactly the last difference at t = 1.
    #[inline(always)]
    pub fn at(&self, t: f64) -> f64 {
        t * (self.first + (t - 1.0) * (self.second + (t + 1.0) * self.third))
    }

    /// Its rise per frame.
    #[inline(always)]
    pub fn slope(&self, t: f64) -> f64 {
        self.first + (2.0 * t - 1.0) * self.second + (3.0 * t * t - 1.0) * self.third
    }

    /// How its slope changes per frame.
    #[inline(always)]
    pub fn bend(&self, t: f64) -> f64 {
        2.0 * self.second + 6.0 * t * self.third
    }

    /// When the path is `rise` away from t = 0, between `from` and `to`, where it lies on either side. Newton, kept
    /// within the bracket.
    pub fn time_of(&self, rise: f64, from: f64, to: f64) -> f64 {
        let (low, high) = (self.at(from), self.at(to));
        let mut t = from + (to - from) * ((rise - low) / (high - low)).clamp(0.0, 1.0);
        for _ in 0..4 {
            let slope = self.slope(t);
            if slope == 0.0 {
                break;
            }
            let next = (t - (self.at(t) - rise) / slope).clamp(from, to);
            let is_near = (next - t).abs() < 1e-6;
            t = next;
            // Newton doubles the digits: the step after one of a millionth would change nothing.
            if is_near {
                break;
            }
        }
        if t.is_finite() { t } else { to }
    }

    /// When the path turns round between `from` and `to`, if it does.
    fn turn(&self, from: f64, to: f64) -> Option<f64> {
        let (before, after) = (self.slope(from), self.slope(to));
        if (before < 0.0) == (after < 0.0) || before == after {
            return None;
        }
        let mut t = from + (to - from) * before / (before - after);
        for _ in 0..2 {
            let bend = self.bend(t);
            if bend != 0.0 {
                t = (t - self.slope(t) / bend).clamp(from, to);
            }
        }
        t.is_finite().then_some(t)
    }

    /// All crossings of whole numbers between `from`, where the path stands at `start`, and `to`, where it stands at
    /// `end`. Both are given, and not computed from each other, so that what a frame counted its neighbour does
    /// not count again.
    #[inline(never)]
    pub fn crossings(&self, (from, start): (f64, f64), (to, end): (f64, f64)) -> Crossings {
        let mut found = Crossings::default();
        let origin = end - self.at(to);
        match self.turn(from, to) {
            None => self.cross(origin, (from, start), (to, end), &mut found),
            Some(turn) => {
                let middle = origin + self.at(turn);
                self.cross(origin, (from, start), (turn, middle), &mut found);
                self.cross(origin, (turn, middle), (to, end), &mut found);
            }
        }
        found
    }

    fn cross(&self, origin: f64, (from, start): (f64, f64), (to, end): (f64, f64), found: &mut Crossings) {
        let (first, last) = (start.floor(), end.floor());
        let is_rising = last > first;
        let mut level = if is_rising { first + 1.0 } else { first };
        // Two levels at most: what moves faster was clamped before.
        for _ in 0..(last - first).abs().min(2.0) as usize {
            found.push(self.time_of(level - origin, from, to), is_rising);
            level += if is_rising { 1.0 } else { -1.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_met_exactly_and_its_crossings_are_found_once_each() {
        let curve = |t: f64| 0.1 + 0.7 * t - 0.2 * t * t + 0.05 * t * t * t;
        let path = Cubic::new(curve(-1.0) - curve(-2.0), curve(0.0) - curve(-1.0), curve(1.0) - curve(0.0));
        for step in 0..=10 {
            let t = f64::from(step) / 10.0;
            assert!((path.at(t) - (curve(t) - curve(0.0))).abs() < 1e-14);
        }
        let crossings = path.crossings((0.0, 0.6), (1.0, 0.6 + path.at(1.0)));
        let (time, is_rising) = crossings.iter().next().unwrap();
        assert!(is_rising && crossings.iter().count() == 1);
        assert!((path.at(time) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn a_path_that_turns_past_a_level_crosses_it_twice() {
        let path = Cubic::new(0.03, 0.02, 0.0);
        let peak = path.at(0.5);
        let crossings = path.crossings((0.0, 1.0 - 0.5 * peak), (1.0, 1.0 - 0.5 * peak));
        assert_eq!(crossings.iter().map(|(_, is_rising)| is_rising).collect::<Vec<_>>(), [true, false]);
    }
}
