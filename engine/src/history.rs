//! Undo and redo: earlier patches, and the way from one patch to another.

use std::collections::VecDeque;

use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::spec::Role;

use crate::edit::{ALL_CHANNELS, Gesture};
use crate::error::PatchError;
use crate::model::{Catalogue, Model, Module};
use crate::name::Name;

/// Steps that can be taken back.
pub const UNDO_MAX: usize = 200;

/// Patches before and after the present one.
#[derive(Default)]
pub struct History {
    past: VecDeque<Model>,
    future: Vec<Model>,
}

impl History {
    /// `after` follows on `before`. What was undone cannot be done again any more.
    pub fn record(&mut self, before: &Model, after: &Model) {
        if !differs(before, after) {
            return;
        }
        if self.past.len() == UNDO_MAX {
            self.past.pop_front();
        }
        self.past.push_back(before.clone());
        self.future.clear();
    }

    /// The patch `steps` steps back (or forth) from `present`, and how many steps there were.
    ///
    /// # Errors
    /// If there is none.
    pub fn step(&mut self, present: &Model, steps: usize, is_undo: bool) -> Result<(Model, usize), PatchError> {
        let mut target = None;
        let mut count = 0;
        while count < steps.max(1) {
            let next = if is_undo { self.past.pop_back() } else { self.future.pop() };
            let Some(next) = next else { break };
            let left = target.replace(next).unwrap_or_else(|| present.clone());
            if is_undo {
                self.future.push(left);
            } else {
                self.past.push_back(left);
            }
            count += 1;
        }
        let what = if is_undo { "undo" } else { "redo" };
        target.map(|model| (model, count)).ok_or(PatchError::NoHistory { what })
    }
}

/// Whether two patches are not the same to the player.
pub fn differs(a: &Model, b: &Model) -> bool {
    let same_modules = a.modules().len() == b.modules().len()
        && a.modules().iter().zip(b.modules()).all(|(a, b)| {
            std::sync::Arc::ptr_eq(a, b)
                || (a.slot == b.slot && a.id == b.id && a.params == b.params && a.is_bypassed == b.is_bypassed)
        });
    !same_modules || a.cables() != b.cables()
}

/// From `present` to `target`: the patch, and the values that move there.
pub fn transition(present: &Model, mut target: Model) -> (Model, Vec<Gesture>) {
    let mut gestures = Vec::new();
    let slots: Vec<Slot> = target.modules().iter().map(|module| module.slot).collect();
    for slot in slots {
        let now = present.by_slot(slot);
        if now.is_none() {
            // It comes back: its values are its first ones.
            target.change(slot, |module| module.initial = module.params.clone().into());
        }
        let Some(then) = target.by_slot(slot) else { continue };
        let ports = then.spec.inputs.len();
        for (index, &value) in then.params.iter().enumerate() {
            // One that comes back may still be fading out, with other values.
            if now.is_none_or(|now| now.params[index] != value) {
                let ramp_s = then.spec.params[index].smooth_ms / 1000.0;
                let input = (ports + index) as u32;
                gestures.push(Gesture { slot, input, channel: ALL_CHANNELS, ramp_s, after_s: 0.0, value });
            }
        }
    }
    (target, gestures)
}

/// Adds the module that is always there.
pub fn add_output_module(model: &mut Model, next_slot: &mut u32, catalogue: Catalogue, lane: LaneId) {
    let output = catalogue.0.iter().enumerate().find(|(_, kind)| kind.spec.role == Role::Output);
    let Some((number, kind)) = output else { return };
    let Some(id) = Name::new(kind.spec.name) else { return };
    let params: Vec<f32> = kind.spec.params.iter().map(|param| param.default).collect();
    model.add(Module {
        slot: Slot(*next_slot),
        id,
        kind: number as u16,
        spec: kind.spec,
        channels: 1,
        lane,
        initial: params.clone().into(),
        params,
        files: Default::default(),
        seed: 0,
        is_bypassed: false,
    });
    *next_slot += 1;
}
