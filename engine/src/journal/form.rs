//! A patch as it is written down: everything that must come back the same, by the names that the player and the kinds' tables give.
//!
//! Numbers of kinds, ports and params are not written: they may differ in another version. Nor is which cables close a loop: it
//! follows from their order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::spec::{CHANNELS_MAX, Role, Unit};

use crate::command::PortRef;
use crate::edit::find_output;
use crate::error::PatchError;
use crate::model::{CABLES_MAX, Cable, Catalogue, MODULES_MAX, Model, Module};
use crate::name::Name;

/// A patch and what the session knows beside it.
#[derive(Clone)]
pub struct State {
    /// The patch.
    pub model: Model,
    /// The slot of the next module: none is used twice.
    pub next_slot: u32,
}

impl State {
    /// An empty patch: only the module that is always there.
    pub fn new(catalogue: Catalogue, out_lane: LaneId) -> State {
        let (mut model, mut next_slot) = (Model::default(), 0);
        crate::history::add_output_module(&mut model, &mut next_slot, catalogue, out_lane);
        State { model, next_slot }
    }

    /// Has what was set last be what its modules begin with, as nothing sounds yet.
    pub fn settle(&mut self) {
        let slots: Vec<Slot> = self.model.modules().iter().map(|module| module.slot).collect();
        for slot in slots {
            self.model.change(slot, |module| module.initial = module.params.clone().into());
        }
    }

    /// How many modules the player made, and cables.
    pub fn count(&self) -> [usize; 2] {
        // The one that is always there is nobody's.
        [self.model.modules().len().saturating_sub(1), self.model.cables().len()]
    }
}

/// Why what is written down is no patch of this engine.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Unfit {
    /// A kind, port, param or cable that this version does not have.
    #[error("{0}")]
    Patch(#[from] PatchError),
    /// The module that is always there is not.
    #[error("it has no output")]
    NoOutput,
    /// Two modules of one slot, or one that is to come.
    #[error("slot {0} is not free")]
    Slot(u32),
}

