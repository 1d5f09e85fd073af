//! A seat of the pool: its states with what belongs to each, and which may follow on which.

use super::{Sentence, Worker};

/// What a seat is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not in use: beyond what the pool needs now.
    Closed,
    /// Waits for a worker that is being forked.
    Warming,
    /// Its worker has nothing to compute.
    Idle,
    /// Its worker computes modules.
    Busy,
    /// Gets no more modules, as its worker is to go.
    Draining,
    /// Its worker died, and no other has taken over yet.
    Error,
}

impl State {
    /// All there are.
    #[cfg(test)]
    const ALL: [State; 6] = [State::Closed, State::Warming, State::Idle, State::Busy, State::Draining, State::Error];

    /// The word that `pool` shows.
    pub fn word(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::Warming => "warming",
            State::Idle => "idle",
            State::Busy => "busy",
            State::Draining => "draining",
            State::Error => "error",
        }
    }
}

/// Every change of state that there is.
const CHANGES: [(State, State); 12] = [
    // The pool starts, or grows.
    (State::Closed, State::Warming),
    // The forked worker sits down.
    (State::Warming, State::Idle),
    // Modules come to the lane; the last one goes.
    (State::Idle, State::Busy),
    (State::Busy, State::Idle),
    // The pool shrinks.
    (State::Idle, State::Draining),
    (State::Draining, State::Closed),
    // Not yet: it is needed again, or a module came in the last moment.
    (State::Draining, State::Idle),
    // The worker dies.
    (State::Idle, State::Error),
    (State::Busy, State::Error),
    (State::Draining, State::Error),
    // A spare takes over. Where there is none, a worker is forked.
    (State::Error, State::Idle),
    (State::Error, State::Warming),
];

/// Whether a seat may go from one state to the other.
fn may_follow(from: State, to: State) -> bool {
    CHANGES.contains(&(from, to))
}

/// What a seat is doing, with what belongs to it.
#[derive(Default)]
enum Standing {
    #[default]
    Closed,
    /// With the moment since when nobody has executed the lane; `None` if nobody ever did.
    Warming(Option<u64>),
    Idle(Worker, u64),
    Busy(Worker),
    Draining(Worker, u64),
    Error(u64),
}

impl Standing {
    fn state(&self) -> State {
        match self {
            Standing::Closed => State::Closed,
            Standing::Warming(_) => State::Warming,
            Standing::Idle(..) => State::Idle,
            Standing::Busy(_) => State::Busy,
            Standing::Draining(..) => State::Draining,
            Standing::Error(_) => State::Error,
        }
    }
}

/// A place in the pool: a lane, and whoever executes it.
#[derive(Default)]
pub(super) struct Seat {
    standing: Standing,
    /// Its worker was told to go.
    is_retiring: bool,
    /// Of the present worker; counts over all that were here.
    pub generation: u32,
    /// Workers that died here.
    pub restarts: u32,
    /// When the last of them did; 0: none.
    pub failed_ns: u64,
    /// Why its worker was killed by us, if it was.
    pub sentence: Option<Sentence>,
    /// Processor time of its worker at the last look for hung ones.
    pub cpu_ns: u64,
}

impl Seat {
    /// A closed seat; the generations of its workers come after `generation`.
    pub fn new(generation: u32) -> Seat {
        Seat { generation, ..Seat::default() }
    }

    /// What it is doing.
    pub fn state(&self) -> State {
        self.standing.state()
    }

    /// Since when it has been idle or draining.
    pub fn since_ns(&self) -> u64 {
        match &self.standing {
            Standing::Idle(_, since_ns) | Standing::Draining(_, since_ns) => *since_ns,
            _ => 0,
        }
    }

    /// Who executes the lane.
    pub fn worker(&self) -> Option<&Worker> {
        match &self.standing {
            Standing::Idle(worker, _) | Standing::Busy(worker) | Standing::Draining(worker, _) => Some(worker),
            Standing::Closed | Standing::Warming(_) | Standing::Error(_) => None,
        }
    }

