//! The one table of verbs: the parser, `help`, abbreviation and completion all walk it.

use super::args::Args;
use super::error::ParseError;
use super::lexer::Token;
use super::{Mode, Statement, patch, play, rest};
use crate::similar;

/// One verb of the language.
pub struct Verb {
    /// The word.
    pub word: &'static str,
    /// How it is used, as `help` shows it.
    pub usage: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Flags that it takes, each with one value.
    pub flags: &'static [&'static str],
    /// What may stand at each place after it; the last repeats.
    pub places: &'static [Place],
    /// Takes the words after it.
    pub parse: fn(&mut Args<'_>) -> Result<Statement, ParseError>,
}

/// What may stand at a place, for completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing that could be guessed.
    Free,
    /// A kind that can be created.
    Kind,
    /// Any kind.
    AnyKind,
    /// `PARAM=VALUE` of the kind that is being created.
    Assignment,
    /// An id.
    Id,
    /// A path of cables: an output, then inputs.
    Path,
    /// An output.
    Output,
    /// A param.
    Param,
    /// A value of the param before it.
    Value,
    /// `on` or `off`.
    Switch,
    /// A file.
    File,
    /// A verb or a kind.
    Topic,
}

use Place::{AnyKind, Assignment, File, Free, Id, Kind, Output, Param, Path, Switch, Topic, Value};

macro_rules! verbs {
    ($($word:literal, $usage:literal, $summary:literal, $flags:expr, $places:expr, $parse:expr;)*) => {
        /// Every verb, in the order in which `help` shows them.
        pub static VERBS: &[Verb] = &[$(Verb {
            word: $word,
            usage: $usage,
            summary: $summary,
            flags: &$flags,
            places: &$places,
            parse: $parse,
        },)*];
    };
}

verbs! {
    "create", "create KIND[*CHANNELS] [--id ID] [--with ID] [--worker N] [PARAM=VALUE]...",
        "a new module", ["--id", "--with", "--worker"], [Kind, Assignment], patch::create;
    "connect", "connect A[.PORT] > B[.PORT] [> C...] [--gain G]",
        "cables from outputs to inputs; `in` and `out` need no name", ["--gain"], [Path], patch::connect;
    "disconnect", "disconnect A[.PORT] [> B[.PORT]]",
        "removes one cable, or all of A's", [], [Path], patch::disconnect;
    "set", "set ID.PARAM VALUE [ID.PARAM VALUE]... [--ramp 50ms] [--at +2s|beat|bar]",
        "moves params", ["--ramp", "--at"], [Param, Value], patch::set;
    "get", "get ID[.PARAM]", "values of params", [], [Param], rest::get;
    "info", "info ID", "a module with its params and cables", [], [Id], rest::info;
    "list", "list [GLOB]", "the modules of the patch", [], [Id], rest::list;
    "modules", "modules [KIND]", "the kinds there are, or all about one", [], [AnyKind], rest::modules;
    "destroy", "destroy ID...", "removes modules and their cables", [], [Id], patch::destroy;
    "rename", "rename ID NEW", "gives a module another id", [], [Id, Free], patch::rename;
    "dup", "dup ID", "a second module with the same params and incoming cables", [], [Id], patch::duplicate;
    "bypass", "bypass ID on|off", "lets the signal pass a module by", [], [Id, Switch], patch::bypass;
    "reset", "reset ID", "the state of a new module; its params stay", [], [Id], patch::reset;
    "note", "note ID PITCH [VELOCITY]", "plays a pitch and opens the gate; velocity 0 lets go of it", [], [Id, Free], play::note;
    "gate", "gate ID on|off", "opens or closes the gate", [], [Id, Switch], play::gate;
    "trig", "trig ID", "a short pulse", [], [Id, Free], play::trigger;
    "save", "save FILE", "writes the patch to a file", [], [File], rest::save;
    "load", "load FILE", "replaces the patch by a file's", [], [File], rest::load;
    "run", "run FILE", "carries out a script, whole", [], [File], rest::run;
    "undo", "undo [N]", "takes back the last changes of the patch", [], [Free], patch::undo;
    "redo", "redo [N]", "does again what was taken back", [], [Free], patch::redo;
    "snap", "snap NAME", "keeps the values of all params under a name", [], [Free], rest::later;
    "recall", "recall NAME [4s]", "goes back to what was kept", [], [Free], rest::later;
    "record", "record FILE | record off", "records what `out` gives, as 32-bit float", [], [File], rest::record;
    "pool", "pool", "the workers", [], [Free], rest::pool;
    "stats", "stats", "counters and timings", [], [Free], rest::stats;
    "meters", "meters", "peaks of what `out` gives", [], [Free], rest::meters;
    "scope", "scope ID[.PORT]", "draws what an output gives", [], [Output], rest::scope;
    "trace", "trace FILE", "writes the timing of each block to a file", [], [File], rest::later;
    "restart", "restart WORKER", "replaces a worker by a new one; its modules play on", [], [Free], rest::restart;
    "bpm", "bpm [128] [--ramp 4s] [--at +2s|beat|bar]", "the tempo, or another one", ["--ramp", "--at"], [Free], play::tempo;
    "midi", "midi ...", "MIDI ports and channels", [], [Free], rest::later;
    "learn", "learn ID.PARAM", "the next controller that moves drives the param", [], [Param], rest::later;
    "devices", "devices", "what sound goes to", [], [Free], rest::devices;
    "device", "device NAME", "sends sound to another device", [], [Free], rest::later;
    "panic", "panic", "closes all gates and silences all tails; the patch stays", [], [Free], play::panic;
    "history", "history [N]", "the last lines typed", [], [Free], rest::history;
    "help", "help [WORD]", "this, or all about a command or kind", [], [Topic], rest::help;
    "quit", "quit", "leaves", [], [Free], rest::quit;
}

/// The verb called `word`.
pub fn exact(word: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.word == word)
}

/// The verb that `token` means.
///
/// # Errors
/// If there is none, or the abbreviation fits several or is not allowed here.
pub fn find(token: &Token, mode: Mode) -> Result<&'static Verb, ParseError> {
    let word = token.text.as_str();
    if let Some(verb) = exact(word) {
        return Ok(verb);
    }
    let fits: Vec<&Verb> = VERBS.iter().filter(|verb| !word.is_empty() && verb.word.starts_with(word)).collect();
    let message = match (&fits[..], mode) {
        ([verb], Mode::Interactive) => return Ok(verb),
        ([verb], Mode::Script) => {
            format!("no command {word:?}; a script writes commands out: {:?}", verb.word)
        }
        ([_, _, ..], Mode::Interactive) => {
            format!("{word:?} may be {}", fits.iter().map(|verb| verb.word).collect::<Vec<_>>().join(", "))
        }
        _ => match similar::nearest(word, VERBS.iter().map(|verb| verb.word)) {
            Some(near) => format!("no command {word:?}; did you mean {near:?}?"),
            None => format!("no command {word:?}; \"help\" lists them"),
        },
    };
    Err(ParseError::new(token.at, message))
}
