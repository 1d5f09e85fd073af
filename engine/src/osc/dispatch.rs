//! From a datagram to the session: reads groups of messages, keeps each sender's order, submits, settles the answers.
//! Never blocks, except on the slow thread.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crossbeam::channel::{Receiver, Sender, bounded, select};
use rosc::{OscMessage, OscType};
use tine_protocol::spec::KindSpec;

use super::action::{Action, Confirm, Fault};
use super::args::whole;
use super::decode::{Group, decode};
use super::files::inside;
use super::notify::Change;
use super::reply::{ReplyTo, Reporter, lock, origin};
use super::stats::Count;
use super::table::{self, REQUEST};
use super::tokens::Known;
use crate::answer::{Applied, ModuleInfo, Outcome};
use crate::command::{Command, Request, Value, When};
use crate::error::Refusal;
use crate::handle::Handle;

/// Nothing is ever sent on a channel of these: that it is closed is the message.
pub(super) enum Never {}

/// What the server's threads share.
pub(super) struct Shared {
    pub handle: Handle,
    pub reporter: Arc<Reporter>,
    pub catalogue: Vec<&'static KindSpec>,
    /// The folder that paths stay inside.
    pub files: PathBuf,
    /// To the thread that may wait.
    pub slow: Sender<Batch>,
    /// To the thread that tells subscribers.
    pub changes: Sender<Change>,
    /// Senders with work on the slow thread, and how much: what they send next waits behind it.
    pub behind: Mutex<HashMap<SocketAddr, usize>>,
    /// What is being recorded, for `/record/stop`.
    pub recording: Arc<Mutex<String>>,
    /// The server's own address.
    pub bound: SocketAddr,
    /// Closed when the server stops: wakes every thread that waits.
    pub stopped: Receiver<Never>,
}

/// One message, read.
pub(super) struct Call {
    pub to: ReplyTo,
    pub action: Action,
}

impl Call {
    /// Whether success or refusal is always told. Of the others only the one at fault is.
    fn is_loud(&self) -> bool {
        let is_silent = matches!(self.action, Action::Commands { confirm: None, .. } | Action::Matching(_));
        !is_silent || self.to.has_token()
    }
}

/// The messages of a bundle, read.
pub(super) struct Batch {
    pub from: SocketAddr,
    pub when: When,
    pub calls: Vec<Call>,
}

impl Batch {
    fn is_timed(&self) -> bool {
        self.when != When::Now
    }

    /// Whether it has to wait for something: files, the ids that match, or its own commands before its questions.
    fn is_slow(&self) -> bool {
        let has = |test: fn(&Action) -> bool| self.calls.iter().any(|call| test(&call.action));
        let is_mixed = has(|action| matches!(action, Action::Commands { .. }))
            && has(|action| !matches!(action, Action::Commands { .. }));
        has(|action| matches!(action, Action::Matching(_) | Action::Slow(_)))
            || has(|action| matches!(action, Action::Commands { commands, .. } if commands.iter().any(names_sound)))
            || is_mixed && !self.is_timed()
    }

    /// Refuses the whole batch: tells everybody who wants to know.
    fn refuse(&self, code: &str, why: &str) {
        for call in self.calls.iter().filter(|call| call.is_loud()) {
            call.to.fail(code, why);
        }
    }
}

impl Shared {
    /// Takes one datagram in. On the receiving thread.
    pub fn take(self: &Arc<Self>, datagram: &[u8], from: SocketAddr) {
        self.reporter.stats.add(Count::Received);
        match decode(datagram) {
            Ok(groups) => groups.into_iter().for_each(|group| self.take_group(group, from)),
            Err(malformed) => {
                self.reporter.stats.add(Count::Malformed);
                ReplyTo::new(&self.reporter, from, "", None).fail("parse", &malformed.to_string());
            }
        }
    }

    fn take_group(self: &Arc<Self>, group: Group, from: SocketAddr) {
        let mut batch = Batch { from, when: group.when, calls: Vec::new() };
        let mut faults: Vec<(ReplyTo, Fault)> = Vec::new();
        for message in group.messages {
            if table::is_answer(&message.addr) {
                self.reporter.stats.add(Count::Malformed);
                continue;
            }
            let Some((to, message)) = self.unwrap(message, from) else { continue };
            match message.and_then(|message| table::read(&message)) {
                Ok(Action::Slow(_)) if batch.is_timed() => faults.push((to, untimed())),
                Ok(action) => batch.calls.push(Call { to, action }),
                Err(fault) => faults.push((to, fault)),
            }
        }
        if let Some((to, Fault { code, .. })) = faults.first() {
            batch.refuse(code, &not_done(to.address()));
            faults.iter().for_each(|(to, fault)| to.fail(fault.code, &fault.message));
            return;
        }
        if batch.calls.is_empty() {
            return;
        }
        // SYNC order: `leave` comes after the slow thread's submissions, under the same lock.
        let is_behind = lock(&self.behind).contains_key(&from);
        if is_behind || batch.is_slow() { self.put_off(batch) } else { self.carry_out(batch, false) }
    }

