//! The supervisor's look at lanes that do not get on: kills workers that hang.

use tine_protocol::ids::LaneId;
use tine_protocol::segment::{engine, lane};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::process;

use super::Supervisor;
use super::books::lock;
use super::seat::Seat;
use super::watchdog::Progress;

impl Supervisor {
    /// Whether some lane does not get on, and it is time to look again.
    pub(super) fn is_look_due(&self) -> bool {
        self.watchdog.is_watching() && now_ns() >= self.looked_ns + self.watchdog.look_ns()
    }

    /// Kills workers that hang. They are noticed as dead like any other.
    pub(super) fn look_for_hung(&mut self) {
        let lanes: Vec<Progress> = (0..self.seats.len()).map(|seat| self.progress(seat)).collect();
        let since_ns = std::mem::replace(&mut self.looked_ns, now_ns());
        let hogs = self.hogs(self.looked_ns - since_ns);
        let cores = lock(&self.shared.cores).clone();
        let (stalls, length_ns) = (&self.config.stalls, self.config.hang_ns / 2);
        for seat in self.watchdog.look(&lanes, now_ns(), |since_ns| stalls.stalled_ns(since_ns) >= length_ns) {
            self.watchdog.begin_anew(seat, lanes[seat].done, now_ns());
            // A worker that spins keeps the others of its core from running at all, even from dying: it is the one that hangs. It may
            // have nothing to do. Where none of ours spins, something else does, and it is of no use to kill the one that suffers.
            match hogs.iter().find(|&&hog| cores[hog] == cores[seat]) {
                Some(&hog) if hog != seat && lanes[hog].done >= lanes[hog].due => self.kill_hung(hog),
                Some(&hog) if hog != seat => {}
                None if self.is_starved(seat) => {}
                _ => self.kill_hung(seat),
            }
        }
    }

    /// Whether a seat's worker would run if it got a core.
    fn is_starved(&self, seat: usize) -> bool {
        self.seats[seat].worker().is_some_and(|worker| process::is_runnable(worker.pid))
    }

    fn kill_hung(&mut self, seat: usize) {
        if let Some(worker) = self.seats[seat].worker() {
            process::kill(&worker.pidfd);
            self.seats[seat].has_hung = true;
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

    /// Where a lane stands, by what its worker says.
    pub(super) fn progress(&self, seat: usize) -> Progress {
        let view = &self.config.views[seat];
        let awaited: u64 = view.read(lane::AWAITS);
        Progress {
            due: self.config.engine.count(engine::start(seat)).load(),
            done: view.count(lane::DONE).load(),
            awaits: u16::try_from(awaited >> 32).ok().and_then(|lane| lane.checked_sub(1)).map(LaneId),
        }
    }
}
