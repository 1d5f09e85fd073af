//! A module's commit, and a lane that hears it: whoever sleeps for a block is woken by its commit, and finds it whole.
//!
//! Mirrors `Executor::run_module` and `Executor::await_inputs` (worker/src/executor.rs); `tell` and `sleep_until` are the real ones.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use tine_protocol::handshake::{Count, Look, Machine, sleep_until, tell};

use crate::model::{Cells, Loom, Unfenced, Word, explore};

const BLOCKS: u64 = 2;

/// The name by which a lane says that it sleeps for the module.
const NAME: u64 = 7;

struct Lanes {
    count: Word,
    outputs: [Cells; BLOCKS as usize],
    /// `AWAITS` of each lane that hears the module.
    awaits: Vec<AtomicU64>,
}

impl Lanes {
    fn new(listeners: usize) -> Arc<Lanes> {
        let awaits = (0..listeners).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Lanes { count: Word::new(0), outputs: [Cells::new(), Cells::new()], awaits })
    }

    fn is_awaited(&self) -> bool {
        self.awaits.iter().any(|awaits| awaits.load(Ordering::Relaxed) == NAME)
    }

    fn commit<M: Machine>(&self, block: u64) {
        self.outputs[block as usize].write(10 + block);
        self.count.publish(block + 1);
        tell::<M>(|| self.is_awaited(), || self.count.wake());
    }

    fn hear<M: Machine>(&self, listener: usize, block: u64) {
        let needed = block + 1;
        if self.count.load() < needed {
            let say = |sleeps| self.awaits[listener].store(if sleeps { NAME } else { 0 }, Ordering::Release);
            sleep_until::<M, _>(&self.count, say, |seen| if seen >= needed { Look::Go(()) } else { Look::Sleep(None) });
        }
        assert_eq!(self.outputs[block as usize].read(), 10 + block, "heard another block");
    }
}

/// A lane computes, `listeners` hear it; each step is given.
fn play(listeners: usize, commit: fn(&Lanes, u64), hear: fn(&Lanes, usize, u64)) {
    explore(move || {
        let lanes = Lanes::new(listeners);
        let threads: Vec<_> = (0..listeners)
            .map(|listener| {
                let lanes = Arc::clone(&lanes);
                thread::spawn(move || (0..BLOCKS).for_each(|block| hear(&lanes, listener, block)))
            })
            .collect();
        (0..BLOCKS).for_each(|block| commit(&lanes, block));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn every_block_is_heard_whole() {
    play(1, Lanes::commit::<Loom>, Lanes::hear::<Loom>);
}

#[test]
fn every_block_is_heard_whole_by_two() {
    play(2, Lanes::commit::<Loom>, Lanes::hear::<Loom>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_fence_of_who_commits_a_wake_up_is_lost() {
    play(1, Lanes::commit::<Unfenced>, Lanes::hear::<Loom>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_the_fence_of_who_sleeps_a_wake_up_is_lost() {
    play(1, Lanes::commit::<Loom>, Lanes::hear::<Unfenced>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn who_looks_for_sleepers_before_it_commits_loses_a_wake_up() {
    let commit = |lanes: &Lanes, block: u64| {
        lanes.outputs[block as usize].write(10 + block);
        let is_awaited = lanes.is_awaited();
        lanes.count.publish(block + 1);
        tell::<Loom>(|| is_awaited, || lanes.count.wake());
    };
    play(1, commit, Lanes::hear::<Loom>);
}

#[test]
#[should_panic(expected = "block")]
fn a_block_that_is_committed_before_it_is_written_is_torn() {
    let commit = |lanes: &Lanes, block: u64| {
        lanes.count.publish(block + 1);
        lanes.outputs[block as usize].write(10 + block);
        tell::<Loom>(|| lanes.is_awaited(), || lanes.count.wake());
    };
    play(1, commit, Lanes::hear::<Loom>);
}
