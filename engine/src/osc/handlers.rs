//! From arguments to what is asked, one function per address of the table. Pure: no effect, no waiting.

use std::net::IpAddr;

use rosc::OscType;

use super::action::{Action, Confirm, Fault, Slow};
use super::args::Args;
use super::glob::Glob;
use super::rows;
use crate::answer::Outcome;
use crate::command::{Command, Control, Placement, PortRef, Query};

type Read = Result<Action, Fault>;

/// `/create s:kind id [s:param v]*`; `kind*4` makes four channels, as in the REPL.
pub(super) fn create(args: &mut Args) -> Read {
    let kind = args.text()?;
    let (kind, channels) = match kind.split_once('*') {
        None => (kind.to_owned(), Some(1)),
        Some((kind, channels)) => (kind.to_owned(), channels.parse().ok()),
    };
    let channels = channels.ok_or_else(|| args.wants("bad_type", "channels are a whole number, as in kind*4"))?;
    let id = Some(args.id()?);
    let mut params = Vec::new();
    while !args.is_empty() {
        params.push((args.text()?.to_owned(), args.value()?));
    }
    let placement = Placement::default();
    let command = Command::Create { kind, channels, id, placement, params, idempotent: true };
    one(command, |outcomes| match outcomes {
        [Outcome::Created { id, kind, worker, .. }] => {
            vec![string(id.as_str()), string(kind), OscType::Int(i32::from(*worker))]
        }
        _ => Vec::new(),
    })
}

pub(super) fn destroy(args: &mut Args) -> Read {
    let mut ids = vec![args.id()?];
    while !args.is_empty() {
        ids.push(args.id()?);
    }
    one(Command::Destroy { ids, missing_ok: true }, |outcomes| {
        count(outcomes, |outcome| match outcome {
            Outcome::Destroyed { removed } => *removed,
            _ => 0,
        })
    })
}

pub(super) fn connect(args: &mut Args) -> Read {
    let path = vec![port(args)?, port(args)?];
    let gain = if args.is_empty() { 1.0 } else { args.number()? };
    one(Command::Connect { path, gain }, changed)
}

pub(super) fn disconnect(args: &mut Args) -> Read {
    if args.count() == 1 {
        let from = PortRef { module: args.id()?, port: None };
        return one(Command::Disconnect { from, to: None }, changed);
    }
    let command = Command::Disconnect { from: port(args)?, to: Some(port(args)?) };
    if !args.is_empty() {
        // A gain may stand there as for /connect, so that the same arguments undo it.
        args.number()?;
    }
    one(command, changed)
}

pub(super) fn set(args: &mut Args) -> Read {
    let module = args.id()?;
    let mut commands = Vec::new();
    while commands.is_empty() || !args.is_empty() {
        let (param, value) = (args.text()?.to_owned(), args.value()?);
        commands.push(Command::Set { module: module.clone(), param, value, ramp_s: None });
    }
    Ok(Action::Commands { commands, confirm: None })
}

pub(super) fn ramp(args: &mut Args) -> Read {
    let (module, param, value) = (args.id()?, args.text()?.to_owned(), args.value()?);
    let seconds = args.number()?;
    if seconds < 0.0 {
        return Err(args.wants("range", "seconds are not negative"));
    }
    silent(Command::Set { module, param, value, ramp_s: Some(seconds) })
}

pub(super) fn param(args: &mut Args) -> Read {
    let (module, param) = (args.id_in_address()?, args.parts[1].to_owned());
    silent(Command::Set { module, param, value: args.value()?, ramp_s: None })
}

pub(super) fn fraction(args: &mut Args) -> Read {
    let (module, param) = (args.id_in_address()?, args.parts[1].to_owned());
    silent(Command::SetFraction { module, param, fraction: args.number()? })
}

pub(super) fn note(args: &mut Args) -> Read {
    let (id, pitch) = (args.id_in_address()?, args.value()?);
    let velocity = if args.is_empty() { 1.0 } else { args.number()? };
    silent(Command::Note { id, pitch, velocity })
}

pub(super) fn gate(args: &mut Args) -> Read {
    silent(Command::Gate { id: args.id_in_address()?, level: args.number()? })
}

pub(super) fn trig(args: &mut Args) -> Read {
    let id = args.id_in_address()?;
    let is_let_go = !args.is_empty() && args.number()? < 0.5;
    let commands = if is_let_go { Vec::new() } else { vec![Command::Trigger { id }] };
    Ok(Action::Commands { commands, confirm: None })
}

pub(super) fn get(args: &mut Args) -> Read {
    let id = args.id()?;
    let mut params = Vec::new();
    while !args.is_empty() {
        params.push(args.text()?.to_owned());
    }
    let query = match &params[..] {
        [] => Query::Get(id.clone(), None),
        [param] => Query::Get(id.clone(), Some(param.clone())),
        _ => Query::Info(id.clone()),
    };
    Ok(Action::Query(query, Box::new(move |answer| rows::values(&id, &params, answer))))
}

pub(super) fn list(args: &mut Args) -> Read {
    let glob = if args.is_empty() { None } else { Some(args.text()?.to_owned()) };
    Ok(Action::Query(Query::List(glob), Box::new(|answer| Ok(rows::modules(answer)))))
}

pub(super) fn kinds(args: &mut Args) -> Read {
    Ok(Action::Kinds(glob(args)?))
}

