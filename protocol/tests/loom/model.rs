//! The model of the machine: fences and counts of loom, and a futex.

use std::mem::ManuallyDrop;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU64, Ordering, fence};
use loom::sync::mpsc::{Sender, channel};
use tine_protocol::handshake::{Count, Machine};

/// loom's machine.
pub struct Loom;

impl Machine for Loom {
    fn full_fence() {
        fence(Ordering::SeqCst);
    }
}

/// One on which the fences are forgotten.
pub struct Unfenced;

impl Machine for Unfenced {
    fn full_fence() {}
}

/// A count in shared memory, and the kernel's queue of those who wait on it.
pub struct Word {
    value: AtomicU64,
    queue: Mutex<Vec<Sender<()>>>,
}

impl Word {
    /// At `value`, and nobody waits.
    pub fn new(value: u64) -> Word {
        Word { value: AtomicU64::new(value), queue: Mutex::new(Vec::new()) }
    }

    /// As `WriteMap::publish`.
    pub fn publish(&self, value: u64) {
        self.value.store(value, Ordering::Release);
    }

    /// As `Bell::ring` counts.
    pub fn add(&self) {
        self.value.fetch_add(1, Ordering::Release);
    }

    /// As `WriteMap::wake`: the kernel takes the queue's lock, and wakes all.
    pub fn wake(&self) {
        for sleeper in self.queue.lock().unwrap().drain(..) {
            sleeper.send(()).unwrap();
        }
    }
}

impl Count for Word {
    fn load(&self) -> u64 {
        self.value.load(Ordering::Acquire)
    }

    /// The kernel takes the queue's lock, looks, and enqueues whom it puts to sleep before it lets go. Not loom's Condvar, which forgets a
    /// notification where another thread lets go of the lock before the sleeper has gone to sleep.
    fn wait(&self, seen: u64, _deadline_ns: Option<u64>) {
        let mut queue = self.queue.lock().unwrap();
        if self.value.load(Ordering::Relaxed) == seen {
            let (sleeper, woken) = channel();
            queue.push(sleeper);
            drop(queue);
            // loom's channels cannot be dropped where it has found a deadlock and unwinds.
            let woken = ManuallyDrop::new(woken);
            woken.recv().unwrap();
            drop(ManuallyDrop::into_inner(woken));
        }
    }
}

/// A block of samples, or a bank of state: two words, written and read one by one, so that half a block is seen as such.
pub struct Cells([AtomicU64; 2]);

impl Cells {
    /// Both at 0.
    pub fn new() -> Cells {
        Cells([AtomicU64::new(0), AtomicU64::new(0)])
    }

    /// Writes both, as plain memory is written.
    pub fn write(&self, value: u64) {
        self.0.iter().for_each(|cell| cell.store(value, Ordering::Relaxed));
    }

    /// What stands there; it must be whole.
    pub fn read(&self) -> u64 {
        let [first, second] = [0, 1].map(|at: usize| self.0[at].load(Ordering::Relaxed));
        assert_eq!(first, second, "a torn block");
        first
    }
}

/// Explores a model, interrupting threads `LOOM_MAX_PREEMPTIONS` times at most, or twice.
pub fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(model);
}
