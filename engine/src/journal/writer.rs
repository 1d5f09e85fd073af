//! The journal's thread: writes what it is told, has it on disk, and only then calls the answers that wait for it.
//!
//! All that waits is written together and costs one fdatasync. Nobody waits for this thread but those who are to be answered.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};

use super::figures::Shared;
use super::form::{PatchForm, State};
use super::generation::{Generations, Position, Sort};
use super::record::{Change, Header, Record, Snapshot, VERSION, push};
use super::store::{Log, Store};
use super::trouble::Trouble;
use crate::bell::Bell;

/// A journal of this many bytes is followed by a new snapshot, unless the snapshot would be longer. It is read within a second at most.
const JOURNAL_BYTES: u64 = 1 << 20;

/// What the thread is told, in order.
pub enum Message {
    /// Something happened to the patch.
    Change(Change),
    /// It became another one altogether.
    Patch(State),
    /// To be called when everything before is on disk, or cannot be brought there.
    Answer(Box<dyn FnOnce() + Send>),
    /// The patch as it stands: a new generation begins with it.
    Snapshot(State),
    /// The same, and that was all.
    End(State),
}

/// What the session is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What happens from now on is not kept.
    Lost(String),
    /// No new snapshot can be made. The journal goes on, and grows.
    Growing(String),
    /// All is well again, and everything that happened meanwhile is kept.
    Back,
}

/// The thread's own.
pub struct Writer<S: Store> {
    store: S,
    shared: Arc<Shared>,
    events: Sender<Event>,
    bell: Arc<Bell>,
    /// The newest generation that there is or was tried.
    generation: u64,
    /// The newest one whose snapshot is whole. It is kept beside the next one.
    good: Option<u64>,
    /// Where the files stand; `None` if they are not known to hold what happened.
    position: Option<Position>,
    /// The journal that is written. `None` before the first snapshot, and after an error.
    log: Option<S::Log>,
    /// Bytes of it, and at how many the next snapshot is due.
    length: u64,
    due_at: u64,
    /// What is to be written: lines, and how many.
    buffer: Vec<u8>,
    records: u64,
    /// Whether there was a first snapshot, or should have been.
    has_begun: bool,
    /// The session was asked for a snapshot.
    has_asked: bool,
    trouble: Option<Trouble>,
}

impl<S: Store> Writer<S> {
    /// A writer of the generations after those that were `found`.
    pub fn new(store: S, found: Generations, shared: Arc<Shared>, events: Sender<Event>, bell: Arc<Bell>) -> Writer<S> {
        Writer {
            store,
            shared,
            events,
            bell,
            generation: found.newest,
            good: found.good,
            position: found.position,
            log: None,
            length: 0,
            due_at: JOURNAL_BYTES,
            buffer: Vec::new(),
            records: 0,
            has_begun: false,
            has_asked: false,
            trouble: None,
        }
    }

