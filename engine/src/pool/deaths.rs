//! Waits for the kernel's first word of a worker's death, and hands it on to the supervisor: a hint, which comes before the pidfd.
//!
//! Each lane is watched for one change. A worker may write what it likes into its own lane: it can give one false alarm, and is then waited for
//! by its pidfd alone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use tine_protocol::segment::lane;
use tine_protocol::sys::alarm::Alarm;
use tine_protocol::sys::memory::ReadMap;
use tine_protocol::sys::{futex, obituary, sched};

/// The thread that waits. Dropping it ends it.
pub struct Deaths {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Per lane: the generation whose death is waited for; 0: none.
    watched: Vec<AtomicU32>,
    /// Per lane: the generation that was heard of last.
    heard: Vec<AtomicU32>,
    /// Changes when the thread is to look again.
    orders: AtomicU32,
    is_over: AtomicBool,
    bell: Alarm,
}

impl Deaths {
    /// Watches nobody yet.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn watch(views: Vec<ReadMap>) -> io::Result<Deaths> {
        let none = || (0..views.len()).map(|_| AtomicU32::new(0)).collect();
        let shared = Arc::new(Shared {
            watched: none(),
            heard: none(),
            orders: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            bell: Alarm::new()?,
        });
        let ours = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("deaths".into()).spawn(move || ours.run(&views))?;
        Ok(Deaths { shared, thread: Some(thread) })
    }

    /// Watches the lane's present worker, of this generation, which sits there; in place of any before.
    pub fn arm(&self, lane: usize, generation: u32) {
        if self.shared.watched[lane].swap(generation, Ordering::AcqRel) != generation {
            self.shared.look_again();
        }
    }

    /// Whether a lane's worker of this generation is watched or has been heard of.
    pub fn knows(&self, lane: usize, generation: u32) -> bool {
        [&self.shared.watched, &self.shared.heard].iter().any(|list| list[lane].load(Ordering::Acquire) == generation)
    }

    /// Whether a word came of the lane's worker of this generation. True once.
    pub fn takes_word(&self, lane: usize, generation: u32) -> bool {
        let shared = &self.shared;
        // It stays heard of: nobody watches it any more.
        shared.heard[lane].load(Ordering::Acquire) == generation
            && shared.watched[lane].compare_exchange(generation, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Silences the bell, before what rang it is looked at.
    pub fn silence(&self) {
        self.shared.bell.silence();
    }
}

impl AsFd for Deaths {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.bell.as_fd()
    }
}

impl Drop for Deaths {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.look_again();
        if let Some(thread) = self.thread.take() {
            // It cannot panic; and if it did, pidfds tell of deaths all the same.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn look_again(&self) {
        self.orders.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.orders);
    }

    fn run(&self, views: &[ReadMap]) {
        // As urgent as what follows on it. Without the right deaths are heard of later under load.
        let _ = sched::set_fifo(0, sched::priority::SUPERVISOR);
        // Per lane: the generation, and the value that stood there when it was first looked at.
        let mut known = vec![(0, 0); views.len()];
        loop {
            let orders = self.orders.load(Ordering::Acquire);
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            let mut seen = Vec::new();
            for (lane, view) in views.iter().enumerate() {
                let generation = self.watched[lane].load(Ordering::Acquire);
                if generation == 0 || self.heard[lane].load(Ordering::Acquire) == generation {
                    continue;
                }
                let value = obituary::read(view, lane::OBITUARY);
                if known[lane].0 != generation {
                    known[lane] = (generation, value);
                }
                if known[lane].1 == value && !obituary::says_ended(value) {
                    seen.push((view, value));
                } else {
                    self.heard[lane].store(generation, Ordering::Release);
                    self.bell.ring();
                }
            }
            if let Err(error) = obituary::wait(&seen, lane::OBITUARY, &self.orders, orders) {
                tracing::debug!("deaths are told by pidfds alone: {error}");
                return;
            }
        }
    }
}
