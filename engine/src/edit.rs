//! Applies commands to a draft of the patch. Refuses with the draft abandoned; touches nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::spec::{CHANNELS_MAX, Curve, KindSpec, ParamSpec, PortSpec, Role, Unit};

use crate::answer::{CableInfo, Outcome};
use crate::command::{Command, Placement, PortRef, Value};
use crate::error::PatchError;
use crate::model::{CABLES_MAX, Cable, Catalogue, MODULES_MAX, Model, Module};
use crate::name::Name;
use crate::similar::similar;
use crate::value;
use crate::voices::{Note, Release, Strike, Voices};

/// A change within a block that a command asks for, besides what it does to the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gesture {
    /// Which module.
    pub slot: Slot,
    /// Input index (ports, then params), or `u32::MAX` for a reset.
    pub input: u32,
    /// For a port: the channel, or [`ALL_CHANNELS`].
    pub channel: u32,
    /// Seconds until it is reached.
    pub ramp_s: f32,
    /// Seconds after the request's time.
    pub after_s: f32,
    /// New value.
    pub value: f32,
}

/// In place of a channel: every one.
pub const ALL_CHANNELS: u32 = u32::MAX;

/// How long the pulse of `trig` lasts: long enough for any rate and block, short enough to repeat.
const TRIGGER_S: f32 = 0.002;

/// How long the gate of a note that is taken for another stays closed: an envelope sees it, and nobody hears a gap.
const RESTRIKE_S: f32 = 0.001;

/// A draft of the patch, and what else the commands so far ask for.
pub struct Draft<'a> {
    /// The patch with the commands so far applied.
    pub model: Model,
    /// Changes within the block.
    pub gestures: Vec<Gesture>,
    /// One per command.
    pub outcomes: Vec<Outcome>,
    /// The next module's slot.
    pub next_slot: u32,
    /// Which channel plays what.
    pub voices: Voices,
    catalogue: Catalogue,
    placer: &'a mut dyn FnMut(&Model, &Placement) -> Result<LaneId, PatchError>,
    sounds: &'a mut dyn FnMut(u16, &Path) -> Result<u16, PatchError>,
}

