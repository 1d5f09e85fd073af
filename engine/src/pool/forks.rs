//! Where workers come from: the zygotes that the keeper starts, orders to fork, and newborn workers.

use std::io;
use std::os::fd::OwnedFd;

use tine_protocol::ids::LaneId;
use tine_protocol::message::{ForkOrder, KeeperSays, PHASES, WorkerSays, ZygoteSays};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::process::Status;
use tine_protocol::sys::socket;

use super::books::{PoolEvent, lock};
use super::seat::Seat;
use super::{FORK_WAIT_NS, Mourned, Recovery, Supervisor, Worker};

/// The process that forks workers.
pub(super) struct Zygote {
    pub socket: OwnedFd,
    /// It takes orders.
    pub is_warm: bool,
    /// Orders that it has not answered.
    orders: usize,
}

impl Supervisor {
    /// A newborn spoke: it is ready, or it died before.
    pub(super) fn welcome(&mut self, at: usize) {
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
        match self.seats.iter().position(Seat::is_waiting) {
            Some(seat) => {
                if let Some(empty_since_ns) = self.attach(seat, worker) {
                    lock(&self.shared.counts).down_ns += now_ns() - empty_since_ns;
                    self.tell(PoolEvent::Filled(LaneId(seat as u16)));
                }
            }
            None => self.spares.push(worker),
        }
        if !self.is_ready && !self.seats.iter().any(Seat::is_waiting) {
            self.is_ready = true;
            lock(&self.shared.counts).ready_us = (now_ns() - self.started_ns) / 1000;
            self.publish();
            // The engine may have given up meanwhile.
            let _ = self.ready.try_send(());
        }
    }

    /// Takes what the keeper says: a zygote is there, or a worker ended whose zygote is gone.
    pub(super) fn hear_keeper(&mut self) {
        // A keeper that is gone takes us along.
        let Ok(Some((says, mut descriptors))) = socket::receive::<KeeperSays>(&self.config.keeper, false) else {
            return;
        };
        match (says.what, descriptors.pop()) {
            (KeeperSays::ZYGOTE, Some(socket)) => {
                self.zygote = Some(Zygote { socket, is_warm: false, orders: 0 });
            }
            (KeeperSays::ENDED, _) => self.hear_of_end(says.pid, says.figure),
            _ => {}
        }
    }

    /// Workers play on; what was ordered is ordered again from the next zygote.
    pub(super) fn lose_zygote(&mut self) {
        let orders = self.zygote.take().map_or(0, |zygote| zygote.orders);
        self.forks_due += orders;
        lock(&self.shared.counts).zygotes_lost += 1;
        self.tell(PoolEvent::ZygoteLost);
    }

    /// False when the zygote is gone.
    pub(super) fn hear_zygote(&mut self) -> bool {
        let Some(zygote) = &mut self.zygote else { return true };
        let (says, mut descriptors) = match socket::receive::<ZygoteSays>(&zygote.socket, false) {
            Ok(Some(heard)) => heard,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
            Ok(None) | Err(_) => return false,
        };
        zygote.orders -= usize::from(matches!(says.what, ZygoteSays::FORKED | ZygoteSays::FAILED)).min(zygote.orders);
        zygote.is_warm |= says.what == ZygoteSays::WARM;
        match says.what {
            ZygoteSays::WARM => {
                lock(&self.shared.counts).warm_up_us = says.figure.max(0) as u64;
                let _ = self.warm.try_send(());
                if !std::mem::replace(&mut self.is_filled, true) {
                    self.forks_due += self.config.seats + self.config.spares;
                }
                self.order_due_forks();
            }
            ZygoteSays::FORKED if descriptors.len() == 2 => {
                let (socket, pidfd) = (descriptors.pop(), descriptors.pop());
                if let (Some(socket), Some(pidfd)) = (socket, pidfd) {
                    let status = Status::of(says.pid).ok();
                    let worker = Worker { pid: says.pid, pidfd, status, socket, phases_us: Vec::new() };
                    self.newborn.push((worker, says.figure.clamp(0, i64::from(u32::MAX)) as u32));
                }
            }
            ZygoteSays::ENDED => self.hear_of_end(says.pid, says.figure),
            ZygoteSays::FAILED => {
                tracing::warn!("a worker could not be forked: {}", io::Error::from_raw_os_error(says.figure as i32));
                lock(&self.shared.counts).forks_failed += 1;
                // Not at once: what was lacking is perhaps there in a while.
                self.forks_due += 1;
            }
            _ => {}
        }
        true
    }

    /// Orders a worker, at once or when the budget allows.
    pub(super) fn order_fork(&mut self) {
        self.forks_due += 1;
        self.order_due_forks();
    }

    pub(super) fn order_due_forks(&mut self) {
        let now_ns = now_ns();
        let is_under = |mourned: &Mourned| {
            matches!(mourned.recovery, Recovery::Under(_)) && now_ns - mourned.noticed_ns < FORK_WAIT_NS
        };
        if self.mourned.iter().any(is_under) {
            return;
        }
        let Some(zygote) = self.zygote.as_mut().filter(|zygote| zygote.is_warm) else { return };
        while self.forks_due > 0 && self.budget.take(now_ns) {
            self.forks_due -= 1;
            self.next_ticket += 1;
            if let Err(error) = socket::send(&zygote.socket, &ForkOrder { ticket: self.next_ticket }, &[]) {
                // A zygote that is gone is noticed where its socket is read; one that is there is asked again.
                tracing::warn!("a worker could not be ordered: {error}");
                self.forks_due += 1;
                break;
            }
            zygote.orders += 1;
        }
        if self.forks_due > 0 {
            lock(&self.shared.counts).forks_delayed += 1;
        }
    }
}