    /// What the session sees too.
    #[cfg(test)]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Works until the end.
    pub fn run(mut self, messages: &Receiver<Message>) {
        loop {
            self.try_again();
            let first = match &self.trouble {
                Some(trouble) => messages.recv_deadline(trouble.again_at()),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let first = match first {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // What comes while these are written waits for the next time.
            let waiting = messages.len();
            if !self.work(std::iter::once(first).chain(messages.try_iter().take(waiting))) {
                return;
            }
        }
    }

    /// Does what it is told, with one write. False at the end.
    pub fn work(&mut self, messages: impl Iterator<Item = Message>) -> bool {
        let mut answers = Vec::new();
        let mut is_end = false;
        for message in messages {
            match message {
                Message::Change(change) => self.add(change),
                Message::Patch(state) => self.add(Change::Patch(PatchForm::of(&state))),
                Message::Answer(answer) => answers.push(answer),
                Message::Snapshot(state) => self.renew(&state),
                Message::End(state) => {
                    self.flush();
                    // If nothing came after the last snapshot it is the patch already.
                    if self.has_begun && self.position.is_none_or(|position| position.records > 0) {
                        self.renew(&state);
                    }
                    is_end = true;
                }
            }
        }
        self.flush();
        for answer in answers {
            answer();
            self.shared.unanswered.fetch_sub(1, Ordering::Release);
        }
        if self.trouble.is_none() && self.length > self.due_at && !self.has_asked {
            self.ask_for_snapshot();
        }
        !is_end
    }

    fn add(&mut self, change: Change) {
        let Some(position) = self.position.filter(|_| self.log.is_some()) else { return };
        let number = position.records + self.records + 1;
        let whole = self.buffer.len();
        match push(&mut self.buffer, &Record { number, change }) {
            Ok(()) => self.records += 1,
            Err(error) => {
                self.buffer.truncate(whole);
                self.flush();
                self.lose(&io::Error::other(error));
            }
        }
    }

    /// Has on disk what is to be written.
    fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if let (Some(log), Some(position)) = (&mut self.log, &mut self.position) {
            let begun = Instant::now();
            match log.add(&self.buffer) {
                Ok(()) => {
                    position.records += self.records;
                    self.length += self.buffer.len() as u64;
                    self.shared.record_sync(self.records, begun.elapsed());
                }
                Err(error) => self.lose(&error),
            }
        }
        self.buffer.clear();
        self.records = 0;
    }

    /// What was written to the journal last may be there or not: it is not written to any more.
    fn lose(&mut self, error: &io::Error) {
        (self.log, self.position) = (None, None);
        self.fail(error);
    }

    /// Begins a new generation with the patch as it stands.
    fn renew(&mut self, state: &State) {
        self.flush();
        (self.has_begun, self.has_asked) = (true, false);
        match self.begin_generation(state) {
            Ok(()) if self.trouble.take().is_some() => self.tell(Event::Back),
            Ok(()) => {}
            Err(error) => self.fail(&error),
        }
    }

    /// The journal before is written to until nothing else than the new one can be used, so that a failure loses nothing.
    fn begin_generation(&mut self, state: &State) -> io::Result<()> {
        self.store.prepare()?;
        self.generation += 1;
        let generation = self.generation;
        let (mut snapshot, mut header) = (Vec::new(), Vec::new());
        push(&mut snapshot, &Snapshot { version: VERSION, snapshot: generation, patch: PatchForm::of(state) })?;
        push(&mut header, &Header { version: VERSION, journal: generation, follows: self.position })?;
        let journal = Sort::Journal.name(generation);
        self.store.write(&journal, &header)?;
        if let Err(error) = self.store.write(&Sort::Snapshot.name(generation), &snapshot) {
            // Nobody will go on from it.
            let _ = self.store.remove(&journal);
            return Err(error);
        }
        // With this name the snapshot counts, and what the journal before would still be told does not.
        (self.log, self.position) = (None, None);
        self.store.sync()?;
        self.log = Some(self.store.append(&journal)?);
        self.position = Some(Position { journal: generation, records: 0 });
        self.length = 0;
        self.due_at = JOURNAL_BYTES.max(2 * snapshot.len() as u64);
        if let Some(good) = self.good.replace(generation) {
            self.remove_before(good);
        }
        Ok(())
    }

    /// The generation before is kept, should the newest snapshot be spoilt. Older ones are not.
    fn remove_before(&self, kept: u64) {
        for name in self.store.names().unwrap_or_default() {
            let generation = Sort::Snapshot.generation(&name).or_else(|| Sort::Journal.generation(&name));
            if generation.is_some_and(|generation| generation < kept)
                && let Err(error) = self.store.remove(&name)
            {
                tracing::debug!("{name} of the session is left: {error}");
            }
        }
    }

    /// Tells of an error once, until it is over, and has it tried again.
    fn fail(&mut self, error: &io::Error) {
        self.shared.errors.fetch_add(1, Ordering::Relaxed);
        let is_lost = self.log.is_none();
        if self.trouble.as_ref().is_none_or(|trouble| is_lost && !trouble.is_lost) {
            self.trouble = Some(Trouble::new(is_lost));
            let why = error.to_string();
            self.tell(if is_lost { Event::Lost(why) } else { Event::Growing(why) });
        }
    }

    /// Asks for another snapshot once the time has come.
    fn try_again(&mut self) {
        if self.trouble.as_mut().is_some_and(Trouble::is_due) {
            self.ask_for_snapshot();
        }
    }

    fn ask_for_snapshot(&mut self) {
        self.has_asked = true;
        self.shared.wants_snapshot.store(true, Ordering::Release);
        self.bell.ring();
    }

    fn tell(&self, event: Event) {
        // A session that is not there any more misses nothing.
        let _ = self.events.try_send(event);
        self.bell.ring();
    }
}
