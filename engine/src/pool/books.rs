//! What the rest of the engine sees of the pool.

use std::sync::{Arc, Mutex};

use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::sys::alarm::Alarm;
use tine_protocol::sys::sched;

use crate::answer::WorkerInfo;

/// Something that happened to the pool.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolEvent {
    /// A lane's worker died: why, and how long until a spare had caught up; `None` if there was no spare.
    Died(LaneId, String, Option<f64>),
    /// A lane that had no worker has one again.
    Filled(LaneId),
    /// A module ended its workers: it is passed by, and is to be born again after so many nanoseconds.
    Quarantined(LaneId, Slot, u64),
    /// A module's state was spoilt when a worker took its lane over: it began anew.
    Spoilt(LaneId, Slot),
    /// The zygote is gone: no more spares.
    ZygoteLost,
}

/// What the rest of the engine sees of the pool.
#[derive(Clone)]
pub struct PoolView {
    pub(super) shared: Arc<Shared>,
}

/// What session and supervisor tell each other about a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// Modules may be put there; the supervisor says so.
    pub is_open: bool,
    /// When its worker died last, on the monotonic clock; 0: never. The supervisor says so.
    pub failed_ns: u64,
    /// It has modules; the session says so.
    pub is_busy: bool,
}

pub(super) struct Shared {
    pub(super) workers: Mutex<Vec<WorkerInfo>>,
    /// Core of each lane.
    pub(super) cores: Mutex<Vec<Option<u16>>>,
    pub(super) counts: Mutex<PoolCounts>,
    /// Of each lane.
    pub(super) doors: Mutex<Vec<Door>>,
    /// Lanes whose workers are to be replaced.
    pub(super) orders: Mutex<Vec<LaneId>>,
    /// Wakes the supervisor.
    pub(super) alarm: Arc<Alarm>,
}

/// Counters of the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolCounts {
    /// Workers that died in their seats.
    pub deaths: u64,
    /// Of these, those of which the kernel told before it had taken the process apart.
    pub early: u64,
    /// Of these, those that hung and were killed.
    pub hangs: u64,
    /// And those that said what cannot be, and were killed.
    pub lies: u64,
    /// When the last death was noticed, and when its lane had caught up last, in microseconds of the monotonic clock.
    pub noticed_at_us: u64,
    /// See there.
    pub recovered_at_us: u64,
    /// How long the machine itself stalled from 5 ms before that death was noticed until then.
    pub recovery_stalled_us: u64,
    /// Spares that died before they had a seat, newborn ones included.
    pub spare_deaths: u64,
    /// Seats that a waiting spare took over.
    pub warm_hits: u64,
    /// Seats that had to wait for a fork.
    pub cold_starts: u64,
    /// Forks that were put off, as too many workers died in a short time.
    pub forks_delayed: u64,
    /// Forks that the system refused; they are tried again.
    pub forks_failed: u64,
    /// Zygotes that died.
    pub zygotes_lost: u64,
    /// Times that a module was taken out of service.
    pub quarantines: u64,
    /// Workers that went as nobody needed them any more.
    pub retired: u64,
    /// Nanoseconds that lanes were without a worker that had caught up, in all.
    pub down_ns: u64,
    /// Microseconds of the zygote's warm-up.
    pub warm_up_us: u64,
    /// Microseconds from the supervisor's start until every seat had a worker.
    pub ready_us: u64,
}

impl PoolView {
    /// All workers: seats in order, then spares.
    pub fn workers(&self) -> Vec<WorkerInfo> {
        lock(&self.shared.workers).clone()
    }

    /// Counters.
    pub fn counts(&self) -> PoolCounts {
        *lock(&self.shared.counts)
    }

    /// What there is to know about each lane before a module is put there.
    pub fn doors(&self) -> Vec<Door> {
        lock(&self.shared.doors).clone()
    }

    /// Tells the supervisor which lanes have modules.
    pub fn set_busy(&self, is_busy: impl Fn(LaneId) -> bool) {
        let mut has_changed = false;
        for (lane, door) in lock(&self.shared.doors).iter_mut().enumerate() {
            let is_busy = is_busy(LaneId(lane as u16));
            has_changed |= std::mem::replace(&mut door.is_busy, is_busy) != is_busy;
        }
        if has_changed {
            self.shared.alarm.ring();
        }
    }

    /// Has a lane's worker replaced by another, as if it had died.
    pub fn restart(&self, lane: LaneId) {
        lock(&self.shared.orders).push(lane);
        self.shared.alarm.ring();
    }

    /// Binds each lane's worker, and those that will follow it, to a core.
    pub fn set_cores(&self, cores: Vec<Option<u16>>) {
        let mut known = lock(&self.shared.cores);
        for worker in &mut *lock(&self.shared.workers) {
            let Some(lane) = worker.worker else { continue };
            let core = cores.get(usize::from(lane)).copied().flatten();
            if worker.core != core && worker.pid != 0 {
                bind(worker.pid, core);
                worker.core = core;
            }
        }
        *known = cores;
    }
}

/// Locks what no real-time thread touches; a panic elsewhere does not make the books unreadable.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(super) fn bind(pid: u32, core: Option<u16>) {
    let cores = core.map_or_else(sched::cores, |core| vec![core]);
    // The worker may have died just now; its follower will be bound.
    let _ = sched::bind(pid, &cores);
}
