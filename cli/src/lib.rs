//! The `tine` binary: subcommands, the REPL's language, the rendering of answers. Only `bench` knows pids and rings: it measures them.
#![forbid(unsafe_code)]

pub mod args;
pub mod bench;
pub mod catalog;
pub mod config;
pub mod connect;
pub mod doctor;
pub mod files;
pub mod grammar;
pub mod help;
pub mod interpreter;
pub mod machine;
pub mod patchfile;
pub mod player;
pub mod plot;
pub mod repl;
pub mod run;
pub mod script;
pub mod similar;
pub mod state;
mod words;

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use clap::Parser;

use args::CommandLine;
use config::{Action, Config, Format, Invocation, Mode};
use connect::Wire;
use repl::live::Elsewhere;
use tine_protocol::sys::process;
use words::Style;

/// The exit code of wrong usage; clap's own too.
const WRONG_USAGE: u8 = 2;

/// Why a subcommand ended early.
enum Stop {
    /// The command line asks for what there is not.
    Usage(String),
    /// Anything else.
    Failed(String),
    /// Who read our answer has gone; there is nobody to tell.
    Unread,
}

/// The program.
pub fn main() -> ExitCode {
    process::outlive_file_limit();
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Help and version are answers; a terminal that cannot show them cannot show more.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG_USAGE } else { 0 });
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match config::check(line, cores).map_err(Stop::Usage).and_then(act) {
        Ok(()) | Err(Stop::Unread) => ExitCode::SUCCESS,
        Err(Stop::Usage(message)) => ended(&message, WRONG_USAGE),
        Err(Stop::Failed(message)) => ended(&message, 1),
    }
}

fn ended(message: &str, code: u8) -> ExitCode {
    eprintln!("{}", words::error(message, Style::of(&stderr())));
    ExitCode::from(code)
}

fn act(invocation: Invocation) -> Result<(), Stop> {
    let Invocation { action, config } = invocation;
    match action {
        // What needs no engine.
        Action::Modules { kind, format } => modules(kind.as_deref(), format),
        Action::Connect(address) => connect(&address).map_err(Stop::Failed),
        // What does.
        Action::Play(files) => run::keep(config, Mode::Play, &files).map_err(Stop::Failed),
        Action::Serve(files) => run::keep(config, Mode::Serve, &files).map_err(Stop::Failed),
        Action::Render { file, output, plot } => {
            let config = Config { record: Some(output.clone()), ..config };
            run::keep(config, Mode::Render, std::slice::from_ref(&file)).map_err(Stop::Failed)?;
            let title = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
            plot.map_or(Ok(()), |plot| plot::draw(&output, &plot, &title).map_err(Stop::Failed))
        }
        Action::Devices(json) => run::devices(json).map_err(Stop::Failed).and_then(|text| say(&text)),
        Action::Doctor => {
            let findings = doctor::judge(&machine::Machine::here(), &tine_engine::device::list());
            say(&doctor::text(&findings, Style::of(&stdout())))
        }
        Action::Bench { suites, quick, json, html, svg, pictures } => {
            let (json, html, svg, pictures) = (json.as_ref(), html.as_ref(), svg.as_ref(), pictures.as_ref());
            let wish = bench::Wish { suites: &suites, is_quick: quick, json, html, svg, pictures };
            bench::run(&config, &wish).map_err(Stop::Failed)
        }
        // The keeper's own processes.
        Action::Engine { inherited, mode, files } => {
            run::engine(&config, &inherited, mode, &files).map_err(Stop::Failed)
        }
        Action::Zygote(inherited) => run::zygote(&inherited).map_err(Stop::Failed),
    }
}

fn modules(kind: Option<&str>, format: Format) -> Result<(), Stop> {
    let text = match format {
        Format::Text => catalog::text(kind, Style::of(&stdout())),
        Format::Json => catalog::json(kind),
        Format::Markdown => catalog::markdown(kind),
    };
    say(text.map_err(Stop::Usage)?.trim_end())
}

fn connect(address: &str) -> Result<(), String> {
    let wire = Wire::open(address)?;
    match stdin().is_terminal() {
        true => repl::interact(&wire, Box::new(Elsewhere), drop),
        false => repl::piped(stdin().lock(), &mut stdout(), &wire),
    }
}

/// Writes an answer; `tine modules | head` is no error.
fn say(text: &str) -> Result<(), Stop> {
    writeln!(stdout(), "{text}").map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Stop::Unread,
        _ => Stop::Failed(format!("standard output: {error}")),
    })
}
