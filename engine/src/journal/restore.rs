//! Finds the patch that a session's files lead to: the newest whole snapshot, and what its journal and those after it say.
//!
//! Never guesses: a record counts only if all before it do. What is torn at the end of a journal is cut, as nobody was told that it is
//! kept. What is spoilt otherwise is set aside under another name, and never written over.

use std::fmt;

use tine_protocol::ids::LaneId;

use super::form::State;
use super::generation::{Generations, Position, Sort};
use super::line::{Line, lines};
use super::note::Note;
use super::record::{Header, Record, Snapshot, VERSION, Version};
use super::store::Store;
use crate::model::Catalogue;

/// In the name of a file that was set aside, before its number.
const SET_ASIDE: &str = ".corrupt-";

/// What a session's folder led to.
pub struct Restored {
    /// The patch; `None` if the folder holds no session.
    pub state: Option<State>,
    /// Whether nothing is missing that was ever answered.
    pub is_whole: bool,
    /// What was done to files.
    pub notes: Vec<Note>,
    /// Where the next generation goes on.
    pub generations: Generations,
}

/// A later version wrote this, and would understand it.
#[derive(Clone, Debug, PartialEq)]
pub struct Later {
    /// Which file.
    pub file: String,
    /// Its version.
    pub version: u32,
}

/// Why a file cannot be used.
enum Wrong {
    Spoilt(String),
    Later(u32),
}

fn spoilt(why: impl fmt::Display) -> Wrong {
    Wrong::Spoilt(why.to_string())
}

/// Reads what `store` holds, which has files of these names.
///
/// # Errors
/// If a later version wrote it. Nothing was changed then but files that are spoilt beyond doubt.
pub fn restore(
    store: &impl Store,
    names: &[String],
    catalogue: Catalogue,
    out_lane: LaneId,
) -> Result<Restored, Later> {
    let all = |sort: Sort| {
        let mut found: Vec<u64> = names.iter().filter_map(|name| sort.generation(name)).collect();
        found.sort_unstable();
        found
    };
    let (snapshots, journals) = (all(Sort::Snapshot), all(Sort::Journal));
    let generations = Generations::of(names);
    let mut restored = Restored { state: None, is_whole: true, notes: Vec::new(), generations };
    if generations.newest == 0 {
        // All of it was set aside before: a session that was lost is not a new one.
        if names.iter().any(|name| name.contains(SET_ASIDE)) {
            (restored.state, restored.is_whole) = (Some(State::new(catalogue, out_lane)), false);
        }
        return Ok(restored);
    }
    let mut search = Search { store, catalogue, out_lane, restored: &mut restored };
    let Some((base, mut state)) = search.newest_snapshot(&snapshots)? else {
        for generation in journals {
            if !search.is_unused(generation) {
                search.set_aside(&Sort::Journal.name(generation), "no snapshot to begin with can be read");
            }
        }
        restored.generations.good = None;
        // Without anything to set aside the power was lost before it ever began.
        if !restored.notes.is_empty() {
            (restored.state, restored.is_whole) = (Some(State::new(catalogue, out_lane)), false);
        }
        return Ok(restored);
    };
    let mut position = Position { journal: base, records: 0 };
    for &generation in journals.iter().filter(|&&generation| generation >= base) {
        search.follow(generation, &mut state, &mut position)?;
    }
    restored.is_whole &= generations.good.is_none_or(|newest| newest <= position.journal);
    restored.generations = Generations { good: Some(base), position: Some(position), ..generations };
    state.settle();
    restored.state = Some(state);
    Ok(restored)
}

struct Search<'a, S: Store> {
    store: &'a S,
    catalogue: Catalogue,
    out_lane: LaneId,
    restored: &'a mut Restored,
}

