//! The patch as it sounds: where each module lies in its lane, and which cables are fading.
//!
//! The model changes at once; sound does not. A cable that was removed fades out for 5 ms, and a module that was destroyed is
//! computed until its last cable has faded. The stage follows the model, and writes the lanes' plans.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use tine_modules::runner::Shape;
use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::{
    AT_FLIP, CablePlan, GRAIN, LANE_CABLES_MAX, LANE_MODULES_MAX, LANE_VALUES_MAX, ModulePlan, NEVER, fade_start,
};
use tine_protocol::segment::{ModuleHead, RING_BLOCKS};

use crate::arena::Arena;
use crate::error::PatchError;
use crate::model::{Cable, Catalogue, Model, Module};

/// What the stage needs to know of the engine.
#[derive(Clone, Copy)]
pub struct Format {
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames per block.
    pub frames: usize,
    /// Blocks that a fade takes.
    pub fade_blocks: u32,
    /// Lanes of workers.
    pub lanes: u16,
}

impl Format {
    /// The lane that the engine itself executes: the one after the workers'.
    pub fn out_lane(&self) -> LaneId {
        LaneId(self.lanes)
    }
}

/// A module on its lane.
struct Placed {
    plan: ModulePlan,
    lane: LaneId,
    range: Range<usize>,
    initial: std::sync::Arc<[f32]>,
    is_bypassed: bool,
    /// Samples of one output port in one block.
    port_samples: u32,
    /// The model has it no more.
    is_dying: bool,
}

/// A cable, sounding or fading.
struct Wire {
    cable: Cable,
    born: Block,
    died: Block,
}

/// One lane's plan.
#[derive(Clone, Default, PartialEq)]
pub struct Plan {
    /// Modules in the order in which they are computed.
    pub modules: Vec<ModulePlan>,
    /// Cables, grouped by destination.
    pub cables: Vec<CablePlan>,
    /// Initial values, grouped by module.
    pub values: Vec<f32>,
}

/// Memory of a lane: kept for a module, or no longer needed once every lane is past a plan.
pub struct Room {
    /// The lane it lies in.
    pub lane: LaneId,
    /// The part of the segment.
    pub range: Range<usize>,
}

/// The patch as it sounds.
pub struct Stage {
    format: Format,
    catalogue: Catalogue,
    placed: HashMap<Slot, Placed>,
    reserved: HashMap<Slot, Room>,
    wires: Vec<Wire>,
    arenas: Vec<Arena>,
    written: Vec<Plan>,
}

impl Stage {
    /// An empty stage.
    pub fn new(format: Format, catalogue: Catalogue) -> Stage {
        let lanes = usize::from(format.lanes) + 1;
        Stage {
            format,
            catalogue,
            placed: HashMap::new(),
            reserved: HashMap::new(),
            wires: Vec::new(),
            arenas: (0..lanes).map(|_| Arena::default()).collect(),
            written: vec![Plan::default(); lanes],
        }
    }

    /// Puts a module of an engine before back to where its memory begins, as the plan that was in force had it: `was` is `None` for one that
    /// never sounded. False if something else is there.
    pub fn restore(&mut self, module: &Module, start: usize, was: Option<&ModulePlan>) -> bool {
        let range = start..start + Layout::of(module, self.catalogue, &self.format).bytes.next_multiple_of(GRAIN);
        if !self.arenas[usize::from(module.lane.0)].claim(range.clone()) {
            return false;
        }
        let mut placed = self.place(module, range);
        if let Some(was) = was {
            let &ModulePlan { birth, bypass_start, active, .. } = was;
            placed.plan = ModulePlan { birth, bypass_start, active, ..placed.plan };
            // Where the player changed it last, the change is still to come.
            placed.is_bypassed = active[1] == 0.0;
        }
        self.placed.insert(module.slot, placed);
        true
    }

    /// The cables of an engine before that lead to `to` fade in, whatever [`Stage::follow`] does to the others.
    pub fn fade_in(&mut self, model: &Model, to: Slot) {
        let cables = model.cables().iter().filter(|cable| cable.to == to);
        self.wires.extend(cables.map(|&cable| Wire { cable, born: AT_FLIP, died: NEVER }));
    }

    /// Where the memory of a module begins in its lane.
    pub fn start_of(&self, slot: Slot) -> Option<usize> {
        self.placed.get(&slot).map(|placed| placed.range.start)
    }

