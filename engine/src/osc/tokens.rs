//! Remembers the answers to `/req`, so that a repeated one is done once. Bounded: the oldest are forgotten.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tokens remembered, of all senders together.
pub(super) const TOKENS_MAX: usize = 1024;

/// Bytes of all remembered answers.
const BYTES_MAX: usize = 4 << 20;

/// How long an answer is remembered. A client that repeats over UDP gives up long before.
const AGE_MAX: Duration = Duration::from_secs(10);

/// A sender and its token.
pub(super) type Key = (SocketAddr, i32);

/// An answer, as it was sent.
pub(super) type Datagrams = Vec<Arc<[u8]>>;

/// What is known of a token.
#[derive(Debug, PartialEq)]
pub(super) enum Known {
    /// Nothing: do it.
    New,
    /// It is being done; the answer will come.
    UnderWay,
    /// It was done, and this was the answer.
    Answered(Datagrams),
}

#[derive(Debug)]
enum State {
    UnderWay,
    Answered { at: Instant, datagrams: Datagrams },
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    states: HashMap<Key, (u64, State)>,
    /// In order of arrival, with a serial that tells a forgotten token from the same one come again.
    order: VecDeque<(Key, u64)>,
    serial: u64,
    bytes: usize,
}

impl Tokens {
    /// Looks a token up; a new one is under way from now on.
    pub fn begin(&mut self, key: Key, now: Instant) -> Known {
        match self.states.get(&key) {
            Some((_, State::UnderWay)) => return Known::UnderWay,
            Some((_, State::Answered { at, datagrams })) if now.duration_since(*at) < AGE_MAX => {
                return Known::Answered(datagrams.clone());
            }
            _ => {}
        }
        self.forget(key);
        self.serial += 1;
        self.states.insert(key, (self.serial, State::UnderWay));
        self.order.push_back((key, self.serial));
        self.trim(now);
        Known::New
    }

    /// Notes the answer, unless the token was forgotten meanwhile.
    pub fn finish(&mut self, key: Key, datagrams: Datagrams, now: Instant) {
        if let Some((_, state @ State::UnderWay)) = self.states.get_mut(&key) {
            self.bytes += size(&datagrams);
            *state = State::Answered { at: now, datagrams };
            self.trim(now);
        }
    }

    /// The next one with this token is new.
    pub fn forget(&mut self, key: Key) {
        if let Some((_, State::Answered { datagrams, .. })) = self.states.remove(&key) {
            self.bytes -= size(&datagrams);
        }
    }

    fn trim(&mut self, now: Instant) {
        while let Some(&(key, serial)) = self.order.front() {
            let is_spent = match self.states.get(&key) {
                Some((current, _)) if *current != serial => true,
                Some((_, State::Answered { at, .. })) => now.duration_since(*at) >= AGE_MAX,
                Some((_, State::UnderWay)) => false,
                None => true,
            };
            if !is_spent && self.order.len() <= TOKENS_MAX && self.bytes <= BYTES_MAX {
                break;
            }
            self.order.pop_front();
            if self.states.get(&key).is_some_and(|(current, _)| *current == serial) {
                self.forget(key);
            }
        }
    }
}

fn size(datagrams: &Datagrams) -> usize {
    datagrams.iter().map(|datagram| datagram.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(token: i32) -> Key {
        ("127.0.0.1:9".parse().unwrap(), token)
    }

    #[test]
    fn a_token_is_new_once_then_under_way_then_answered_then_forgotten() {
        let (mut tokens, now) = (Tokens::default(), Instant::now());
        let answer: Datagrams = vec![Arc::from(&b"done"[..])];
        assert_eq!(tokens.begin(key(1), now), Known::New);
        assert_eq!(tokens.begin(key(1), now + AGE_MAX * 2), Known::UnderWay, "what is under way does not age");
        tokens.finish(key(1), answer.clone(), now);
        assert_eq!(tokens.begin(key(1), now), Known::Answered(answer));
        assert_eq!(tokens.begin(key(1), now + AGE_MAX), Known::New);
    }

    #[test]
    fn the_table_is_bounded_in_tokens_and_in_bytes() {
        let (mut tokens, now) = (Tokens::default(), Instant::now());
        for token in 0..3 * TOKENS_MAX as i32 {
            tokens.begin(key(token), now);
            assert!(tokens.states.len() <= TOKENS_MAX && tokens.order.len() <= TOKENS_MAX);
        }
        let big: Datagrams = vec![vec![0; BYTES_MAX / 2].into()];
        for token in 0..3 {
            tokens.begin(key(-1 - token), now);
            tokens.finish(key(-1 - token), big.clone(), now);
            assert!(tokens.bytes <= BYTES_MAX);
        }
        for token in 0..1 << 14 {
            tokens.begin(key(7), now);
            tokens.forget(key(7));
            assert!(tokens.order.len() <= TOKENS_MAX, "{token}");
        }
    }
}