impl<S: Store> Search<'_, S> {
    fn newest_snapshot(&mut self, snapshots: &[u64]) -> Result<Option<(u64, State)>, Later> {
        for &generation in snapshots.iter().rev() {
            let file = Sort::Snapshot.name(generation);
            match self.snapshot(&file, generation) {
                Ok(state) => return Ok(Some((generation, state))),
                Err(Wrong::Later(version)) => return Err(Later { file, version }),
                Err(Wrong::Spoilt(why)) => self.set_aside(&file, &why),
            }
        }
        Ok(None)
    }

    fn snapshot(&self, file: &str, generation: u64) -> Result<State, Wrong> {
        let bytes = self.store.read(file).map_err(spoilt)?;
        let mut lines = lines(&bytes);
        let (Some(Line { payload: Some(payload), .. }), None) = (lines.next(), lines.next()) else {
            return Err(spoilt("its checksum is wrong"));
        };
        check_version(payload)?;
        let snapshot: Snapshot = serde_json::from_slice(payload).map_err(spoilt)?;
        if snapshot.snapshot != generation {
            return Err(spoilt(format!("it is the one of generation {}", snapshot.snapshot)));
        }
        snapshot.patch.state(self.catalogue, self.out_lane).map_err(spoilt)
    }

    /// Has what a journal says happen, if it goes on from `position`.
    fn follow(&mut self, generation: u64, state: &mut State, position: &mut Position) -> Result<(), Later> {
        let file = Sort::Journal.name(generation);
        let bytes = match self.store.read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.lose(&file, &error.to_string());
                return Ok(());
            }
        };
        let mut lines = lines(&bytes);
        match header(lines.next(), generation) {
            Ok(header) if generation == position.journal || header.follows == Some(*position) => {}
            // One that was begun and never used: nothing is missing.
            Ok(_) if lines.next().is_none() => return Ok(()),
            Ok(_) => {
                self.lose(&file, "the snapshot that it goes on from cannot be read");
                return Ok(());
            }
            Err(Wrong::Later(version)) => return Err(Later { file, version }),
            Err(Wrong::Spoilt(why)) => {
                self.lose(&file, &why);
                return Ok(());
            }
        }
        *position = Position { journal: generation, records: 0 };
        for line in lines {
            let why = match line.payload.map(|payload| self.happen(payload, state, position)) {
                Some(Ok(())) => continue,
                Some(Err(why)) => why,
                // The last line, without its end: the power was lost while it was written.
                None if !line.is_ended => {
                    self.cut(&file, line.at, bytes.len());
                    break;
                }
                None => "its checksum is wrong".to_owned(),
            };
            self.lose(&file, &format!("record {}: {why}", position.records + 1));
            break;
        }
        Ok(())
    }

    fn happen(&self, payload: &[u8], state: &mut State, position: &mut Position) -> Result<(), String> {
        let record: Record = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        if record.number != position.records + 1 {
            return Err(format!("it is number {}", record.number));
        }
        record.change.replay(state, self.catalogue, self.out_lane).map_err(|error| error.to_string())?;
        position.records += 1;
        Ok(())
    }

    /// Whether a journal was begun and nothing more.
    fn is_unused(&self, generation: u64) -> bool {
        let bytes = self.store.read(&Sort::Journal.name(generation)).unwrap_or_default();
        let mut lines = lines(&bytes);
        header(lines.next(), generation).is_ok() && lines.next().is_none()
    }

    fn cut(&mut self, file: &str, whole: usize, all: usize) {
        // Where it cannot be cut it cannot be written to either: the next generation begins a new file.
        match self.store.cut(file, whole as u64) {
            Ok(()) => self.restored.notes.push(Note::Cut { file: file.to_owned(), bytes: (all - whole) as u64 }),
            Err(error) => self.set_aside(file, &format!("its end is not whole and cannot be cut: {error}")),
        }
    }

    /// Something is missing that was answered.
    fn lose(&mut self, file: &str, why: &str) {
        self.restored.is_whole = false;
        self.set_aside(file, why);
    }

    fn set_aside(&mut self, file: &str, why: &str) {
        let sort = if Sort::Snapshot.generation(file).is_some() { Sort::Snapshot } else { Sort::Journal };
        let taken = self.store.names().unwrap_or_default();
        let free = (1..).map(|number| format!("{}{SET_ASIDE}{number}", sort.word())).find(|name| !taken.contains(name));
        let to = match free {
            Some(free) => self.store.rename(file, &free).map(|()| free).map_err(|error| error.to_string()),
            None => Err("no name is free".to_owned()),
        };
        self.restored.notes.push(Note::SetAside { file: file.to_owned(), to, why: why.to_owned() });
    }
}

fn header(line: Option<Line<'_>>, generation: u64) -> Result<Header, Wrong> {
    let payload = line.and_then(|line| line.payload).ok_or_else(|| spoilt("its first line is not whole"))?;
    check_version(payload)?;
    let header: Header = serde_json::from_slice(payload).map_err(spoilt)?;
    if header.journal != generation {
        return Err(spoilt(format!("it is the one of generation {}", header.journal)));
    }
    Ok(header)
}

fn check_version(payload: &[u8]) -> Result<(), Wrong> {
    match serde_json::from_slice(payload).map_err(spoilt)? {
        Version { version } if version > VERSION => Err(Wrong::Later(version)),
        Version { .. } => Ok(()),
    }
}
