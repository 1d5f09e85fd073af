//! What the line editor asks while a line is typed: completions, a hint at the right, its colour.

use std::borrow::Cow;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::complete::{Live, complete};
use crate::grammar::verbs;
use crate::words::Style;

/// The editor's helper.
pub struct Typing {
    live: Box<dyn Live>,
    style: Style,
    before: HistoryHinter,
}

impl Typing {
    /// A helper that asks `live`.
    pub fn new(live: Box<dyn Live>, style: Style) -> Typing {
        Typing { live, style, before: HistoryHinter::new() }
    }
}

/// Grey text at the right of the cursor.
pub enum Shown {
    /// How the verb is used; it is not to be put into the line.
    Usage(&'static str),
    /// The rest of a line typed before; the right arrow takes it.
    Before(String),
}

impl Hint for Shown {
    fn display(&self) -> &str {
        match self {
            Shown::Usage(text) => text,
            Shown::Before(text) => text,
        }
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Shown::Usage(_) => None,
            Shown::Before(text) => Some(text),
        }
    }
}

impl Hinter for Typing {
    type Hint = Shown;

    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Shown> {
        if pos < line.len() {
            return None;
        }
        let last = line.rsplit(';').next().unwrap_or_default().trim_start();
        let usage =
            last.strip_suffix(' ').and_then(verbs::exact).map(|verb| verb.usage[verb.word.len()..].trim_start());
        match usage {
            Some(usage) if !usage.is_empty() => Some(Shown::Usage(usage)),
            _ => self.before.hint(line, pos, context).map(Shown::Before),
        }
    }
}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (at, candidates) = complete(&line[..pos], &*self.live);
        let pair =
            |candidate: super::complete::Candidate| Pair { display: candidate.display, replacement: candidate.text };
        Ok((at, candidates.into_iter().map(pair).collect()))
    }
}

impl Highlighter for Typing {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(self.style.dim(hint))
    }
}

impl Validator for Typing {}
impl Helper for Typing {}
