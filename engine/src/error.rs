//! Why a request was refused, as data; `cli` makes sentences of it.

use thiserror::Error;

use crate::name::Name;

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Refusal {
    /// Command number `index` of the request is wrong.
    #[error("command {index}: {error}")]
    Rejected {
        /// Which command, from 0.
        index: usize,
        /// Why.
        error: PatchError,
    },
    /// The session has more to do than it may take on; ask again.
    #[error("busy")]
    Busy,
    /// The engine is ending, or has ended.
    #[error("closed")]
    Closed,
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// As the system says it.
        reason: String,
    },
}

/// Why a command does not fit the patch.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PatchError {
    /// No module has this id.
    #[error("no module {id:?}")]
    NoModule {
        /// As asked.
        id: String,
        /// Ids that look alike, nearest first.
        similar: Vec<String>,
    },
    /// The id is taken.
    #[error("module {id} exists")]
    Exists {
        /// The id.
        id: Name,
        /// Its kind.
        kind: &'static str,
    },
    /// No such kind.
    #[error("no kind {kind:?}")]
    NoKind {
        /// As asked.
        kind: String,
        /// Kinds that look alike, nearest first; all kinds where none does.
        similar: Vec<&'static str>,
    },
    /// The module has no such port in this direction.
    #[error("{id} has no port {port:?}")]
    NoPort {
        /// The module.
        id: Name,
        /// Its kind.
        kind: &'static str,
        /// As asked; empty where the default port was meant and there is none.
        port: String,
        /// Whether an output was meant.
        is_output: bool,
        /// What it has.
        has: Vec<&'static str>,
    },
    /// The module has no such param.
    #[error("{id} has no param {param:?}")]
    NoParam {
        /// The module, or the kind where it is being created.
        id: String,
        /// Its kind.
        kind: &'static str,
        /// As asked.
        param: String,
        /// What it has.
        has: Vec<&'static str>,
    },
    /// The value is of the wrong sort: a wrong unit, or a word for a number.
    #[error("{param} takes {wants}")]
    BadType {
        /// The param.
        param: String,
        /// What it takes: `hz or a note`, `one of saw pulse tri sine`.
        wants: String,
    },
    /// The number is outside the param's range.
    #[error("{param} {value} is outside {min}..{max}")]
    Range {
        /// What was set.
        param: String,
        /// As asked, in `unit`.
        value: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// The unit's symbol: `hz`, `s`, or empty.
        unit: &'static str,
    },
    /// No such worker.
    #[error("no worker {worker}")]
    NoWorker {
        /// As asked.
        worker: u16,
        /// How many there are.
        count: u16,
    },
    /// There is no such cable.
    #[error("no cable {from} > {to}")]
    NoCable {
        /// As asked.
        from: String,
        /// As asked.
        to: String,
    },
    /// A bound of the engine is reached.
    #[error("no room: {what} are limited to {limit}")]
    Full {
        /// What there is too much of: `modules`, `cables on one worker`.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The kind cannot do what was asked: it has no gate, it is always there, ...
    #[error("{id} ({kind}) cannot {verb}")]
    Unsupported {
        /// The module.
        id: String,
        /// Its kind.
        kind: &'static str,
        /// `be destroyed`, `take notes`, ...
        verb: &'static str,
    },
    /// A sound file cannot be played.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// Nothing to undo or redo.
    #[error("nothing to {what}")]
    NoHistory {
        /// `undo` or `redo`.
        what: &'static str,
    },
}

impl PatchError {
    /// The code of `/fail`, as the interface fixes it.
    pub fn code(&self) -> &'static str {
        match self {
            PatchError::NoModule { .. } | PatchError::NoCable { .. } | PatchError::NoHistory { .. } => "not_found",
            PatchError::Exists { .. } => "exists",
            PatchError::NoKind { .. } => "no_kind",
            PatchError::NoPort { .. } => "no_port",
            PatchError::NoParam { .. } => "no_param",
            PatchError::BadType { .. } => "bad_type",
            PatchError::Range { .. } => "range",
            PatchError::NoWorker { .. } => "no_worker",
            PatchError::Full { .. } => "busy",
            PatchError::File { .. } => "io",
            PatchError::Unsupported { .. } => "unsupported",
        }
    }
}

impl Refusal {
    /// The code of `/fail`, as the interface fixes it.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Rejected { error, .. } => error.code(),
            Refusal::Busy | Refusal::Closed => "busy",
            Refusal::File { .. } => "io",
        }
    }
}
