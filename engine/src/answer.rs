//! What a session answers, as data: `cli` and the OSC server make words of it.

use std::path::PathBuf;

use serde::Serialize;
use tine_protocol::spec::KindSpec;

use crate::name::Name;

/// What a request did, once its first block has been computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// One per command.
    pub outcomes: Vec<Outcome>,
    /// How many seconds after its time it took effect; 0 in time.
    pub late_s: f64,
    /// First frame at which it is in effect.
    pub frame: u64,
}

/// What one command did.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A module is sounding. Also the answer to a repeated, idempotent create.
    Created {
        /// Its id.
        id: Name,
        /// Name of its kind.
        kind: &'static str,
        /// The worker that executes it.
        worker: u16,
        /// From the request's arrival to the end of the module's first block, in milliseconds.
        took_ms: f64,
    },
    /// Cables made or given another gain.
    Connected {
        /// How many.
        changed: usize,
        /// Those that close a loop, and so carry the block before.
        feedback: Vec<CableInfo>,
    },
    /// Cables removed.
    Disconnected {
        /// How many.
        changed: usize,
    },
    /// Modules removed.
    Destroyed {
        /// How many.
        removed: usize,
    },
    /// A param has a new value, in its unit.
    Set {
        /// The module.
        module: Name,
        /// Name of the param.
        param: &'static str,
        /// The value that it goes to.
        value: f32,
    },
    /// Requests taken back or done again.
    Undone {
        /// How many.
        count: usize,
    },
    /// Done; nothing more to say.
    Done,
}

/// One module, as `list` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleInfo {
    /// Its id.
    pub id: Name,
    /// Its kind.
    pub kind: &'static KindSpec,
    /// Its channels.
    pub channels: usize,
    /// The worker that executes it; `None` for `out`, which is the engine's.
    pub worker: Option<u16>,
    /// Whether the signal passes it by.
    pub bypassed: bool,
    /// Target of each param, in its unit and in table order.
    pub params: Vec<f32>,
    /// The sound files that params name, by the param's name.
    pub files: Vec<(&'static str, PathBuf)>,
}

/// What a param is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// A number in the param's unit.
    Number(f32),
    /// A sound file.
    File(PathBuf),
}

impl From<f32> for Setting {
    fn from(number: f32) -> Setting {
        Setting::Number(number)
    }
}

impl ModuleInfo {
    /// Every param's name and what it is set to, in table order.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, Setting)> + '_ {
        self.kind.params.iter().zip(&self.params).map(|(spec, &value)| {
            let file = self.files.iter().find(|(param, _)| *param == spec.name);
            (spec.name, file.map_or(Setting::Number(value), |(_, path)| Setting::File(path.clone())))
        })
    }
}

/// One cable.
#[derive(Clone, Debug, PartialEq)]
pub struct CableInfo {
    /// Source module.
    pub from: Name,
    /// Name of its output.
    pub output: &'static str,
    /// Destination module.
    pub to: Name,
    /// Name of its input.
    pub input: &'static str,
    /// Linear gain.
    pub gain: f32,
    /// Closes a loop: it carries the block before.
    pub feedback: bool,
}

/// One worker, as `pool` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkerInfo {
    /// Lane number, or `None` for a spare.
    pub worker: Option<u16>,
    /// Process id.
    pub pid: u32,
    /// `warming idle busy draining error spare`.
    pub state: &'static str,
    /// Which incarnation of the lane's worker this is.
    pub generation: u32,
    /// Workers that died in this seat.
    pub restarts: u32,
    /// Modules on the lane.
    pub modules: usize,
    /// Part of a block's time that the lane computes, 0..1, smoothed.
    pub load: f32,
    /// Core that it is bound to, if any.
    pub core: Option<u16>,
    /// Phases of its start, in order, each in microseconds.
    pub phases_us: Vec<(&'static str, u32)>,
}

/// A named figure of `stats`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stat {
    /// What is counted or measured, with its unit last: `create_p99_ms`.
    pub name: String,
    /// The figure.
    pub value: f64,
}

/// The patch as it is saved: modules in creation order, then cables in creation order.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// All modules but `out`.
    pub modules: Vec<ModuleInfo>,
    /// All cables.
    pub cables: Vec<CableInfo>,
}

/// The answer to a [`Query`](crate::command::Query).
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To `List`.
    Modules(Vec<ModuleInfo>),
    /// To `Info`: the module, cables into it, cables out of it.
    Info(ModuleInfo, Vec<CableInfo>, Vec<CableInfo>),
    /// To `Get`: name and value per param.
    Params(Vec<(&'static str, Setting)>),
    /// To `Cables`.
    Cables(Vec<CableInfo>),
    /// To `Pool`: lanes in order, then spares.
    Pool(Vec<WorkerInfo>),
    /// To `Stats`.
    Stats(Vec<Stat>),
    /// To `Patch`.
    Patch(Patch),
    /// To `Meters`: peak of left and right since the last asking.
    Meters([f32; 2]),
    /// To `Scope`: the last frames of the port's first channel.
    Scope(Vec<f32>),
}

/// Something that happened, for those who listen.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A module came.
    ModuleAdded(Name, &'static str),
    /// A module went.
    ModuleRemoved(Name),
    /// A cable came or got another gain.
    CableAdded(CableInfo),
    /// A cable went.
    CableRemoved(CableInfo),
    /// A param was set, in its unit.
    ParamSet(Name, &'static str, f32),
    /// A worker died: which, why, what it was executing.
    WorkerLost(u16, String, Vec<Name>),
    /// Its lane is executed again, after so many milliseconds.
    WorkerRestored(u16, f32),
    /// A module gave what no module should, or was taken out of the sound.
    ModuleFault(Name, String),
    /// A block came too late by so many milliseconds; the module that was running, if one was to blame.
    Xrun(Option<Name>, f32),
    /// Sound goes to another device now, or to none.
    Device(String),
    /// The session on disk is not kept as it should be, or is again.
    Session(String),
    /// The engine ends.
    Ending,
}
