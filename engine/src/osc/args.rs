//! Reads a message's arguments one by one. A wrong one becomes a [`Fault`] that says what the address wants.

use rosc::OscType;

use super::action::Fault;
use super::table::Address;
use crate::command::{Measure, Value};
use crate::name::{NAME_MAX, Name};

/// The arguments that are left, and the variable parts of the address.
pub(super) struct Args<'a> {
    pub entry: &'static Address,
    /// `<id>` and `<param>` of `/m/<id>/<param>`; empty elsewhere.
    pub parts: [&'a str; 2],
    all: &'a [OscType],
    next: usize,
}

impl<'a> Args<'a> {
    pub fn new(entry: &'static Address, parts: [&'a str; 2], all: &'a [OscType]) -> Args<'a> {
        Args { entry, parts, all, next: 0 }
    }

    /// Whether all were read.
    pub fn is_empty(&self) -> bool {
        self.next == self.all.len()
    }

    /// How many there are, read or not.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Insists that all were read.
    pub fn end(&self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(self.wants("parse", "there are too many")) }
    }

    /// A string.
    pub fn text(&mut self) -> Result<&'a str, Fault> {
        match self.take()? {
            OscType::String(text) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    /// A finite number of any type.
    pub fn number(&mut self) -> Result<f64, Fault> {
        let number = number(self.take()?).filter(|number| number.is_finite());
        number.ok_or_else(|| self.wrong("a finite number"))
    }

    /// A whole number of 32 bits.
    pub fn integer(&mut self) -> Result<i32, Fault> {
        whole(self.take()?).ok_or_else(|| self.wrong("a whole number"))
    }

    /// A module's id: a name, or a number from 0. Senders that know only floats may send `1.0`.
    pub fn id(&mut self) -> Result<Name, Fault> {
        let id = match self.take()? {
            OscType::String(text) => Name::new(text),
            OscType::Bool(_) => None,
            other => number(other)
                .filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number))
                .and_then(|number| Name::new(&(number as u32).to_string())),
        };
        id.ok_or_else(|| self.wrong_id())
    }

    /// The id that stands in the address.
    pub fn id_in_address(&self) -> Result<Name, Fault> {
        Name::new(self.parts[0]).ok_or_else(|| self.wrong_id())
    }

    /// A param's value: a number in its unit, or a word.
    pub fn value(&mut self) -> Result<Value, Fault> {
        if let Some(OscType::String(word)) = self.all.get(self.next) {
            self.next += 1;
            // Whether the sender may name it is seen to before it reaches the session (Shared::with_sounds).
            let is_sound = word.to_lowercase().ends_with(".wav");
            return Ok(if is_sound { Value::File(word.into()) } else { Value::Word(word.clone()) });
        }
        Ok(Value::Number(self.number()?, Measure::Plain))
    }

    /// A fault that ends in what the address wants.
    pub fn wants(&self, code: &'static str, what: &str) -> Fault {
        let Address { pattern, arguments, .. } = self.entry;
        let usage = if arguments.is_empty() { "no arguments" } else { arguments };
        Fault { code, message: format!("{pattern} wants {usage}; {what}") }
    }

    fn take(&mut self) -> Result<&'a OscType, Fault> {
        let arg = self.all.get(self.next).ok_or_else(|| self.wants("parse", "there are too few"))?;
        self.next += 1;
        Ok(arg)
    }

    fn wrong(&self, wanted: &str) -> Fault {
        self.wants("bad_type", &format!("argument {} should be {wanted}", self.next))
    }

    fn wrong_id(&self) -> Fault {
        let message = format!("an id is a number from 0 or a name of a-z 0-9 _ - with at most {NAME_MAX} letters");
        Fault { code: "bad_type", message }
    }
}

/// A whole number of 32 bits, of any type.
pub(super) fn whole(arg: &OscType) -> Option<i32> {
    let fits = |number: &f64| number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(number);
    number(arg).filter(fits).map(|number| number as i32)
}

/// A number of any type that OSC has.
fn number(arg: &OscType) -> Option<f64> {
    match arg {
        OscType::Int(number) => Some(f64::from(*number)),
        OscType::Long(number) => Some(*number as f64),
        OscType::Float(number) => Some(f64::from(*number)),
        OscType::Double(number) => Some(*number),
        OscType::Bool(is_on) => Some(f64::from(u8::from(*is_on))),
        _ => None,
    }
}
