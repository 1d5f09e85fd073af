//! The pool: workers in their seats, spares behind them, and the supervisor's thread that fills a seat when a worker dies.
//!
//! What it believes stands in its own memory; it takes nothing on a worker's word.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use crossbeam::channel::{Receiver, Sender, bounded};
use tine_protocol::ids::{Generation, LaneId};
use tine_protocol::message::{AttachOrder, ForkOrder, PHASES, WorkerSays, ZygoteSays};
use tine_protocol::segment::{engine, lane};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;
use tine_protocol::sys::{process, sched, socket};

use crate::answer::WorkerInfo;
use crate::bell::Bell;

/// Something that happened to the pool.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolEvent {
    /// A lane's worker died: why, and how long until a spare had caught up; `None` if there was no spare.
    Died(LaneId, String, Option<f64>),
    /// A lane that had no worker has one again.
    Filled(LaneId),
    /// The zygote is gone: no more spares.
    ZygoteLost,
}

/// What the rest of the engine sees of the pool.
#[derive(Clone)]
pub struct PoolView {
    shared: Arc<Shared>,
}

struct Shared {
    workers: Mutex<Vec<WorkerInfo>>,
    /// Core of each lane.
    cores: Mutex<Vec<Option<u16>>>,
    counts: Mutex<PoolCounts>,
}

/// Counters of the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolCounts {
    /// Workers that died in their seats.
    pub deaths: u64,
    /// Spares that died before they had a seat, newborn ones included.
    pub spare_deaths: u64,
    /// Seats that a waiting spare took over.
    pub warm_hits: u64,
    /// Seats that had to wait for a fork.
    pub cold_starts: u64,
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
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn bind(pid: u32, core: Option<u16>) {
    let cores = core.map_or_else(sched::cores, |core| vec![core]);
    // The worker may have died just now; its follower will be bound.
    let _ = sched::bind(pid, &cores);
}

/// What the supervisor is given.
pub struct PoolConfig {
    /// Socket to the zygote.
    pub zygote: OwnedFd,
    /// Lane segments, writable, to hand on; by number.
    pub lanes: Vec<OwnedFd>,
    /// Lane segments, to see what is done.
    pub views: Vec<ReadMap>,
    /// The engine segment, to see what is due.
    pub engine: ReadMap,
    /// Spares to keep.
    pub spares: usize,
    /// Rings when there is an event.
    pub bell: Arc<Bell>,
}

/// Starts the supervisor's thread. The pool is ready when `ready` gives a value.
///
/// # Errors
/// If the thread cannot be started.
pub fn start(config: PoolConfig) -> io::Result<Started> {
    let shared = Arc::new(Shared {
        workers: Mutex::default(),
        cores: Mutex::new(vec![None; config.lanes.len()]),
        counts: Mutex::default(),
    });
    let (events, event_receiver) = bounded(1024);
    let (warm, warm_receiver) = bounded(1);
    let (ready, ready_receiver) = bounded(1);
    let (stop, stop_ours) = socket::pair()?;
    let mut supervisor = Supervisor {
        seats: config.lanes.iter().map(|_| Seat::default()).collect(),
        spares: Vec::new(),
        newborn: Vec::new(),
        mourned: Vec::new(),
        shared: Arc::clone(&shared),
        events,
        warm,
        ready,
        started_ns: now_ns(),
        next_ticket: 0,
        is_ready: false,
        config,
    };
    let work = move || supervisor.run(&stop_ours);
    let thread = std::thread::Builder::new().name("supervisor".into()).spawn(work)?;
    let view = PoolView { shared };
    Ok(Started { view, events: event_receiver, warm: warm_receiver, ready: ready_receiver, stop, thread })
}

/// A running pool.
pub struct Started {
    /// To look at it.
    pub view: PoolView,
    /// What happens.
    pub events: Receiver<PoolEvent>,
    /// Gives a value once the tables are sealed.
    pub warm: Receiver<()>,
    /// Gives a value once every seat has a worker.
    pub ready: Receiver<()>,
    /// Closing it ends the supervisor.
    pub stop: OwnedFd,
    /// The supervisor's.
    pub thread: std::thread::JoinHandle<()>,
}

#[derive(Default)]
struct Seat {
    worker: Option<Worker>,
    generation: u32,
    /// Since when nobody executes the lane.
    empty_since_ns: Option<u64>,
}