    /// Whether a worker is to sit here that is not there yet.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state(), State::Warming | State::Error)
    }

    fn change(&mut self, to: impl FnOnce(Standing) -> Standing) {
        let from = self.state();
        self.standing = to(std::mem::take(&mut self.standing));
        let to = self.state();
        if from != to && !may_follow(from, to) {
            tracing::error!("a seat went from {} to {}, which is not foreseen", from.word(), to.word());
        }
    }

    /// It is to have a worker: one is being forked. A seat whose worker died, and for which there is no spare, waits likewise.
    pub fn open(&mut self) {
        self.change(|standing| match standing {
            Standing::Closed => Standing::Warming(None),
            Standing::Error(since_ns) => Standing::Warming(Some(since_ns)),
            other => other,
        });
    }

    /// A worker sits down. Returns since when nobody had executed the lane, if anybody had before.
    pub fn sit(&mut self, worker: Worker, now_ns: u64) -> Option<u64> {
        let empty_since_ns = match self.standing {
            Standing::Error(since_ns) => Some(since_ns),
            Standing::Warming(since_ns) => since_ns,
            _ => None,
        };
        self.change(|_| Standing::Idle(worker, now_ns));
        empty_since_ns
    }

    /// Its worker is dead: what was known of that one.
    pub fn lose(&mut self, now_ns: u64) -> Option<Worker> {
        self.is_retiring = false;
        let mut lost = None;
        self.change(|standing| match standing {
            Standing::Idle(worker, _) | Standing::Busy(worker) | Standing::Draining(worker, _) => {
                lost = Some(worker);
                Standing::Error(now_ns)
            }
            other => other,
        });
        if lost.is_some() {
            (self.failed_ns, self.restarts) = (now_ns, self.restarts + 1);
        }
        lost
    }

    /// Heeds whether the lane has modules. A seat that was to go is kept where it has.
    pub fn heed(&mut self, is_busy: bool, now_ns: u64) {
        if is_busy {
            self.stay(now_ns);
        }
        self.change(|standing| match standing {
            Standing::Idle(worker, _) if is_busy => Standing::Busy(worker),
            Standing::Busy(worker) if !is_busy => Standing::Idle(worker, now_ns),
            other => other,
        });
    }

    /// Its worker is to go.
    pub fn drain(&mut self, now_ns: u64) {
        self.change(|standing| match standing {
            Standing::Idle(worker, _) => Standing::Draining(worker, now_ns),
            other => other,
        });
    }

    /// Its worker is not to go, after all.
    pub fn stay(&mut self, now_ns: u64) {
        self.change(|standing| match standing {
            Standing::Draining(worker, _) => Standing::Idle(worker, now_ns),
            other => other,
        });
    }

    /// Its worker is told to go, if it is draining: that worker.
    pub fn retire(&mut self) -> Option<&Worker> {
        self.is_retiring = self.state() == State::Draining;
        self.worker().filter(|_| self.is_retiring)
    }

    /// Whether its worker was told to go, and no module has come since.
    pub fn is_retired(&self) -> bool {
        self.is_retiring && self.state() == State::Draining
    }

    /// The worker that was told to go is gone: the seat is no longer in use.
    pub fn close(&mut self) {
        self.is_retiring = false;
        self.change(|standing| match standing {
            Standing::Draining(..) => Standing::Closed,
            other => other,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn worker() -> Worker {
        let nothing = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        Worker { pid: 1, pidfd: nothing(), status: None, socket: nothing(), phases_us: Vec::new() }
    }

    /// A seat in each state, made by the shortest way there.
    fn seat(state: State) -> Seat {
        let mut seat = Seat::new(0);
        if state == State::Closed {
            return seat;
        }
        seat.open();
        if state == State::Warming {
            return seat;
        }
        seat.sit(worker(), 1);
        match state {
            State::Busy => seat.heed(true, 2),
            State::Draining => seat.drain(2),
            State::Error => drop(seat.lose(2)),
            _ => {}
        }
        assert_eq!(seat.state(), state);
        seat
    }

    #[test]
    fn whatever_happens_in_whatever_state_only_foreseen_changes_come_of_it() {
        type Event = (&'static str, fn(&mut Seat));
        let events: [Event; 8] = [
            ("open", |seat| seat.open()),
            ("lose", |seat| drop(seat.lose(9))),
            ("modules come", |seat| seat.heed(true, 9)),
            ("modules go", |seat| seat.heed(false, 9)),
            ("drain", |seat| seat.drain(9)),
            ("stay", |seat| seat.stay(9)),
            ("close", |seat| seat.close()),
            ("sit", |seat| {
                if seat.is_waiting() {
                    seat.sit(worker(), 9);
                }
            }),
        ];
        let mut seen = Vec::new();
        for from in State::ALL {
            for (what, happens) in events {
                let mut seat = seat(from);
                happens(&mut seat);
                let to = seat.state();
                // A module that comes to a seat that is to go keeps it first.
                let is_kept = (from, to) == (State::Draining, State::Busy);
                assert!(from == to || is_kept || may_follow(from, to), "{what}: {from:?} to {to:?}");
                seen.push((from, to));
            }
        }
        for change in CHANGES {
            assert!(seen.contains(&change), "{change:?} is foreseen and never comes");
        }
    }

    #[test]
    fn a_seat_knows_how_long_it_was_empty() {
        let mut seat = seat(State::Busy);
        assert!(seat.lose(100).is_some());
        assert!(seat.lose(200).is_none(), "nobody dies twice");
        seat.open();
        assert_eq!(seat.sit(worker(), 300), Some(100));
        assert_eq!((seat.restarts, seat.failed_ns), (1, 100));
    }
}
