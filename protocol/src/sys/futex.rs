//! Waiting for a 32-bit word to change, between threads and between processes.
//!
//! Never the process-private kind, and always with an absolute deadline: a relative one, begun again after a signal,
//! stretches. A word in a read-only mapping can be waited on and woken as well.

use std::sync::atomic::AtomicU32;

use rustix::io::Errno;
use rustix::thread::futex;

use super::clock::timespec;

/// Why a wait returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The word changed, or somebody woke us, or a signal came: look again.
    Look,
    /// The deadline is past.
    Late,
}

/// Sleeps while `word` is `seen`, until `deadline_ns` (monotonic clock; `None`: for ever). Callers loop.
pub fn wait(word: &AtomicU32, seen: u32, deadline_ns: Option<u64>) -> Wake {
    let deadline = deadline_ns.map(timespec);
    let every_bit = std::num::NonZeroU32::MAX;
    match futex::wait_bitset(word, futex::Flags::empty(), seen, deadline.as_ref(), every_bit) {
        Err(Errno::TIMEDOUT) => Wake::Late,
        _ => Wake::Look,
    }
}

/// Wakes everybody who waits on `word`.
pub fn wake_all(word: &AtomicU32) {
    // It can fail only for an address that is not mapped, and a reference is.
    let _ = futex::wake(word, futex::Flags::empty(), i32::MAX as u32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock::now_ns;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_wait_ends_at_its_deadline_or_when_the_word_changes() {
        let word = AtomicU32::new(7);
        assert_eq!(wait(&word, 8, None), Wake::Look);
        assert_eq!(wait(&word, 7, Some(now_ns() + 1_000_000)), Wake::Late);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                word.store(8, Ordering::Release);
                wake_all(&word);
            });
            while word.load(Ordering::Acquire) == 7 {
                wait(&word, 7, None);
            }
        });
    }
}