struct Worker {
    pid: u32,
    pidfd: OwnedFd,
    socket: OwnedFd,
    phases_us: Vec<(&'static str, u32)>,
}

/// A death whose cause the zygote has not told yet.
struct Mourned {
    pid: u32,
    lane: LaneId,
    restored_ms: Option<f64>,
}

struct Supervisor {
    config: PoolConfig,
    seats: Vec<Seat>,
    spares: Vec<Worker>,
    /// Forked, but not ready yet; with what the fork took.
    newborn: Vec<(Worker, u32)>,
    mourned: Vec<Mourned>,
    shared: Arc<Shared>,
    events: Sender<PoolEvent>,
    warm: Sender<()>,
    ready: Sender<()>,
    started_ns: u64,
    next_ticket: u64,
    is_ready: bool,
}

impl Supervisor {
    fn run(&mut self, stop: &OwnedFd) {
        // Without the right the pool works all the same, only later under load: `tine doctor` says so.
        let _ = sched::set_fifo(0, sched::priority::SUPERVISOR);
        let mut has_zygote = true;
        loop {
            let seated: Vec<usize> = (0..self.seats.len()).filter(|&seat| self.seats[seat].worker.is_some()).collect();
            let mut watched = vec![stop.as_fd()];
            watched.extend(has_zygote.then(|| self.config.zygote.as_fd()));
            let first_newborn = watched.len();
            watched.extend(self.newborn.iter().map(|(worker, _)| worker.socket.as_fd()));
            let first_seated = watched.len();
            watched.extend(
                seated.iter().filter_map(|&seat| self.seats[seat].worker.as_ref()).map(|worker| worker.pidfd.as_fd()),
            );
            let first_spare = watched.len();
            watched.extend(self.spares.iter().map(|worker| worker.pidfd.as_fd()));
            let is_ready = process::wait_list(&watched, None);

            // Deaths first: sound depends on them.
            for (at, &seat) in seated.iter().enumerate() {
                if is_ready[first_seated + at] {
                    self.lose(seat);
                }
            }
            for at in (0..self.spares.len()).rev() {
                if is_ready.get(first_spare + at).copied().unwrap_or(false) {
                    self.spares.remove(at);
                    lock(&self.shared.counts).spare_deaths += 1;
                    self.order_fork();
                }
            }
            for at in (0..first_seated - first_newborn).rev() {
                if is_ready[first_newborn + at] {
                    self.welcome(at);
                }
            }
            if has_zygote && is_ready[1] && !self.hear_zygote() {
                has_zygote = false;
                self.tell(PoolEvent::ZygoteLost);
            }
            if is_ready[0] {
                return;
            }
            self.publish();
        }
    }

    /// A seat's worker is dead: a spare takes over, within the same block if it can.
    fn lose(&mut self, seat: usize) {
        let noticed_ns = now_ns();
        let Some(dead) = self.seats[seat].worker.take() else { return };
        // Fence: a readable pidfd means that the process has ended, all its threads and mappings with it. From here on nobody but
        // the follower can write the lane.
        lock(&self.shared.counts).deaths += 1;
        let lane = LaneId(seat as u16);
        self.seats[seat].empty_since_ns = Some(noticed_ns);
        let restored_ms = match self.spares.pop() {
            Some(spare) => {
                lock(&self.shared.counts).warm_hits += 1;
                self.attach(seat, spare);
                self.wait_until_caught_up(seat);
                Some((now_ns() - noticed_ns) as f64 / 1e6)
            }
            None => {
                lock(&self.shared.counts).cold_starts += 1;
                None
            }
        };
        self.mourned.push(Mourned { pid: dead.pid, lane, restored_ms });
        self.order_fork();
    }

    /// Puts a ready worker into a seat.
    fn attach(&mut self, seat: usize, worker: Worker) {
        self.seats[seat].generation += 1;
        let order = AttachOrder { lane: seat as u16, reserved: 0, generation: self.seats[seat].generation };
        bind(worker.pid, lock(&self.shared.cores)[seat]);
        // A worker that cannot be told is dead: its pidfd says so at the next look, and the seat is filled again.
        let _ = socket::send(&worker.socket, &order, &[self.config.lanes[seat].as_fd()]);
        self.seats[seat].worker = Some(worker);
    }

    /// Waits until a lane has done what is due; bounded, as the follower may die too.
    fn wait_until_caught_up(&self, seat: usize) {
        let deadline_ns = now_ns() + CATCH_UP_NS;
        let done = self.config.views[seat].count(lane::DONE);
        let due = self.config.engine.count(engine::start(seat)).load();
        loop {
            let seen = done.load();
            if seen >= due || now_ns() >= deadline_ns {
                return;
            }
            // The lane wakes the conductor only: look again by the clock.
            done.wait(seen, Some(deadline_ns.min(now_ns() + CATCH_UP_LOOK_NS)));
        }
    }