    /// Takes `/req i:token` off, if it is there. `None` if that token was seen before: then its answer is all there is.
    fn unwrap(&self, mut message: OscMessage, from: SocketAddr) -> Option<(ReplyTo, Result<OscMessage, Fault>)> {
        if message.addr != REQUEST {
            return Some((ReplyTo::new(&self.reporter, from, &message.addr, None), Ok(message)));
        }
        let head = match &message.args[..] {
            [token, OscType::String(address), ..] => whole(token).map(|token| (token, address.clone())),
            _ => None,
        };
        let Some((token, addr)) = head else {
            let fault = Fault { code: "parse", message: format!("{REQUEST} wants i:token s:address args...") };
            return Some((ReplyTo::new(&self.reporter, from, REQUEST, None), Err(fault)));
        };
        match self.reporter.begin(from, token) {
            Known::New => {}
            Known::UnderWay => return None,
            Known::Answered(datagrams) => {
                self.reporter.repeat(from, datagrams);
                return None;
            }
        }
        let to = ReplyTo::new(&self.reporter, from, &addr, Some(token));
        Some((to, Ok(OscMessage { addr, args: message.args.split_off(2) })))
    }

    /// Leaves a batch to the slow thread.
    fn put_off(&self, batch: Batch) {
        let from = batch.from;
        *lock(&self.behind).entry(from).or_default() += 1;
        if let Err(error) = self.slow.try_send(batch) {
            self.leave(from);
            self.refuse_all(&error.into_inner(), &Refusal::Busy);
        }
    }

    /// One batch of a sender is off the slow thread.
    pub fn leave(&self, from: SocketAddr) {
        let mut behind = lock(&self.behind);
        if let Some(count) = behind.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                behind.remove(&from);
            }
        }
    }

    /// Tells the first, and all who want to know.
    fn refuse_all(&self, batch: &Batch, refusal: &Refusal) {
        for (index, call) in batch.calls.iter().enumerate() {
            if index == 0 || call.is_loud() {
                call.to.refuse(refusal);
            }
        }
    }

    /// Submits a batch: its commands as one request, then the rest. `may_wait` on the slow thread only.
    pub fn carry_out(self: &Arc<Self>, batch: Batch, may_wait: bool) {
        let Some(batch) = self.resolve(batch).and_then(|batch| self.with_sounds(batch)) else { return };
        let (from, when, is_timed) = (batch.from, batch.when, batch.is_timed());
        let (mut commands, mut parts, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for call in batch.calls {
            let is_loud = call.is_loud();
            let Call { to, action } = call;
            match action {
                Action::Commands { commands: more, confirm } => {
                    let start = commands.len();
                    commands.extend(more);
                    parts.push(Part { to, confirm, is_loud, range: start..commands.len() });
                }
                action => rest.push(Call { to, action }),
            }
        }
        if commands.is_empty() {
            parts.iter().for_each(|part| part.confirm(&[]));
            rest.into_iter().for_each(|call| self.act(call));
            return;
        }
        let parts = Arc::new(Parts { parts, others: rest.iter().map(|call| call.to.clone()).collect() });
        let request = Request { commands, when, origin: origin(from) };
        let (effect, in_effect) = bounded(1);
        // Later than now, the callback goes on with the rest; now, the slow thread does, which may wait.
        let mut timed_rest = if is_timed { std::mem::take(&mut rest) } else { Vec::new() };
        let reply = {
            let (parts, shared) = (Arc::clone(&parts), (!timed_rest.is_empty()).then(|| Arc::clone(self)));
            Box::new(move |outcome: Result<Applied, Refusal>| {
                parts.settle(&outcome, is_timed);
                if let (Some(shared), true) = (shared, outcome.is_ok()) {
                    timed_rest.drain(..).for_each(|call| shared.act(call));
                }
                // Nobody waits for a request without a rest.
                let _ = effect.try_send(outcome.is_ok());
            })
        };
        if let Err(refusal) = self.handle.submit(request, reply) {
            parts.settle(&Err(refusal), is_timed);
        } else if may_wait && !rest.is_empty() && self.wait(&in_effect) == Some(true) {
            rest.into_iter().for_each(|call| self.act(call));
        }
    }

    /// Puts commands in the place of patterns; refuses the batch if one matches nothing. On the slow thread, if at all.
    fn resolve(&self, mut batch: Batch) -> Option<Batch> {
        let mut modules: Option<Vec<ModuleInfo>> = None;
        for index in 0..batch.calls.len() {
            let Action::Matching(matching) = &batch.calls[index].action else { continue };
            let known = match modules.take() {
                Some(known) => known,
                None => match self.modules() {
                    Ok(known) => known,
                    Err(refusal) => {
                        self.refuse_all(&batch, &refusal);
                        return None;
                    }
                },
            };
            match matching.resolve(&known) {
                Ok(commands) => batch.calls[index].action = Action::Commands { commands, confirm: None },
                Err(fault) => {
                    let to = batch.calls[index].to.clone();
                    to.fail(fault.code, &fault.message);
                    batch.refuse(fault.code, &not_done(to.address()));
                    return None;
                }
            }
            modules = Some(known);
        }
        Some(batch)
    }

    /// Puts the paths of sound files in the place of their names; refuses the batch if one leads out of the session's folder. On the
    /// slow thread, if at all: see [`Batch::is_slow`].
    fn with_sounds(&self, mut batch: Batch) -> Option<Batch> {
        for index in 0..batch.calls.len() {
            let Call { to, action: Action::Commands { commands, .. } } = &mut batch.calls[index] else { continue };
            for path in commands.iter_mut().flat_map(sounds) {
                match inside(&self.files, &path.to_string_lossy()) {
                    Ok(real) => *path = real,
                    Err(failure) => {
                        let to = to.clone();
                        to.fail(failure.code, &failure.message);
                        batch.refuse(failure.code, &not_done(to.address()));
                        return None;
                    }
                }
            }
        }
        Some(batch)
    }

    /// Waits for an answer of the session; `None` if it will not come or the server stops. On the slow thread only.
    pub fn wait<T>(&self, answer: &Receiver<T>) -> Option<T> {
        select! {
            recv(answer) -> answer => answer.ok(),
            recv(self.stopped) -> _ => None,
        }
    }
}

