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

/// Stalls that are remembered of each core: at 50 a second, more than half a second's.
const RECENT: usize = 32;

/// The last stalls of a core, in a ring: when each ended, and how long it was.
type Recent = [[AtomicU64; 2]; RECENT];

/// What has been seen so far.
#[derive(Default)]
pub struct Stalls {
    count: AtomicU64,
    longest_ns: AtomicU64,
    cores: Vec<Recent>,
    is_stopping: AtomicBool,
}

impl Stalls {
    fn new(cores: usize) -> Stalls {
        Stalls { cores: (0..cores).map(|_| Recent::default()).collect(), ..Stalls::default() }
    }

    /// Stalls so far, and the longest in nanoseconds.
    pub fn so_far(&self) -> (u64, u64) {
        (self.count.load(Ordering::Relaxed), self.longest_ns.load(Ordering::Relaxed))
    }

    /// How long the machine was seen to keep a core from running since `since_ns`.
    pub fn stalled_ns(&self, since_ns: u64) -> u64 {
        self.sum_ns(since_ns, 0)
    }

    /// How long it can have done so at most: a stall that began between two looks is up to one look longer than it was seen.
    pub fn stalled_at_most_ns(&self, since_ns: u64) -> u64 {
        self.sum_ns(since_ns, TICK_NS)
    }

    fn sum_ns(&self, since_ns: u64, unseen_ns: u64) -> u64 {
        let of_core = |recent: &Recent| -> u64 {
            let stalls =
                recent.iter().map(|[end, length]| (end.load(Ordering::Acquire), length.load(Ordering::Relaxed)));
            stalls
                .filter(|(end, _)| *end > since_ns)
                .map(|(end_ns, length_ns)| (length_ns + unseen_ns).min(end_ns - since_ns))
                .sum()
        };
        self.cores.iter().map(of_core).max().unwrap_or(0)
    }

    fn note(&self, core: usize, end_ns: u64, length_ns: u64) {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.longest_ns.fetch_max(length_ns, Ordering::Relaxed);
        // One thread writes here. Its places are spread by the count of all, which only makes the memory of a core shorter.
        let [end, length] = &self.cores[core][number as usize % RECENT];
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
    let cores = sched::cores();
    let stalls = Arc::new(Stalls::new(cores.len()));
    let mut threads = Vec::new();
    for (number, core) in cores.into_iter().enumerate() {
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
                    stalls.note(number, woke_ns, woke_ns - due_ns);
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
    fn stalls_of_a_core_add_up_from_the_moment_on_that_is_asked_about() {
        const MS: u64 = 1_000_000;
        let stalls = Stalls::new(2);
        assert_eq!(stalls.stalled_ns(0), 0);
        stalls.note(0, 100 * MS, 5 * MS);
        stalls.note(0, 110 * MS, 2 * MS);
        stalls.note(1, 105 * MS, 4 * MS);
        assert_eq!(stalls.stalled_ns(50 * MS), 7 * MS, "the longer core's");
        assert_eq!(stalls.stalled_at_most_ns(50 * MS), 7 * MS + 2 * TICK_NS);
        assert_eq!(stalls.stalled_ns(98 * MS), 2 * MS + 2 * MS, "as much of it as lies after the moment");
        assert_eq!(stalls.stalled_ns(110 * MS), 0);
    }
}