    /// A newborn spoke: it is ready, or it died before.
    fn welcome(&mut self, at: usize) {
        let (mut worker, fork_us) = self.newborn.remove(at);
        let Ok(Some((says, _))) = socket::receive::<WorkerSays>(&worker.socket, false) else {
            lock(&self.shared.counts).spare_deaths += 1;
            self.order_fork();
            return;
        };
        let mut phases = says.phases_us;
        phases[0] = fork_us.max(phases[0]);
        worker.phases_us = PHASES.into_iter().zip(phases).collect();
        // A seat without a worker comes before a spare.
        match self.seats.iter().position(|seat| seat.worker.is_none()) {
            Some(seat) => {
                self.attach(seat, worker);
                if self.seats[seat].empty_since_ns.take().is_some() {
                    self.tell(PoolEvent::Filled(LaneId(seat as u16)));
                }
            }
            None => self.spares.push(worker),
        }
        if !self.is_ready && self.seats.iter().all(|seat| seat.worker.is_some()) {
            self.is_ready = true;
            lock(&self.shared.counts).ready_us = (now_ns() - self.started_ns) / 1000;
            self.publish();
            // The engine may have given up meanwhile.
            let _ = self.ready.try_send(());
        }
    }

    /// False when the zygote is gone.
    fn hear_zygote(&mut self) -> bool {
        let (says, mut descriptors) = match socket::receive::<ZygoteSays>(&self.config.zygote, false) {
            Ok(Some(heard)) => heard,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Ok(None) | Err(_) => return false,
        };
        match says.what {
            ZygoteSays::WARM => {
                lock(&self.shared.counts).warm_up_us = says.figure.max(0) as u64;
                let _ = self.warm.try_send(());
                for _ in 0..self.seats.len() + self.config.spares {
                    self.order_fork();
                }
            }
            ZygoteSays::FORKED if descriptors.len() == 2 => {
                let (socket, pidfd) = (descriptors.pop(), descriptors.pop());
                if let (Some(socket), Some(pidfd)) = (socket, pidfd) {
                    let worker = Worker { pid: says.pid, pidfd, socket, phases_us: Vec::new() };
                    self.newborn.push((worker, says.figure.clamp(0, i64::from(u32::MAX)) as u32));
                }
            }
            ZygoteSays::ENDED => {
                if let Some(at) = self.mourned.iter().position(|mourned| mourned.pid == says.pid) {
                    let Mourned { lane, restored_ms, .. } = self.mourned.remove(at);
                    self.tell(PoolEvent::Died(lane, cause(says.figure), restored_ms));
                }
            }
            ZygoteSays::FAILED => {
                tracing::warn!("a worker could not be forked: {}", io::Error::from_raw_os_error(says.figure as i32));
            }
            _ => {}
        }
        true
    }

    fn order_fork(&mut self) {
        self.next_ticket += 1;
        // If the zygote is gone, that is noticed and told where its socket is read.
        let _ = socket::send(&self.config.zygote, &ForkOrder { ticket: self.next_ticket }, &[]);
    }

    fn tell(&self, event: PoolEvent) {
        if self.events.try_send(event).is_err() {
            tracing::warn!("more happens to the pool than anybody reads");
        }
        self.config.bell.ring();
    }

    /// Writes the books that others read.
    fn publish(&self) {
        let cores = lock(&self.shared.cores).clone();
        let seated = self.seats.iter().enumerate().map(|(lane, seat)| WorkerInfo {
            worker: Some(lane as u16),
            pid: seat.worker.as_ref().map_or(0, |worker| worker.pid),
            state: if seat.worker.is_some() { "idle" } else { "error" },
            generation: Generation(seat.generation).0,
            modules: 0,
            load: 0.0,
            core: cores[lane],
            phases_us: seat.worker.as_ref().map(|worker| worker.phases_us.clone()).unwrap_or_default(),
        });
        let other = |worker: &Worker, state| WorkerInfo {
            worker: None,
            pid: worker.pid,
            state,
            generation: 0,
            modules: 0,
            load: 0.0,
            core: None,
            phases_us: worker.phases_us.clone(),
        };
        let spares = self.spares.iter().map(|worker| other(worker, "spare"));
        let newborn = self.newborn.iter().map(|(worker, _)| other(worker, "warming"));
        *lock(&self.shared.workers) = seated.chain(spares).chain(newborn).collect();
    }
}

/// How long a follower may take before the supervisor looks after others again.
const CATCH_UP_NS: u64 = 20_000_000;

/// How often the supervisor looks meanwhile.
const CATCH_UP_LOOK_NS: u64 = 50_000;

/// A worker's end in words: `SIGKILL`, `exit 1`.
fn cause(figure: i64) -> String {
    match i32::try_from(-figure).ok().filter(|&signal| signal > 0).and_then(process::signal_name) {
        Some(name) => name.to_owned(),
        None => format!("exit {figure}"),
    }
}
