//! The language as the engine's OSC server uses it, without knowing any text.

use std::path::Path;

use tine_engine::command::{Control, Origin};
use tine_engine::error::Refusal;
use tine_engine::handle::Handle;
use tine_engine::interpreter::{Failure, Interpreter};

use crate::files::Files;
use crate::grammar::Mode;
use crate::patchfile;
use crate::player::{Player, Then};
use crate::words::Style;
use crate::words::refusals::refusal;

/// The one implementation of [`Interpreter`]. It holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Language;

impl Interpreter for Language {
    fn eval(&self, line: &str, files: &Path, handle: &Handle, origin: Origin) -> Result<String, Failure> {
        // Who sends lines over the network types them: `tine connect` is a REPL too.
        let reply = player(files, handle, origin).line(line, Mode::Interactive)?;
        if reply.then == Then::Quit {
            handle.control(Control::Quit).map_err(|error| Failure { code: error.code(), message: refusal(&error) })?;
        }
        Ok(reply.text)
    }

    fn save(&self, path: &Path, handle: &Handle) -> Result<(), Failure> {
        patchfile::save(path, handle).map(drop)
    }

    fn load(&self, path: &Path, handle: &Handle, origin: Origin) -> Result<(), Failure> {
        let (folder, name) = apart(path);
        player(folder, handle, origin).load(name).map(drop)
    }

    fn run(&self, path: &Path, handle: &Handle, origin: Origin) -> Result<(), Failure> {
        let (folder, name) = apart(path);
        player(folder, handle, origin).run(name).map(drop)
    }

    fn explain(&self, error: &Refusal) -> String {
        refusal(error)
    }
}

fn player(files: &Path, handle: &Handle, origin: Origin) -> Player {
    let files = Files::Within(files.to_owned());
    Player { handle: handle.clone(), origin, files, style: Style::PLAIN, later: None }
}

/// A path's folder, which scripts that it runs must stay inside, and its name there.
fn apart(path: &Path) -> (&Path, &Path) {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    (folder, path.file_name().map_or(path, Path::new))
}
