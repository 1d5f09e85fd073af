//! A follower makes the head of a lane its own while the supervisor looks: what its predecessor left is never taken for its word.
//!
//! Mirrors `execute` (worker/src/seat.rs) and `Seen::progress` (engine/src/pool/progress.rs); `announce` and `done_of` are the real ones.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use tine_protocol::handshake::{Count, announce, done_of};

use crate::model::{Word, explore};

/// What a worker that lied has left.
const LIE: u64 = 99;

struct Head {
    done: Word,
    generation: AtomicU32,
}

fn play(attach: fn(&Head)) {
    explore(move || {
        let head = Arc::new(Head { done: Word::new(LIE), generation: AtomicU32::new(1) });
        let follower = {
            let head = Arc::clone(&head);
            thread::spawn(move || attach(&head))
        };
        for _ in 0..2 {
            let done = done_of(2, || head.generation.load(Ordering::Acquire), || head.done.load());
            assert_ne!(done, Some(LIE), "taken at its predecessor's word");
        }
        follower.join().unwrap();
    });
}

#[test]
fn nobody_is_taken_at_its_predecessors_word() {
    play(|head| announce(|| head.done.publish(4), || head.generation.store(2, Ordering::Release)));
}

#[test]
#[should_panic(expected = "predecessor")]
fn a_generation_that_comes_before_the_count_vouches_for_a_lie() {
    play(|head| announce(|| head.generation.store(2, Ordering::Release), || head.done.publish(4)));
}

#[test]
#[should_panic(expected = "predecessor")]
fn a_generation_that_is_stored_without_release_vouches_for_a_lie() {
    play(|head| announce(|| head.done.publish(4), || head.generation.store(2, Ordering::Relaxed)));
}