/// The sound files that a command names.
fn sounds(command: &mut Command) -> Vec<&mut PathBuf> {
    let values: Vec<&mut Value> = match command {
        Command::Create { params, .. } => params.iter_mut().map(|(_, value)| value).collect(),
        Command::Set { value, .. } => vec![value],
        _ => Vec::new(),
    };
    values.into_iter().filter_map(|value| if let Value::File(path) = value { Some(path) } else { None }).collect()
}

fn names_sound(command: &Command) -> bool {
    match command {
        Command::Create { params, .. } => params.iter().any(|(_, value)| matches!(value, Value::File(_))),
        Command::Set { value, .. } => matches!(value, Value::File(_)),
        _ => false,
    }
}

/// What one message has in a request.
struct Part {
    to: ReplyTo,
    confirm: Option<Confirm>,
    is_loud: bool,
    range: Range<usize>,
}

impl Part {
    fn confirm(&self, outcomes: &[Outcome]) {
        match self.confirm {
            Some(confirm) => self.to.done(confirm(outcomes)),
            None => self.to.silent(),
        }
    }
}

/// All messages of a request, and those that depend on it.
struct Parts {
    parts: Vec<Part>,
    others: Vec<ReplyTo>,
}

impl Parts {
    /// Answers all of them.
    fn settle(&self, outcome: &Result<Applied, Refusal>, is_timed: bool) {
        match outcome {
            Ok(applied) => {
                if let Some(part) = self.parts.first().filter(|_| is_timed && applied.late_s > 0.0) {
                    part.to.late(applied.late_s);
                }
                for part in &self.parts {
                    part.confirm(applied.outcomes.get(part.range.clone()).unwrap_or(&[]));
                }
            }
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// The message at fault hears why; of the others those that expect an answer hear that they were not done.
    fn refuse(&self, refusal: &Refusal) {
        let at = match refusal {
            Refusal::Rejected { index, .. } => self.parts.iter().position(|part| part.range.contains(index)),
            _ => None,
        };
        let Some(culprit) = self.parts.get(at.unwrap_or(0)) else { return };
        match refusal {
            // The player knows the commands of this message, not those of the whole bundle.
            Refusal::Rejected { index, error } => {
                let index = index.saturating_sub(culprit.range.start);
                culprit.to.refuse(&Refusal::Rejected { index, error: error.clone() });
            }
            refusal => culprit.to.refuse(refusal),
        }
        let why = not_done(culprit.to.address());
        let loud = self.parts.iter().filter(|part| part.is_loud).map(|part| &part.to);
        loud.chain(&self.others).for_each(|to| to.fail(refusal.code(), &why));
    }
}

fn not_done(culprit: &str) -> String {
    format!("not done: {} of the same bundle was refused", table::shorten(culprit))
}

fn untimed() -> Fault {
    let message = "files and lines are not timed: send this outside of the bundle, or with timetag 1".to_owned();
    Fault { code: "unsupported", message }
}
