//! Lines and files made into steps: everything is parsed, files within files too, before anything is done.
//!
//! Neighbouring patch commands become one request, so a line or a script that consists of them is atomic.

use std::fmt;
use std::rc::Rc;

use tine_engine::command::{Command, Value, When};
use tine_engine::interpreter::Failure;

use crate::files::{self, Files};
use crate::grammar::{Local, Mode, ParseError, Statement, parse_line};
use crate::patchfile;

/// Scripts that may run scripts, one within the other; a script that runs itself ends here.
const DEPTH_MAX: usize = 8;

/// Statements of one line with all its scripts; a loop of `run`s grows no further.
const STATEMENTS_MAX: usize = 1 << 20;

/// Where a statement stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named; `None` for a line that was typed.
    pub file: Option<Rc<str>>,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for Place {
    /// `FILE:LINE: `, or nothing for a line that was typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{file}:{}: ", self.line),
            None => Ok(()),
        }
    }
}

/// What is done at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// One request, and where each command stood.
    Request(Vec<Command>, When, Vec<Place>),
    /// Anything else.
    Other(Statement, Place),
}

/// The steps of a line.
///
/// # Errors
/// If it, or a file that it names, is wrong or cannot be read.
pub fn of_line(line: &str, mode: Mode, files: &Files) -> Result<Vec<Step>, Failure> {
    let statements = parse_line(line, mode).map_err(|error| typed(&error))?;
    let place = Place { file: None, line: 1 };
    let mut all = Vec::new();
    for statement in statements {
        expand(statement, &place, files, 0, &mut all)?;
    }
    Ok(steps(all))
}

fn typed(error: &ParseError) -> Failure {
    // The first word needs no pointing at.
    let column = if error.at == 0 { String::new() } else { format!("column {}: ", error.at + 1) };
    Failure { code: error.code, message: format!("{column}{error}") }
}

type Placed = (Statement, Place);

/// Adds a statement, or what the file that it names holds.
fn expand(
    statement: Statement,
    place: &Place,
    files: &Files,
    depth: usize,
    all: &mut Vec<Placed>,
) -> Result<(), Failure> {
    let at = |error: Failure| Failure { message: format!("{place}{}", error.message), ..error };
    match statement {
        Statement::Local(Local::Run(file)) => script(&file, files, depth + 1, all).map_err(at),
        Statement::Local(Local::Load(file)) => {
            // The file's own name, so that the answer counts what it held.
            all.push((
                Statement::Patch(vec![Command::Clear], When::Now),
                Place { file: Some(file.as_str().into()), line: 1 },
            ));
            let start = all.len();
            script(&file, files, depth + 1, all).map_err(at)?;
            match all[start..].iter().find(|(held, _)| !matches!(held, Statement::Patch(_, When::Now))) {
                None => Ok(()),
                Some((_, wrong)) => {
                    let message =
                        format!("{wrong}a patch file holds create, set, connect and bypass; \"run\" takes a script");
                    Err(at(Failure { code: "parse", message }))
                }
            }
        }
        other => {
            if all.len() >= STATEMENTS_MAX {
                return Err(Failure {
                    code: "parse",
                    message: format!("{place}more than {STATEMENTS_MAX} statements"),
                });
            }
            let other = with_sounds(other, place, files).map_err(at)?;
            all.push((other, place.clone()));
            Ok(())
        }
    }
}

/// The statement with the paths of its sound files resolved: those that a script names are looked for beside it first.
fn with_sounds(statement: Statement, place: &Place, files: &Files) -> Result<Statement, Failure> {
    let Statement::Patch(mut commands, when) = statement else { return Ok(statement) };
    let script = place.file.as_ref().map(|file| files.resolve(file)).transpose()?;
    for value in commands.iter_mut().flat_map(values) {
        if let Value::File(path) = value {
            *path = files.sound(path, script.as_deref())?;
        }
    }
    Ok(Statement::Patch(commands, when))
}

