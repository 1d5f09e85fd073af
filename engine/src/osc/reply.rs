//! The way back: answers are encoded, remembered for `/req`, and queued for the sending thread. Never blocks.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crossbeam::channel::Sender;
use rosc::{OscMessage, OscPacket, OscType};

use super::rows::{row, string};
use super::stats::{Count, OscStats};
use super::tokens::{Datagrams, Known, Tokens};
use crate::command::Origin;
use crate::error::Refusal;
use crate::interpreter::{Failure, Interpreter};

/// Datagrams that may wait to be sent; more are lost and counted. About 1 MB of ordinary answers.
pub(super) const OUTBOX_MAX: usize = 8192;

/// Longest string in an answer, in bytes, so that the datagram fits UDP.
const TEXT_MAX: usize = 48_000;

/// A datagram and where it goes.
pub(super) type Parcel = (SocketAddr, Arc<[u8]>);

/// What every answer needs.
pub(super) struct Reporter {
    pub outbox: Sender<Parcel>,
    pub stats: Arc<OscStats>,
    pub interpreter: Arc<dyn Interpreter>,
    pub tokens: Mutex<Tokens>,
}

impl Reporter {
    /// Sends one message.
    pub fn send(&self, to: SocketAddr, message: OscMessage) {
        if let Some(datagram) = self.encode(message) {
            self.post(to, datagram);
        }
    }

    /// What is known of a token; a new one is under way from now on.
    pub fn begin(&self, from: SocketAddr, token: i32) -> Known {
        lock(&self.tokens).begin((from, token), Instant::now())
    }

    /// Sends an answer again.
    pub fn repeat(&self, to: SocketAddr, datagrams: Datagrams) {
        for datagram in datagrams {
            self.post(to, datagram);
        }
    }

    fn post(&self, to: SocketAddr, datagram: Arc<[u8]>) {
        if self.outbox.try_send((to, datagram)).is_err() {
            self.stats.add(Count::RepliesLost);
        }
    }

    fn encode(&self, mut message: OscMessage) -> Option<Arc<[u8]>> {
        for arg in &mut message.args {
            if let OscType::String(text) = arg {
                tidy(text);
            }
        }
        let bytes = rosc::encoder::encode(&OscPacket::Message(message));
        if bytes.is_err() {
            self.stats.add(Count::RepliesLost);
        }
        bytes.ok().map(Arc::from)
    }
}

/// Cuts what UDP cannot carry, and the zeros that would end an OSC string.
fn tidy(text: &mut String) {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        text.push_str("...");
    }
    if text.contains('\0') {
        *text = text.replace('\0', " ");
    }
}

/// Where the answer to one message goes. Clones answer the same message; the first answer counts.
#[derive(Clone)]
pub(super) struct ReplyTo(Arc<Question>);

struct Question {
    reporter: Arc<Reporter>,
    from: SocketAddr,
    address: String,
    token: Option<i32>,
    is_answered: AtomicBool,
}

impl ReplyTo {
    pub fn new(reporter: &Arc<Reporter>, from: SocketAddr, address: &str, token: Option<i32>) -> ReplyTo {
        let (reporter, address) = (Arc::clone(reporter), address.to_owned());
        ReplyTo(Arc::new(Question { reporter, from, address, token, is_answered: AtomicBool::new(false) }))
    }

    /// Who asked.
    pub fn from(&self) -> SocketAddr {
        self.0.from
    }

    /// What was asked.
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// Whether the asker wants an answer even of what succeeds in silence.
    pub fn has_token(&self) -> bool {
        self.0.token.is_some()
    }

    /// `/done s:address ...`.
    pub fn done(&self, args: Vec<OscType>) {
        let mut all = vec![string(self.address())];
        all.extend(args);
        self.answer(vec![row("/done", all)]);
    }

    /// Success that is not spoken of, except to one who sent a token.
    pub fn silent(&self) {
        if self.has_token() { self.done(Vec::new()) } else { self.answer(Vec::new()) }
    }

    /// `/fail s:address s:message s:code`.
    pub fn fail(&self, code: &str, message: &str) {
        self.answer(vec![row("/fail", vec![string(self.address()), string(message), string(code)])]);
    }

    /// The session's refusal in the player's words.
    pub fn refuse(&self, refusal: &Refusal) {
        if *refusal == Refusal::Busy {
            self.0.reporter.stats.add(Count::RefusedBusy);
        }
        self.fail(refusal.code(), &self.0.reporter.interpreter.explain(refusal));
    }

    /// The interpreter's refusal.
    pub fn report(&self, failure: &Failure) {
        self.fail(failure.code, &failure.message);
    }

    /// `/late f:seconds`, beside the answer.
    pub fn late(&self, seconds: f64) {
        self.0.reporter.send(self.from(), row("/late", vec![OscType::Float(seconds as f32)]));
    }

    /// Sends the rows of an answer, with the token last.
    pub fn answer(&self, messages: Vec<OscMessage>) {
        let Question { reporter, from, token, is_answered, .. } = &*self.0;
        if is_answered.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut datagrams = Datagrams::with_capacity(messages.len());
        for mut message in messages {
            message.args.extend(token.map(OscType::Int));
            datagrams.extend(reporter.encode(message));
        }
        if let Some(token) = *token {
            lock(&reporter.tokens).finish((*from, token), datagrams.clone(), Instant::now());
        }
        reporter.repeat(*from, datagrams);
    }
}

/// A question that nobody will answer any more (its request was forgotten) may be asked again.
impl Drop for Question {
    fn drop(&mut self) {
        if let Some(token) = self.token.filter(|_| !*self.is_answered.get_mut()) {
            lock(&self.reporter.tokens).forget((self.from, token));
        }
    }
}

/// A sender as the session knows it: the top bit, then the address itself, so that no table is needed.
pub(super) fn origin(from: SocketAddr) -> Origin {
    const NETWORK: u64 = 1 << 63;
    let bits = match from.ip() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(from.port()),
        IpAddr::V6(ip) => {
            // 128 bits and the port do not fit: folded, and spread by 2^64 over the golden ratio (Knuth, TAOCP 6.4).
            let ip = ip.to_bits();
            (ip as u64 ^ (ip >> 64) as u64 ^ u64::from(from.port()) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        }
    };
    Origin(NETWORK | bits)
}

/// What a thread that panicked left behind is as good as before: each change of these tables is complete.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_sender_is_an_origin_of_its_own() {
        let senders = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1", "[::1]:1", "[::1]:2", "[fe80::1]:1"];
        let origins: HashSet<Origin> = senders.map(|sender| origin(sender.parse().unwrap())).into();
        assert_eq!(origins.len(), senders.len());
        assert!(!origins.contains(&Origin(0)) && origins.iter().all(|origin| origin.0 >> 63 == 1));
    }

    #[test]
    fn texts_are_cut_to_what_udp_carries() {
        let mut text = "a\0".repeat(TEXT_MAX);
        tidy(&mut text);
        assert!(text.len() < TEXT_MAX + 4 && !text.contains('\0') && text.ends_with("..."));
    }
}
