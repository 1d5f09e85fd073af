//! What is wrong with a line, where, and what would be right. Text only; it knows no session.

use std::fmt;

/// A line that is not of the language. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte offset in the line of the word at fault.
    pub at: usize,
    /// In the player's words; says what would be right.
    pub message: String,
    /// A code of `/fail`.
    pub code: &'static str,
}

impl ParseError {
    /// The common case: the words do not form a statement.
    pub fn new(at: usize, message: impl Into<String>) -> ParseError {
        ParseError { at, message: message.into(), code: "parse" }
    }

    /// The same error under another code of `/fail`.
    pub fn coded(self, code: &'static str) -> ParseError {
        ParseError { code, ..self }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