    /// Finds room for every module that `model` has and the stage has not, and keeps it until [`Stage::follow`].
    ///
    /// # Errors
    /// If a lane or its plan is full; nothing is kept then.
    pub fn reserve(&mut self, model: &Model) -> Result<(), PatchError> {
        self.check_plans(model)?;
        let mut taken = Vec::new();
        for module in model.modules() {
            if self.placed.contains_key(&module.slot) || self.reserved.contains_key(&module.slot) {
                continue;
            }
            let bytes = Layout::of(module, self.catalogue, &self.format).bytes;
            let Some(range) = self.arenas[usize::from(module.lane.0)].take(bytes) else {
                for slot in taken {
                    self.unreserve(slot);
                }
                return Err(PatchError::Full { what: "bytes of one worker's modules", limit: bytes });
            };
            self.reserved.insert(module.slot, Room { lane: module.lane, range });
            taken.push(module.slot);
        }
        Ok(())
    }

    fn unreserve(&mut self, slot: Slot) {
        if let Some(room) = self.reserved.remove(&slot) {
            self.give_back(&room);
        }
    }

    /// Gives back everything that [`Stage::reserve`] keeps.
    pub fn release(&mut self) {
        for slot in self.reserved.keys().copied().collect::<Vec<_>>() {
            self.unreserve(slot);
        }
    }

    /// The room that is kept for modules that are about to be placed.
    pub fn reserved(&self) -> impl Iterator<Item = &Room> {
        self.reserved.values()
    }

    /// Whether the plans of `model` will fit, together with what is still fading.
    fn check_plans(&self, model: &Model) -> Result<(), PatchError> {
        let mut sizes = vec![(0, 0, 0); self.written.len()];
        let dying = self.placed.iter().filter(|(slot, _)| model.by_slot(**slot).is_none());
        let dying = dying.map(|(_, placed)| (placed.lane, placed.initial.len()));
        let alive = model.modules().iter().map(|module| (module.lane, module.params.len()));
        for (lane, values) in alive.chain(dying) {
            let size = &mut sizes[usize::from(lane.0)];
            size.0 += 1;
            size.2 += values;
        }
        let lane_of =
            |slot| model.by_slot(slot).map(|module| module.lane).or(self.placed.get(&slot).map(|placed| placed.lane));
        let destinations = model.cables().iter().chain(self.wires.iter().map(|wire| &wire.cable)).map(|cable| cable.to);
        for lane in destinations.filter_map(lane_of) {
            sizes[usize::from(lane.0)].1 += 1;
        }
        for (modules, cables, values) in sizes {
            for (what, size, limit) in [
                ("modules on one worker", modules, LANE_MODULES_MAX),
                ("cables on one worker", cables, LANE_CABLES_MAX),
                ("params on one worker", values, LANE_VALUES_MAX),
            ] {
                if size > limit {
                    return Err(PatchError::Full { what, limit });
                }
            }
        }
        Ok(())
    }

    /// Gives back the memory of a module that nobody reads any more.
    pub fn give_back(&mut self, freed: &Room) {
        self.arenas[usize::from(freed.lane.0)].give(freed.range.clone());
    }

    /// Follows `model`. With `is_silent` (before the first frame) cables are there at once. `now` is a block that is certainly
    /// finished: what has faded by then is dropped. Returns memory that is free once the plans are in effect.
    pub fn follow(&mut self, model: &Model, is_silent: bool, now: Block) -> Vec<Room> {
        for module in model.modules() {
            if let Some(room) = self.reserved.remove(&module.slot) {
                let placed = self.place(module, room.range);
                self.placed.insert(module.slot, placed);
            }
        }
        // Made and destroyed again before it was ever placed.
        self.release();
        self.follow_cables(model, is_silent, now);
        self.follow_modules(model)
    }

    /// Has a module that lies on its lane begin from reset with the next plan, its params at `values`.
    pub fn bear_again(&mut self, slot: Slot, values: &[f32]) {
        if let Some(placed) = self.placed.get_mut(&slot) {
            placed.plan.birth = AT_FLIP;
            placed.initial = values.into();
        }
    }

