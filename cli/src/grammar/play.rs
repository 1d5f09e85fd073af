//! Statements that play.

use tine_engine::command::{Command, Measure, Value};

use super::Statement;
use super::args::{Args, factor, value_at};
use super::error::ParseError;
use super::patch::now;

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

pub fn panic(_args: &mut Args<'_>) -> Parsed {
    Ok(now(Command::Panic))
}
