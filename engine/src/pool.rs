//! The pool: workers in their seats, spares behind them, and the supervisor's thread that fills a seat when a worker dies and kills
//! those that hang.
//!
//! What it believes stands in its own memory; it takes nothing on a worker's word.

mod books;
mod budget;
mod deaths;
mod forks;
mod growth;
mod hung;
mod ledger;
pub(crate) mod progress;
mod seat;
pub(crate) mod watchdog;

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use crossbeam::channel::{Receiver, Sender, bounded};
use tine_protocol::ids::{Generation, LaneId, Slot};
use tine_protocol::message::AttachOrder;
use tine_protocol::segment::lane;
use tine_protocol::sys::alarm::Alarm;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;
use tine_protocol::sys::process::Status;
use tine_protocol::sys::{process, sched, socket};

use crate::answer::WorkerInfo;
use crate::bell::Bell;
use crate::stall::Stalls;
pub use books::{Door, PoolEvent, PoolView};
use books::{Shared, bind, lock};
use budget::Budget;
use deaths::Deaths;
use forks::Zygote;
use ledger::{Ledger, Verdict};
use seat::{Seat, State};
use watchdog::Watchdog;

/// What the supervisor is given.
pub struct PoolConfig {
    /// Socket to the keeper, who gives one to the zygote.
    pub keeper: OwnedFd,
    /// Lane segments, writable, to hand on; by number.
    pub lanes: Vec<OwnedFd>,
    /// Lane segments, to see what is done.
    pub views: Vec<ReadMap>,
    /// The engine segment, to see what is due.
    pub engine: ReadMap,
    /// Seats that always have a worker; the others have one while they are needed.
    pub seats: usize,
    /// Spares to keep.
    pub spares: usize,
    /// Rings when a lane is late.
    pub alarm: Arc<Alarm>,
    /// How long a lane may stand still in a block before its worker counts as hung.
    pub hang_ns: u64,
    /// Engines that died: generations go on from theirs.
    pub engines_before: u32,
    /// Stalls of the machine itself.
    pub stalls: Arc<Stalls>,
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
        doors: Mutex::new(
            (0..config.lanes.len()).map(|lane| Door { is_open: lane < config.seats, ..Door::default() }).collect(),
        ),
        orders: Mutex::default(),
        alarm: Arc::clone(&config.alarm),
    });
    let (events, event_receiver) = bounded(1024);
    let (warm, warm_receiver) = bounded(1);
    let (ready, ready_receiver) = bounded(1);
    let (stop, stop_ours) = socket::pair()?;
    let deaths = Deaths::watch(config.views.clone())?;
    let mut supervisor = Supervisor {
        deaths,
        seats: config.lanes.iter().map(|_| Seat::new(config.engines_before.wrapping_mul(GENERATIONS))).collect(),
        spares: Vec::new(),
        newborn: Vec::new(),
        mourned: VecDeque::new(),
        ledger: Ledger::default(),
        watchdog: Watchdog::new(config.lanes.len(), config.hang_ns),
        budget: Budget::new(config.seats + config.spares, now_ns()),
        forks_due: 0,
        looked_ns: 0,
        shared: Arc::clone(&shared),
        events,
        warm,
        ready,
        started_ns: now_ns(),
        next_ticket: 0,
        is_ready: false,
        is_filled: false,
        zygote: None,
        config,
    };
    supervisor.seats.iter_mut().take(supervisor.config.seats).for_each(Seat::open);
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

/// Generations that an engine has to itself, on each lane: at 64 forks a second, four hours of nothing but deaths.
const GENERATIONS: u32 = 1 << 20;

/// Why we killed a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sentence {
    /// It did not get on.
    Hung,
    /// It said what cannot be.
    Lied,
}