    fn place(&self, module: &Module, range: Range<usize>) -> Placed {
        let layout = Layout::of(module, self.catalogue, &self.format);
        let base = range.start / GRAIN;
        let at = |bytes: usize| (base + bytes / GRAIN) as u32;
        let plan = ModulePlan {
            birth: AT_FLIP,
            seed: module.seed,
            bypass_start: 0,
            slot: module.slot,
            kind: module.kind,
            channels: module.channels as u16,
            head_at: at(0),
            state_at: at(layout.state),
            state_bytes: layout.state_bytes as u32,
            outputs_at: at(layout.outputs),
            output_samples: layout.output_samples as u32,
            tape_at: at(layout.tape),
            tape_frames: layout.tape_frames as u32,
            tape_rings: layout.tape_rings as u32,
            values: module.initial.len() as u32,
            active: if module.is_bypassed { [0.0, 0.0] } else { [1.0, 1.0] },
            ..ModulePlan::default()
        };
        Placed {
            plan,
            lane: module.lane,
            range,
            initial: std::sync::Arc::clone(&module.initial),
            is_bypassed: module.is_bypassed,
            port_samples: (Shape::new(module.channels).stride() * self.format.frames) as u32,
            is_dying: false,
        }
    }

    fn follow_cables(&mut self, model: &Model, is_silent: bool, now: Block) {
        let fade = u64::from(self.format.fade_blocks);
        // Faded cables are silent already: dropping them changes no sample.
        self.wires.retain(|wire| wire.died >= NEVER || wire.died + fade > now);
        let wanted: HashMap<[u32; 4], &Cable> = model.cables().iter().map(|cable| (key(cable), cable)).collect();
        let mut alive = std::collections::HashSet::new();
        for wire in self.wires.iter_mut().filter(|wire| wire.died == NEVER) {
            // A cable that changes its gain or its delay dies and is born again: the two fades add up to a straight line.
            if wanted.get(&key(&wire.cable)).is_some_and(|cable| **cable == wire.cable) {
                alive.insert(key(&wire.cable));
            } else {
                wire.died = AT_FLIP;
            }
        }
        let born = if is_silent { NEVER } else { AT_FLIP };
        let new = model.cables().iter().filter(|cable| !alive.contains(&key(cable)));
        self.wires.extend(new.map(|&cable| Wire { cable, born, died: NEVER }));
    }

    fn follow_modules(&mut self, model: &Model) -> Vec<Room> {
        let in_use: std::collections::HashSet<Slot> =
            self.wires.iter().flat_map(|wire| [wire.cable.from, wire.cable.to]).collect();
        let mut freed = Vec::new();
        self.placed.retain(|slot, placed| {
            placed.is_dying = model.by_slot(*slot).is_none();
            let stays = !placed.is_dying || in_use.contains(slot);
            if !stays {
                freed.push(Room { lane: placed.lane, range: placed.range.clone() });
            }
            stays
        });
        for module in model.modules() {
            if let Some(placed) = self.placed.get_mut(&module.slot)
                && placed.is_bypassed != module.is_bypassed
            {
                placed.is_bypassed = module.is_bypassed;
                placed.plan.active = if module.is_bypassed { [1.0, 0.0] } else { [0.0, 1.0] };
                placed.plan.bypass_start = AT_FLIP;
            }
        }
        freed
    }

    /// Whether something is fading, so that the stage has to be looked after again.
    pub fn is_fading(&self) -> bool {
        self.wires.iter().any(|wire| wire.died != NEVER) || self.placed.values().any(|placed| placed.is_dying)
    }

    /// The plans that differ from those written last, by lane.
    pub fn changed_plans(&mut self) -> Vec<(LaneId, Plan)> {
        let order = self.order();
        let mut plans = vec![Plan::default(); self.written.len()];
        for slot in &order {
            self.add_module(&mut plans, *slot);
        }
        let changed = plans
            .iter()
            .enumerate()
            .filter(|&(lane, plan)| *plan != self.written[lane])
            .map(|(lane, plan)| (LaneId(lane as u16), plan.clone()))
            .collect();
        self.written = plans;
        changed
    }

