//! When a disk that failed is tried again.

use std::time::{Duration, Instant};

/// How long after an error; each time twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// But not longer than this.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// The disk failed.
pub struct Trouble {
    /// Whether anything is kept meanwhile.
    pub is_lost: bool,
    again_at: Instant,
    wait: Duration,
}

impl Trouble {
    /// It failed just now.
    pub fn new(is_lost: bool) -> Trouble {
        Trouble { is_lost, again_at: Instant::now() + RETRY_FIRST, wait: RETRY_FIRST }
    }

    /// When it is to be tried again.
    pub fn again_at(&self) -> Instant {
        self.again_at
    }

    /// Whether that time has come. True once; the next time comes later.
    pub fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.again_at <= now;
        if is_due {
            self.wait = (2 * self.wait).min(RETRY_MAX);
            self.again_at = now + self.wait;
        }
        is_due
    }
}