/// A whole patch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatchForm {
    next_slot: u32,
    modules: Vec<ModuleForm>,
    cables: Vec<CableForm>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ModuleForm {
    id: Name,
    kind: String,
    channels: usize,
    params: BTreeMap<String, f32>,
    /// Sound files, by the name of the param. The number of a place means nothing to another engine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, PathBuf>,
    bypassed: bool,
    slot: u32,
    lane: u16,
    seed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct CableForm {
    from: Name,
    output: String,
    to: Name,
    input: String,
    gain: f32,
}

impl PatchForm {
    /// Writes a patch down.
    pub fn of(state: &State) -> PatchForm {
        let model = &state.model;
        let cables = model.cables().iter().filter_map(|cable| model.describe(cable));
        let cables = cables.map(|cable| CableForm {
            from: cable.from,
            output: cable.output.to_owned(),
            to: cable.to,
            input: cable.input.to_owned(),
            gain: cable.gain,
        });
        PatchForm {
            next_slot: state.next_slot,
            modules: model.modules().iter().map(|module| ModuleForm::of(module)).collect(),
            cables: cables.collect(),
        }
    }

    /// The patch that is written down.
    ///
    /// # Errors
    /// If it does not fit this engine.
    pub fn state(&self, catalogue: Catalogue, out_lane: LaneId) -> Result<State, Unfit> {
        // The module that is always there counts as none of the player's.
        for (what, count, limit) in
            [("modules", self.modules.len().saturating_sub(1), MODULES_MAX), ("cables", self.cables.len(), CABLES_MAX)]
        {
            if count > limit {
                return Err(PatchError::Full { what, limit }.into());
            }
        }
        let mut model = Model::default();
        for form in &self.modules {
            let module = form.module(catalogue, out_lane)?;
            if let Some(old) = model.module(&module.id) {
                return Err(PatchError::Exists { id: old.id.clone(), kind: old.spec.name }.into());
            }
            if model.by_slot(module.slot).is_some() || form.slot >= self.next_slot {
                return Err(Unfit::Slot(form.slot));
            }
            model.add(module);
        }
        if model.modules().iter().filter(|module| module.spec.role == Role::Output).count() != 1 {
            return Err(Unfit::NoOutput);
        }
        for form in &self.cables {
            let cable = form.cable(&model)?;
            model.connect(cable);
        }
        Ok(State { model, next_slot: self.next_slot })
    }
}

impl ModuleForm {
    fn of(module: &Module) -> ModuleForm {
        let params = module.spec.params.iter().zip(&module.params).filter(|(spec, _)| spec.unit != Unit::File);
        let files = module.files.iter();
        ModuleForm {
            id: module.id.clone(),
            kind: module.spec.name.to_owned(),
            channels: module.channels,
            params: params.map(|(spec, &value)| (spec.name.to_owned(), value)).collect(),
            files: files
                .map(|(&param, path)| (module.spec.params[usize::from(param)].name.to_owned(), path.clone()))
                .collect(),
            bypassed: module.is_bypassed,
            slot: module.slot.0,
            lane: module.lane.0,
            seed: module.seed,
        }
    }

    fn module(&self, catalogue: Catalogue, out_lane: LaneId) -> Result<Module, PatchError> {
        let (kind, found) = catalogue
            .find(&self.kind)
            .ok_or_else(|| PatchError::NoKind { kind: self.kind.clone(), similar: catalogue.names().collect() })?;
        let spec = found.spec;
        if !(1..=CHANNELS_MAX).contains(&self.channels) {
            return Err(range("channels", self.channels as f64, 1.0, CHANNELS_MAX as f64));
        }
        // A param that is not written is one that this version has besides.
        let mut params: Vec<f32> = spec.params.iter().map(|param| param.default).collect();
        for (name, &value) in &self.params {
            let index = spec.param(name).ok_or_else(|| PatchError::NoParam {
                id: self.id.to_string(),
                kind: spec.name,
                param: name.clone(),
                has: spec.params.iter().map(|param| param.name).collect(),
            })?;
            let (min, max) = (spec.params[index].min, spec.params[index].max);
            if !value.is_finite() {
                return Err(range(name, value.into(), min.into(), max.into()));
            }
            // What a version with a wider range has set is as near as may be.
            params[index] = value.clamp(min, max);
        }
        let is_file = |name: &str| spec.param(name).filter(|&param| spec.params[param].unit == Unit::File);
        let files = self.files.iter().filter_map(|(name, path)| Some((is_file(name)? as u16, path.clone())));
        Ok(Module {
            slot: Slot(self.slot),
            id: self.id.clone(),
            kind,
            spec,
            channels: self.channels,
            lane: if spec.role == Role::Output { out_lane } else { LaneId(self.lane) },
            initial: params.clone().into(),
            params,
            files: files.collect(),
            seed: self.seed,
            is_bypassed: self.bypassed,
        })
    }
}

impl CableForm {
    fn cable(&self, model: &Model) -> Result<Cable, PatchError> {
        let source = PortRef { module: self.from.clone(), port: Some(self.output.clone()) };
        let (from, output) = find_output(model, &source)?;
        let to = crate::edit::find_module(model, &self.to)?;
        let input = to.spec.input(&self.input).ok_or_else(|| PatchError::NoPort {
            id: to.id.clone(),
            kind: to.spec.name,
            port: self.input.clone(),
            is_output: false,
            has: (0..to.spec.input_count()).filter_map(|at| to.spec.input_at(at)).map(|input| input.name()).collect(),
        })?;
        if !self.gain.is_finite() {
            return Err(range("gain", self.gain.into(), f32::MIN.into(), f32::MAX.into()));
        }
        Ok(Cable { from, output, to: to.slot, input: input as u16, gain: self.gain, is_feedback: false })
    }
}

fn range(what: &str, value: f64, min: f64, max: f64) -> PatchError {
    PatchError::Range { param: what.to_owned(), value, min, max, unit: "" }
}
