//! A worker dies at any step of its work, and a follower goes on, while another lane and the conductor sleep for the block: neither loses it,
//! none is computed from the wrong state, and nobody sleeps on.
//!
//! Mirrors `Executor::run_module` and `run_block` (worker/src/executor.rs) and `execute` (worker/src/seat.rs); `first_block`,
//! `is_committed`, `announce`, `done_of`, `tell` and `sleep_until` are the real ones. The fence is the join: the kernel tells of a death
//! when the process has ended with all its mappings.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use loom::thread;
use tine_protocol::handshake::{Count, Look, announce, done_of, first_block, is_committed, sleep_until, tell};

use crate::model::{Cells, Loom, Word, explore};

/// So many blocks are asked for.
const BLOCKS: u64 = 2;

/// Steps of a block at which a worker can die: before it writes; between state and outputs; before the commit; before it tells of it; before
/// the lane's own count; before it tells of that.
const STEPS: usize = 6;

#[derive(Clone, Copy, PartialEq)]
enum Follower {
    Real,
    /// Wakes nobody for what is committed already.
    Silent,
    /// Takes what its predecessor committed for not done.
    Forgetful,
}

struct Lane {
    banks: [Cells; 2],
    outputs: [Cells; BLOCKS as usize],
    count: Word,
    done: Word,
    generation: AtomicU32,
    /// The other lane sleeps for the module.
    awaits: AtomicU64,
    /// The conductor sleeps for the lane.
    awaited: AtomicU64,
    /// Times that each block was committed.
    commits: [AtomicU64; BLOCKS as usize],
}

/// The state after a block, from the one before: not the same if it is computed twice.
fn next_state(state: u64) -> u64 {
    3 * state + 1
}

/// The sound of a block.
fn sound(block: u64) -> u64 {
    (0..=block).fold(0, |state, _| next_state(state))
}

impl Lane {
    fn new() -> Lane {
        Lane {
            banks: [Cells::new(), Cells::new()],
            outputs: [Cells::new(), Cells::new()],
            count: Word::new(0),
            done: Word::new(0),
            generation: AtomicU32::new(1),
            awaits: AtomicU64::new(0),
            awaited: AtomicU64::new(0),
            commits: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn tell_listeners(&self) {
        tell::<Loom>(|| self.awaits.load(Ordering::Relaxed) == 1, || self.count.wake());
    }

    fn publish_done(&self, done: u64, is_told: bool) {
        self.done.publish(done);
        if is_told {
            tell::<Loom>(|| self.awaited.load(Ordering::Relaxed) == 1, || self.done.wake());
        }
    }

    /// Computes from `first` on, and dies after `steps` steps. `None` if it does.
    fn execute(&self, first: u64, steps: usize, follower: Follower) -> Option<()> {
        let mut left = steps;
        let mut step = || {
            left = left.checked_sub(1)?;
            Some(())
        };
        for block in first..BLOCKS {
            if is_committed(self.count.load(), block) && follower != Follower::Forgetful {
                if follower == Follower::Real {
                    self.tell_listeners();
                }
            } else {
                step()?;
                let state = next_state(self.banks[(block as usize + 1) % 2].read());
                self.banks[block as usize % 2].write(state);
                step()?;
                self.outputs[block as usize].write(state);
                step()?;
                self.commits[block as usize].fetch_add(1, Ordering::Relaxed);
                self.count.publish(block + 1);
                step()?;
                self.tell_listeners();
            }
            step()?;
            self.publish_done(block + 1, false);
            step()?;
            tell::<Loom>(|| self.awaited.load(Ordering::Relaxed) == 1, || self.done.wake());
        }
        Some(())
    }

    /// Takes the lane over, as generation 2.
    fn follow(&self, follower: Follower) {
        let next = first_block(self.done.load(), 0, BLOCKS);
        let is_told = follower != Follower::Silent;
        announce(|| self.publish_done(next, is_told), || self.generation.store(2, Ordering::Release));
        self.execute(next, usize::MAX, follower);
    }

    /// Another lane.
    fn hear(&self) {
        for block in 0..BLOCKS {
            let say = |sleeps| self.awaits.store(u64::from(sleeps), Ordering::Release);
            let look = |seen| if seen > block { Look::Go(()) } else { Look::Sleep(None) };
            sleep_until::<Loom, _>(&self.count, say, look);
            assert_eq!(self.outputs[block as usize].read(), sound(block), "block {block}");
        }
    }

    /// The conductor, which has started both blocks.
    fn collect(&self) {
        let say = |sleeps| self.awaited.store(u64::from(sleeps), Ordering::Relaxed);
        let look = |seen| if seen == BLOCKS { Look::Go(()) } else { Look::Sleep(None) };
        sleep_until::<Loom, _>(&self.done, say, look);
        assert_eq!(self.outputs[BLOCKS as usize - 1].read(), sound(BLOCKS - 1));
    }
}

/// A worker dies after `steps`; `other` waits for what the lane does.
fn play(steps: usize, follower: Follower, other: fn(&Lane)) {
    explore(move || {
        let lane = Arc::new(Lane::new());
        let spawn = |work: Box<dyn FnOnce(&Lane)>| {
            let lane = Arc::clone(&lane);
            thread::spawn(move || work(&lane))
        };
        let other = spawn(Box::new(other));
        let worker = spawn(Box::new(move |lane| {
            lane.execute(0, steps, Follower::Real);
        }));
        worker.join().unwrap();
        lane.follow(follower);
        other.join().unwrap();
        let commits = [0, 1].map(|block: usize| lane.commits[block].load(Ordering::Relaxed));
        assert_eq!(commits, [1, 1], "a block was lost or repeated");
        let load_generation = || lane.generation.load(Ordering::Acquire);
        assert_eq!(done_of(2, load_generation, || lane.done.load()), Some(BLOCKS));
    });
}

#[test]
fn a_listener_hears_every_block_wherever_the_worker_dies() {
    (0..2 * STEPS).for_each(|steps| play(steps, Follower::Real, Lane::hear));
}

#[test]
fn the_conductor_collects_every_block_wherever_the_worker_dies() {
    (0..2 * STEPS).for_each(|steps| play(steps, Follower::Real, Lane::collect));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_follower_that_wakes_nobody_for_what_is_committed_leaves_a_listener_asleep() {
    // Both blocks are committed, the second is not told.
    play(STEPS + 3, Follower::Silent, Lane::hear);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_follower_that_wakes_nobody_for_what_is_done_leaves_the_conductor_asleep() {
    play(2 * STEPS - 1, Follower::Silent, Lane::collect);
}

#[test]
#[should_panic(expected = "lost or repeated")]
fn a_follower_that_forgets_what_is_committed_repeats_it() {
    play(4, Follower::Forgetful, Lane::collect);
}