struct Worker {
    pid: u32,
    pidfd: OwnedFd,
    /// Without it its death is heard of by the pidfd alone.
    status: Option<Status>,
    socket: OwnedFd,
    phases_us: Vec<(&'static str, u32)>,
}

/// A death that has not been told yet: the zygote knows its cause, the lane when it has caught up.
struct Mourned {
    pid: u32,
    lane: LaneId,
    noticed_ns: u64,
    /// The module whose code was running.
    running: Option<Slot>,
    sentence: Option<Sentence>,
    cause: Option<String>,
    recovery: Recovery,
}

/// How far the lane of a dead worker is.
#[derive(Clone, Copy, PartialEq)]
enum Recovery {
    /// Its follower computes what is missing, up to this many blocks.
    Under(u64),
    /// It has caught up, after so many milliseconds.
    After(f64),
    /// There was no spare.
    Cold,
}

struct Supervisor {
    config: PoolConfig,
    seats: Vec<Seat>,
    spares: Vec<Worker>,
    /// Forked, but not ready yet; with what the fork took.
    newborn: Vec<(Worker, u32)>,
    mourned: VecDeque<Mourned>,
    ledger: Ledger,
    watchdog: Watchdog,
    deaths: Deaths,
    budget: Budget,
    /// Forks that are to be ordered once the budget allows.
    forks_due: usize,
    /// When lanes were looked at last for workers that hang.
    looked_ns: u64,
    shared: Arc<Shared>,
    events: Sender<PoolEvent>,
    warm: Sender<()>,
    ready: Sender<()>,
    started_ns: u64,
    next_ticket: u64,
    is_ready: bool,
    /// The pool's first workers are ordered.
    is_filled: bool,
    zygote: Option<Zygote>,
}

impl Supervisor {
    fn run(&mut self, stop: &OwnedFd) {
        // Without the right the pool works all the same, only later under load: `tine doctor` says so.
        let _ = sched::set_fifo(0, sched::priority::SUPERVISOR);
        loop {
            let seated: Vec<usize> =
                (0..self.seats.len()).filter(|&seat| self.seats[seat].worker().is_some()).collect();
            let generations: Vec<u32> = seated.iter().map(|&seat| self.seats[seat].generation).collect();
            let mut watched =
                vec![stop.as_fd(), self.config.alarm.as_fd(), self.config.keeper.as_fd(), self.deaths.as_fd()];
            watched.extend(self.zygote.as_ref().map(|zygote| zygote.socket.as_fd()));
            let first_newborn = watched.len();
            watched.extend(self.newborn.iter().map(|(worker, _)| worker.socket.as_fd()));
            let first_seated = watched.len();
            watched
                .extend(seated.iter().filter_map(|&seat| self.seats[seat].worker()).map(|worker| worker.pidfd.as_fd()));
            let first_spare = watched.len();
            watched.extend(self.spares.iter().map(|worker| worker.pidfd.as_fd()));
            let is_ready = process::wait_list(&watched, self.patience_ns());

            // Deaths first: sound depends on them.
            if is_ready[3] {
                self.deaths.silence();
                seated.iter().for_each(|&seat| self.heed_obituary(seat));
            }
            for (at, &seat) in seated.iter().enumerate() {
                // Unless its follower sits there already.
                if is_ready[first_seated + at] && self.seats[seat].generation == generations[at] {
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
            let has_zygote = self.zygote.is_some();
            if has_zygote && is_ready[4] && !self.hear_zygote() {
                self.lose_zygote();
            }
            if is_ready[2] {
                self.hear_keeper();
            }
            if is_ready[0] {
                return;
            }
            if is_ready[1] {
                self.config.alarm.silence();
            }
            if is_ready[1] || self.is_look_due() {
                self.look_for_hung();
            }
            self.follow_recoveries();
            self.watch_newcomers();
            self.obey();
            self.grow_or_shrink();
            self.order_due_forks();
            self.publish();
        }
    }

    /// How long to wait for something to happen.
    fn patience_ns(&self) -> Option<u64> {
        let recovering = self.mourned.iter().any(|mourned| matches!(mourned.recovery, Recovery::Under(_)));
        let told = (!self.mourned.is_empty()).then_some(CAUSE_NS / 4);
        let looks = Some(self.look_ns());
        let has_zygote = self.zygote.as_ref().is_some_and(|zygote| zygote.is_warm);
        let forks = (self.forks_due > 0 && has_zygote).then_some(FORK_LOOK_NS);
        let has_grown = self.seats.iter().skip(self.config.seats).any(|seat| seat.state() != State::Closed);
        let growth = has_grown.then_some(GROWTH_LOOK_NS);
        [recovering.then_some(CATCH_UP_LOOK_NS), told, looks, forks, growth].into_iter().flatten().min()
    }

    /// Workers that have arrived in their lanes are watched for the kernel's first word of their end.
    fn watch_newcomers(&self) {
        for (lane, seat) in self.seats.iter().enumerate().filter(|(_, seat)| seat.worker().is_some()) {
            if !self.deaths.knows(lane, seat.generation) && self.seen(lane).has_arrived() {
                self.deaths.arm(lane, seat.generation);
            }
        }
    }

    /// A lane says that its worker has come to its end: it is dead for us if the kernel says so too.
    fn heed_obituary(&mut self, seat: usize) {
        let Some(worker) = self.seats[seat].worker() else { return };
        if !self.deaths.takes_word(seat, self.seats[seat].generation)
            || worker.status.as_ref().and_then(Status::is_ending) != Some(true)
        {
            return;
        }
        // Its follower waits for no core on which the kernel takes it apart.
        let _ = sched::set_ordinary(worker.pid);
        lock(&self.shared.counts).early += 1;
        self.lose(seat);
    }

    /// A seat's worker is dead: a spare takes over, within the same block if it can.
    fn lose(&mut self, seat: usize) {
        if self.seats[seat].is_retired() {
            self.seats[seat].close();
            return;
        }
        let noticed_ns = now_ns();
        let Some(dead) = self.seats[seat].lose(noticed_ns) else { return };
        // Fence: its pidfd is readable, so the process has ended, all its threads and mappings with it; or the kernel says that it is ending, so
        // that its only thread, as it may make no other, has run its last instruction. From here on nobody but the follower can write the lane.
        let lane = LaneId(seat as u16);
        let sentence = self.seats[seat].sentence.take();
        let (progress, running) = (self.seen(seat).progress(), self.seen(seat).running());
        if let Some(slot) = running {
            let verdict = self.ledger.died(lane, slot, progress.done, progress.due, noticed_ns);
            self.carry_out(lane, slot, verdict);
        }
        self.watchdog.begin_anew(seat, progress.done, noticed_ns);
        let recovery = match self.spares.pop() {
            Some(spare) => {
                // Without the right it takes its turn among the others.
                let _ = sched::set_fifo(spare.pid, sched::priority::FOLLOWER);
                self.attach(seat, spare);
                Recovery::Under(progress.due)
            }
            None => {
                self.seats[seat].open();
                Recovery::Cold
            }
        };
        {
            let mut counts = lock(&self.shared.counts);
            counts.deaths += 1;
            counts.noticed_at_us = noticed_ns / 1000;
            counts.hangs += u64::from(sentence == Some(Sentence::Hung));
            counts.lies += u64::from(sentence == Some(Sentence::Lied));
            counts.warm_hits += u64::from(recovery != Recovery::Cold);
            counts.cold_starts += u64::from(recovery == Recovery::Cold);
        }
        self.mourned.push_back(Mourned { pid: dead.pid, lane, noticed_ns, running, sentence, cause: None, recovery });
        // A fork beside the follower would take its time.
        self.forks_due += 1;
    }

    /// Tells of a module that is taken out of service. The list goes to the lane's next worker.
    fn carry_out(&mut self, lane: LaneId, slot: Slot, verdict: Verdict) {
        if let Verdict::Quarantine(for_ns) = verdict {
            lock(&self.shared.counts).quarantines += 1;
            self.tell(PoolEvent::Quarantined(lane, slot, for_ns));
        }
    }

    /// Puts a ready worker into a seat. Returns since when nobody had executed the lane, if anybody had before.
    fn attach(&mut self, seat: usize, worker: Worker) -> Option<u64> {
        let lane = LaneId(seat as u16);
        self.seats[seat].generation += 1;
        let order = AttachOrder {
            lane: lane.0,
            reserved: 0,
            generation: self.seats[seat].generation,
            quarantined: self.ledger.quarantined(lane),
        };
        bind(worker.pid, lock(&self.shared.cores)[seat]);
        if socket::send(&worker.socket, &order, &[self.config.lanes[seat].as_fd()]).is_err() {
            // It is dead, or may as well be: its pidfd says so at the next look, and the seat is filled again.
            process::kill(&worker.pidfd);
        }
        self.seats[seat].cpu_ns = process::cpu_ns(worker.pid).unwrap_or(0);
        self.seats[seat].sit(worker, now_ns())
    }

    /// Sees which lanes have caught up, and tells of the deaths about which all is known.
    fn follow_recoveries(&mut self) {
        let now_ns = now_ns();
        for at in 0..self.mourned.len() {
            let Recovery::Under(due) = self.mourned[at].recovery else { continue };
            let seat = usize::from(self.mourned[at].lane.0);
            let noticed_ns = self.mourned[at].noticed_ns;
            // A count that the dead one left may be anything; the follower's stands once it has put its generation there.
            let is_followers = self.seen(seat).has_arrived();
            let done = self.config.views[seat].count(lane::DONE).load();
            if (is_followers && done >= due) || now_ns - noticed_ns >= CATCH_UP_NS {
                // As it says itself, if that can be.
                let told_ns: u64 = self.config.views[seat].read(lane::CAUGHT_UP);
                let recovered_ns = if (noticed_ns..now_ns).contains(&told_ns) { told_ns } else { now_ns };
                let took_ns = recovered_ns - noticed_ns;
                self.mourned[at].recovery = Recovery::After(took_ns as f64 / 1e6);
                let about_ns = noticed_ns.saturating_sub(DYING_NS);
                {
                    let mut counts = lock(&self.shared.counts);
                    counts.down_ns += took_ns;
                    counts.recovered_at_us = recovered_ns / 1000;
                    counts.recovery_stalled_us = self.config.stalls.stalled_ns(about_ns) / 1000;
                }
                if let Some(follower) = self.seats[seat].worker() {
                    let _ = sched::set_fifo(follower.pid, sched::priority::WORKER);
                }
                if is_followers {
                    self.tell_of_spoilt(seat);
                }
            }
        }
        // In the order in which they died.
        while let Some(first) = self.mourned.front() {
            let is_known = first.cause.is_some() || now_ns - first.noticed_ns >= CAUSE_NS;
            if !is_known || matches!(first.recovery, Recovery::Under(_)) {
                return;
            }
            let Some(Mourned { lane, sentence, cause, recovery, .. }) = self.mourned.pop_front() else { return };
            let cause = match (sentence, cause) {
                (Some(Sentence::Hung), _) => "it hung".to_owned(),
                (Some(Sentence::Lied), _) => "it said what cannot be".to_owned(),
                (None, Some(cause)) => cause,
                (None, None) => "for an unknown reason".to_owned(),
            };
            let restored_ms = if let Recovery::After(ms) = recovery { Some(ms) } else { None };
            self.tell(PoolEvent::Died(lane, cause, restored_ms));
        }
    }

    /// Tells of a module whose state was spoilt, as its lane's new worker says: a hint, by which its params are set again.
    fn tell_of_spoilt(&mut self, seat: usize) {
        if let Some(slot) = self.seen(seat).spoilt() {
            self.tell(PoolEvent::Spoilt(LaneId(seat as u16), slot));
        }
    }

    /// The zygote knows how a worker ended. What a module did by itself counts against it.
    fn hear_of_end(&mut self, pid: u32, figure: i64) {
        let Some(at) = self.mourned.iter().position(|mourned| mourned.pid == pid && mourned.cause.is_none()) else {
            return;
        };
        self.mourned[at].cause = Some(cause(figure));
        let Mourned { lane, running, sentence, .. } = self.mourned[at];
        let is_own_doing = sentence.is_some() || figure != -i64::from(process::Signal::SIGKILL as i32);
        let Some(slot) = running.filter(|_| is_own_doing) else { return };
        let due = self.seen(usize::from(lane.0)).progress().due;
        let verdict = self.ledger.blame(lane, slot, due, now_ns());
        self.carry_out(lane, slot, verdict);
        // The present worker does not know of it: another one takes over, with the list.
        if matches!(verdict, Verdict::Quarantine(_))
            && let Some(worker) = self.seats[usize::from(lane.0)].worker()
        {
            process::kill(&worker.pidfd);
        }
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
        {
            let mut doors = lock(&self.shared.doors);
            for (door, seat) in doors.iter_mut().zip(&self.seats) {
                (door.is_open, door.failed_ns) =
                    (!matches!(seat.state(), State::Closed | State::Draining), seat.failed_ns);
            }
        }
        let open = self.seats.iter().enumerate().filter(|(_, seat)| seat.state() != State::Closed);
        let seated = open.map(|(lane, seat)| WorkerInfo {
            worker: Some(lane as u16),
            pid: seat.worker().map_or(0, |worker| worker.pid),
            state: seat.state().word(),
            generation: Generation(seat.generation).0,
            restarts: seat.restarts,
            modules: 0,
            load: 0.0,
            core: cores[lane],
            phases_us: seat.worker().map(|worker| worker.phases_us.clone()).unwrap_or_default(),
        });
        let other = |worker: &Worker, state| WorkerInfo {
            worker: None,
            pid: worker.pid,
            state,
            generation: 0,
            restarts: 0,
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

/// A kill is at most so long before its notice, if the machine does not stall.
const DYING_NS: u64 = 5_000_000;

/// A lane that has not caught up by then waits for another lane, or its follower died too.
const CATCH_UP_NS: u64 = 20_000_000;

/// How often the supervisor looks meanwhile. Each look may take the core from the very follower that it waits for.
const CATCH_UP_LOOK_NS: u64 = 500_000;

/// How long the zygote may take to tell a cause.
const CAUSE_NS: u64 = 200_000_000;

/// How often a pool that has grown is looked at.
const GROWTH_LOOK_NS: u64 = 1_000_000_000;

/// So long at most a fork waits for a follower that has not caught up.
const FORK_WAIT_NS: u64 = 1_000_000;

/// How often forks that are put off are tried.
const FORK_LOOK_NS: u64 = 10_000_000;

/// A worker's end in words: `SIGKILL`, `exit 1`.
fn cause(figure: i64) -> String {
    match i32::try_from(-figure).ok().filter(|&signal| signal > 0).and_then(process::signal_name) {
        Some(name) => name.to_owned(),
        None => format!("exit {figure}"),
    }
}
