//! Goes on where an engine that died left off: the patch as its session remembered it, the modules' states as they lie in the lanes.

use std::io;
use std::os::fd::OwnedFd;

use tine_protocol::ids::{Block, LaneId};
use tine_protocol::plan::ModulePlan;
use tine_protocol::segment::{EngineHead, engine};
use tine_protocol::sys::memory::ReadMap;

use crate::memo::{Memo, Remembered, RememberedModule, Unfit};
use crate::planner;
use crate::session::Session;

/// What an engine that died left.
pub struct Resumed {
    /// The first block that the new engine conducts.
    pub first: Block,
    /// Lanes that had something to compute.
    pub active: Vec<LaneId>,
    /// What its session remembered.
    pub remembered: Remembered,
    /// Per lane the modules of the plan that was in force.
    in_force: Vec<Vec<ModulePlan>>,
}

/// Blocks between the one in which the engine died and the first of the next: the plans of both, which may have been in force already or
/// not, then lie behind.
const APART: u64 = 2;

impl Resumed {
    /// Looks for what an engine before has left in the segments; `None` if there was none, or it never made a sound.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn find(memo: &OwnedFd, view: &ReadMap) -> io::Result<Option<Resumed>> {
        let Some(remembered) = Memo::recall(memo)? else { return Ok(None) };
        let head: EngineHead = view.read(0);
        let in_force: Vec<_> = (0..head.lanes as usize).map(|lane| planner::in_force(view, lane)).collect();
        let is_active = |lane: &usize| !in_force[*lane].is_empty();
        let active = (0..in_force.len()).filter(is_active).map(|lane| LaneId(lane as u16)).collect();
        let first = view.count(engine::CYCLE).load() + APART;
        Ok(Some(Resumed { first, active, remembered, in_force }))
    }
}

impl Session {
    /// Takes over what an engine before has left, whose patch this session has already. Sound begins with [`Session::start_sound`], as ever: `out` begins anew, and what it hears
    /// fades in.
    pub(crate) fn restore(&mut self, resumed: &Resumed) -> Result<(), Unfit> {
        let remembered = &resumed.remembered;
        let out_lane = self.parts.format.out_lane();
        for (module, was_remembered) in self.model.modules().iter().zip(&remembered.modules) {
            if module.lane == out_lane {
                self.stage.fade_in(&self.model, module.slot);
                continue;
            }
            let plans = resumed.in_force.get(usize::from(module.lane.0)).ok_or(Unfit("a worker is not there"))?;
            let was = plans.iter().find(|plan| plan.slot == module.slot);
            if !self.stage.restore(module, was_remembered.start, was) {
                return Err(Unfit("two modules lie in one place"));
            }
        }
        self.left_events = remembered.due_events();
        (self.osc, self.recording) = (remembered.osc, remembered.recording.clone());
        Ok(())
    }

    /// Remembers the patch, and what is on its way, for an engine that may have to follow.
    pub(crate) fn remember(&mut self) {
        self.is_memo_old = false;
        let modules = self.model.modules().iter();
        // All have their place: only what was reserved for them is not theirs yet.
        let modules =
            modules.filter_map(|module| Some(RememberedModule::new(module, self.stage.start_of(module.slot)?)));
        let what = Remembered {
            next_slot: self.next_slot,
            modules: modules.collect(),
            cables: self.model.cables().iter().map(Into::into).collect(),
            events: self.events_under_way().map(Into::into).collect(),
            osc: self.osc,
            recording: self.recording.clone(),
        };
        if !self.parts.memo.keep(&what) {
            tracing::error!(
                "the patch is too large to be remembered: should the engine die, it goes on without the last changes"
            );
        }
    }
}