impl<'a> Draft<'a> {
    /// A draft that starts as `model`; `placer` chooses the lane of a new module, `sounds` knows where a file lies for a kind.
    pub fn new(
        model: &Model,
        next_slot: u32,
        catalogue: Catalogue,
        placer: &'a mut dyn FnMut(&Model, &Placement) -> Result<LaneId, PatchError>,
        sounds: &'a mut dyn FnMut(u16, &Path) -> Result<u16, PatchError>,
    ) -> Draft<'a> {
        Draft {
            model: model.clone(),
            gestures: Vec::new(),
            outcomes: Vec::new(),
            next_slot,
            voices: Voices::default(),
            catalogue,
            placer,
            sounds,
        }
    }

    /// Applies one command.
    ///
    /// # Errors
    /// If it does not fit the patch. The draft is then to be abandoned.
    pub fn apply(&mut self, command: &Command) -> Result<(), PatchError> {
        let outcome = match command {
            Command::Create { kind, channels, id, placement, params, idempotent } => {
                self.create(kind, *channels, id.as_ref(), placement, params, *idempotent)?
            }
            Command::Connect { path, gain } => self.connect(path, *gain)?,
            Command::Disconnect { from, to } => self.disconnect(from, to.as_ref())?,
            Command::Set { module, param, value, ramp_s } => self.set(module, param, value, *ramp_s)?,
            Command::SetFraction { module, param, fraction } => {
                let (_, spec) = self.param(module, param)?;
                if !fraction.is_finite() || !(0.0..=1.0).contains(fraction) {
                    return Err(range(param, *fraction, 0.0, 1.0));
                }
                let number = f64::from(spec.denormalize(*fraction as f32));
                self.set(module, param, &Value::Number(number, crate::command::Measure::Plain), None)?
            }
            Command::Destroy { ids, missing_ok } => self.destroy(ids, *missing_ok)?,
            Command::Rename { from, to } => self.rename(from, to)?,
            Command::Duplicate { id } => self.duplicate(id)?,
            Command::Bypass { id, on } => {
                let slot = self.own(id, "be bypassed")?.slot;
                self.model.change(slot, |module| module.is_bypassed = *on);
                Outcome::Done
            }
            Command::Reset { id } => {
                let slot = self.own(id, "be reset")?.slot;
                self.gesture(slot, u32::MAX, 0.0, 0.0);
                Outcome::Done
            }
            Command::Note { id, pitch, velocity } => self.note(id, pitch, *velocity)?,
            Command::Gate { id, level } => self.gate(id, *level)?,
            Command::Trigger { id } => self.trigger(id)?,
            Command::Clear => {
                let before = self.model.modules().len();
                self.model.remove(|module| module.spec.role == Role::Lane);
                Outcome::Destroyed { removed: before - self.model.modules().len() }
            }
            Command::Panic => self.panic(),
            // The session's own: they change which model is the present one.
            Command::Undo(_) | Command::Redo(_) => Outcome::Done,
        };
        self.outcomes.push(outcome);
        Ok(())
    }

    fn create(
        &mut self,
        kind: &str,
        channels: usize,
        id: Option<&Name>,
        placement: &Placement,
        params: &[(String, Value)],
        is_idempotent: bool,
    ) -> Result<Outcome, PatchError> {
        let (number, found) = self.catalogue.find(kind).ok_or_else(|| {
            let near = similar(kind, self.catalogue.names());
            let similar = if near.is_empty() { self.catalogue.names().collect() } else { near };
            PatchError::NoKind { kind: kind.to_owned(), similar }
        })?;
        let spec = found.spec;
        if let Some(old) = id.and_then(|id| self.model.module(id)) {
            if is_idempotent && old.spec.name == kind && old.channels == channels {
                return Ok(created(old));
            }
            return Err(PatchError::Exists { id: old.id.clone(), kind: old.spec.name });
        }
        if spec.role == Role::Output {
            return Err(PatchError::Unsupported {
                id: kind.to_owned(),
                kind: spec.name,
                verb: "be created: it is always there",
            });
        }
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return Err(range("channels", channels as f64, 1.0, CHANNELS_MAX as f64));
        }
        if self.model.modules().len() > MODULES_MAX {
            return Err(PatchError::Full { what: "modules", limit: MODULES_MAX });
        }
        let mut values: Vec<f32> = spec.params.iter().map(|param| param.default).collect();
        let mut files = BTreeMap::new();
        for (name, value) in params {
            let index = spec.param(name).ok_or_else(|| no_param(kind, spec, name))?;
            let (number, file) = self.value(number, &spec.params[index], value)?;
            values[index] = number;
            files.extend(file.map(|path| (index as u16, path)));
        }
        let id = id.cloned().unwrap_or_else(|| self.free_name(kind));
        let lane = (self.placer)(&self.model, placement)?;
        let module = Module {
            slot: Slot(self.next_slot),
            seed: seed_of(id.as_str()),
            id,
            kind: number,
            spec,
            channels,
            lane,
            initial: values.clone().into(),
            params: values,
            files,
            is_bypassed: false,
        };
        self.next_slot += 1;
        let outcome = created(&module);
        self.model.add(module);
        Ok(outcome)
    }

    /// What `value` comes to in a param of a module of `kind`: its number, and the file that it names.
    fn value(&mut self, kind: u16, spec: &ParamSpec, value: &Value) -> Result<(f32, Option<PathBuf>), PatchError> {
        match value {
            Value::File(path) if spec.unit == Unit::File => Ok(((self.sounds)(kind, path)?.into(), Some(path.clone()))),
            value => Ok((value::resolve(spec, value)?, None)),
        }
    }

    fn free_name(&self, kind: &str) -> Name {
        (1..)
            .filter_map(|number| Name::new(&format!("{kind}{number}")))
            .find(|name| self.model.module(name).is_none())
            .expect("there are more numbers than modules")
    }

    fn duplicate(&mut self, id: &Name) -> Result<Outcome, PatchError> {
        let original = self.own(id, "be duplicated")?.clone();
        let params: Vec<(String, Value)> = original
            .spec
            .params
            .iter()
            .zip(&original.params)
            .filter(|(spec, _)| spec.unit != Unit::File)
            .map(|(spec, &value)| {
                (spec.name.to_owned(), Value::Number(f64::from(value), crate::command::Measure::Plain))
            })
            .collect();
        let outcome =
            self.create(original.spec.name, original.channels, None, &Placement::default(), &params, false)?;
        let copy = self.model.modules().last().expect("it was just added").slot;
        self.model.change(copy, |copy| {
            copy.files.clone_from(&original.files);
            copy.params.clone_from(&original.params);
            copy.initial = copy.params.clone().into();
        });
        let incoming: Vec<Cable> =
            self.model.cables().iter().filter(|cable| cable.to == original.slot).copied().collect();
        for cable in incoming {
            // A module that listens to itself: so does its copy.
            let from = if cable.from == original.slot { copy } else { cable.from };
            self.model.connect(Cable { from, to: copy, is_feedback: false, ..cable });
        }
        Ok(outcome)
    }

    fn connect(&mut self, path: &[PortRef], gain: f64) -> Result<Outcome, PatchError> {
        if !gain.is_finite() || gain.abs() > GAIN_MAX {
            return Err(range("gain", gain, -GAIN_MAX, GAIN_MAX));
        }
        let mut changed = 0;
        let mut feedback: Vec<CableInfo> = Vec::new();
        for (index, pair) in path.windows(2).enumerate() {
            // In the middle of a path the name is that of the input: sound leaves by the default output.
            let (from, output) = if index == 0 { self.output(&pair[0])? } else { self.output(&unnamed(&pair[0]))? };
            let (to, inputs) = self.inputs(&pair[1])?;
            for input in inputs {
                let cable = Cable { from, output, to, input, gain: gain as f32, is_feedback: false };
                changed += usize::from(self.model.connect(cable));
                if let Some(made) = self.model.cables().iter().find(|made| crate::model::is_same(made, &cable))
                    && made.is_feedback
                {
                    feedback.extend(self.model.describe(made));
                }
            }
        }
        if self.model.cables().len() > CABLES_MAX {
            return Err(PatchError::Full { what: "cables", limit: CABLES_MAX });
        }
        Ok(Outcome::Connected { changed, feedback })
    }

    fn disconnect(&mut self, from: &PortRef, to: Option<&PortRef>) -> Result<Outcome, PatchError> {
        let Some(to) = to else {
            let slot = self.module(&from.module)?.slot;
            let changed = match &from.port {
                None => self.model.disconnect(|cable| cable.from == slot || cable.to == slot),
                Some(_) => {
                    let (_, output) = self.output(from)?;
                    self.model.disconnect(|cable| cable.from == slot && cable.output == output)
                }
            };
            return Ok(Outcome::Disconnected { changed });
        };
        let (source, output) = self.output(from)?;
        let (destination, inputs) = self.inputs(to)?;
        let changed = self.model.disconnect(|cable| {
            (cable.from, cable.output, cable.to) == (source, output, destination) && inputs.contains(&cable.input)
        });
        Ok(Outcome::Disconnected { changed })
    }

    fn set(&mut self, id: &Name, name: &str, value: &Value, ramp_s: Option<f64>) -> Result<Outcome, PatchError> {
        let (index, spec) = self.param(id, name)?;
        let kind = self.module(id)?.kind;
        let (number, file) = self.value(kind, spec, value)?;
        let ramp_s = match ramp_s {
            Some(ramp_s) if !(0.0..=RAMP_MAX_S).contains(&ramp_s) => {
                return Err(range("ramp", ramp_s, 0.0, RAMP_MAX_S));
            }
            Some(_) if spec.curve == Curve::Choice => 0.0,
            Some(ramp_s) => ramp_s as f32,
            None => spec.smooth_ms / 1000.0,
        };
        let module = self.module(id)?;
        let (slot, input) = (module.slot, (module.spec.inputs.len() + index) as u32);
        self.model.change(slot, |module| {
            module.params[index] = number;
            module.files.remove(&(index as u16));
            module.files.extend(file.map(|path| (index as u16, path)));
        });
        self.gestures.push(Gesture { slot, input, channel: ALL_CHANNELS, ramp_s, after_s: 0.0, value: number });
        Ok(Outcome::Set { module: id.clone(), param: spec.name, value: number })
    }

    fn destroy(&mut self, ids: &[Name], missing_ok: bool) -> Result<Outcome, PatchError> {
        let mut gone = Vec::new();
        for id in ids {
            match self.own(id, "be destroyed: it is always there") {
                Ok(module) if !gone.contains(&module.slot) => gone.push(module.slot),
                Ok(_) => {}
                Err(PatchError::NoModule { .. }) if missing_ok => {}
                Err(error) => return Err(error),
            }
        }
        self.model.remove(|module| gone.contains(&module.slot));
        Ok(Outcome::Destroyed { removed: gone.len() })
    }

    fn rename(&mut self, from: &Name, to: &Name) -> Result<Outcome, PatchError> {
        let slot = self.own(from, "be renamed")?.slot;
        if let Some(old) = self.model.module(to) {
            return Err(PatchError::Exists { id: old.id.clone(), kind: old.spec.name });
        }
        self.model.rename(slot, to.clone());
        Ok(Outcome::Done)
    }

    fn note(&mut self, id: &Name, pitch: &Value, velocity: f64) -> Result<Outcome, PatchError> {
        let octaves = value::pitch(pitch)?;
        if !(0.0..=1.0).contains(&velocity) {
            return Err(range("velocity", velocity, 0.0, 1.0));
        }
        let module = self.module(id)?.clone();
        let notes = module.spec.notes;
        if notes.pitch.is_none() && notes.gate.is_none() && notes.velocity.is_none() {
            return Err(unsupported(&module, "take notes"));
        }
        let note = Note { pitch: octaves, velocity: velocity as f32 };
        let (unison, groups) = unison(&module);
        if velocity > 0.0 {
            let Strike { channel, is_open } = self.voices.strike(module.slot, groups, note);
            let channels = channels(&module, channel, unison);
            // What sounds on a channel of its own is struck anew: its gate falls first. A single voice goes on, legato.
            let after_s = if is_open && groups > 1 { RESTRIKE_S } else { 0.0 };
            for &channel in &channels {
                if after_s > 0.0 {
                    self.hold_on(&module, notes.gate, channel, 0.0, 0.0);
                }
                self.play(&module, note, channel, after_s);
                self.hold_on(&module, notes.gate, channel, 1.0, after_s);
            }
            return Ok(Outcome::Done);
        }
        match self.voices.release(module.slot, groups, octaves) {
            Release::Nothing => {}
            Release::Back(note) => self.play(&module, note, ALL_CHANNELS, 0.0),
            Release::Close(channel) => {
                for channel in channels(&module, channel, unison) {
                    self.hold_on(&module, notes.gate, channel, 0.0, 0.0);
                }
            }
        }
        Ok(Outcome::Done)
    }

    fn play(&mut self, module: &Module, note: Note, channel: u32, after_s: f32) {
        self.hold_on(module, module.spec.notes.pitch, channel, note.pitch, after_s);
        self.hold_on(module, module.spec.notes.velocity, channel, note.velocity, after_s);
    }

    fn gate(&mut self, id: &Name, level: f64) -> Result<Outcome, PatchError> {
        let module = self.module(id)?.clone();
        if !level.is_finite() {
            return Err(range("gate", level, 0.0, 1.0));
        }
        if module.spec.notes.gate.is_none() {
            return Err(unsupported(&module, "be gated"));
        }
        self.voices.forget(module.slot);
        self.hold(&module, module.spec.notes.gate, level as f32, 0.0);
        Ok(Outcome::Done)
    }

    fn trigger(&mut self, id: &Name) -> Result<Outcome, PatchError> {
        let module = self.module(id)?.clone();
        let port = module.spec.notes.trigger.or(module.spec.notes.gate);
        if port.is_none() {
            return Err(unsupported(&module, "be triggered"));
        }
        self.hold(&module, port, 1.0, 0.0);
        self.hold(&module, port, 0.0, TRIGGER_S);
        Ok(Outcome::Done)
    }

    /// Closes every gate and puts every module back to the state of a new one.
    fn panic(&mut self) -> Outcome {
        for module in self.model.modules().to_vec() {
            let notes = module.spec.notes;
            self.voices.forget(module.slot);
            self.hold(&module, notes.gate, 0.0, 0.0);
            self.hold(&module, notes.trigger, 0.0, 0.0);
            self.gesture(module.slot, u32::MAX, 0.0, 0.0);
        }
        Outcome::Done
    }

    /// Holds `value` at an input: a port keeps it, a param goes there.
    fn hold(&mut self, module: &Module, input: Option<&str>, value: f32, after_s: f32) {
        self.hold_on(module, input, ALL_CHANNELS, value, after_s);
    }

    /// The same on one channel; a param is one for all.
    fn hold_on(&mut self, module: &Module, input: Option<&str>, channel: u32, value: f32, after_s: f32) {
        if let Some(index) = input.and_then(|name| module.spec.input(name)) {
            if let Some(param) = index.checked_sub(module.spec.inputs.len()) {
                self.model.change(module.slot, |module| module.params[param] = value);
            }
            self.gestures.push(Gesture {
                slot: module.slot,
                input: index as u32,
                channel,
                ramp_s: 0.0,
                after_s,
                value,
            });
        }
    }

    fn gesture(&mut self, slot: Slot, input: u32, value: f32, after_s: f32) {
        self.gestures.push(Gesture { slot, input, channel: ALL_CHANNELS, ramp_s: 0.0, after_s, value });
    }

    fn module(&self, id: &Name) -> Result<&Module, PatchError> {
        find_module(&self.model, id)
    }

    /// The module, unless it is the engine's own.
    fn own(&self, id: &Name, verb: &'static str) -> Result<&Module, PatchError> {
        let module = self.module(id)?;
        if module.spec.role == Role::Output { Err(unsupported(module, verb)) } else { Ok(module) }
    }

    fn param(&self, id: &Name, name: &str) -> Result<(usize, &'static ParamSpec), PatchError> {
        let module = self.module(id)?;
        let index = module.spec.param(name).ok_or_else(|| no_param(id.as_str(), module.spec, name))?;
        Ok((index, &module.spec.params[index]))
    }

    fn output(&self, port: &PortRef) -> Result<(Slot, u16), PatchError> {
        find_output(&self.model, port)
    }

    /// The inputs that a port name means: one, or both sides of the output module.
    fn inputs(&self, port: &PortRef) -> Result<(Slot, Vec<u16>), PatchError> {
        let module = self.module(&port.module)?;
        let spec = module.spec;
        let name = port.port.as_deref().unwrap_or("in");
        let found = match spec.input(name) {
            Some(index) => vec![index as u16],
            None if port.port.is_none() && spec.role == Role::Output => (0..spec.inputs.len() as u16).collect(),
            None if port.port.is_none() && spec.inputs.len() == 1 => vec![0],
            None => {
                let has = (0..spec.input_count()).filter_map(|index| spec.input_at(index)).map(|input| input.name());
                let port = port.port.clone().unwrap_or_default();
                return Err(PatchError::NoPort {
                    id: module.id.clone(),
                    kind: spec.name,
                    port,
                    is_output: false,
                    has: has.collect(),
                });
            }
        };
        let is_tempo = |&input: &u16| {
            let param = usize::from(input).checked_sub(spec.inputs.len());
            param.is_some_and(|param| spec.params[param].unit == Unit::BeatsPerMinute)
        };
        if found.iter().any(is_tempo) {
            // The conductor hears of it by events, not by samples.
            return Err(unsupported(module, "have its tempo swept by a cable; bpm 140 --ramp 4s moves it"));
        }
        Ok((module.slot, found))
    }
}

