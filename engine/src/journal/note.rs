//! What opening a session did to its files.

use std::fmt;

/// Something that the player should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The end of a journal was not whole, as after a loss of power: so many bytes were cut.
    Cut {
        /// Which.
        file: String,
        /// How many.
        bytes: u64,
    },
    /// A file is spoilt, or does not fit: it was given another name, and stays.
    SetAside {
        /// Its name before.
        file: String,
        /// Its name now, or why it could not be given one.
        to: Result<String, String>,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Cut { file, bytes } => write!(f, "{file}: {bytes} bytes at its end were not whole and were cut"),
            Note::SetAside { file, to: Ok(to), why } => write!(f, "{file}: {why}; it is kept as {to}"),
            Note::SetAside { file, to: Err(error), why } => write!(f, "{file}: {why}; it cannot be renamed: {error}"),
        }
    }
}
