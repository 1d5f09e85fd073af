//! Writes lanes' plans into the engine segment, each into a slot that no executor can still be reading.

use std::mem::offset_of;

use tine_protocol::ids::{Block, LaneId};
use tine_protocol::plan::{CablePlan, ModulePlan, NEVER, PLAN_SLOTS, PlanHead};
use tine_protocol::segment::{LanePlan, RING_BLOCKS, engine};
use tine_protocol::sys::memory::{ReadMap, WriteMap};
use tine_worker::plans;

use crate::stage::Plan;

/// What the session knows of a plan slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Never written.
    Free,
    /// Valid from this block on.
    Valid(Block),
    /// Sent to the conductor, which has not taken it yet.
    Sent,
}

/// The plan area, and which slots are in use.
pub struct Planner {
    area: WriteMap,
    lanes: Vec<[Use; PLAN_SLOTS]>,
}

impl Planner {
    /// The plans of `lanes` lanes in `area`; `view` shows those that an engine before made valid.
    pub fn new(area: WriteMap, view: &ReadMap, lanes: usize) -> Planner {
        let uses = |lane| {
            std::array::from_fn(|slot| match view.count(engine::valid(lane, slot)).load() {
                0 => Use::Free,
                valid => Use::Valid(valid - 1),
            })
        };
        Planner { area, lanes: (0..lanes).map(uses).collect() }
    }

    /// Writes `plan` into a slot of `lane` that is free when blocks up to `finished` are. `None` if there is none: ask again later.
    pub fn write(&mut self, lane: LaneId, plan: &Plan, finished: Block) -> Option<u8> {
        let number = usize::from(lane.0);
        let uses = &self.lanes[number];
        let oldest_needed = finished.saturating_sub(RING_BLOCKS as u64);
        // A slot is over when another became valid no later than the oldest block that anybody may still compute.
        let follows = |since: Block| {
            uses.iter().any(|other| matches!(other, Use::Valid(valid) if *valid > since && *valid <= oldest_needed))
        };
        let slot = uses.iter().position(|slot| match slot {
            Use::Free => true,
            Use::Valid(since) => follows(*since),
            Use::Sent => false,
        })?;
        let place = engine::plan(number, slot);
        let head = PlanHead { modules: plan.modules.len() as u32, cables: plan.cables.len() as u32 };
        let area = &mut self.area;
        area.write(place, head);
        area.slice_mut::<ModulePlan>(place + offset_of!(LanePlan, modules), plan.modules.len())
            .copy_from_slice(&plan.modules);
        area.slice_mut::<CablePlan>(place + offset_of!(LanePlan, cables), plan.cables.len())
            .copy_from_slice(&plan.cables);
        area.slice_mut::<f32>(place + offset_of!(LanePlan, values), plan.values.len()).copy_from_slice(&plan.values);
        self.lanes[number][slot] = Use::Sent;
        Some(slot as u8)
    }

    /// The conductor made the plans that were sent valid from `block` on.
    pub fn taken(&mut self, block: Block) {
        for uses in &mut self.lanes {
            for slot in uses.iter_mut() {
                if *slot == Use::Valid(block) {
                    // Two for one block: the conductor keeps the later one.
                    *slot = Use::Free;
                }
                if *slot == Use::Sent {
                    *slot = Use::Valid(block);
                }
            }
        }
    }
}

/// The modules of `lane` as the plan that became valid last has them, with the blocks of their births.
pub fn in_force(view: &ReadMap, lane: usize) -> Vec<ModulePlan> {
    let Some((flip, plan)) = plans::valid_for(view, lane, NEVER) else { return Vec::new() };
    (0..plans::modules_of(view, plan)).map(|index| plans::module_of(view, flip, plan, index)).collect()
}
