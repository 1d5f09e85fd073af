//! The monotonic clock, in nanoseconds: what deadlines are measured on.

use rustix::thread::{ClockId, clock_nanosleep_absolute};
use rustix::time::{Timespec, clock_gettime};

/// Nanoseconds since the machine started.
pub fn now_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Sleeps until `when_ns` on the clock of [`now_ns`]; returns at once if that is past.
pub fn sleep_until_ns(when_ns: u64) {
    let when = timespec(when_ns);
    // A signal ends the sleep early: the time is absolute, so sleeping again does not stretch it.
    while clock_nanosleep_absolute(ClockId::Monotonic, &when).is_err() {}
}

pub(super) fn timespec(ns: u64) -> Timespec {
    Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 }
}