/// How many channels of a module play one note, and how many notes it plays at once.
fn unison(module: &Module) -> (usize, usize) {
    let param = module.spec.notes.voices.and_then(|name| module.spec.param(name));
    let voices = param.map_or(1, |param| module.params[param].max(1.0) as usize).min(module.channels);
    (voices, module.channels / voices)
}

/// The channels of note `group`. A single note is on all of them, also on those that no group would have.
fn channels(module: &Module, group: usize, unison: usize) -> Vec<u32> {
    if module.channels / unison == 1 {
        return vec![ALL_CHANNELS];
    }
    (group * unison..(group + 1) * unison).map(|channel| channel as u32).collect()
}

/// Largest magnitude of a cable's gain.
const GAIN_MAX: f64 = 1000.0;

/// Longest ramp, in seconds.
const RAMP_MAX_S: f64 = 3600.0;

/// The module called `id`.
///
/// # Errors
/// `NoModule`, with ids that look alike.
pub fn find_module<'a>(model: &'a Model, id: &Name) -> Result<&'a Module, PatchError> {
    model.module(id).map(|module| &**module).ok_or_else(|| {
        let ids = model.modules().iter().map(|module| module.id.as_str());
        let similar = similar(id.as_str(), ids).into_iter().map(str::to_owned).collect();
        PatchError::NoModule { id: id.to_string(), similar }
    })
}

