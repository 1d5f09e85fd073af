//! What the supervisor makes of the words in a lane's head: where the lane stands, and whether that can be.

use std::sync::atomic::Ordering;

use tine_protocol::handshake::done_of;
use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::GRAIN;
use tine_protocol::segment::{LaneHead, engine, lane};
use tine_protocol::sys::memory::ReadMap;
use tine_worker::plans;

use crate::claim::Claim;

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Blocks that are to be finished.
    pub due: u64,
    /// Blocks that are; one that has had nothing to do is behind in nothing.
    pub done: u64,
    /// The lane that it says to be waiting for.
    pub awaits: Option<LaneId>,
    /// It says what cannot be.
    pub is_lie: bool,
}

impl Progress {
    /// Whether blocks are missing.
    pub fn is_behind(&self) -> bool {
        self.done < self.due
    }

    /// Whether blocks are missing of which nobody remembers what belongs to them.
    pub fn is_lost(&self) -> bool {
        Claim::of(self.done, self.due).is_lost()
    }
}

/// A lane as the supervisor sees it.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The engine segment.
    pub engine: &'a ReadMap,
    /// The lane's segment.
    pub view: &'a ReadMap,
    /// Its number.
    pub lane: usize,
    /// Generation of the worker that was put there last.
    pub generation: u32,
}

