//! What the engine segment tells a lane to compute: which plan is valid for a block, and what stands in it. Written by the engine alone.

use tine_protocol::ids::Block;
use tine_protocol::plan::{LANE_MODULES_MAX, ModulePlan, PLAN_SLOTS, PlanHead};
use tine_protocol::segment::{LanePlan, engine};
use tine_protocol::sys::memory::ReadMap;

/// The plan of `lane` that is valid for `block`: the one that became valid last. Its first block, and where it lies.
pub fn valid_for(engine: &ReadMap, lane: usize, block: Block) -> Option<(Block, usize)> {
    let mut best = None;
    for slot in 0..PLAN_SLOTS {
        // SYNC plan-valid: pairs with the conductor's flip, after which the plan's contents stay.
        let valid = engine.count(engine::valid(lane, slot)).load();
        if valid != 0 && valid <= block + 1 && best.is_none_or(|(newest, _)| valid > newest) {
            best = Some((valid, slot));
        }
    }
    best.map(|(valid, slot)| (valid - 1, engine::plan(lane, slot)))
}

/// How many modules a plan has.
pub fn modules_of(engine: &ReadMap, plan: usize) -> usize {
    let head: PlanHead = engine.read(plan);
    (head.modules as usize).min(LANE_MODULES_MAX)
}

/// The module that stands at `index` of a plan that became valid at `flip`.
pub fn module_of(engine: &ReadMap, flip: Block, plan: usize, index: usize) -> ModulePlan {
    let at = plan + std::mem::offset_of!(LanePlan, modules) + index * size_of::<ModulePlan>();
    engine.read::<ModulePlan>(at).resolved(flip)
}