/// The output that a port name means.
///
/// # Errors
/// `NoModule` or `NoPort`.
pub fn find_output(model: &Model, port: &PortRef) -> Result<(Slot, u16), PatchError> {
    let module = find_module(model, &port.module)?;
    let spec = module.spec;
    let has: &[PortSpec] = if spec.role == Role::Output { &[] } else { spec.outputs };
    let name = port.port.as_deref().unwrap_or("out");
    let found = has.iter().position(|output| output.name == name);
    let found = found.or((port.port.is_none() && has.len() == 1).then_some(0));
    let index = found.ok_or_else(|| PatchError::NoPort {
        id: module.id.clone(),
        kind: spec.name,
        port: port.port.clone().unwrap_or_default(),
        is_output: true,
        has: has.iter().map(|output| output.name).collect(),
    })?;
    Ok((module.slot, index as u16))
}

fn created(module: &Module) -> Outcome {
    Outcome::Created { id: module.id.clone(), kind: module.spec.name, worker: module.lane.0, took_ms: 0.0 }
}

fn unnamed(port: &PortRef) -> PortRef {
    PortRef { module: port.module.clone(), port: None }
}

fn unsupported(module: &Module, verb: &'static str) -> PatchError {
    PatchError::Unsupported { id: module.id.to_string(), kind: module.spec.name, verb }
}

fn no_param(id: &str, spec: &'static KindSpec, param: &str) -> PatchError {
    let has = spec.params.iter().map(|param| param.name).collect();
    PatchError::NoParam { id: id.to_owned(), kind: spec.name, param: param.to_owned(), has }
}

fn range(what: &str, value: f64, min: f64, max: f64) -> PatchError {
    PatchError::Range { param: what.to_owned(), value, min, max, unit: "" }
}

/// What the randomness of the module called `id` starts from: the same in every run (FNV-1a).
fn seed_of(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
