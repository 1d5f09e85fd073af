//! Which lane a new module goes to, and which core a lane is bound to.

use tine_protocol::ids::LaneId;
use tine_protocol::segment::LaneHead;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;

use crate::command::Placement;
use crate::edit::find_module;
use crate::error::PatchError;
use crate::model::Model;
use crate::pool::Door;
use crate::stage::Stage;

/// How modules are spread over workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Each new module gets an idle worker while there is one.
    Isolate,
    /// Modules share a worker until it is half loaded.
    Pack,
}

/// Chooses lanes and cores.
pub struct Placer {
    /// How modules are spread.
    pub policy: Policy,
    /// All workers' lanes, to see their load.
    pub lanes: Vec<ReadMap>,
    /// Cores that may be used; the last is the conductor's.
    pub cores: Vec<u16>,
    /// Nanoseconds of a block.
    pub block_ns: u64,
}

/// For how long a lane whose worker died comes after the others, in nanoseconds: what killed it may still be about.
const SHUNNED_NS: u64 = 10_000_000_000;

/// What a module is taken to cost before it has been measured, in nanoseconds per block.
const UNMEASURED_NS: u64 = 2_000;

impl Placer {
    /// The lane for a new module of `model`. `doors` says of each lane whether it takes any.
    ///
    /// # Errors
    /// If the wish names a module or worker that is not there.
    pub fn choose(&self, model: &Model, wish: &Placement, stage: &Stage, doors: &[Door]) -> Result<LaneId, PatchError> {
        let now_ns = now_ns();
        let is_open = |lane: usize| doors.get(lane).is_some_and(|door| door.is_open);
        let has_failed = |lane: usize| {
            let failed_ns = doors.get(lane).map_or(0, |door| door.failed_ns);
            failed_ns != 0 && now_ns.saturating_sub(failed_ns) < SHUNNED_NS
        };
        if let Some(id) = &wish.with {
            let beside = find_module(model, id)?;
            if usize::from(beside.lane.0) >= self.lanes.len() {
                let (id, kind) = (id.to_string(), beside.spec.name);
                return Err(PatchError::Unsupported { id, kind, verb: "share a worker: the engine executes it" });
            }
            return Ok(beside.lane);
        }
        if let Some(worker) = wish.worker {
            if !is_open(worker.into()) {
                let count = doors.iter().filter(|door| door.is_open).count() as u16;
                return Err(PatchError::NoWorker { worker, count });
            }
            return Ok(LaneId(worker));
        }
        let mut planned = vec![0u64; self.lanes.len()];
        for module in model.modules() {
            if let Some(count) = planned.get_mut(usize::from(module.lane.0)) {
                *count += 1;
            }
        }
        let load_ns = |lane: usize| {
            let sounding = stage.modules_on(LaneId(lane as u16)) as u64;
            let busy_ns = if sounding > 0 { self.busy_ns(lane) } else { 0 };
            busy_ns + planned[lane].saturating_sub(sounding) * UNMEASURED_NS
        };
        let is_idle = |lane: usize| planned[lane] == 0 && stage.modules_on(LaneId(lane as u16)) == 0;
        let all = (0..self.lanes.len()).filter(|&lane| is_open(lane));
        let idle = all.clone().filter(|&lane| is_idle(lane)).min_by_key(|&lane| (has_failed(lane), lane));
        let least = all.clone().min_by_key(|&lane| (has_failed(lane), load_ns(lane), planned[lane], lane)).unwrap_or(0);
        let lane = match self.policy {
            Policy::Isolate => idle.unwrap_or(least),
            Policy::Pack => {
                let used = all.filter(|&lane| !is_idle(lane) && load_ns(lane) < self.block_ns / 2);
                used.min_by_key(|&lane| (has_failed(lane), lane)).or(idle).unwrap_or(least)
            }
        };
        Ok(LaneId(lane as u16))
    }

    /// Nanoseconds that a lane's last block took, as its worker says. Taken as a hint only.
    pub fn busy_ns(&self, lane: usize) -> u64 {
        u64::from(self.lanes[lane].read::<u32>(std::mem::offset_of!(LaneHead, busy_ns)))
    }

    /// The core of each lane: lanes that hear each other share one, as a hop between cores costs more than a whole chain on one
    /// (DESIGN 5); groups go where there is least to do, first beside the conductor.
    pub fn cores(&self, groups: &[Vec<LaneId>]) -> Vec<Option<u16>> {
        let mut cores = vec![None; self.lanes.len()];
        let mut load = vec![0u64; self.cores.len()];
        for group in groups {
            let cost: u64 = group.iter().map(|lane| self.busy_ns(usize::from(lane.0)).max(UNMEASURED_NS)).sum();
            // Last core first: among equals `min_by_key` takes the first.
            let Some(core) = (0..load.len()).rev().min_by_key(|&core| load[core]) else { break };
            load[core] += cost;
            for lane in group {
                cores[usize::from(lane.0)] = Some(self.cores[core]);
            }
        }
        cores
    }
}
