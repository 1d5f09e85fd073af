//! Keeps a session on disk: every accepted change is journalled, and answered only once it is there. Sound never waits for it.
//!
//! A folder holds numbered generations. `snapshot-7` is the whole patch, `journal-7` what came after it, one record a line
//! (line.rs). At the start, at an orderly end, and when a journal is long, generation 8 begins; 7 is kept until 9 does. Should
//! `snapshot-8` be spoilt, `snapshot-7`, `journal-7` and `journal-8` lead to the same patch (restore.rs).
//!
//! Playing (notes, gates, resets) changes no patch and is not kept; nor is what can be undone, nor what waits for its time.

mod disk;
mod figures;
mod form;
mod generation;
mod handle;
mod line;
mod note;
mod record;
mod restore;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod trouble;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tine_protocol::ids::LaneId;

use crate::bell::Bell;
use crate::model::Catalogue;
use disk::Disk;
pub(crate) use form::State;
use generation::Generations;
pub(crate) use handle::Journal;
pub use note::Note;
use restore::{Later, restore};

/// Why a session cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another engine has it.
    #[error("{}: another engine uses this session", .0.display())]
    InUse(PathBuf),
    /// A later version wrote it.
    #[error("{}: written by a later version of Tine ({version}); nothing was changed", .file.display())]
    Later {
        /// Which file.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The journal's thread could not be started.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// What was found of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How many modules and cables it has; `None` if it is new.
    pub patch: Option<[usize; 2]>,
    /// Whether nothing is missing that was ever answered.
    pub is_whole: bool,
    /// What was done to its files.
    pub notes: Vec<Note>,
    /// Why its folder cannot be used, if so. It is tried again.
    pub unusable: Option<String>,
}

/// A session that was opened. Its files are as they were, but for those that were spoilt.
pub(crate) struct Opened {
    /// The patch to begin with.
    pub state: State,
    /// To be begun once it is known that the engine sounds ([`Journal::begin`]).
    pub journal: Journal,
    /// What the player should be told.
    pub found: Found,
}

/// Opens the session in `folder`. With `known`, the patch that it is to go on with, its files are not read: for an engine that has the
/// patch from elsewhere. `bell` rings when the journal's thread wants something of the session's.
///
/// # Errors
/// If another engine uses it or a later version wrote it. A folder that cannot be read or written is no error: one can play without.
pub(crate) fn open(
    folder: &Path,
    known: Option<State>,
    catalogue: Catalogue,
    out_lane: LaneId,
    bell: &Arc<Bell>,
) -> Result<Opened, OpenError> {
    let (disk, names) = Disk::open(folder);
    let mut found = Found { patch: None, is_whole: true, notes: Vec::new(), unusable: None };
    let (generations, state) = match (names, known) {
        (Err(error), _) if disk::is_in_use(&error) => return Err(OpenError::InUse(folder.to_owned())),
        (Err(error), known) => {
            found.unusable = Some(format!("{}: {error}", folder.display()));
            (Generations::default(), known)
        }
        (Ok(names), Some(known)) => (Generations::of(&names), Some(known)),
        (Ok(names), None) => {
            let restored = restore(&disk, &names, catalogue, out_lane)
                .map_err(|Later { file, version }| OpenError::Later { file: folder.join(file), version })?;
            (found.is_whole, found.notes) = (restored.is_whole, restored.notes);
            (restored.generations, restored.state)
        }
    };
    found.patch = state.as_ref().map(State::count);
    let journal = Journal::start(disk, generations, Arc::clone(bell))?;
    Ok(Opened { state: state.unwrap_or_else(|| State::new(catalogue, out_lane)), journal, found })
}