    fn add_module(&self, plans: &mut [Plan], slot: Slot) {
        let placed = &self.placed[&slot];
        let plan = &mut plans[usize::from(placed.lane.0)];
        let first_cable = plan.cables.len() as u32;
        for wire in self.wires.iter().filter(|wire| wire.cable.to == slot) {
            let Some(source) = self.placed.get(&wire.cable.from) else { continue };
            let port = usize::from(wire.cable.output) * source.port_samples as usize * size_of::<f32>();
            plan.cables.push(CablePlan {
                source_birth: source.plan.birth,
                born: wire.born,
                died: wire.died,
                gain: wire.cable.gain,
                head_at: source.plan.head_at,
                samples_at: source.plan.outputs_at + (port / GRAIN) as u32,
                stride: source.plan.output_samples,
                samples: source.port_samples,
                input: wire.cable.input,
                channels: source.plan.channels,
                lane: source.lane.0,
                delay: wire.cable.is_feedback.into(),
                ..CablePlan::default()
            });
        }
        let listeners = || self.wires.iter().filter(|wire| wire.cable.from == slot);
        let wanted = listeners().fold(0, |bits, wire| bits | 1 << wire.cable.output);
        let out_lane = self.format.out_lane();
        let lanes = listeners().filter_map(|wire| self.placed.get(&wire.cable.to)).map(|to| to.lane);
        let listeners =
            lanes.filter(|&lane| lane != placed.lane && lane != out_lane).fold(0, |bits, lane| bits | 1 << lane.0);
        let first_value = plan.values.len() as u32;
        plan.values.extend_from_slice(&placed.initial);
        plan.modules.push(ModulePlan {
            wanted: if placed.lane == out_lane { u32::MAX } else { wanted },
            listeners,
            first_cable,
            cables: plan.cables.len() as u32 - first_cable,
            first_value,
            ..placed.plan
        });
    }

