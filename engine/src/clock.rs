//! Which frame it is: from the wall clock to the frames that the conductor counts, and back.

use std::time::{SystemTime, UNIX_EPOCH};

use tine_protocol::sys::clock::now_ns;

/// A straight line between the monotonic clock and frames, led gently along by the blocks that are begun.
#[derive(Clone, Copy, Debug)]
pub struct FrameClock {
    rate_hz: f64,
    /// When frame 0 was, on the monotonic clock.
    anchor_ns: f64,
    first: f64,
    is_set: bool,
}

/// How fast the line may move away from the earliest block seen, in nanoseconds per second: what a common crystal drifts. Half a
/// second without a look then moves it by half a frame.
const DRIFT_NS_PER_S: f64 = 20_000.0;

impl FrameClock {
    /// Not set yet; the first block will begin with frame `first`.
    pub fn new(rate_hz: u32, first: u64) -> FrameClock {
        FrameClock { rate_hz: f64::from(rate_hz), anchor_ns: 0.0, first: first as f64, is_set: false }
    }

    /// The block that begins with `frame` was begun at `at_ns`, `elapsed_s` after the last such call.
    ///
    /// A block may be begun late, never early: the earliest ones are on the line, the others are noise of the scheduler.
    pub fn observe(&mut self, frame: u64, at_ns: u64, elapsed_s: f64) {
        let anchor_ns = at_ns as f64 - frame as f64 / self.rate_hz * 1e9;
        let drifted = self.anchor_ns + DRIFT_NS_PER_S * elapsed_s;
        // A gap (the device stopped, the machine slept) moves the line at once.
        let is_gap = anchor_ns - self.anchor_ns > 50e6;
        self.anchor_ns = if !self.is_set || is_gap { anchor_ns } else { anchor_ns.min(drifted) };
        self.is_set = true;
    }

    /// When frame 0 was; before any block was seen, so that the first is now: sound is about to begin.
    fn anchor_ns(&self) -> f64 {
        if self.is_set { self.anchor_ns } else { now_ns() as f64 - self.first / self.rate_hz * 1e9 }
    }

    /// The frame whose block is begun at `at_ns`; below 0 before the first.
    pub fn frame_at(&self, at_ns: f64) -> f64 {
        (at_ns - self.anchor_ns()) / 1e9 * self.rate_hz
    }

    /// When the block of `frame` is begun.
    pub fn when_ns(&self, frame: u64) -> u64 {
        (self.anchor_ns() + frame as f64 / self.rate_hz * 1e9).max(0.0) as u64
    }
}

/// A moment of the wall clock on the monotonic one.
pub fn monotonic_ns(time: SystemTime) -> f64 {
    let wall = |time: SystemTime| match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    now_ns() as f64 + (wall(time) - wall(SystemTime::now())) * 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_block_frame_0_is_now() {
        let ahead = FrameClock::new(48_000, 0).frame_at(now_ns() as f64 + 1e9);
        assert!((1.0..48_001.0).contains(&ahead), "{ahead}");
    }

    #[test]
    fn late_blocks_do_not_move_the_line_and_a_gap_does() {
        let mut clock = FrameClock::new(48_000, 0);
        clock.observe(0, 1_000_000_000, 0.0);
        clock.observe(48, 1_001_300_000, 0.001);
        assert!((clock.frame_at(1_001_000_000.0) - 48.0).abs() < 0.1, "0.3 ms late");
        clock.observe(96, 1_101_000_000, 0.1);
        assert_eq!(clock.frame_at(1_101_000_000.0), 96.0);
    }
}
