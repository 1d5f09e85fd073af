//! What a message asks for, once read: data, no effect yet.

use std::net::SocketAddr;

use rosc::{OscMessage, OscType};

use super::glob::Glob;
use super::table::Address;
use crate::answer::{Answer, Outcome};
use crate::command::{Command, Control, Query};

/// Why a message is wrong, before any session saw it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// A code of `/fail`.
    pub code: &'static str,
    /// Says what would be right.
    pub message: String,
}

/// Makes the rows of an answer; a refusal where the answer shows that the question was wrong.
pub(super) type Render = Box<dyn FnOnce(Answer) -> Result<Vec<OscMessage>, crate::error::Refusal> + Send>;

/// Arguments of `/done` behind the address.
pub(super) type Confirm = fn(&[Outcome]) -> Vec<OscType>;

/// What a message asks for.
pub(super) enum Action {
    /// Changes of the patch; part of the bundle's one request. Without `confirm` they succeed in silence.
    Commands { commands: Vec<Command>, confirm: Option<Confirm> },
    /// The same for all modules and params that match; resolved when its turn comes.
    Matching(Matching),
    /// A look at the session.
    Query(Query, Render),
    /// scsynth's status, made of several looks.
    Status,
    /// Concerns the engine; `/done` when it is done.
    Control(Control),
    /// Ends the recording; `/done` names its file.
    RecordStop,
    /// `/synced` when all before it is in effect.
    Sync(i32),
    /// The kinds that match.
    Kinds(Option<Glob>),
    /// The program's version.
    Version,
    /// Events to this client, or no longer; without an address to the asker.
    Notify { on: bool, target: Option<SocketAddr> },
    /// May take its time: a file or a line.
    Slow(Slow),
}

/// Work on files and lines.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Slow {
    Save(String),
    Load(String),
    Run(String),
    RecordStart(String),
    Eval(String),
}

/// A message to `/m/...` or `/n/...` whose address is a pattern.
pub(super) struct Matching {
    /// `/m/` or `/n/`.
    pub prefix: &'static str,
    pub ids: Glob,
    pub leaf: Leaf,
    pub args: Vec<OscType>,
}

/// The last part of such an address.
pub(super) enum Leaf {
    /// `note`, `gate`, `trig`: never matched by a wildcard, so that `/m/x/*` does not play notes.
    Verb(&'static Address),
    Params(Glob),
}
