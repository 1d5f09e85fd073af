//! What the lines of a session's files say: the first line of each file, and the changes in a journal.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tine_protocol::ids::{LaneId, Slot};

use super::form::{PatchForm, State, Unfit};
use super::generation::Position;
use super::line;
use crate::command::{Command, Placement, Value};
use crate::edit::Draft;
use crate::model::{Catalogue, Model};

/// The version that this build writes. It refuses a later one.
pub const VERSION: u32 = 1;

/// Whatever the version, the first line says it.
#[derive(Deserialize)]
pub struct Version {
    /// As it says.
    pub version: u32,
}

/// All that a snapshot says: one line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The version that wrote it.
    pub version: u32,
    /// Its generation.
    pub snapshot: u64,
    /// The whole patch.
    pub patch: PatchForm,
}

/// The first line of a journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version that wrote it.
    pub version: u32,
    /// Its generation.
    pub journal: u64,
    /// Where the journal before stood when this one began: it can go on from there if the snapshot of its own generation is spoilt.
    /// `None` if nobody knows that these two belong together.
    pub follows: Option<Position>,
}

/// The other lines of a journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1 within its journal, without a gap.
    pub number: u64,
    /// What happened.
    pub change: Change,
}

/// What happened to the patch.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The commands of one request, as they were accepted.
    Request {
        /// In order.
        commands: Vec<Command>,
        /// Slot and lane of each module that they made: where it goes is chosen by what lanes have to do, so replay could not know.
        lanes: Vec<(u32, u16)>,
    },
    /// What cannot be replayed by itself, as undo: the patch that it led to.
    Patch(PatchForm),
}

impl Change {
    /// Has it happen to `state`. Validated as a live request is; `state` is as it was if it does not fit.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn replay(&self, state: &mut State, catalogue: Catalogue, out_lane: LaneId) -> Result<(), Unfit> {
        match self {
            Change::Patch(form) => *state = form.state(catalogue, out_lane)?,
            Change::Request { commands, lanes } => {
                // Wishes were met when the request was accepted; a worker that was named then may not be there now.
                let mut anywhere = |_: &Model, _: &Placement| Ok(LaneId(0));
                // Files are read once all is known that happened.
                let mut unread = |_: u16, _: &Path| Ok(0);
                let mut draft = Draft::new(&state.model, state.next_slot, catalogue, &mut anywhere, &mut unread);
                for command in commands {
                    draft.apply(command)?;
                }
                let Draft { model, next_slot, .. } = draft;
                *state = State { model, next_slot };
                for &(slot, lane) in lanes {
                    state.model.change(Slot(slot), |module| module.lane = LaneId(lane));
                }
            }
        }
        Ok(())
    }
}

/// Whether JSON can hold the commands: it has no infinities, though `-inf db` is a fine gain.
pub fn can_be_written(commands: &[Command]) -> bool {
    let is_finite = |value: &Value| !matches!(value, Value::Number(number, _) if !number.is_finite());
    commands.iter().all(|command| match command {
        Command::Create { params, .. } => params.iter().all(|(_, value)| is_finite(value)),
        Command::Set { value, .. } | Command::Note { pitch: value, .. } => is_finite(value),
        _ => true,
    })
}

/// Adds `what` as a line.
///
/// # Errors
/// As the encoder says; there is none for what is written here.
pub fn push(bytes: &mut Vec<u8>, what: &impl Serialize) -> Result<(), serde_json::Error> {
    line::push(bytes, &serde_json::to_vec(what)?);
    Ok(())
}
