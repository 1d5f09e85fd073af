//! The door to a session: REPL, OSC and scripts all come through here.

use std::sync::Arc;

use crossbeam::channel::{Receiver, Sender, TrySendError, bounded, select};

use crate::answer::{Answer, Applied, Notice};
use crate::bell::Bell;
use crate::command::{Control, Origin, Query, Request};
use crate::error::Refusal;

/// Requests that may wait for the session; one more is refused as busy.
pub const QUEUE_MAX: usize = 1024;

/// Notices that a listener may leave unread; more are dropped and counted.
pub const NOTICES_MAX: usize = 4096;

/// Called once with the outcome, on the session's thread or its journal's: it must not block.
pub type Reply<T> = Box<dyn FnOnce(Result<T, Refusal>) + Send>;

/// What reaches the session's thread.
pub enum Message {
    /// Change the patch.
    Request(Request, Reply<Applied>),
    /// Look at something.
    Query(Query, Reply<Answer>),
    /// Concerns the engine. The answer comes when it is done.
    Control(Control, Reply<()>),
    /// Tell this listener what happens, except what its own origin caused.
    Subscribe(Origin, Sender<Notice>),
}

/// A session's door; clones lead to the same session.
#[derive(Clone)]
pub struct Handle {
    sender: Sender<Message>,
    bell: Arc<Bell>,
    /// Never carries anything: it disconnects when the session is gone.
    alive: Receiver<()>,
}

/// What comes in through a session's door. While it lives, the session does.
pub struct Inbox {
    messages: Receiver<Message>,
    _alive: Sender<()>,
}

impl std::ops::Deref for Inbox {
    type Target = Receiver<Message>;

    fn deref(&self) -> &Receiver<Message> {
        &self.messages
    }
}

impl Handle {
    /// A door and what comes in through it.
    pub fn new() -> (Handle, Inbox) {
        Handle::with_bell(Arc::default())
    }

    /// The same, for a listener who sleeps until `bell` rings.
    pub(crate) fn with_bell(bell: Arc<Bell>) -> (Handle, Inbox) {
        let (sender, messages) = bounded(QUEUE_MAX);
        let (alive_sender, alive) = bounded(0);
        (Handle { sender, bell, alive }, Inbox { messages, _alive: alive_sender })
    }

    /// Hands in a request; `reply` gets the outcome once its first block has been computed, and a session on disk has it there.
    ///
    /// # Errors
    /// `Busy` when the queue is full, `Closed` when the session has ended; `reply` is then not called.
    pub fn submit(&self, request: Request, reply: Reply<Applied>) -> Result<(), Refusal> {
        self.send(Message::Request(request, reply))
    }

    /// Applies a request and waits until it sounds.
    ///
    /// # Errors
    /// As the session decides; nothing is changed then.
    pub fn apply(&self, request: Request) -> Result<Applied, Refusal> {
        self.ask(|reply| Message::Request(request, reply))
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// As the session decides.
    pub fn query(&self, query: Query) -> Result<Answer, Refusal> {
        self.ask(|reply| Message::Query(query, reply))
    }

    /// Asks; `reply` gets the answer.
    ///
    /// # Errors
    /// `Busy` or `Closed`; `reply` is then not called.
    pub fn submit_query(&self, query: Query, reply: Reply<Answer>) -> Result<(), Refusal> {
        self.send(Message::Query(query, reply))
    }

    /// Does something that concerns the engine and waits until it is done.
    ///
    /// # Errors
    /// As the session decides.
    pub fn control(&self, control: Control) -> Result<(), Refusal> {
        self.ask(|reply| Message::Control(control, reply))
    }

    /// Does something that concerns the engine; `reply` is told when it is done.
    ///
    /// # Errors
    /// `Busy` or `Closed`; `reply` is then not called.
    pub fn submit_control(&self, control: Control, reply: Reply<()>) -> Result<(), Refusal> {
        self.send(Message::Control(control, reply))
    }

    /// Notices from now on, except of what `origin` itself caused.
    ///
    /// # Errors
    /// `Busy` or `Closed`.
    pub fn subscribe(&self, origin: Origin) -> Result<Receiver<Notice>, Refusal> {
        let (sender, receiver) = bounded(NOTICES_MAX);
        self.send(Message::Subscribe(origin, sender))?;
        Ok(receiver)
    }

    fn ask<T: Send + 'static>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Refusal> {
        let (sender, receiver) = bounded(1);
        self.send(message(Box::new(move |outcome| {
            // The asker may have gone; then nobody misses the answer.
            let _ = sender.send(outcome);
        })))?;
        // A message that the session left unread when it ended stays in the channel while any door is open, and its reply with it.
        select! {
            recv(receiver) -> outcome => outcome.unwrap_or(Err(Refusal::Closed)),
            recv(self.alive) -> _ => receiver.try_recv().unwrap_or(Err(Refusal::Closed)),
        }
    }

    fn send(&self, message: Message) -> Result<(), Refusal> {
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Busy,
            TrySendError::Disconnected(_) => Refusal::Closed,
        })?;
        self.bell.ring();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Control;

    #[test]
    fn who_asks_a_session_that_ends_meanwhile_is_told_so() {
        let (handle, inbox) = Handle::new();
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| handle.control(Control::Sync));
            while inbox.is_empty() {
                std::thread::yield_now();
            }
            drop(inbox);
            assert_eq!(asker.join().unwrap(), Err(Refusal::Closed));
        });
        assert_eq!(handle.control(Control::Sync), Err(Refusal::Closed));
    }
}
