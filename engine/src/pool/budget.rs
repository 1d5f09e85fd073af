//! How many workers may be forked in a time: a pool whose workers die at once must not keep the machine busy with forking.

/// Forks per second in the long run.
const PER_SECOND: f64 = 64.0;

/// A bucket that fills steadily; each fork takes one from it.
pub struct Budget {
    left: f64,
    most: f64,
    filled_ns: u64,
}

impl Budget {
    /// A full bucket for a pool of `workers`: all of them twice.
    pub fn new(workers: usize, now_ns: u64) -> Budget {
        let most = 2.0 * workers as f64;
        Budget { left: most, most, filled_ns: now_ns }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now_ns: u64) -> bool {
        self.left = (self.left + now_ns.saturating_sub(self.filled_ns) as f64 * PER_SECOND / 1e9).min(self.most);
        self.filled_ns = now_ns;
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_a_flood_is_slowed() {
        let mut budget = Budget::new(10, 0);
        let taken = (0..100).filter(|_| budget.take(0)).count();
        assert_eq!(taken, 20);
        let taken = (1..=1000).filter(|ms| budget.take(ms * 1_000_000)).count();
        assert!((63..=64).contains(&taken), "{taken} in a second");
    }
}
