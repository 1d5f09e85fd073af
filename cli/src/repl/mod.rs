//! The REPL: lines from a terminal or a pipe to whoever carries them out. Owns the terminal, knows no engine.

pub mod complete;
mod helper;
pub mod history;
pub mod live;
pub mod watch;

use std::io::{BufRead, Write};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::{DefaultHistory, History, SearchDirection};
use rustyline::{ColorMode, CompletionType, Config, Editor, ExternalPrinter};
use tine_engine::interpreter::Failure;

use crate::grammar::Mode;
use crate::player::{Player, Reply, Then};
use crate::words::{self, Style};
use complete::Live;
use helper::Typing;

/// Someone who carries out lines: a session here, or an engine elsewhere.
pub trait Remote {
    /// Carries out one line.
    ///
    /// # Errors
    /// If it is wrong, was refused, or nobody answers.
    fn line(&self, line: &str, mode: Mode) -> Result<Reply, Failure>;
}

impl Remote for Player {
    fn line(&self, line: &str, mode: Mode) -> Result<Reply, Failure> {
        Player::line(self, line, mode)
    }
}

/// Prints lines above the one being typed.
pub type Printer = Box<dyn ExternalPrinter + Send>;

/// Reads lines from the terminal until Ctrl-D or `quit`. `told` gets the printer for what happens meanwhile.
///
/// # Errors
/// If the terminal cannot be used.
pub fn interact(remote: &dyn Remote, live: Box<dyn Live>, told: impl FnOnce(Printer)) -> Result<(), String> {
    let terminal = |error: ReadlineError| format!("terminal: {error}");
    let style = Style::of(&std::io::stdout());
    let config = Config::builder().completion_type(CompletionType::List).max_history_size(history::LINES_MAX);
    let config = config.map_err(terminal)?.history_ignore_space(true).build();
    let mut editor: Editor<Typing, DefaultHistory> = Editor::with_config(config).map_err(terminal)?;
    editor.set_color_mode(if style.colour { ColorMode::Enabled } else { ColorMode::Disabled });
    editor.set_helper(Some(Typing::new(live, style)));
    let kept = history::path();
    if let Some(path) = &kept {
        // The first run has no history yet.
        let _ = editor.load_history(path);
    }
    told(Box::new(editor.create_external_printer().map_err(terminal)?));
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            // Ctrl-C clears the line and never touches the sound.
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(terminal(error)),
        };
        if line.trim().is_empty() {
            continue;
        }
        // After each line, so that history outlives a crash. Where it cannot be kept, it lives in this run.
        if editor.add_history_entry(&line).unwrap_or(false)
            && let Some(path) = &kept
        {
            let _ = editor.append_history(path);
        }
        match remote.line(&line, Mode::Interactive) {
            Ok(reply) => {
                show(&mut std::io::stdout(), &reply.text)?;
                match reply.then {
                    Then::GoOn => {}
                    Then::Quit => return Ok(()),
                    Then::History(count) => show(&mut std::io::stdout(), &last(editor.history(), count))?,
                }
            }
            // At the prompt it is an answer like any other.
            Err(error) => show(&mut std::io::stdout(), &words::error(&error.message, style))?,
        }
    }
}

/// Carries out lines from a pipe or a file as a script; the first error ends it.
///
/// # Errors
/// The error, which names its line. Nothing after that line was read.
pub fn piped(input: impl BufRead, output: &mut impl Write, remote: &dyn Remote) -> Result<(), String> {
    for (index, line) in input.lines().enumerate() {
        let at = |message: &str| format!("line {}: {message}", index + 1);
        let line = line.map_err(|error| at(&error.to_string()))?;
        let reply = remote.line(&line, Mode::Script).map_err(|error| at(&error.message))?;
        show(output, &reply.text)?;
        if reply.then == Then::Quit {
            break;
        }
    }
    Ok(())
}

/// Writes an answer, if there is one.
///
/// # Errors
/// If nobody can read it any more.
pub fn show(output: &mut impl Write, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(output, "{text}").and_then(|()| output.flush()).map_err(|error| format!("standard output: {error}"))
}

fn last(history: &DefaultHistory, count: usize) -> String {
    let from = history.len().saturating_sub(count);
    let lines = (from..history.len()).filter_map(|index| history.get(index, SearchDirection::Forward).ok().flatten());
    lines.map(|found| found.entry.into_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers with the line itself; refuses `bad`.
    struct Echo;

    impl Remote for Echo {
        fn line(&self, line: &str, mode: Mode) -> Result<Reply, Failure> {
            assert_eq!(mode, Mode::Script);
            match line {
                "bad" => Err(Failure { code: "parse", message: "no".to_owned() }),
                "quit" => Ok(Reply { then: Then::Quit, ..Reply::default() }),
                other => Ok(Reply { text: other.to_owned(), then: Then::GoOn }),
            }
        }
    }

    fn pipe(input: &str) -> (Result<(), String>, String) {
        let mut output = Vec::new();
        let ended = piped(input.as_bytes(), &mut output, &Echo);
        (ended, String::from_utf8(output).unwrap())
    }

    #[test]
    fn piped_lines_run_until_the_first_error_which_names_its_line() {
        assert_eq!(pipe("a\n\nb"), (Ok(()), "a\nb\n".to_owned()));
        assert_eq!(pipe("a\n\nbad\nb\n"), (Err("line 3: no".to_owned()), "a\n".to_owned()));
        assert_eq!(pipe("a\nquit\nbad\n"), (Ok(()), "a\n".to_owned()));
    }
}
