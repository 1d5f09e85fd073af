//! The session's end of its journal: hands over what happened, and the answers that wait until it is on disk.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::figures::Shared;
use super::form::State;
use super::generation::Generations;
use super::record::{Change, can_be_written};
use super::store::Store;
use super::writer::{Event, Message, Writer};
use crate::answer::Stat;
use crate::bell::Bell;
use crate::command::Command;
use crate::error::Refusal;
use crate::handle::Reply;
use crate::history::differs;
use crate::model::Model;

/// Requests that may wait for their answer; more are refused as busy.
const UNANSWERED_MAX: usize = 4096;

/// Two messages for each of these, and a few for snapshots and the end: the channel is never full.
const MESSAGES_MAX: usize = 2 * UNANSWERED_MAX + 8;

/// Events that the session may leave unread.
const EVENTS_MAX: usize = 64;

/// A session on disk, or none at all, which costs nothing. Lives on the session's thread.
#[derive(Default)]
pub(crate) struct Journal(Option<Link>);

/// To the journal's thread, and back.
struct Link {
    messages: Sender<Message>,
    events: Receiver<Event>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Journal {
    /// Starts the thread. Nothing is written before [`Journal::begin`].
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(store: impl Store, generations: Generations, bell: Arc<Bell>) -> io::Result<Journal> {
        let (messages, told) = bounded(MESSAGES_MAX);
        let (tell, events) = bounded(EVENTS_MAX);
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(store, generations, Arc::clone(&shared), tell, bell);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || writer.run(&told))?;
        Ok(Journal(Some(Link { messages, events, shared, thread })))
    }

    /// The patch as it is before the first frame. From now on changes are kept.
    pub fn begin(&self, state: &State) {
        self.snapshot(state);
    }

    /// Whether one more request can be accepted.
    pub fn has_room(&self) -> bool {
        self.0.as_ref().is_none_or(|link| link.shared.unanswered.load(Ordering::Acquire) < UNANSWERED_MAX)
    }

    /// A request was accepted, and led from the patch `before` to the one that it is `now`, each with its next slot. To be followed by
    /// its [`Journal::answer`].
    pub fn accept(&self, before: (&Model, u32), commands: Vec<Command>, now: (&Model, u32)) {
        let Some(link) = &self.0 else { return };
        link.shared.unanswered.fetch_add(1, Ordering::Relaxed);
        if let Some(message) = message(before, commands, now) {
            link.send(message);
        }
    }

    /// Answers an accepted request, once it and all before it are on disk.
    pub fn answer<T: Send + 'static>(&self, reply: Reply<T>, outcome: T) {
        match &self.0 {
            None => reply(Ok(outcome)),
            Some(link) => link.send(Message::Answer(Box::new(move || reply(Ok(outcome))))),
        }
    }

    /// The same for one that was not accepted before: who waits for those that were.
    pub fn answer_after_all(&self, reply: Reply<()>) {
        if !self.has_room() {
            return reply(Err(Refusal::Busy));
        }
        if let Some(link) = &self.0 {
            link.shared.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        self.answer(reply, ());
    }

    /// Whether the thread wants the patch as it stands. Asked once, it is to be given.
    pub fn wants_snapshot(&self) -> bool {
        self.0.as_ref().is_some_and(|link| link.shared.wants_snapshot.swap(false, Ordering::AcqRel))
    }

    /// The patch as it stands.
    pub fn snapshot(&self, state: &State) {
        if let Some(link) = &self.0 {
            link.send(Message::Snapshot(state.clone()));
        }
    }

    /// What happened to the disk.
    pub fn event(&self) -> Option<Event> {
        self.0.as_ref().and_then(|link| link.events.try_recv().ok())
    }

    /// Has the patch on disk as it is at the end, and ends.
    pub fn end(&mut self, state: &State) {
        if let Some(link) = self.0.take() {
            link.send(Message::End(state.clone()));
            if link.thread.join().is_err() {
                tracing::error!("the journal's thread ended too early");
            }
        }
    }

    /// Figures for `stats`.
    pub fn figures(&self) -> Vec<Stat> {
        self.0.as_ref().map(|link| link.shared.figures()).unwrap_or_default()
    }
}

impl Link {
    /// There is room for every message (see [`MESSAGES_MAX`]); a thread that is gone is an error of the disk, and answers go on.
    fn send(&self, message: Message) {
        if let Err(error) = self.messages.try_send(message) {
            self.shared.errors.fetch_add(1, Ordering::Relaxed);
            if let Message::Answer(answer) = error.into_inner() {
                self.shared.unanswered.fetch_sub(1, Ordering::Relaxed);
                answer();
            }
        }
    }
}

/// What the thread is told of a request; `None` if the patch is the same as before.
pub(super) fn message(
    (before, first_slot): (&Model, u32),
    commands: Vec<Command>,
    (model, next_slot): (&Model, u32),
) -> Option<Message> {
    if first_slot == next_slot && !differs(before, model) {
        return None;
    }
    let is_step = |command: &Command| matches!(command, Command::Undo(_) | Command::Redo(_));
    Some(if commands.iter().any(is_step) || !can_be_written(&commands) {
        Message::Patch(State { model: model.clone(), next_slot })
    } else {
        // New ones are the last in order of creation.
        let new = model.modules().iter().rev().take_while(|module| module.slot.0 >= first_slot);
        let lanes = new.map(|module| (module.slot.0, module.lane.0)).collect();
        Message::Change(Change::Request { commands, lanes })
    })
}