impl Seen<'_> {
    /// The count of finished blocks, once the head is the present worker's. Until then what stands there is what the worker before left.
    fn done(&self) -> Option<u64> {
        let load_generation = || self.view.word(lane::GENERATION).load(Ordering::Acquire);
        done_of(self.generation, load_generation, || self.view.count(lane::DONE).load())
    }

    /// Whether the head is the present worker's.
    pub fn has_arrived(&self) -> bool {
        self.done().is_some()
    }

    /// Where the lane stands, by what its worker says and the engine knows.
    pub fn progress(&self) -> Progress {
        // What is measured comes before what it is measured by: both only rise.
        let told = self.done();
        let done = told.unwrap_or(0);
        let [lowest, highest] = told.map_or([0; 2], |done| self.counts(done));
        let awaited: u64 = self.view.read(lane::AWAITS);
        let resume = self.engine.count(engine::resume(self.lane)).load();
        let due = self.engine.count(engine::start(self.lane)).load();
        Progress {
            due,
            done: done.max(resume).min(due),
            awaits: u16::try_from(awaited >> 32).ok().and_then(|lane| lane.checked_sub(1)).map(LaneId),
            is_lie: Claim::of(done, due) == Claim::Lie || lowest < done || highest > due,
        }
    }

    /// The lowest and the highest count of the modules that the lane has had since before block `done`; twice `done` if nothing is known of
    /// them. None can be lower than the lane's own, nor higher than what is due.
    fn counts(&self, done: u64) -> [u64; 2] {
        let mut counts = [done; 2];
        // The newest plan, not that of block `done`: since that count was read, which may be some blocks ago where the machine stalled, the
        // memory of a module that was taken down may have become another's. What is in the newest plan is still where it was.
        let newest = || plans::valid_for(self.engine, self.lane, Block::MAX - 1);
        let Some((flip, plan)) = newest() else { return counts };
        for index in 0..plans::modules_of(self.engine, plan) {
            let module = plans::module_of(self.engine, flip, plan, index);
            let head_at = module.head_at as usize * GRAIN;
            if module.birth >= done || head_at + size_of::<u64>() > self.view.bytes() {
                continue;
            }
            // SYNC lane-done: what a lane has told is committed in all of its modules.
            let count = self.view.count(head_at).load();
            counts = [counts[0].min(count), counts[1].max(count)];
        }
        // Another plan has come under our eyes: the next look will tell.
        if newest() == Some((flip, plan)) { counts } else { [done; 2] }
    }

    /// The module whose code is running, if the lane's worker names one that is the lane's.
    pub fn running(&self) -> Option<Slot> {
        if !self.has_arrived() {
            return None;
        }
        let slot = Slot(self.view.read(lane::RUNNING));
        let Progress { done, due, .. } = self.progress();
        let is_its_own = |block| {
            let Some((flip, plan)) = plans::valid_for(self.engine, self.lane, block) else { return false };
            let modules = plans::modules_of(self.engine, plan);
            (0..modules).any(|index| plans::module_of(self.engine, flip, plan, index).slot == slot)
        };
        (slot.0 != lane::NOBODY && (is_its_own(done) || is_its_own(due))).then_some(slot)
    }

    /// The last module whose state was found spoilt when the present worker took the lane over, as it says.
    pub fn spoilt(&self) -> Option<Slot> {
        let spoilt: u32 = self.view.read(lane::SPOILT);
        (spoilt > 0).then(|| Slot(self.view.read(std::mem::offset_of!(LaneHead, spoilt_slot))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_modules::Tables;
    use tine_protocol::plan::PlanHead;
    use tine_worker::executor::Executor;
    use tine_worker::rig::Rig;

    /// A lane that has computed `done` blocks, and its rig.
    fn lane(done: u64) -> (Rig, Executor<'static>) {
        let rig = Rig::new(&[&["vco", "vca"]], 48_000, 64, 0).unwrap();
        let tables: &'static Tables = Box::leak(Box::new(Tables::build()));
        let mut executor = rig.executor(0, tables).unwrap();
        for block in 0..done {
            rig.control.publish(engine::CYCLE, block);
            rig.control.publish(engine::start(0), block + 1);
            executor.run_block(block);
        }
        executor.own().word(lane::GENERATION).store(3, Ordering::Release);
        (rig, executor)
    }

    fn seen(rig: &Rig) -> Seen<'_> {
        Seen { engine: &rig.view.engine, view: &rig.view.lanes[0], lane: 0, generation: 3 }
    }

    /// Where the count of the module at `index` lies.
    fn count_at(rig: &Rig, index: usize) -> usize {
        let (flip, plan) = plans::valid_for(&rig.view.engine, 0, 0).unwrap();
        plans::module_of(&rig.view.engine, flip, plan, index).head_at as usize * GRAIN
    }

    #[test]
    fn a_lane_that_tells_the_truth_is_believed() {
        let (rig, executor) = lane(4);
        let own = executor.own();
        assert_eq!(seen(&rig).progress(), Progress { due: 4, done: 4, awaits: None, is_lie: false });
        // In the middle of the next block: one module has committed it.
        rig.control.publish(engine::start(0), 5);
        own.publish(count_at(&rig, 0), 5);
        own.publish(lane::AWAITS, lane::awaited(7, 99));
        let waiting = Progress { due: 5, done: 4, awaits: Some(LaneId(7)), is_lie: false };
        assert_eq!(seen(&rig).progress(), waiting);
        // It rested, and is to begin again.
        rig.control.publish(engine::resume(0), 500);
        rig.control.publish(engine::start(0), 501);
        assert_eq!(seen(&rig).progress(), Progress { due: 501, done: 500, ..waiting });
    }

    #[test]
    fn a_count_that_was_not_asked_for_or_that_the_modules_deny_is_a_lie() {
        let (rig, executor) = lane(4);
        let own = executor.own();
        own.publish(lane::DONE, 5);
        assert!(seen(&rig).progress().is_lie, "ahead");
        own.publish(lane::DONE, u64::MAX);
        assert_eq!(seen(&rig).progress(), Progress { due: 4, done: 4, awaits: None, is_lie: true });
        own.publish(lane::DONE, 4);
        own.publish(count_at(&rig, 1), 3);
        assert!(seen(&rig).progress().is_lie, "done, and one of its modules is not");
        own.publish(count_at(&rig, 1), 5);
        assert!(seen(&rig).progress().is_lie, "a module is ahead");
        own.publish(count_at(&rig, 1), 4);
        assert!(!seen(&rig).progress().is_lie);
    }

    #[test]
    fn memory_that_has_become_anothers_since_the_count_was_read_is_no_lie() {
        let (mut rig, executor) = lane(4);
        // Both modules are taken down with block 6, and a sample lies where one had its count.
        rig.control.write(engine::plan(0, 1), PlanHead::default());
        rig.control.publish(engine::valid(0, 1), 7);
        rig.control.publish(engine::CYCLE, 8);
        rig.control.publish(engine::start(0), 8);
        executor.own().publish(count_at(&rig, 0), u64::MAX);
        executor.own().publish(count_at(&rig, 1), 0);
        assert!(!seen(&rig).progress().is_lie, "{:?}", seen(&rig).progress());
    }

    #[test]
    fn what_a_predecessor_left_is_nobodys_word() {
        let (rig, executor) = lane(4);
        let own = executor.own();
        own.publish(lane::DONE, u64::MAX);
        own.word(lane::GENERATION).store(2, Ordering::Release);
        let progress = seen(&rig).progress();
        assert!(!progress.is_lie && progress.is_behind(), "{progress:?}");
        assert_eq!(seen(&rig).running(), None);
    }

    #[test]
    fn only_a_module_of_the_lane_can_be_at_work_there() {
        let (rig, executor) = lane(4);
        let own = executor.own();
        for (slot, found) in [(1, Some(Slot(1))), (2, Some(Slot(2))), (3, None), (lane::NOBODY, None)] {
            own.word(lane::RUNNING).store(slot, Ordering::Relaxed);
            assert_eq!(seen(&rig).running(), found);
        }
    }
}
