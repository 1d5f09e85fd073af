//! The one language of the REPL, of scripts and of patch files: text in, statements out.
//! It asks nobody and changes nothing; what a statement does is the player's business.

pub mod args;
pub mod error;
pub mod lexer;
mod patch;
mod play;
mod rest;
pub mod value;
pub mod verbs;

use tine_engine::command::{Command, Control, Query, When};

pub use error::ParseError;
pub use verbs::{VERBS, Verb};

use args::Args;
use lexer::{Sort, Token, lex};

/// Whether a person is typing, which allows abbreviated verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Unique abbreviations of verbs are understood.
    Interactive,
    /// Verbs are written out, so that a script does not change its meaning when a verb is added.
    Script,
}

/// One statement of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Changes of the patch and gestures of playing, and when they take effect.
    Patch(Vec<Command>, When),
    /// Looks at the session.
    Ask(Query),
    /// Concerns the engine.
    Tell(Control),
    /// Needs no session, or a file.
    Local(Local),
}

/// Statements that the session does not see as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// What there is to say, or about one verb or kind.
    Help(Option<String>),
    /// All kinds, or one.
    Modules(Option<String>),
    /// What sound goes to.
    Devices,
    /// The last lines typed, at most so many.
    History(usize),
    /// Writes the patch to a file.
    Save(String),
    /// Replaces the patch by a file's.
    Load(String),
    /// Carries out a script.
    Run(String),
    /// Records into a file.
    Record(String),
    /// Leaves.
    Quit,
}

/// The statements of one line.
///
/// # Errors
/// At the first word that does not fit; nothing of the line is to be carried out then.
pub fn parse_line(line: &str, mode: Mode) -> Result<Vec<Statement>, ParseError> {
    let tokens = lex(line)?;
    tokens
        .split(|token| token.sort == Sort::Semicolon)
        .filter(|statement| !statement.is_empty())
        .map(|statement| parse_statement(statement, mode))
        .collect()
}

fn parse_statement(tokens: &[Token], mode: Mode) -> Result<Statement, ParseError> {
    let verb = verbs::find(&tokens[0], mode)?;
    let mut args = Args::new(verb, &tokens[0], &tokens[1..])?;
    let statement = (verb.parse)(&mut args)?;
    args.finish()?;
    Ok(statement)
}

#[cfg(test)]
mod tests;
