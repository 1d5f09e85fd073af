//! What the session says, in the player's words. Data in, text out; it asks nobody.

pub mod answers;
pub mod devices;
pub mod events;
pub mod number;
pub mod outcomes;
pub mod refusals;
pub mod session;
pub mod table;

use std::io::IsTerminal;

use tine_engine::name::Name;

/// Whether text goes to eyes or to a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Colour may be used.
    pub colour: bool,
}

impl Style {
    /// No colour.
    pub const PLAIN: Style = Style { colour: false };

    /// Colour where `stream` is a terminal and NO_COLOR is not set (no-color.org: set and not empty).
    pub fn of(stream: &impl IsTerminal) -> Style {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style { colour: stream.is_terminal() && !is_refused }
    }

    /// What went wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// What may be passed over.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// What heads a table.
    pub fn head(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A module as a player speaks of it: `vco 1`, but `vco1` rather than `vco vco1`.
pub fn module(kind: &str, id: &Name) -> String {
    let id = id.as_str();
    if id.starts_with(kind) { id.to_owned() } else { format!("{kind} {id}") }
}

/// `1 cable`, `2 cables`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `error: ...`, the way every refusal is shown to a person.
pub fn error(message: &str, style: Style) -> String {
    format!("{} {message}", style.bad("error:"))
}
