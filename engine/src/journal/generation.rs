//! The numbered generations of a session's files: a snapshot, and the journal of what came after it.

use serde::{Deserialize, Serialize};

/// The two kinds of file of one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A whole patch.
    Snapshot,
    /// What came after it.
    Journal,
}

impl Sort {
    /// What their names begin with.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Snapshot => "snapshot",
            Sort::Journal => "journal",
        }
    }

    /// The name of the one of this generation.
    pub fn name(self, generation: u64) -> String {
        format!("{}-{generation}", self.word())
    }

    /// The generation that a name tells, if it is of this sort.
    pub fn generation(self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(self.word())?.strip_prefix('-')?;
        // Only what `name` gives: no sign, no zero in front.
        digits.parse().ok().filter(|generation: &u64| generation.to_string() == digits)
    }
}

/// A place in a session's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Of which journal.
    pub journal: u64,
    /// How many of its records.
    pub records: u64,
}

/// The generations in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generations {
    /// The newest of which there is a file; 0 if there is none.
    pub newest: u64,
    /// The newest whose snapshot is whole, as far as is known.
    pub good: Option<u64>,
    /// Where the patch stands, if the next journal goes on from there.
    pub position: Option<Position>,
}

impl Generations {
    /// Those that files of these names belong to; nothing is read.
    pub fn of(names: &[String]) -> Generations {
        let newest = |sort: Sort| names.iter().filter_map(|name| sort.generation(name)).max();
        let good = newest(Sort::Snapshot);
        Generations { newest: good.max(newest(Sort::Journal)).unwrap_or(0), good, position: None }
    }
}