    /// All modules so that each comes after those that it hears, oldest first where there is a choice.
    fn order(&mut self) -> Vec<Slot> {
        let mut waits_for: HashMap<Slot, usize> = self.placed.keys().map(|&slot| (slot, 0)).collect();
        let mut listeners: HashMap<Slot, Vec<Slot>> = HashMap::new();
        for wire in self.wires.iter().filter(|wire| !wire.cable.is_feedback) {
            *waits_for.entry(wire.cable.to).or_default() += 1;
            listeners.entry(wire.cable.from).or_default().push(wire.cable.to);
        }
        let mut ready: BTreeSet<Slot> =
            waits_for.iter().filter(|&(_, &count)| count == 0).map(|(&slot, _)| slot).collect();
        let mut order = Vec::with_capacity(self.placed.len());
        loop {
            while let Some(slot) = ready.pop_first() {
                waits_for.remove(&slot);
                order.push(slot);
                for listener in listeners.get(&slot).into_iter().flatten() {
                    if let Some(count) = waits_for.get_mut(listener) {
                        *count -= 1;
                        if *count == 0 {
                            ready.insert(*listener);
                        }
                    }
                }
            }
            if waits_for.is_empty() {
                return order;
            }
            // Only a cable that is fading out can still close a loop with those that came after it. It goes on with the block
            // before, for the milliseconds that it has left.
            let stuck = self.wires.iter_mut().find(|wire| {
                !wire.cable.is_feedback
                    && wire.died != NEVER
                    && waits_for.contains_key(&wire.cable.from)
                    && waits_for.contains_key(&wire.cable.to)
            });
            let Some(wire) = stuck else {
                // The model marks every cable that closes a loop, so this is never reached; if it were, the rest would be silent.
                tracing::error!("a loop without a feedback cable: {} modules left out", waits_for.len());
                return order;
            };
            wire.cable.is_feedback = true;
            let to = wire.cable.to;
            let from = wire.cable.from;
            if let Some(list) = listeners.get_mut(&from)
                && let Some(at) = list.iter().position(|&listener| listener == to)
            {
                list.swap_remove(at);
            }
            if let Some(count) = waits_for.get_mut(&to) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(to);
                }
            }
        }
    }

    /// Replaces "when the plan becomes valid" by `flip`, the block at which the plans written last did.
    pub fn resolve(&mut self, flip: Block) {
        for wire in &mut self.wires {
            for block in [&mut wire.born, &mut wire.died] {
                *block = fade_start(*block, flip);
            }
        }
        for placed in self.placed.values_mut() {
            placed.plan = placed.plan.resolved(flip);
        }
        for plan in &mut self.written {
            for module in &mut plan.modules {
                *module = module.resolved(flip);
            }
            for cable in &mut plan.cables {
                *cable = cable.resolved(flip);
            }
        }
    }

    /// Lanes that have something to compute, in an order in which each comes after those that it hears, as far as there is one.
    pub fn active_lanes(&self) -> Vec<LaneId> {
        let mut lanes: Vec<LaneId> = Vec::new();
        let mut depth: HashMap<LaneId, usize> = HashMap::new();
        for (lane, plan) in self.written.iter().enumerate().take(usize::from(self.format.lanes)) {
            if !plan.modules.is_empty() {
                lanes.push(LaneId(lane as u16));
            }
        }
        // A few rounds suffice: order only saves wake-ups, it is not needed for correctness.
        for _ in 0..lanes.len() {
            let mut has_changed = false;
            for &lane in &lanes {
                let plan = &self.written[usize::from(lane.0)];
                let deepest = plan
                    .cables
                    .iter()
                    .filter(|cable| cable.delay == 0 && cable.lane != lane.0)
                    .map(|cable| depth.get(&LaneId(cable.lane)).copied().unwrap_or(0) + 1)
                    .max()
                    .unwrap_or(0)
                    .min(lanes.len());
                has_changed |= depth.insert(lane, deepest) != Some(deepest);
            }
            if !has_changed {
                break;
            }
        }
        lanes.sort_by_key(|lane| (depth.get(lane).copied().unwrap_or(0), lane.0));
        lanes
    }

    /// Lanes that hear each other, as groups: they share a core.
    pub fn lane_groups(&self) -> Vec<Vec<LaneId>> {
        let count = usize::from(self.format.lanes);
        let mut group: Vec<usize> = (0..count).collect();
        for (lane, plan) in self.written.iter().enumerate().take(count) {
            for cable in plan.cables.iter().filter(|cable| usize::from(cable.lane) < count) {
                let (a, b) = (group[lane], group[usize::from(cable.lane)]);
                for entry in &mut group {
                    if *entry == b {
                        *entry = a;
                    }
                }
            }
        }
        let active: Vec<LaneId> = self.active_lanes();
        let mut groups: Vec<(usize, Vec<LaneId>)> = Vec::new();
        for lane in active {
            let number = group[usize::from(lane.0)];
            match groups.iter_mut().find(|(other, _)| *other == number) {
                Some((_, lanes)) => lanes.push(lane),
                None => groups.push((number, vec![lane])),
            }
        }
        groups.into_iter().map(|(_, lanes)| lanes).collect()
    }

    /// Modules on `lane`, dying ones included.
    pub fn modules_on(&self, lane: LaneId) -> usize {
        self.written.get(usize::from(lane.0)).map_or(0, |plan| plan.modules.len())
    }

    /// The plan of the module that the engine executes, and the samples of one of its ports in one block.
    pub fn engine_module(&self) -> Option<(ModulePlan, u32)> {
        let own = self.placed.values().find(|placed| placed.lane == self.format.out_lane());
        own.map(|placed| (placed.plan, placed.port_samples))
    }

    /// Where a module keeps its outputs: its lane, its plan, the samples of one port in one block.
    pub fn output_ring(&self, slot: Slot) -> Option<(LaneId, ModulePlan, u32)> {
        self.placed.get(&slot).map(|placed| (placed.lane, placed.plan, placed.port_samples))
    }
}

/// Where the parts of a module lie, in bytes from its start.
struct Layout {
    state: usize,
    state_bytes: usize,
    outputs: usize,
    output_samples: usize,
    tape: usize,
    tape_frames: usize,
    tape_rings: usize,
    bytes: usize,
}

impl Layout {
    fn of(module: &Module, catalogue: Catalogue, format: &Format) -> Layout {
        let kind = &catalogue.0[usize::from(module.kind)];
        let shape = Shape::new(module.channels);
        let state = size_of::<ModuleHead>();
        let state_bytes = kind.state_bytes(shape);
        let outputs = state + 2 * state_bytes;
        let output_samples = kind.output_samples(shape, format.frames);
        let tape = (outputs + RING_BLOCKS * output_samples * size_of::<f32>()).next_multiple_of(GRAIN);
        let tape_frames = kind.tape_frames(format.rate_hz as f32, format.frames);
        let tape_rings = if tape_frames == 0 { 0 } else { shape.stride() * kind.tapes };
        let bytes = tape + tape_frames * tape_rings * size_of::<f32>();
        Layout { state, state_bytes, outputs, output_samples, tape, tape_frames, tape_rings, bytes }
    }
}

fn key(cable: &Cable) -> [u32; 4] {
    [cable.from.0, cable.output.into(), cable.to.0, cable.input.into()]
}
