//! A cycle: the conductor starts a block, two lanes compute it one after the other, the conductor collects it. Rings of one block: what is
//! overwritten too early, or read too late, is seen.
//!
//! Mirrors `Conductor::cycle` and `wait_for_lanes` (engine/src/conductor.rs), the loop of `execute` (worker/src/seat.rs) and
//! `Executor::run_block`; `tell` and `sleep_until` are the real ones.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use tine_protocol::handshake::{Count, Look, Machine, sleep_until, tell};

use crate::model::{Cells, Loom, Unfenced, Word, explore};

const BLOCKS: u64 = 2;

struct Engine {
    /// What the conductor writes before it starts a block: events, plans.
    orders: Cells,
    /// The lane's start word.
    start: Word,
    /// Its count of finished blocks, and its sound.
    done: Word,
    outputs: Cells,
    /// The lane that the conductor sleeps for, plus 1.
    awaited: AtomicU64,
}

impl Engine {
    fn new() -> Engine {
        let (orders, outputs) = (Cells::new(), Cells::new());
        Engine { orders, start: Word::new(0), done: Word::new(0), outputs, awaited: AtomicU64::new(0) }
    }

    fn conduct<M: Machine>(&self, block: u64) {
        self.orders.write(20 + block);
        self.start.publish(block + 1);
        self.start.wake();
        if self.done.load() != block + 1 {
            let say = |sleeps| self.awaited.store(u64::from(sleeps), Ordering::Relaxed);
            let look = |seen| if seen == block + 1 { Look::Go(()) } else { Look::Sleep(None) };
            sleep_until::<M, _>(&self.done, say, look);
        }
        assert_eq!(self.outputs.read(), 40 + 2 * block, "collected another block");
    }

    /// The lane's loop: sleeps on its start word alone.
    fn execute<M: Machine>(&self) {
        let mut next = 0;
        while next < BLOCKS {
            let target = self.start.load();
            if next >= target {
                self.start.wait(target, None);
                continue;
            }
            self.outputs.write(self.orders.read() + next + 20);
            self.done.publish(next + 1);
            tell::<M>(|| self.awaited.load(Ordering::Relaxed) == 1, || self.done.wake());
            next += 1;
        }
    }
}

fn play(conduct: fn(&Engine, u64), execute: fn(&Engine)) {
    explore(move || {
        let engine = Arc::new(Engine::new());
        let lane = {
            let engine = Arc::clone(&engine);
            thread::spawn(move || execute(&engine))
        };
        (0..BLOCKS).for_each(|block| conduct(&engine, block));
        lane.join().unwrap();
    });
}

#[test]
fn every_block_that_is_started_is_computed_once_and_collected() {
    play(Engine::conduct::<Loom>, Engine::execute::<Loom>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_lane_without_its_fence_leaves_the_conductor_asleep() {
    play(Engine::conduct::<Loom>, Engine::execute::<Unfenced>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_conductor_without_its_fence_sleeps_on() {
    play(Engine::conduct::<Unfenced>, Engine::execute::<Loom>);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_start_that_wakes_nobody_is_slept_through() {
    let conduct = |engine: &Engine, block: u64| {
        engine.orders.write(20 + block);
        engine.start.publish(block + 1);
        sleep_until::<Loom, _>(
            &engine.done,
            |sleeps| engine.awaited.store(u64::from(sleeps), Ordering::Relaxed),
            |seen| if seen == block + 1 { Look::Go(()) } else { Look::Sleep(None) },
        );
    };
    play(conduct, Engine::execute::<Loom>);
}

#[test]
#[should_panic(expected = "block")]
fn orders_that_are_written_after_the_start_are_torn() {
    let conduct = |engine: &Engine, block: u64| {
        engine.start.publish(block + 1);
        engine.start.wake();
        engine.orders.write(20 + block);
        sleep_until::<Loom, _>(
            &engine.done,
            |sleeps| engine.awaited.store(u64::from(sleeps), Ordering::Relaxed),
            |seen| if seen == block + 1 { Look::Go(()) } else { Look::Sleep(None) },
        );
    };
    play(conduct, Engine::execute::<Loom>);
}
