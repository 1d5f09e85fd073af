//! The supervisor's look at lanes that do not get on: kills workers that hang, or say what cannot be.

use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::process;

use super::books::lock;
use super::progress::{Progress, Seen};
use super::seat::Seat;
use super::{Sentence, Supervisor};

/// How often lanes are looked at though nobody waits for one: a worker may write over its lane and hold nobody up.
const ROUND_NS: u64 = 500_000_000;

impl Supervisor {
    /// How long from one look to the next, if nobody asks for one.
    pub(super) fn look_ns(&self) -> u64 {
        if self.watchdog.is_watching() { self.watchdog.look_ns() } else { ROUND_NS }
    }

    /// Whether it is time to look again.
    pub(super) fn is_look_due(&self) -> bool {
        now_ns() >= self.looked_ns + self.look_ns()
    }

    /// Kills workers that hang or lie. They are noticed as dead like any other.
    pub(super) fn look_for_hung(&mut self) {
        let lanes: Vec<Progress> = (0..self.seats.len()).map(|seat| self.seen(seat).progress()).collect();
        let since_ns = std::mem::replace(&mut self.looked_ns, now_ns());
        let hogs = self.hogs(self.looked_ns - since_ns);
        let cores = lock(&self.shared.cores).clone();
        for seat in (0..lanes.len()).filter(|&seat| lanes[seat].is_lie) {
            self.kill(seat, Sentence::Lied);
        }
        let (stalls, length_ns) = (&self.config.stalls, self.config.hang_ns / 2);
        for seat in self.watchdog.look(&lanes, now_ns(), |since_ns| stalls.stalled_ns(since_ns) >= length_ns) {
            self.watchdog.begin_anew(seat, lanes[seat].done, now_ns());
            // A worker that spins keeps the others of its core from running at all, even from dying: it is the one that hangs. It may
            // have nothing to do. Where none of ours spins, something else does, and it is of no use to kill the one that suffers.
            match hogs.iter().find(|&&hog| cores[hog] == cores[seat]) {
                Some(&hog) if hog != seat && lanes[hog].done >= lanes[hog].due => self.kill(hog, Sentence::Hung),
                Some(&hog) if hog != seat => {}
                None if self.is_starved(seat) => {}
                _ => self.kill(seat, Sentence::Hung),
            }
        }
    }

    /// Whether a seat's worker would run if it got a core.
    fn is_starved(&self, seat: usize) -> bool {
        self.seats[seat].worker().is_some_and(|worker| process::is_runnable(worker.pid))
    }

    fn kill(&mut self, seat: usize, sentence: Sentence) {
        if let Some(worker) = self.seats[seat].worker() {
            process::kill(&worker.pidfd);
            self.seats[seat].sentence.get_or_insert(sentence);
        }
    }

    /// Lanes whose workers were running most of the last `elapsed_ns`.
    fn hogs(&mut self, elapsed_ns: u64) -> Vec<usize> {
        let is_hog = |state: &mut Seat| {
            let Some(worker) = state.worker() else { return false };
            let cpu_ns = process::cpu_ns(worker.pid).unwrap_or(0);
            cpu_ns.saturating_sub(std::mem::replace(&mut state.cpu_ns, cpu_ns)) > elapsed_ns / 2
        };
        let hogs = self.seats.iter_mut().map(is_hog).enumerate();
        hogs.filter(|(_, is_hog)| *is_hog).map(|(seat, _)| seat).collect()
    }

    /// A seat's lane.
    pub(super) fn seen(&self, seat: usize) -> Seen<'_> {
        let (engine, view) = (&self.config.engine, &self.config.views[seat]);
        Seen { engine, view, lane: seat, generation: self.seats[seat].generation }
    }
}