fn values(command: &mut Command) -> Vec<&mut Value> {
    match command {
        Command::Create { params, .. } => params.iter_mut().map(|(_, value)| value).collect(),
        Command::Set { value, .. } => vec![value],
        _ => Vec::new(),
    }
}

fn script(file: &str, files: &Files, depth: usize, all: &mut Vec<Placed>) -> Result<(), Failure> {
    if depth > DEPTH_MAX {
        let message = format!("{file}: scripts run scripts more than {DEPTH_MAX} deep");
        return Err(Failure { code: "parse", message });
    }
    let text = files::read(&files.resolve(file)?)?;
    patchfile::check_version(&text)
        .map_err(|message| Failure { code: "unsupported", message: format!("{file}:1: {message}") })?;
    let name: Rc<str> = file.into();
    for (index, line) in text.lines().enumerate() {
        let place = Place { file: Some(name.clone()), line: index + 1 };
        let statements = parse_line(line, Mode::Script).map_err(|error| Failure {
            code: error.code,
            message: format!("{file}:{}:{}: {error}", index + 1, error.at + 1),
        })?;
        for statement in statements {
            expand(statement, &place, files, depth, all)?;
        }
    }
    Ok(())
}

/// Joins neighbouring patch commands of the same moment.
fn steps(statements: Vec<Placed>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (statement, place) in statements {
        match statement {
            Statement::Patch(commands, when) => match steps.last_mut() {
                Some(Step::Request(before, moment, places)) if *moment == when => {
                    places.extend(commands.iter().map(|_| place.clone()));
                    before.extend(commands);
                }
                _ => {
                    let places = commands.iter().map(|_| place.clone()).collect();
                    steps.push(Step::Request(commands, when, places));
                }
            },
            other => steps.push(Step::Other(other, place)),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(held: &[(&str, &str)]) -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in held {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let files = Files::Within(folder.path().to_owned());
        (folder, files)
    }

    #[test]
    fn a_line_of_commands_and_scripts_is_one_request() {
        let (_folder, files) = folder(&[("a", "create vca --id 1\n\n# x\nconnect 1 > out"), ("b", "run a\nreset 1")]);
        let steps = of_line("create vca --id 0; run b; bypass 1 on", Mode::Script, &files).unwrap();
        let [Step::Request(commands, When::Now, places)] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!(commands.len(), 5);
        assert_eq!(places[2].to_string(), "a:4: ");
        assert_eq!(places[4].to_string(), "");
    }

    #[test]
    fn a_query_splits_a_script_where_it_stands() {
        let steps = of_line("reset 1; list; reset 1; set 1.a 1 --at +1s", Mode::Script, &Files::Anywhere).unwrap();
        assert_eq!(steps.len(), 4);
        assert!(matches!(&steps[3], Step::Request(_, When::After(1.0), _)));
    }

    #[test]
    fn load_clears_first_and_takes_patches_only() {
        let (_folder, files) =
            folder(&[("p", "# tine 1\ncreate vca --id 1"), ("s", "reset 1\n list"), ("new", "# tine 9")]);
        let steps = of_line("load p", Mode::Script, &files).unwrap();
        let [Step::Request(commands, ..)] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!(commands[0], Command::Clear);
        assert!(of_line("load s", Mode::Script, &files).unwrap_err().message.starts_with("s:2: a patch file holds"));
        assert_eq!(of_line("load new", Mode::Script, &files).unwrap_err().code, "unsupported");
    }

    #[test]
    fn an_error_names_its_file_line_and_column() {
        let (_folder, files) = folder(&[("a", "list\nreset 1\n  create vcaa"), ("b", "\nrun a"), ("loop", "run loop")]);
        let message = |line: &str| of_line(line, Mode::Script, &files).unwrap_err().message;
        assert!(message("run a").starts_with("a:3:10: no kind \"vcaa\""), "{}", message("run a"));
        assert!(message("run b").starts_with("b:2: a:3:10: "));
        assert!(message("run loop").contains("more than 8 deep"));
        assert!(message("list; pool x").starts_with("column 12: "));
        assert!(message("run none").contains("none: No such file"));
    }
}
