//! The session's bell: whoever looks at it before it looks for work sleeps only if nobody rang since.
//!
//! Mirrors `Bell` (engine/src/bell.rs) and the loop of `Session::run` (engine/src/session.rs).

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use tine_protocol::handshake::Count;

use crate::model::{Word, explore};

struct Session {
    rings: Word,
    /// Pieces of work, one from each of two who ring.
    inbox: [AtomicU64; 2],
}

impl Session {
    fn give(&self, from: usize) {
        self.inbox[from].store(1, Ordering::Release);
        self.rings.add();
        self.rings.wake();
    }

    /// Whether all work has come.
    fn is_done(&self) -> bool {
        self.inbox.iter().all(|work| work.load(Ordering::Acquire) == 1)
    }

    fn serve(&self) {
        loop {
            let rings = self.rings.load();
            if self.is_done() {
                return;
            }
            if self.rings.load() == rings {
                self.rings.wait(rings, None);
            }
        }
    }

    /// Looks at the bell only once it has looked for work.
    fn serve_late(&self) {
        while !self.is_done() {
            self.rings.wait(self.rings.load(), None);
        }
    }
}

fn play(serve: fn(&Session)) {
    explore(move || {
        let inbox = [AtomicU64::new(0), AtomicU64::new(0)];
        let session = Arc::new(Session { rings: Word::new(0), inbox });
        let threads = [0, 1].map(|from| {
            let session = Arc::clone(&session);
            thread::spawn(move || session.give(from))
        });
        serve(&session);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn no_ring_is_slept_through() {
    play(Session::serve);
}

#[test]
#[should_panic(expected = "deadlock")]
fn who_looks_at_the_bell_after_it_looked_for_work_sleeps_through_a_ring() {
    play(Session::serve_late);
}
