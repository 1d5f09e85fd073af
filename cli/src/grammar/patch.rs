//! Statements that change the patch.

use tine_engine::command::{Command, Placement, When};
use tine_engine::name::Name;
use tine_protocol::spec::CHANNELS_MAX;

use super::Statement;
use super::args::{Args, factor, name, seconds, value_at};
use super::error::ParseError;
use super::lexer::Token;
use crate::similar;

type Parsed = Result<Statement, ParseError>;

/// One command, at once.
pub fn now(command: Command) -> Statement {
    Statement::Patch(vec![command], When::Now)
}

pub fn create(args: &mut Args<'_>) -> Parsed {
    let head = args.word("a kind")?;
    let (kind, channels) = match head.text.split_once('*') {
        Some((kind, channels)) => (kind, channel_count(channels, head.at + kind.len() + 1)?),
        None => (head.text.as_str(), 1),
    };
    if tine_modules::kind(kind).is_none() {
        let kinds: Vec<&str> = tine_modules::CATALOGUE.iter().map(|kind| kind.spec.name).collect();
        let message = format!("no kind {kind:?}{}", similar::hint(kind, kinds));
        return Err(ParseError::new(head.at, message).coded("no_kind"));
    }
    let flag_name = |flag: &str| -> Result<Option<Name>, ParseError> {
        args.flag(flag).map(|token| name(&token.text, token.at)).transpose()
    };
    let (id, with) = (flag_name("--id")?, flag_name("--with")?);
    let worker = args.flag("--worker").map(worker_number).transpose()?;
    let mut params: Vec<(String, _)> = Vec::new();
    while args.more() {
        let token = args.word("PARAM=VALUE")?;
        let (param, value) = match token.text.split_once('=') {
            Some((param, value)) if !param.is_empty() && !value.is_empty() => (param, value),
            _ => return Err(args.wrong(token.at, format!("{:?} is not PARAM=VALUE, without spaces", token.text))),
        };
        if params.iter().any(|(given, _)| given == param) {
            return Err(ParseError::new(token.at, format!("{param} is given twice")));
        }
        let at = token.at + param.len() + 1;
        let value = Token { text: value.to_owned(), at, sort: token.sort };
        params.push((param.to_owned(), value_at(&value)?));
    }
    let placement = Placement { with, worker };
    Ok(now(Command::Create { kind: kind.to_owned(), channels, id, placement, params, idempotent: false }))
}

fn channel_count(text: &str, at: usize) -> Result<usize, ParseError> {
    match text.parse() {
        Ok(count) if (1..=CHANNELS_MAX).contains(&count) => Ok(count),
        _ => Err(ParseError::new(at, format!("channels are 1 to {CHANNELS_MAX}, not {text:?}")).coded("range")),
    }
}

fn worker_number(token: &Token) -> Result<u16, ParseError> {
    let wrong = || ParseError::new(token.at, format!("--worker takes the number of a worker, not {:?}", token.text));
    token.text.parse().map_err(|_| wrong())
}

pub fn connect(args: &mut Args<'_>) -> Parsed {
    let mut path = vec![args.port()?];
    while args.arrow() {
        path.push(args.port()?);
    }
    if path.len() < 2 {
        return Err(args.wrong(args.at, "a cable needs two ends"));
    }
    let gain = args.flag("--gain").map_or(Ok(1.0), |token| factor(token, "--gain"))?;
    Ok(now(Command::Connect { path, gain }))
}

pub fn disconnect(args: &mut Args<'_>) -> Parsed {
    let from = args.port()?;
    let to = if args.arrow() { Some(args.port()?) } else { None };
    Ok(now(Command::Disconnect { from, to }))
}

pub fn set(args: &mut Args<'_>) -> Parsed {
    let ramp_s = args.flag("--ramp").map(|token| seconds(token, "--ramp")).transpose()?;
    let when = args.flag("--at").map_or(Ok(When::Now), moment)?;
    let mut commands = Vec::new();
    loop {
        let (module, param) = args.param()?;
        let value = value_at(args.word("a value")?)?;
        commands.push(Command::Set { module, param, value, ramp_s });
        if !args.more() {
            return Ok(Statement::Patch(commands, when));
        }
    }
}

/// Beats of a bar.
const BAR_BEATS: u32 = 4;

pub(super) fn moment(token: &Token) -> Result<When, ParseError> {
    match token.text.as_str() {
        "beat" => Ok(When::NextBeat(1)),
        "bar" => Ok(When::NextBeat(BAR_BEATS)),
        text => match text.strip_prefix('+') {
            Some(time) => {
                let time = Token { text: time.to_owned(), at: token.at + 1, sort: token.sort };
                Ok(When::After(seconds(&time, "--at")?))
            }
            None => Err(ParseError::new(
                token.at,
                format!("--at takes beat, bar or a time from now such as +2s, not {text:?}"),
            )),
        },
    }
}

pub fn destroy(args: &mut Args<'_>) -> Parsed {
    let mut ids = vec![args.id()?];
    while args.more() {
        ids.push(args.id()?);
    }
    Ok(now(Command::Destroy { ids, missing_ok: false }))
}

pub fn rename(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Rename { from: args.id()?, to: args.id()? }))
}

pub fn duplicate(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Duplicate { id: args.id()? }))
}

pub fn bypass(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Bypass { id: args.id()?, on: args.switch()? }))
}

pub fn reset(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Reset { id: args.id()? }))
}

pub fn undo(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Undo(args.count()?)))
}

pub fn redo(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Redo(args.count()?)))
}
