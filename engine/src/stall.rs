//! Measures the stalls of the machine itself: a real-time thread per core that does nothing but sleep, and sees how late it wakes.
//!
//! What keeps a thread of the highest priority from running (a hypervisor, firmware, a driver) keeps sound from being computed too.
//! An xrun with such a stall beside it is the machine's, not ours.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use tine_protocol::sys::clock::{now_ns, sleep_until_ns};
use tine_protocol::sys::sched;

/// How often each core is looked at.
const TICK_NS: u64 = 1_000_000;

/// A wake-up that is later than this is a stall: ten times what it takes on a machine at rest.
const STALL_NS: u64 = 300_000;

/// Stalls that are remembered: at 50 a second, more than half a second's.
const RECENT: usize = 32;

/// What has been seen so far.
#[derive(Default)]
pub struct Stalls {
    count: AtomicU64,
    longest_ns: AtomicU64,
    /// The last stalls, in a ring: when each ended, and how long it was.
    recent: [[AtomicU64; 2]; RECENT],
    is_stopping: AtomicBool,
}

impl Stalls {
    /// Stalls so far, and the longest in nanoseconds.
    pub fn so_far(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.longest_ns.load(Ordering::Relaxed))
    }

    /// Whether the machine stalled for `length_ns` or longer, and the stall ended after `since_ns`. A shorter one does not explain
    /// a block that was so late.
    pub fn has_stalled(&self, since_ns: u64, length_ns: u64) -> bool {
        self.recent
            .iter()
            .any(|[end, length]| end.load(Ordering::Acquire) >= since_ns && length.load(Ordering::Relaxed) >= length_ns)
    }

    fn note(&self, end_ns: u64, length_ns: u64) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.longest_ns.fetch_max(length_ns, Ordering::Relaxed);
        let [end, length] = &self.recent[number as usize % RECENT];
        // Two cores write different places unless one laps the other by the whole ring, which only mixes two old stalls.
        length.store(length_ns, Ordering::Relaxed);
        end.store(end_ns, Ordering::Release);
    }
}

/// The watching threads. Dropping it ends them.
pub struct Watch {
    stalls: Arc<Stalls>,
    threads: Vec<JoinHandle<()>>,
}

/// Watches every core. Without the right to real-time priority nothing is watched: an ordinary thread wakes late on a sound machine too.
///
/// # Errors
/// If the system gives no thread.
pub fn watch() -> io::Result<Watch> {
    let stalls = Arc::new(Stalls::default());
    let mut threads = Vec::new();
    for core in sched::cores() {
        let stalls = Arc::clone(&stalls);
        let work = move || {
            if sched::set_fifo(0, sched::priority::WATCH).is_err() || sched::bind(0, &[core]).is_err() {
                return;
            }
            let mut due_ns = now_ns() + TICK_NS;
            while !stalls.is_stopping.load(Ordering::Relaxed) {
                sleep_until_ns(due_ns);
                let woke_ns = now_ns();
                if woke_ns - due_ns > STALL_NS {
                    stalls.note(woke_ns, woke_ns - due_ns);
                }
                due_ns = due_ns.max(woke_ns) + TICK_NS;
            }
        };
        threads.push(std::thread::Builder::new().name(format!("stalls-{core}")).spawn(work)?);
    }
    Ok(Watch { stalls, threads })
}

impl Watch {
    /// What has been seen so far.
    pub fn stalls(&self) -> &Arc<Stalls> {
        &self.stalls
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stalls.is_stopping.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It cannot panic; and if it did, nothing depends on it any more.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stall_that_is_long_enough_explains_a_late_block() {
        let stalls = Stalls::default();
        stalls.note(1_000, 500);
        assert!(stalls.has_stalled(900, 500));
        assert!(!stalls.has_stalled(900, 501), "too short");
        assert!(!stalls.has_stalled(1_001, 500), "too long ago");
        for number in 0..RECENT as u64 {
            stalls.note(2_000 + number, 10);
        }
        assert!(!stalls.has_stalled(900, 500), "forgotten");
    }
}
