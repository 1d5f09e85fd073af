//! What a worker that follows another has to do otherwise: pass modules by that killed their workers, begin anew those whose state is
//! spoilt.

use tine_protocol::checksum::checksum;
use tine_protocol::ids::{Block, Slot};
use tine_protocol::message::{QUARANTINED_MAX, Quarantined};
use tine_protocol::plan::{GRAIN, ModulePlan};
use tine_protocol::segment::{LaneHead, ModuleHead, RING_BLOCKS, lane};

use crate::executor::{Executor, bank};

/// A follower's list of exceptions. Empty for the first worker of a lane.
#[derive(Default)]
pub(crate) struct Recovery {
    quarantined: [Quarantined; QUARANTINED_MAX],
    /// Bit per entry: its module has been passed by once, so that what it gave before has been led over.
    passed: u32,
    /// Modules that begin anew with their next block.
    spoilt: Vec<Slot>,
}

impl Recovery {
    /// Takes the list that came with the order to attach.
    pub fn quarantine(&mut self, quarantined: [Quarantined; QUARANTINED_MAX]) {
        (self.quarantined, self.passed) = (quarantined, 0);
    }

    fn entry(&self, module: &ModulePlan) -> Option<usize> {
        let holds = |entry: &Quarantined| entry.slot == module.slot && module.birth < entry.born_before;
        self.quarantined.iter().position(holds)
    }

    /// Whether a module must not be run.
    pub fn is_quarantined(&self, module: &ModulePlan) -> bool {
        self.entry(module).is_some()
    }

    /// Whether this is the first block in which the module is passed by.
    pub fn has_just_left(&mut self, module: &ModulePlan, is_idle: bool) -> bool {
        let Some(entry) = self.entry(module).filter(|_| is_idle) else { return false };
        let is_first = self.passed & 1 << entry == 0;
        self.passed |= 1 << entry;
        is_first
    }

    /// Whether a module has to begin anew now; asked once.
    pub fn takes_spoilt(&mut self, slot: Slot) -> bool {
        let found = self.spoilt.iter().position(|&spoilt| spoilt == slot);
        found.map(|at| self.spoilt.swap_remove(at)).is_some()
    }
}

impl Executor<'_> {
    /// Looks whether what the predecessor left can be gone on from, before `next` is computed; `due` is the block that the engine wants
    /// finished. A module whose state is spoilt begins anew, and is told in the lane's head.
    pub(crate) fn inspect(&mut self, next: Block, due: Block) {
        let mut spoilt = 0u32;
        self.own_mut().write(lane::SPOILT, spoilt);
        let Some((flip, plan)) = self.plan_for(next) else { return };
        for index in 0..self.modules_of(plan) {
            let module = self.module_of(flip, plan, index);
            let head_at = module.head_at as usize * GRAIN;
            let count = self.own().count(head_at);
            let is_born = module.birth < next;
            if !is_born && count <= module.birth {
                continue;
            }
            // One that is born has a count beyond its birth, if blocks were not left out or its count spoilt.
            if count <= module.birth || !self.is_sound(&module, count, due) {
                // What is yet to be born begins anew in any case.
                if is_born {
                    spoilt += 1;
                    self.recovery_mut().spoilt.push(module.slot);
                    self.own_mut().write(std::mem::offset_of!(LaneHead, spoilt_slot), module.slot);
                }
                // Silence in place of whatever stands there: others may be about to read it.
                if let Some([ring]) = self.own_mut().slices_mut([outputs(&module)]) {
                    ring.fill(0);
                }
            } else if count >= next {
                continue;
            } else if let Some([from, to]) = self.own_mut().slices_mut([bank(&module, count - 1), bank(&module, count)])
                && (next - count) % 2 == 1
            {
                // Blocks are left out, as nobody remembers what belongs to them: its state waits where the next one looks for it.
                to.copy_from_slice(from);
            }
            // A count that cannot be would have blocks passed over, or computed from the state of another one.
            self.own().publish(head_at, next);
            // Whoever sleeps for it learns of it now, not when it next looks by itself.
            self.own().wake(head_at);
        }
        self.own_mut().write(lane::SPOILT, spoilt);
    }

    /// Whether a module's count can be true and its state is as it was when that count was stored.
    fn is_sound(&mut self, module: &ModulePlan, count: Block, due: Block) -> bool {
        if count > due {
            return false;
        }
        let last = count - 1;
        let at =
            module.head_at as usize * GRAIN + std::mem::offset_of!(ModuleHead, checksums) + (last & 1) as usize * 8;
        let sealed: u64 = self.own().read(at);
        self.own_mut().slices_mut([bank(module, last)]).is_some_and(|[state]| checksum(state, last) == sealed)
    }
}

/// Where the ring of a module's outputs lies.
fn outputs(module: &ModulePlan) -> std::ops::Range<usize> {
    let start = lane::sample(module.outputs_at, module.output_samples, 0);
    start..start + RING_BLOCKS * module.output_samples as usize * size_of::<f32>()
}

/// Leads over from the last samples of `before` to `now`, channel by channel, within the block.
pub(crate) fn join(before: &[f32], now: &mut [f32], width: usize, frames: usize) {
    for (before, now) in before.chunks_exact(frames * width).zip(now.chunks_exact_mut(frames * width)) {
        for channel in 0..width {
            let last = before[(frames - 1) * width + channel];
            let last = if last.is_finite() { last } else { 0.0 };
            for frame in 0..frames {
                let part = (frame + 1) as f32 / frames as f32;
                let at = frame * width + channel;
                now[at] = last * (1.0 - part) + now[at] * part;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Rig;
    use tine_modules::Tables;
    use tine_protocol::segment::engine;

    /// What is found spoilt by a follower that goes on at block 20, where the count of the second module was `count`.
    fn spoilt(count: u64) -> (Vec<Slot>, u64) {
        let rig = Rig::new(&[&["vco", "vca"]], 48_000, 64, 0).unwrap();
        let tables = Tables::build();
        let mut executor = rig.executor(0, &tables).unwrap();
        for block in 0..20 {
            executor.run_block(block);
        }
        let (flip, plan) = executor.plan_for(0).unwrap();
        assert_eq!(plan, engine::plan(0, 0));
        let head_at = executor.module_of(flip, plan, 1).head_at as usize * GRAIN;
        executor.own().publish(head_at, count);
        executor.inspect(20, 20);
        (executor.recovery_mut().spoilt.clone(), executor.own().count(head_at))
    }

    #[test]
    fn a_module_begins_anew_whose_count_is_not_its_own() {
        assert_eq!(spoilt(20), (vec![], 20));
        // Never born: its birth was among blocks that are left out. Ahead of what was asked for. Of another block than its checksum.
        for count in [0, 21, u64::MAX, 18] {
            assert_eq!(spoilt(count), (vec![Slot(2)], 20), "{count}");
        }
    }
}
