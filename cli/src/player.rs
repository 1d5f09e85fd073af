//! Carries out lines on a session and says what happened. Parses all of a line first; touches no terminal.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{TrySendError, sync_channel};
use std::time::Duration;

use tine_engine::answer::{Answer, Applied, ModuleInfo, Outcome};
use tine_engine::command::{Command, Control, Origin, Query, Request, When};
use tine_engine::error::Refusal;
use tine_engine::handle::Handle;
use tine_engine::interpreter::Failure;
use tine_engine::name::Name;
use tine_protocol::spec::Role;

use crate::files::Files;
use crate::grammar::{Local, Mode, Statement};
use crate::script::{self, Place, Step};
use crate::words::outcomes::{lateness, outcome, set_with_unit};
use crate::words::refusals::{after, nothing_changed, refusal};
use crate::words::{Style, answers, count, number};
use crate::{catalog, help, patchfile, run};

/// What is to happen after a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The next line.
    #[default]
    GoOn,
    /// Leave.
    Quit,
    /// Show this many of the lines typed last.
    History(usize),
}

/// What a line gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What to show; may be empty.
    pub text: String,
    /// What to do then.
    pub then: Then,
}

/// Told what became of a request that waits for its moment, should it be refused then.
pub type Later = Arc<dyn Fn(String) + Send + Sync>;

/// Someone who gives lines to a session.
#[derive(Clone)]
pub struct Player {
    /// The session.
    pub handle: Handle,
    /// Who gives the lines.
    pub origin: Origin,
    /// The files that lines may name.
    pub files: Files,
    /// How answers look.
    pub style: Style,
    /// Where late refusals go; without it nobody hears of them.
    pub later: Option<Later>,
}

/// How long a request for a later moment may take to be refused at once; after that it counts as accepted.
const EARLY_REFUSAL: Duration = Duration::from_millis(50);

/// Params set in one line whose units are looked up; more are answered with bare numbers.
const UNITS_MAX: usize = 8;

impl Player {
    /// Carries out one line.
    ///
    /// # Errors
    /// If it is wrong or refused. The message says whether anything was changed.
    pub fn line(&self, line: &str, mode: Mode) -> Result<Reply, Failure> {
        let unchanged = |error: Failure| Failure { message: nothing_changed(&error.message), ..error };
        let steps = script::of_line(line, mode, &self.files).map_err(unchanged)?;
        let mut said: Vec<String> = Vec::new();
        let mut then = Then::GoOn;
        let mut is_changed = false;
        for step in steps {
            let changes = matches!(step, Step::Request(..) | Step::Other(Statement::Tell(_), _));
            match self.step(step, &mut then) {
                Ok(text) => said.extend(text.filter(|text| !text.is_empty())),
                Err(error) if is_changed => {
                    let message = after(&error.message, "what stood before it is in effect");
                    return Err(Failure { message, ..error });
                }
                Err(error) => return Err(unchanged(error)),
            }
            is_changed |= changes;
            if then == Then::Quit {
                break;
            }
        }
        Ok(Reply { text: said.join("\n"), then })
    }

    /// Carries out a script file.
    ///
    /// # Errors
    /// As [`Player::line`].
    pub fn run(&self, path: &Path) -> Result<Reply, Failure> {
        self.line(&with_file("run", path)?, Mode::Script)
    }

    /// Replaces the patch by a file's.
    ///
    /// # Errors
    /// As [`Player::line`].
    pub fn load(&self, path: &Path) -> Result<Reply, Failure> {
        self.line(&with_file("load", path)?, Mode::Script)
    }

    fn step(&self, step: Step, then: &mut Then) -> Result<Option<String>, Failure> {
        match step {
            Step::Request(commands, When::Now, places) => self.apply(commands, &places).map(Some),
            Step::Request(commands, when, places) => self.schedule(commands, when, &places).map(Some),
            Step::Other(statement, place) => self.other(statement, then).map_err(|error| at(&place, error)),
        }
    }

    fn apply(&self, commands: Vec<Command>, places: &[Place]) -> Result<String, Failure> {
        let request = Request { commands: commands.clone(), when: When::Now, origin: self.origin };
        let applied = self.handle.apply(request).map_err(|error| refused(&error, places))?;
        let mut said = Vec::new();
        let mut units = UNITS_MAX;
        let mut files: Vec<(&str, [usize; 2])> = Vec::new();
        for ((command, result), place) in commands.iter().zip(&applied.outcomes).zip(places) {
            match &place.file {
                Some(file) => tally(&mut files, file, result),
                None => said.extend(self.outcome(command, result, &mut units)),
            }
        }
        said.extend(files.iter().map(|(file, [modules, cables])| {
            format!("{file}: {}, {}", count(*modules, "module"), count(*cables, "cable"))
        }));
        said.extend(lateness(&applied));
        Ok(said.join("\n"))
    }

    fn outcome(&self, command: &Command, result: &Outcome, units: &mut usize) -> Option<String> {
        if let Outcome::Set { module, .. } = result
            && *units > 0
        {
            *units -= 1;
            let known = self.module(module).and_then(|info| set_with_unit(result, info.kind));
            return known.or_else(|| outcome(command, result));
        }
        outcome(command, result)
    }

