//! Tells subscribers what happens. One thread for all of them; never blocks on a client: what cannot be sent is counted.

use std::net::SocketAddr;
use std::time::Instant;

use crossbeam::channel::{Receiver, Select, TryRecvError};
use rosc::{OscMessage, OscType};

use super::dispatch::{Never, Shared};
use super::echo::{Echoes, Param};
use super::reply::{ReplyTo, Reporter};
use super::rows::{ends, int, row, string};
use super::stats::Count;
use crate::answer::Notice;

/// Subscribers at once. UDP does not tell when one has gone, so a newcomer takes the place of the one that has not
/// renewed its `/notify` for the longest time.
const CLIENTS_MAX: usize = 64;

/// Changes of subscriptions that may wait; more are refused as busy.
pub(super) const CHANGES_MAX: usize = 64;

/// Notices taken from one client before the others have their turn.
const TURN_MAX: usize = 256;

/// A `/notify`: on with notices, off without.
pub(super) struct Change {
    pub to: ReplyTo,
    pub target: SocketAddr,
    pub notices: Option<Receiver<Notice>>,
}

struct Client {
    number: i32,
    /// Who asked, and where it goes.
    from: SocketAddr,
    target: SocketAddr,
    notices: Receiver<Notice>,
    echoes: Echoes,
}

/// The notifying thread, until the server stops.
pub(super) fn run(shared: &Shared, changes: &Receiver<Change>) {
    let mut clients = Clients { all: Vec::new(), last_number: 0 };
    loop {
        match clients.next_ready(&shared.stopped, changes) {
            Some(0) => return,
            Some(1) => changes.try_iter().for_each(|change| clients.change(change, &shared.reporter)),
            Some(index) => clients.take_turn(index - 2, &shared.reporter),
            None => {}
        }
        let now = Instant::now();
        for client in &mut clients.all {
            for (param, value) in client.echoes.due(now) {
                shared.reporter.send(client.target, echo(&param, value));
            }
        }
    }
}

/// In order of their last `/notify`.
struct Clients {
    all: Vec<Client>,
    last_number: i32,
}

impl Clients {
    /// Waits until something is there: 0 the end, 1 a change, 2.. a client's notice; `None`: an echo is due.
    fn next_ready(&self, stopped: &Receiver<Never>, changes: &Receiver<Change>) -> Option<usize> {
        let mut select = Select::new();
        select.recv(stopped);
        select.recv(changes);
        for client in &self.all {
            select.recv(&client.notices);
        }
        match self.all.iter().filter_map(|client| client.echoes.next_due()).min() {
            Some(due) => select.ready_deadline(due).ok(),
            None => Some(select.ready()),
        }
    }

    fn change(&mut self, Change { to, target, notices }: Change, reporter: &Reporter) {
        let known = self.all.iter().position(|client| client.from == to.from() && client.target == target);
        let known = known.map(|index| self.all.remove(index));
        let number = match (known, notices) {
            (Some(client), None) => client.number,
            // -1: there was no such subscription, and that is what was wanted.
            (None, None) => -1,
            // Renewed: the notices that wait are kept, the second subscription is let go.
            (Some(client), Some(_)) => {
                let number = client.number;
                self.all.push(client);
                number
            }
            (None, Some(notices)) => {
                if self.all.len() >= CLIENTS_MAX {
                    let oldest = self.all.remove(0);
                    reporter.send(oldest.target, row("/done", vec![string("/notify"), int(-1)]));
                }
                self.last_number = self.last_number.wrapping_add(1).max(1);
                let (number, from) = (self.last_number, to.from());
                self.all.push(Client { number, from, target, notices, echoes: Echoes::default() });
                number
            }
        };
        to.done(vec![int(number)]);
    }

    fn take_turn(&mut self, index: usize, reporter: &Reporter) {
        let client = &mut self.all[index];
        for _ in 0..TURN_MAX {
            match client.notices.try_recv() {
                Ok(notice) => client.tell(notice, reporter),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    // The session has ended.
                    self.all.remove(index);
                    return;
                }
            }
        }
    }
}

impl Client {
    fn tell(&mut self, notice: Notice, reporter: &Reporter) {
        match notice {
            Notice::ParamSet(id, param, value) => {
                let param = (id, param);
                let fate = self.echoes.set(param.clone(), value, Instant::now());
                if fate.is_sent {
                    reporter.send(self.target, echo(&param, value));
                }
                if fate.is_merged {
                    reporter.stats.add(Count::EchoesMerged);
                }
            }
            Notice::ModuleRemoved(id) => {
                for (param, value) in self.echoes.flush(&id) {
                    reporter.send(self.target, echo(&param, value));
                }
                reporter.send(self.target, row("/m.remove", vec![string(id.as_str())]));
            }
            notice => {
                if let Some(message) = event(notice) {
                    reporter.send(self.target, message);
                }
            }
        }
    }
}

fn echo((id, param): &Param, value: f32) -> OscMessage {
    row(&format!("/m/{id}/{param}"), vec![OscType::Float(value)])
}

fn event(notice: Notice) -> Option<OscMessage> {
    Some(match notice {
        Notice::ModuleAdded(id, kind) => row("/m.add", vec![string(id.as_str()), string(kind)]),
        Notice::CableAdded(cable) => row("/c.add", ends(&cable, true)),
        Notice::CableRemoved(cable) => row("/c.remove", ends(&cable, false)),
        Notice::WorkerLost(worker, why, ids) => {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            row("/worker.lost", vec![int(worker), string(&why), string(&ids.join(" "))])
        }
        Notice::WorkerRestored(worker, ms) => row("/worker.restored", vec![int(worker), OscType::Float(ms)]),
        Notice::ModuleFault(id, what) => row("/module.fault", vec![string(id.as_str()), string(&what)]),
        Notice::Xrun(id, late_ms) => {
            let id = id.as_ref().map_or("", |id| id.as_str());
            row("/xrun", vec![string(id), OscType::Float(late_ms)])
        }
        Notice::Device(name) => row("/device", vec![string(&name)]),
        Notice::Session(what) => row("/session", vec![string(&what)]),
        Notice::ModuleRemoved(_) | Notice::ParamSet(..) | Notice::Ending => return None,
    })
}
