//! What may take its time: files, lines, address patterns. One thread with a bounded queue, so that receiving goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam::channel::{Receiver, bounded, select_biased};

use super::action::{Action, Render, Slow};
use super::dispatch::{Batch, Call, Shared};
use super::files::inside;
use super::notify::Change;
use super::reply::{ReplyTo, lock, origin};
use super::rows::{self, row, string};
use crate::answer::{Answer, ModuleInfo};
use crate::command::{Control, Query};
use crate::error::Refusal;
use crate::handle::Reply;
use crate::interpreter::Failure;

/// Batches that may wait for the slow thread; more are refused as busy.
pub(super) const SLOW_MAX: usize = 256;

/// The slow thread, until the server stops.
pub(super) fn run(shared: &Arc<Shared>, batches: &Receiver<Batch>) {
    loop {
        select_biased! {
            recv(shared.stopped) -> _ => return,
            recv(batches) -> batch => {
                let Ok(batch) = batch else { return };
                let from = batch.from;
                shared.carry_out(batch, true);
                shared.leave(from);
            }
        }
    }
}

impl Shared {
    /// Does what is not a command. Blocks only for [`Action::Slow`], which reaches the slow thread alone.
    pub fn act(self: &Arc<Self>, Call { to, action }: Call) {
        match action {
            Action::Query(query, render) => self.ask(to, query, render),
            Action::Status => self.status(to),
            Action::Kinds(glob) => to.answer(rows::kinds(&self.catalogue, glob.as_ref())),
            Action::Version => to.answer(rows::version()),
            Action::Control(control) => self.control(to, control, |to| to.done(Vec::new())),
            Action::RecordStop => {
                let recording = Arc::clone(&self.recording);
                self.control(to, Control::RecordStop, move |to| {
                    to.done(vec![string(&std::mem::take(&mut *lock(&recording)))]);
                });
            }
            Action::Sync(number) => {
                self.control(to, Control::Sync, move |to| to.answer(vec![row("/synced", vec![rows::int(number)])]));
            }
            Action::Notify { on, target } => self.notify(to, on, target),
            Action::Slow(slow) => self.slow(&to, slow),
            Action::Commands { .. } | Action::Matching(_) => to.silent(),
        }
    }

    fn ask(&self, to: ReplyTo, query: Query, render: Render) {
        let reply: Reply<Answer> = {
            let to = to.clone();
            Box::new(move |answer| match answer.and_then(render) {
                Ok(messages) => to.answer(messages),
                Err(refusal) => to.refuse(&refusal),
            })
        };
        if let Err(refusal) = self.handle.submit_query(query, reply) {
            to.refuse(&refusal);
        }
    }

    /// Two looks, one after the other; the second is asked for on the session's thread, without waiting.
    fn status(self: &Arc<Self>, to: ReplyTo) {
        let shared = Arc::clone(self);
        let again = to.clone();
        let first: Reply<Answer> = Box::new(move |pool| match pool {
            Err(refusal) => again.refuse(&refusal),
            Ok(pool) => {
                let kinds = shared.catalogue.len();
                shared.ask(again, Query::Stats, Box::new(move |stats| Ok(rows::status(kinds, &pool, &stats))));
            }
        });
        if let Err(refusal) = self.handle.submit_query(Query::Pool, first) {
            to.refuse(&refusal);
        }
    }

    fn control(&self, to: ReplyTo, control: Control, done: impl FnOnce(&ReplyTo) + Send + 'static) {
        let reply: Reply<()> = {
            let to = to.clone();
            Box::new(move |outcome| match outcome {
                Ok(()) => done(&to),
                Err(refusal) => to.refuse(&refusal),
            })
        };
        if let Err(refusal) = self.handle.submit_control(control, reply) {
            to.refuse(&refusal);
        }
    }

    fn notify(&self, to: ReplyTo, on: bool, target: Option<std::net::SocketAddr>) {
        let target = target.unwrap_or(to.from());
        let ip = target.ip();
        let is_host = !ip.is_multicast() && !ip.is_unspecified() && ip != std::net::Ipv4Addr::BROADCAST;
        let is_near = ip.is_loopback() || !self.bound.ip().is_loopback();
        if !is_host || !is_near || target.is_ipv4() != self.bound.is_ipv4() {
            to.fail("range", &format!("{ip} is not an address of one host that {} reaches", self.bound.ip()));
            return;
        }
        // Subscribed here, in order with the sender's other messages.
        let notices = match on.then(|| self.handle.subscribe(origin(to.from()))).transpose() {
            Ok(notices) => notices,
            Err(refusal) => return to.refuse(&refusal),
        };
        if let Err(error) = self.changes.try_send(Change { to, target, notices }) {
            error.into_inner().to.refuse(&Refusal::Busy);
        }
    }

    fn slow(&self, to: &ReplyTo, slow: Slow) {
        // A panic in the interpreter must not take this thread, and so all files, with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.interpret(to, slow)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => to.report(&failure),
            Err(_) => to.fail("io", "this failed within the engine; nothing is known of its effect"),
        }
    }

    fn interpret(&self, to: &ReplyTo, slow: Slow) -> Result<(), Failure> {
        let (interpreter, handle, origin) = (&self.reporter.interpreter, &self.handle, origin(to.from()));
        match slow {
            Slow::Save(path) => interpreter.save(&inside(&self.files, &path)?, handle)?,
            Slow::Load(path) => interpreter.load(&inside(&self.files, &path)?, handle, origin)?,
            Slow::Run(path) => interpreter.run(&inside(&self.files, &path)?, handle, origin)?,
            Slow::Eval(line) => {
                let answer = interpreter.eval(&line, &self.files, handle, origin)?;
                to.done(vec![string(&answer)]);
            }
            Slow::RecordStart(path) => {
                let full = inside(&self.files, &path)?;
                let recording = Arc::clone(&self.recording);
                self.control(to.clone(), Control::RecordStart(full), move |to| {
                    lock(&recording).clone_from(&path);
                    to.done(vec![string(&path)]);
                });
                return Ok(());
            }
        }
        // The first answer counts: after /eval this says nothing more.
        to.done(Vec::new());
        Ok(())
    }

    /// All modules, for patterns.
    pub fn modules(&self) -> Result<Vec<ModuleInfo>, Refusal> {
        let (sender, receiver) = bounded(1);
        let reply: Reply<Answer> = Box::new(move |answer| {
            // The slow thread may have stopped waiting.
            let _ = sender.try_send(answer);
        });
        self.handle.submit_query(Query::List(None), reply)?;
        match self.wait(&receiver) {
            Some(Ok(Answer::Modules(modules))) => Ok(modules),
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(_)) | None => Err(Refusal::Closed),
        }
    }
}