    /// Hands in a request for a later moment; waits only as long as an early refusal may take.
    fn schedule(&self, commands: Vec<Command>, when: When, places: &[Place]) -> Result<String, Failure> {
        let (sender, receiver) = sync_channel::<Result<Applied, Refusal>>(1);
        let later = self.later.clone();
        let place = places.first().cloned().map_or_else(String::new, |place| place.to_string());
        let reply = Box::new(move |outcome: Result<Applied, Refusal>| {
            if let Err(TrySendError::Full(Err(error)) | TrySendError::Disconnected(Err(error))) =
                sender.try_send(outcome)
                && let Some(later) = later
            {
                later(format!("{place}{}", nothing_changed(&refusal(&error))));
            }
        });
        let request = Request { commands, when, origin: self.origin };
        self.handle.submit(request, reply).map_err(|error| refused(&error, places))?;
        if let Ok(Err(error)) = receiver.recv_timeout(EARLY_REFUSAL) {
            return Err(refused(&error, places));
        }
        Ok(match when {
            When::After(seconds) => format!("in {}", number::seconds(seconds)),
            When::NextBeat(1) => "at the next beat".to_owned(),
            When::NextBeat(beats) => format!("at the next bar of {beats} beats"),
            When::Now | When::At(_) => String::new(),
        })
    }

    fn other(&self, statement: Statement, then: &mut Then) -> Result<Option<String>, Failure> {
        match statement {
            Statement::Patch(..) => Ok(None),
            Statement::Ask(query) => self.ask(query).map(Some),
            Statement::Tell(control) => self.tell(control),
            Statement::Local(local) => self.local(local, then),
        }
    }

    fn ask(&self, query: Query) -> Result<String, Failure> {
        let answer = self.handle.query(query.clone()).map_err(|error| failure(&error))?;
        let about = match (&query, &answer) {
            (Query::Get(id, _), Answer::Params(_)) => self.module(id).map(|info| (id, info.kind)),
            _ => None,
        };
        Ok(answers::answer(&answer, about, self.style))
    }

    fn module(&self, id: &Name) -> Option<ModuleInfo> {
        match self.handle.query(Query::Info(id.clone())) {
            Ok(Answer::Info(module, ..)) => Some(module),
            _ => None,
        }
    }

    fn tell(&self, control: Control) -> Result<Option<String>, Failure> {
        let said = match &control {
            Control::RecordStart(path) => Some(format!("recording into {}", path.display())),
            Control::RecordStop => Some("recording ended".to_owned()),
            Control::Restart(worker) => Some(format!("worker {worker}: another process takes over")),
            _ => None,
        };
        self.handle.control(control).map_err(|error| failure(&error))?;
        Ok(said)
    }

    fn local(&self, local: Local, then: &mut Then) -> Result<Option<String>, Failure> {
        let not_found = |message| Failure { code: "not_found", message };
        match local {
            Local::Help(word) => help::text(word.as_deref(), self.style).map(Some).map_err(not_found),
            Local::Modules(kind) => catalog::text(kind.as_deref(), self.style)
                .map(Some)
                .map_err(|message| Failure { code: "no_kind", message }),
            Local::Devices => run::devices(false).map(Some).map_err(|message| Failure { code: "unsupported", message }),
            Local::History(lines) => {
                *then = Then::History(lines);
                Ok(None)
            }
            Local::Save(file) => {
                let saved = patchfile::save(&self.files.resolve(&file)?, &self.handle)?;
                // As `load` counts them: `out` is always there.
                let made = saved.modules.iter().filter(|module| module.kind.role == Role::Lane).count();
                let (modules, cables) = (count(made, "module"), count(saved.cables.len(), "cable"));
                Ok(Some(format!("saved {file}: {modules}, {cables}")))
            }
            Local::Record(file) => self.tell(Control::RecordStart(self.files.resolve(&file)?)),
            Local::Quit => {
                *then = Then::Quit;
                Ok(None)
            }
            // Taken apart before there are steps (script.rs).
            Local::Load(_) | Local::Run(_) => Ok(None),
        }
    }
}

/// A statement about a file whose name may hold spaces and quotes.
fn with_file(verb: &str, path: &Path) -> Result<String, Failure> {
    match path.to_str() {
        Some(path) => Ok(format!("{verb} \"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))),
        None => Err(Failure { code: "io", message: format!("{}: the name is no text", path.display()) }),
    }
}

/// Counts modules and cables that a file made.
fn tally<'a>(files: &mut Vec<(&'a str, [usize; 2])>, file: &'a str, result: &Outcome) {
    let at = files.iter().position(|(name, _)| *name == file).unwrap_or_else(|| {
        files.push((file, [0, 0]));
        files.len() - 1
    });
    match result {
        Outcome::Created { .. } => files[at].1[0] += 1,
        Outcome::Connected { changed, .. } => files[at].1[1] += changed,
        _ => {}
    }
}

fn at(place: &Place, error: Failure) -> Failure {
    Failure { message: format!("{place}{}", error.message), ..error }
}

fn refused(error: &Refusal, places: &[Place]) -> Failure {
    let place = match error {
        Refusal::Rejected { index, .. } => places.get(*index),
        _ => None,
    };
    match place {
        Some(place) => at(place, failure(error)),
        None => failure(error),
    }
}

fn failure(error: &Refusal) -> Failure {
    Failure { code: error.code(), message: refusal(error) }
}

#[cfg(test)]
mod tests;
