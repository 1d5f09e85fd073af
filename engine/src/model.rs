//! The patch as the player sees it: modules, cables, values. Pure data; knows no block, no lane memory and no thread.
//!
//! A change is made on a draft (a clone: modules are shared, so it is cheap) and taken over whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use tine_modules::Kind;
use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::spec::KindSpec;

use crate::answer::{CableInfo, ModuleInfo};
use crate::name::Name;

/// Modules at most.
pub const MODULES_MAX: usize = 4096;

/// Cables at most.
pub const CABLES_MAX: usize = 16_384;

/// One module.
#[derive(Clone)]
pub struct Module {
    /// Which; never used twice.
    pub slot: Slot,
    /// What the player calls it.
    pub id: Name,
    /// Index into the catalogue.
    pub kind: u16,
    /// Its kind's table.
    pub spec: &'static KindSpec,
    /// 1..=16.
    pub channels: usize,
    /// The lane that executes it.
    pub lane: LaneId,
    /// What each param was set to last, in its unit.
    pub params: Vec<f32>,
    /// What each param was at creation.
    pub initial: Arc<[f32]>,
    /// Per param that names a sound file: which.
    pub files: BTreeMap<u16, PathBuf>,
    /// What its randomness starts from.
    pub seed: u64,
    /// Whether the signal passes it by.
    pub is_bypassed: bool,
}

/// One cable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cable {
    /// Source.
    pub from: Slot,
    /// Output index of the source.
    pub output: u16,
    /// Destination.
    pub to: Slot,
    /// Input index of the destination (ports, then params).
    pub input: u16,
    /// Linear.
    pub gain: f32,
    /// Closes a loop: carries the block before.
    pub is_feedback: bool,
}

/// The whole patch.
#[derive(Clone, Default)]
pub struct Model {
    modules: Vec<Arc<Module>>,
    by_id: HashMap<Name, usize>,
    by_slot: HashMap<Slot, usize>,
    cables: Vec<Cable>,
}

impl Model {
    /// All modules in creation order; the first is `out`.
    pub fn modules(&self) -> &[Arc<Module>] {
        &self.modules
    }

    /// All cables in creation order.
    pub fn cables(&self) -> &[Cable] {
        &self.cables
    }

    /// The module called `id`.
    pub fn module(&self, id: &Name) -> Option<&Arc<Module>> {
        self.by_id.get(id).map(|&index| &self.modules[index])
    }

    /// The module in `slot`.
    pub fn by_slot(&self, slot: Slot) -> Option<&Arc<Module>> {
        self.by_slot.get(&slot).map(|&index| &self.modules[index])
    }

    /// Adds a module; its id and slot are free.
    pub fn add(&mut self, module: Module) {
        self.by_id.insert(module.id.clone(), self.modules.len());
        self.by_slot.insert(module.slot, self.modules.len());
        self.modules.push(Arc::new(module));
    }

    /// Removes modules and every cable of theirs.
    pub fn remove(&mut self, is_gone: impl Fn(&Module) -> bool) {
        self.modules.retain(|module| !is_gone(module));
        self.reindex();
        let by_slot = &self.by_slot;
        let before = self.cables.len();
        self.cables.retain(|cable| by_slot.contains_key(&cable.from) && by_slot.contains_key(&cable.to));
        if self.cables.len() < before {
            self.mark_feedback();
        }
    }

    /// Changes a module in place.
    pub fn change(&mut self, slot: Slot, change: impl FnOnce(&mut Module)) {
        if let Some(&index) = self.by_slot.get(&slot) {
            change(Arc::make_mut(&mut self.modules[index]));
        }
    }

    /// Gives a module another id, which is free.
    pub fn rename(&mut self, slot: Slot, id: Name) {
        self.change(slot, |module| module.id = id);
        self.reindex();
    }

    fn reindex(&mut self) {
        self.by_id = self.modules.iter().enumerate().map(|(index, module)| (module.id.clone(), index)).collect();
        self.by_slot = self.modules.iter().enumerate().map(|(index, module)| (module.slot, index)).collect();
    }

    /// Adds a cable, or gives the one that is there another gain. Tells whether anything changed.
    pub fn connect(&mut self, mut cable: Cable) -> bool {
        if let Some(old) = self.cables.iter_mut().find(|old| is_same(old, &cable)) {
            let changes = old.gain != cable.gain;
            old.gain = cable.gain;
            return changes;
        }
        cable.is_feedback = self.reaches(cable.to, cable.from);
        self.cables.push(cable);
        true
    }

    /// Adds a cable just as it is.
    pub fn put(&mut self, cable: Cable) {
        self.cables.push(cable);
    }

    /// Removes the cables that match. Returns how many those were.
    pub fn disconnect(&mut self, is_gone: impl Fn(&Cable) -> bool) -> usize {
        let before = self.cables.len();
        self.cables.retain(|cable| !is_gone(cable));
        let removed = before - self.cables.len();
        if removed > 0 {
            self.mark_feedback();
        }
        removed
    }

    /// Finds anew which cables close a loop: in creation order, those to whose destination the source already listened.
    fn mark_feedback(&mut self) {
        if self.cables.iter().all(|cable| !cable.is_feedback) {
            return;
        }
        let cables = std::mem::take(&mut self.cables);
        for mut cable in cables {
            cable.is_feedback = self.reaches(cable.to, cable.from);
            self.cables.push(cable);
        }
    }

    /// Whether sound gets from `from` to `to` within a block.
    fn reaches(&self, from: Slot, to: Slot) -> bool {
        let mut seen = std::collections::HashSet::from([from]);
        let mut open = vec![from];
        while let Some(slot) = open.pop() {
            if slot == to {
                return true;
            }
            let next = self.cables.iter().filter(|cable| cable.from == slot && !cable.is_feedback);
            open.extend(next.map(|cable| cable.to).filter(|&slot| seen.insert(slot)));
        }
        false
    }

    /// The cable in the player's words.
    pub fn describe(&self, cable: &Cable) -> Option<CableInfo> {
        let (from, to) = (self.by_slot(cable.from)?, self.by_slot(cable.to)?);
        Some(CableInfo {
            from: from.id.clone(),
            output: from.spec.outputs.get(usize::from(cable.output))?.name,
            to: to.id.clone(),
            input: to.spec.input_at(usize::from(cable.input))?.name(),
            gain: cable.gain,
            feedback: cable.is_feedback,
        })
    }
}

impl Module {
    /// The module in the player's words. `out_lane` is the engine's own.
    pub fn describe(&self, out_lane: LaneId) -> ModuleInfo {
        ModuleInfo {
            id: self.id.clone(),
            kind: self.spec,
            channels: self.channels,
            worker: (self.lane != out_lane).then_some(self.lane.0),
            bypassed: self.is_bypassed,
            params: self.params.clone(),
            files: self
                .files
                .iter()
                .map(|(&param, path)| (self.spec.params[usize::from(param)].name, path.clone()))
                .collect(),
        }
    }
}

/// Whether both lead from the same output to the same input.
pub fn is_same(a: &Cable, b: &Cable) -> bool {
    (a.from, a.output, a.to, a.input) == (b.from, b.output, b.to, b.input)
}

/// The kinds that this engine offers.
#[derive(Clone, Copy)]
pub struct Catalogue(pub &'static [Kind]);

impl Catalogue {
    /// The kind called `name`, and its number.
    pub fn find(&self, name: &str) -> Option<(u16, &'static Kind)> {
        let index = self.0.iter().position(|kind| kind.spec.name == name)?;
        Some((index as u16, &self.0[index]))
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|kind| kind.spec.name)
    }
}
