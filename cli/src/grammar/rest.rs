//! Statements that look, concern the engine or files, or come later.

use tine_engine::command::{Control, Query};

use super::args::Args;
use super::error::ParseError;
use super::{Local, Statement};

type Parsed = Result<Statement, ParseError>;

/// Lines that `history` shows where it is not told how many.
const HISTORY_LINES: usize = 20;

pub fn get(args: &mut Args<'_>) -> Parsed {
    // A port without its dot is a module; both have the same form.
    let what = args.port()?;
    Ok(Statement::Ask(Query::Get(what.module, what.port)))
}

pub fn info(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Ask(Query::Info(args.id()?)))
}

pub fn list(args: &mut Args<'_>) -> Parsed {
    let glob = if args.more() { Some(args.word("a glob")?.text.clone()) } else { None };
    Ok(Statement::Ask(Query::List(glob)))
}

pub fn pool(_args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Ask(Query::Pool))
}

pub fn stats(_args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Ask(Query::Stats))
}

pub fn meters(_args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Ask(Query::Meters))
}

pub fn scope(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Ask(Query::Scope(args.port()?)))
}

pub fn modules(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Modules(topic(args, "a kind")?)))
}

pub fn help(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Help(topic(args, "a word")?)))
}

fn topic(args: &mut Args<'_>, what: &str) -> Result<Option<String>, ParseError> {
    if args.more() { Ok(Some(args.word(what)?.text.clone())) } else { Ok(None) }
}

pub fn devices(_args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Devices))
}

pub fn history(args: &mut Args<'_>) -> Parsed {
    let count = if args.more() { args.count()? } else { HISTORY_LINES };
    Ok(Statement::Local(Local::History(count)))
}

pub fn quit(_args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Quit))
}

pub fn save(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Save(file(args)?)))
}

pub fn load(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Load(file(args)?)))
}

pub fn run(args: &mut Args<'_>) -> Parsed {
    Ok(Statement::Local(Local::Run(file(args)?)))
}

pub fn record(args: &mut Args<'_>) -> Parsed {
    Ok(match file(args)?.as_str() {
        "off" => Statement::Tell(Control::RecordStop),
        path => Statement::Local(Local::Record(path.to_owned())),
    })
}

pub fn restart(args: &mut Args<'_>) -> Parsed {
    let token = args.word("a worker")?;
    match token.text.parse() {
        Ok(worker) => Ok(Statement::Tell(Control::Restart(worker))),
        Err(_) => Err(args.wrong(token.at, format!("{:?} is no worker's number; pool shows them", token.text))),
    }
}

fn file(args: &mut Args<'_>) -> Result<String, ParseError> {
    let token = args.word("a file")?;
    if token.text.is_empty() || token.text.contains('\0') {
        return Err(args.wrong(token.at, format!("{:?} is no file name", token.text)));
    }
    Ok(token.text.clone())
}

/// Verbs that the interface names and this version does not carry out.
pub fn later(args: &mut Args<'_>) -> Parsed {
    Err(ParseError::new(args.at, format!("unsupported: {} comes later", args.verb.word)).coded("unsupported"))
}
