//! When the pool opens another seat, and when it closes one.

use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::process;

use super::Supervisor;
use super::books::lock;
use super::seat::{Seat, State};

/// Idle workers that are to be there: a module that is created finds one, and so does the next.
const IDLE_MIN: usize = 2;

/// How long a seat that the pool has grown by is idle before it goes.
const IDLE_NS: u64 = 60_000_000_000;

/// How long it takes no more modules before its worker goes: the session may have chosen it just before.
const DRAIN_NS: u64 = 1_000_000_000;

/// What is to be done about a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is to have a worker.
    Open(usize),
    /// It is to get no more modules.
    Drain(usize),
    /// It was to go, and is needed.
    Keep(usize),
    /// Its worker goes.
    Close(usize),
}

/// The next change, if there is one. `seats` says what each is doing, and since when it has been idle or draining; the first `base` stay.
pub fn next_change(seats: &[(State, u64)], base: usize, now_ns: u64) -> Option<Change> {
    let find = |wanted: State| seats.iter().position(|&(state, _)| state == wanted);
    let idle = seats.iter().filter(|(state, _)| matches!(state, State::Idle | State::Warming)).count();
    if idle < IDLE_MIN {
        let kept = find(State::Draining).map(Change::Keep);
        return kept.or_else(|| find(State::Closed).map(Change::Open));
    }
    let is_over = |seat: &usize, wanted: State, after_ns: u64| {
        let (state, since_ns) = seats[*seat];
        state == wanted && now_ns.saturating_sub(since_ns) >= after_ns
    };
    // From the end: the pool shrinks to the seats that it began with.
    let mut extra = (base..seats.len()).rev();
    let closes = extra.clone().find(|seat| is_over(seat, State::Draining, DRAIN_NS)).map(Change::Close);
    closes.or_else(|| {
        let drains = extra.find(|seat| is_over(seat, State::Idle, IDLE_NS));
        drains.filter(|_| idle > IDLE_MIN).map(Change::Drain)
    })
}

impl Supervisor {
    /// Carries out what the session asks for.
    pub(super) fn obey(&mut self) {
        for lane in std::mem::take(&mut *lock(&self.shared.orders)) {
            // Its death is noticed like any other.
            if let Some(worker) = self.seats.get(usize::from(lane.0)).and_then(Seat::worker) {
                process::kill(&worker.pidfd);
            }
        }
    }

    /// Heeds which lanes have modules; opens and closes seats.
    pub(super) fn grow_or_shrink(&mut self) {
        let now_ns = now_ns();
        let busy: Vec<bool> = lock(&self.shared.doors).iter().map(|door| door.is_busy).collect();
        for (seat, is_busy) in self.seats.iter_mut().zip(busy) {
            seat.heed(is_busy, now_ns);
            if is_busy && seat.state() == State::Closed {
                // The session chose it before it heard that it was to go.
                seat.open();
                self.forks_due += 1;
            }
        }
        // One that is about to go is neither kept nor told to go again.
        let standing = |seat: &Seat| (if seat.is_retired() { State::Busy } else { seat.state() }, seat.since_ns());
        while self.is_ready
            && let seats = self.seats.iter().map(standing).collect::<Vec<_>>()
            && let Some(change) = next_change(&seats, self.config.seats, now_ns)
        {
            match change {
                Change::Open(seat) => {
                    self.seats[seat].open();
                    if let Some(spare) = self.spares.pop() {
                        self.attach(seat, spare);
                    }
                    self.forks_due += 1;
                }
                Change::Drain(seat) => self.seats[seat].drain(now_ns),
                Change::Keep(seat) => self.seats[seat].stay(now_ns),
                Change::Close(seat) => {
                    // Its seat is closed when it is certainly gone: nobody may sit there before.
                    if let Some(worker) = self.seats[seat].retire() {
                        process::kill(&worker.pidfd);
                        lock(&self.shared.counts).retired += 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use State::{Busy, Closed, Draining, Idle, Warming};

    const SECOND: u64 = 1_000_000_000;

    fn next(states: &[State], base: usize) -> Option<Change> {
        // All since the beginning.
        let seats: Vec<_> = states.iter().map(|&state| (state, 0)).collect();
        next_change(&seats, base, 61 * SECOND)
    }

    #[test]
    fn it_grows_while_idle_workers_run_low_and_there_is_room() {
        assert_eq!(next(&[Busy, Idle, Idle, Closed], 3), None);
        assert_eq!(next(&[Busy, Busy, Idle, Closed], 3), Some(Change::Open(3)));
        assert_eq!(next(&[Busy, Busy, Idle, Warming], 3), None, "one is on its way");
        assert_eq!(next(&[Busy, Busy, Idle], 3), None, "there is no more room");
        assert_eq!(next(&[Busy, Busy, Idle, Draining, Closed], 3), Some(Change::Keep(3)));
    }

    #[test]
    fn it_shrinks_to_where_it_began_after_a_minute() {
        assert_eq!(next(&[Busy, Idle, Idle, Idle], 3), Some(Change::Drain(3)));
        assert_eq!(next(&[Busy, Idle, Idle, Busy], 3), None, "modules keep it");
        assert_eq!(next(&[Busy, Busy, Idle, Idle], 3), None, "two are to be idle");
        assert_eq!(next(&[Idle, Idle, Idle, Idle], 4), None, "it began with four");
        let seats = [(Busy, 0), (Idle, 0), (Idle, 0), (Idle, 2 * SECOND)];
        assert_eq!(next_change(&seats, 3, 61 * SECOND), None, "not a minute yet");
        assert_eq!(next(&[Busy, Idle, Idle, Draining], 3), Some(Change::Close(3)));
    }
}