pub(super) fn info(args: &mut Args) -> Read {
    Ok(Action::Query(Query::Info(args.id()?), Box::new(|answer| Ok(rows::info(answer)))))
}

pub(super) fn cables(args: &mut Args) -> Read {
    let glob = glob(args)?;
    Ok(Action::Query(Query::Cables, Box::new(move |answer| Ok(rows::cables(glob.as_ref(), answer)))))
}

pub(super) fn pool(_: &mut Args) -> Read {
    Ok(Action::Query(Query::Pool, Box::new(|answer| Ok(rows::pool(answer)))))
}

pub(super) fn stats(_: &mut Args) -> Read {
    Ok(Action::Query(Query::Stats, Box::new(|answer| Ok(rows::stats(answer)))))
}

pub(super) fn status(_: &mut Args) -> Read {
    Ok(Action::Status)
}

pub(super) fn version(_: &mut Args) -> Read {
    Ok(Action::Version)
}

pub(super) fn sync(args: &mut Args) -> Read {
    args.integer().map(Action::Sync)
}

/// The host is a number, not a name: looking names up would block.
pub(super) fn notify(args: &mut Args) -> Read {
    let on = args.integer()? != 0;
    if args.is_empty() {
        return Ok(Action::Notify { on, target: None });
    }
    let host = match args.text()? {
        "localhost" => "127.0.0.1",
        host => host,
    };
    let host: IpAddr = host.parse().map_err(|_| args.wants("bad_type", "the host is an IP address or localhost"))?;
    let port = args.integer()?;
    let port = u16::try_from(port).ok().filter(|port| *port != 0);
    let port = port.ok_or_else(|| args.wants("range", "a port is 1..65535"))?;
    Ok(Action::Notify { on, target: Some((host, port).into()) })
}

pub(super) fn save(args: &mut Args) -> Read {
    slow(args, Slow::Save)
}

pub(super) fn load(args: &mut Args) -> Read {
    slow(args, Slow::Load)
}

pub(super) fn run(args: &mut Args) -> Read {
    slow(args, Slow::Run)
}

pub(super) fn record_start(args: &mut Args) -> Read {
    slow(args, Slow::RecordStart)
}

pub(super) fn eval(args: &mut Args) -> Read {
    slow(args, Slow::Eval)
}

pub(super) fn record_stop(_: &mut Args) -> Read {
    Ok(Action::RecordStop)
}

pub(super) fn undo(args: &mut Args) -> Read {
    one(Command::Undo(steps(args)?), undone)
}

pub(super) fn redo(args: &mut Args) -> Read {
    one(Command::Redo(steps(args)?), undone)
}

pub(super) fn panic(_: &mut Args) -> Read {
    one(Command::Panic, |_| Vec::new())
}

pub(super) fn clear_schedule(_: &mut Args) -> Read {
    Ok(Action::Control(Control::ClearSchedule))
}

pub(super) fn quit(_: &mut Args) -> Read {
    Ok(Action::Control(Control::Quit))
}

pub(super) fn unsupported(args: &mut Args) -> Read {
    let message = format!("{} is not there yet; /save and /load keep patches", args.entry.pattern);
    Err(Fault { code: "unsupported", message })
}

/// Dispatch has taken the outer `/req` off; an inner one would make no sense.
pub(super) fn nested_request(args: &mut Args) -> Read {
    Err(args.wants("parse", "it does not hold another one"))
}

fn port(args: &mut Args) -> Result<PortRef, Fault> {
    let module = args.id()?;
    let port = Some(args.text()?.to_owned()).filter(|port| !port.is_empty());
    Ok(PortRef { module, port })
}

fn glob(args: &mut Args) -> Result<Option<Glob>, Fault> {
    if args.is_empty() {
        return Ok(None);
    }
    let glob = Glob::new(args.text()?);
    glob.map(Some).ok_or_else(|| args.wants("parse", "a glob is made of * ? [a-z] {one,two}"))
}

fn steps(args: &mut Args) -> Result<usize, Fault> {
    let steps = if args.is_empty() { 1 } else { args.integer()? };
    usize::try_from(steps).ok().filter(|steps| *steps > 0).ok_or_else(|| args.wants("range", "count from 1"))
}

fn slow(args: &mut Args, make: fn(String) -> Slow) -> Read {
    Ok(Action::Slow(make(args.text()?.to_owned())))
}

fn one(command: Command, confirm: Confirm) -> Read {
    Ok(Action::Commands { commands: vec![command], confirm: Some(confirm) })
}

fn silent(command: Command) -> Read {
    Ok(Action::Commands { commands: vec![command], confirm: None })
}

fn changed(outcomes: &[Outcome]) -> Vec<OscType> {
    count(outcomes, |outcome| match outcome {
        Outcome::Connected { changed, .. } | Outcome::Disconnected { changed } => *changed,
        _ => 0,
    })
}

fn undone(outcomes: &[Outcome]) -> Vec<OscType> {
    count(outcomes, |outcome| match outcome {
        Outcome::Undone { count } => *count,
        _ => 0,
    })
}

fn count(outcomes: &[Outcome], of: fn(&Outcome) -> usize) -> Vec<OscType> {
    vec![OscType::Int(i32::try_from(outcomes.iter().map(of).sum::<usize>()).unwrap_or(i32::MAX))]
}

fn string(text: &str) -> OscType {
    OscType::String(text.to_owned())
}
