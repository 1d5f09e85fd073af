//! How one side raises a count in shared memory and the other sleeps for it, so that no wake-up is lost and none is for nothing; and how a
//! worker takes over a lane that another left. Written over the memory that it works on, so that tests/loom.rs can go through every
//! interleaving of the very code that runs.

use std::sync::atomic::{Ordering, fence};

use crate::ids::Block;
use crate::segment::RING_BLOCKS;
use crate::sys::memory::ReadCount;

/// The machine that a handshake runs on.
pub trait Machine {
    /// Whatever this thread stored before it is visible to all before it loads anything after it.
    fn full_fence();
}

/// This one.
pub struct Cpu;

impl Machine for Cpu {
    #[inline(always)]
    fn full_fence() {
        fence(Ordering::SeqCst);
    }
}

/// A count that others raise.
pub trait Count {
    /// Its value; what was written before it was raised is visible afterwards.
    fn load(&self) -> u64;
    /// Sleeps while it is `seen`, until `deadline_ns`; may return at any time.
    fn wait(&self, seen: u64, deadline_ns: Option<u64>);
}

impl Count for ReadCount<'_> {
    #[inline(always)]
    fn load(&self) -> u64 {
        ReadCount::load(self)
    }

    #[inline(always)]
    fn wait(&self, seen: u64, deadline_ns: Option<u64>) {
        // Why it woke does not matter: whoever waits looks again.
        ReadCount::wait(self, seen, deadline_ns);
    }
}

/// Wakes those who sleep for a count that was raised just before, if they say that they do. A wake-up that nobody needs costs as much as a
/// short block.
#[inline(always)]
pub fn tell<M: Machine>(is_awaited: impl FnOnce() -> bool, wake: impl FnOnce()) {
    // SYNC asleep: between the store of the count and the look at who sleeps, as `sleep_until` has one between saying so and looking at the
    // count. Whichever side comes second sees what the other did.
    M::full_fence();
    if is_awaited() {
        wake();
    }
}

/// What one who sleeps for a count makes of its value.
pub enum Look<T> {
    /// That is it, or there is no more use in waiting.
    Go(T),
    /// Sleeps on, until this time at most.
    Sleep(Option<u64>),
}

/// Sleeps for `count` until `look` is content with a value of it. `say` is told to say that we sleep, and that we no longer do.
#[inline(always)]
pub fn sleep_until<M: Machine, T>(count: &impl Count, say: impl Fn(bool), mut look: impl FnMut(u64) -> Look<T>) -> T {
    say(true);
    // SYNC asleep: pairs with `tell`.
    M::full_fence();
    let content = loop {
        let seen = count.load();
        match look(seen) {
            Look::Go(content) => break content,
            // Not before the kernel has seen the same value: what was raised meanwhile ends the wait at once.
            Look::Sleep(deadline_ns) => count.wait(seen, deadline_ns),
        };
    };
    say(false);
    content
}

/// Whether a module's count says that `block` is committed. Nobody is further ahead than what the rings hold: a count beyond that is what a
/// worker left that wrote over its lane, where this module was born since.
#[inline(always)]
pub fn is_committed(count: u64, block: Block) -> bool {
    count.checked_sub(block + 1).is_some_and(|ahead| ahead <= RING_BLOCKS as u64)
}

/// The block at which a follower goes on: where its predecessor says that it was, if that can be. A lane that had nothing to do before `resume`
/// owes nothing before it, so a death in its first block leaves that block to be computed. `cycle` blocks are to be finished.
pub fn first_block(done: Block, resume: Block, cycle: Block) -> Block {
    let done = done.max(resume);
    if done <= cycle && done.saturating_add(RING_BLOCKS as u64) >= cycle { done } else { cycle }
}

/// A follower makes the lane's head its own: first the count of finished blocks, then its generation.
#[inline(always)]
pub fn announce(publish_done: impl FnOnce(), store_generation: impl FnOnce()) {
    publish_done();
    // SYNC lane-generation: the store is a release; pairs with `done_of`.
    store_generation();
}

/// The count of finished blocks of the worker of `generation`; `None` while what stands there is its predecessor's, and may be anything.
#[inline(always)]
pub fn done_of(generation: u32, load_generation: impl FnOnce() -> u32, load_done: impl FnOnce() -> u64) -> Option<u64> {
    // SYNC lane-generation: the load is an acquire; pairs with `announce`.
    (load_generation() == generation).then(load_done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_goes_on_where_its_predecessor_can_have_been() {
        assert_eq!(first_block(99, 0, 100), 99, "one block is owed");
        assert_eq!(first_block(100, 0, 100), 100, "none is");
        assert_eq!(first_block(10, 5000, 5001), 5000, "the first block after a long rest is owed");
        assert_eq!(first_block(90, 0, 100), 100, "nobody remembers so far back");
        assert_eq!(first_block(101, 0, 100), 100, "ahead of what was asked for");
        assert_eq!(first_block(u64::MAX, 0, 100), 100);
    }

    #[test]
    fn a_count_that_nobody_can_have_reached_commits_nothing() {
        assert!(!is_committed(100, 100) && is_committed(101, 100) && is_committed(109, 100));
        assert!(!is_committed(110, 100) && !is_committed(u64::MAX, 100) && !is_committed(0, 100));
    }
}
