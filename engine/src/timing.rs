//! When each block is begun and when it is due, told from what the device has taken.

use tine_protocol::ids::Block;

/// When blocks are begun and when they are due.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames per block.
    pub frames: u32,
    /// Blocks to be ahead of the device.
    pub lead: u32,
    /// Frames that the device takes at once.
    pub period: u32,
    /// The block that the device takes first.
    pub first: Block,
}

impl Timing {
    fn ns(&self, frames: i64) -> i64 {
        frames * 1_000_000_000 / i64::from(self.rate_hz)
    }

    /// Frames from what the device has taken to `block`.
    fn ahead(&self, block: Block, taken: u64) -> i64 {
        ((block - self.first) * u64::from(self.frames)) as i64 - taken as i64
    }

    /// When to begin `block`, if the device has taken `taken` frames, the last of them at `at_ns`.
    ///
    /// Blocks are begun one block's time apart, though the device takes several at once: a player's gesture then waits for one block,
    /// not for a period, and the load is even. The block that is taken first was begun `lead` blocks before.
    pub fn start_ns(&self, block: Block, taken: u64, at_ns: u64) -> u64 {
        let ahead = self.ahead(block, taken);
        let lead = i64::from(self.lead) * i64::from(self.frames);
        at_ns.saturating_add_signed(self.ns(ahead - lead))
    }

    /// When `block` must be finished: when the device takes its first frame, less 30 % of a block for what comes after.
    pub fn deadline_ns(&self, block: Block, taken: u64, at_ns: u64) -> u64 {
        let ahead = self.ahead(block, taken);
        let period = i64::from(self.period);
        let periods = ahead.div_euclid(period) + 1;
        let margin = i64::from(self.frames) * 3 / 10;
        at_ns.saturating_add_signed(self.ns(periods * period - margin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 64_000;

    fn timing(lead: u32, period: u32) -> Timing {
        Timing { rate_hz: RATE, frames: 64, lead, period, first: 0 }
    }

    #[test]
    fn blocks_are_begun_one_block_apart_and_are_due_before_the_period_that_takes_them() {
        // One block is 1 ms. The device has just taken frame 0..128 at 10 ms, and will take 128..256 at 12 ms.
        let timing = timing(1, 128);
        let (taken, at) = (128, 10_000_000);
        let starts = [2, 3, 4].map(|block| timing.start_ns(block, taken, at));
        assert_eq!(starts, [9_000_000, 10_000_000, 11_000_000]);
        let due = [2, 3, 4].map(|block| timing.deadline_ns(block, taken, at));
        let margin = 64 * 3 / 10 * 1_000_000_000 / u64::from(RATE);
        assert_eq!(due, [12_000_000 - margin, 12_000_000 - margin, 14_000_000 - margin]);
    }

    #[test]
    fn without_lead_a_block_of_one_period_is_begun_when_the_one_before_is_taken() {
        let timing = timing(0, 64);
        assert_eq!(timing.start_ns(5, 5 * 64, 1_000_000), 1_000_000);
        assert!(timing.deadline_ns(5, 5 * 64, 1_000_000) < 2_000_000);
    }
}
