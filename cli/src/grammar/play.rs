//! Statements that play.

use tine_engine::command::{Command, Measure, Query, Value, When};
use tine_engine::name::Name;
use tine_protocol::spec::{Role, Unit};

use super::Statement;
use super::args::{Args, factor, seconds, value_at};
use super::error::ParseError;
use super::patch::{moment, now};

type Parsed = Result<Statement, ParseError>;

pub fn note(args: &mut Args<'_>) -> Parsed {
    let id = args.id()?;
    let token = args.word("a pitch")?;
    let pitch = value_at(token)?;
    if !matches!(pitch, Value::Number(_, Measure::Note | Measure::Plain | Measure::Hertz)) {
        let message = format!("a pitch is a note such as c#3, hz, or octaves from c4; not {:?}", token.text);
        return Err(ParseError::new(token.at, message).coded("bad_type"));
    }
    let mut velocity = 1.0;
    if args.more() {
        let token = args.word("a velocity")?;
        velocity = factor(token, "velocity")?;
        if !(0.0..=1.0).contains(&velocity) {
            return Err(ParseError::new(token.at, format!("velocity {} is outside 0..1", token.text)).coded("range"));
        }
    }
    Ok(now(Command::Note { id, pitch, velocity }))
}

pub fn gate(args: &mut Args<'_>) -> Parsed {
    let id = args.id()?;
    let level = if args.switch()? { 1.0 } else { 0.0 };
    Ok(now(Command::Gate { id, level }))
}

pub fn trigger(args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Trigger { id: args.id()? }))
}

/// The tempo is a param of the module that is always there.
pub fn tempo(args: &mut Args<'_>) -> Parsed {
    let ramp_s = args.flag("--ramp").map(|token| seconds(token, "--ramp")).transpose()?;
    let when = args.flag("--at").map_or(Ok(When::Now), moment)?;
    let found = tine_modules::CATALOGUE.iter().filter(|kind| kind.spec.role == Role::Output).find_map(|kind| {
        let param = kind.spec.params.iter().find(|param| param.unit == Unit::BeatsPerMinute)?;
        Some((Name::new(kind.spec.name)?, param.name.to_owned()))
    });
    let (module, param) = found.ok_or_else(|| ParseError::new(args.at, "nothing here has a tempo".to_owned()))?;
    if !args.more() {
        return Ok(Statement::Ask(Query::Get(module, Some(param))));
    }
    let token = args.word("beats per minute")?;
    let value = value_at(token)?;
    if !matches!(value, Value::Number(_, Measure::Plain)) {
        let message = format!("a tempo is a number of beats per minute such as 128; not {:?}", token.text);
        return Err(ParseError::new(token.at, message).coded("bad_type"));
    }
    Ok(Statement::Patch(vec![Command::Set { module, param, value, ramp_s }], when))
}

pub fn panic(_args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Panic))
}
