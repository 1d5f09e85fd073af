//! What the engine needs of text, without knowing any: `cli` implements it.

use std::path::Path;

use crate::command::Origin;
use crate::error::Refusal;
use crate::handle::Handle;

/// Why a line or a file was not carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// A code of `/fail`.
    pub code: &'static str,
    /// In the player's words; says what would be right.
    pub message: String,
}

/// The language of the REPL, of scripts and of patch files.
pub trait Interpreter: Send + Sync {
    /// Carries out one line and answers as the REPL would. `files` is the folder that paths must stay inside.
    ///
    /// # Errors
    /// If the line is wrong or was refused; nothing was changed.
    fn eval(&self, line: &str, files: &Path, handle: &Handle, origin: Origin) -> Result<String, Failure>;

    /// Writes the patch to a file.
    ///
    /// # Errors
    /// If the file cannot be written; what was there before stays.
    fn save(&self, path: &Path, handle: &Handle) -> Result<(), Failure>;

    /// Replaces the patch by a file's.
    ///
    /// # Errors
    /// If the file cannot be read or is wrong; the patch stays.
    fn load(&self, path: &Path, handle: &Handle, origin: Origin) -> Result<(), Failure>;

    /// Carries out a script, whole.
    ///
    /// # Errors
    /// If the file cannot be read or a line is wrong (the message names it); nothing was changed.
    fn run(&self, path: &Path, handle: &Handle, origin: Origin) -> Result<(), Failure>;

    /// A refusal in the player's words.
    fn explain(&self, refusal: &Refusal) -> String;
}
