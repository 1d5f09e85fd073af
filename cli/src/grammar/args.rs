//! The words after a verb: flags set apart, the rest taken one by one, each error pointing at its word.

use tine_engine::command::{Measure, PortRef, Value};
use tine_engine::name::{NAME_MAX, Name};

use super::error::ParseError;
use super::lexer::{Sort, Token};
use super::value::value;
use super::verbs::Verb;
use crate::similar;

/// The words of one statement, being taken.
pub struct Args<'a> {
    /// The verb that they follow.
    pub verb: &'static Verb,
    /// Where the verb stood.
    pub at: usize,
    /// Words and arrows, flags taken out.
    words: std::vec::IntoIter<&'a Token>,
    flags: Vec<(&'static str, Token)>,
    /// Where a missing word would have stood.
    end: usize,
}

impl<'a> Args<'a> {
    /// Sets the flags apart: `--gain 2` and `--gain=2` anywhere after the verb.
    ///
    /// # Errors
    /// If the verb has no such flag, or a flag lacks its value or comes twice.
    pub fn new(verb: &'static Verb, head: &Token, rest: &'a [Token]) -> Result<Args<'a>, ParseError> {
        let mut words = Vec::new();
        let mut flags: Vec<(&'static str, Token)> = Vec::new();
        let mut rest_of = rest.iter();
        while let Some(token) = rest_of.next() {
            let is_flag = token.sort == Sort::Word && token.text.starts_with("--");
            if !is_flag {
                words.push(token);
                continue;
            }
            let (name, inline) = match token.text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (token.text.as_str(), None),
            };
            let Some(&flag) = verb.flags.iter().find(|&&flag| flag == name) else {
                return Err(ParseError::new(token.at, unknown_flag(verb, name)));
            };
            if flags.iter().any(|(given, _)| *given == flag) {
                return Err(ParseError::new(token.at, format!("{flag} is given twice")));
            }
            let value = match inline {
                Some(text) => Token { sort: Sort::Word, text, at: token.at + name.len() + 1 },
                None => match rest_of.next() {
                    Some(value) if value.sort != Sort::Arrow => value.clone(),
                    _ => return Err(ParseError::new(token.at, format!("{flag} needs a value: {}", verb.usage))),
                },
            };
            flags.push((flag, value));
        }
        let end = rest.last().unwrap_or(head);
        let end = end.at + end.text.len();
        Ok(Args { verb, at: head.at, words: words.into_iter(), flags, end })
    }

    /// The next word, which is a `what`.
    ///
    /// # Errors
    /// If there is none.
    pub fn word(&mut self, what: &str) -> Result<&'a Token, ParseError> {
        match self.words.next() {
            Some(token) if token.sort != Sort::Arrow => Ok(token),
            Some(token) => Err(self.wrong(token.at, format!("{what} is missing before >"))),
            None => Err(self.wrong(self.end, format!("{what} is missing"))),
        }
    }

    /// Whether words are left.
    pub fn more(&self) -> bool {
        self.words.len() > 0
    }

    /// Takes an arrow if one is next.
    pub fn arrow(&mut self) -> bool {
        let is_next = self.words.as_slice().first().is_some_and(|token| token.sort == Sort::Arrow);
        if is_next {
            self.words.next();
        }
        is_next
    }

    /// The value of a flag, if it was given.
    pub fn flag(&self, flag: &str) -> Option<&Token> {
        self.flags.iter().find(|(given, _)| *given == flag).map(|(_, value)| value)
    }

    /// Checks that every word was taken.
    ///
    /// # Errors
    /// If one is left over.
    pub fn finish(mut self) -> Result<(), ParseError> {
        match self.words.next() {
            Some(token) => Err(self.wrong(token.at, format!("{:?} is one word too many", token.text))),
            None => Ok(()),
        }
    }

    /// An error that shows how the verb is used.
    pub fn wrong(&self, at: usize, message: impl Into<String>) -> ParseError {
        ParseError::new(at, format!("{}; usage: {}", message.into(), self.verb.usage))
    }

    /// An id.
    ///
    /// # Errors
    /// If there is none, or it has another form.
    pub fn id(&mut self) -> Result<Name, ParseError> {
        let token = self.word("an id")?;
        name(&token.text, token.at)
    }

    /// `ID[.PORT]`.
    ///
    /// # Errors
    /// If it has another form.
    pub fn port(&mut self) -> Result<PortRef, ParseError> {
        let token = self.word("ID[.PORT]")?;
        let (id, port) = match token.text.split_once('.') {
            Some((id, port)) => (id, Some(self.part(token, id, port, "port")?)),
            None => (token.text.as_str(), None),
        };
        Ok(PortRef { module: name(id, token.at)?, port })
    }

    /// `ID.PARAM`.
    ///
    /// # Errors
    /// If it has another form.
    pub fn param(&mut self) -> Result<(Name, String), ParseError> {
        let token = self.word("ID.PARAM")?;
        let Some((id, param)) = token.text.split_once('.') else {
            return Err(self.wrong(token.at, format!("{:?} names no param", token.text)));
        };
        if let Some((param, value)) = param.split_once('=') {
            return Err(self.wrong(token.at, format!("write \"{id}.{param} {value}\", with a space")));
        }
        Ok((name(id, token.at)?, self.part(token, id, param, "param")?))
    }

    /// `on` or `off`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn switch(&mut self) -> Result<bool, ParseError> {
        let token = self.word("on or off")?;
        match token.text.as_str() {
            "on" => Ok(true),
            "off" => Ok(false),
            other => Err(self.wrong(token.at, format!("{other:?} is neither on nor off"))),
        }
    }

    /// A count from 1, or 1 where there is none.
    ///
    /// # Errors
    /// If it is no such number.
    pub fn count(&mut self) -> Result<usize, ParseError> {
        if !self.more() {
            return Ok(1);
        }
        let token = self.word("a count")?;
        match token.text.parse() {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(self.wrong(token.at, format!("{:?} is no count", token.text))),
        }
    }

    /// The rest of a dotted word; `after` is what follows the id.
    fn part(&self, token: &Token, id: &str, after: &str, what: &str) -> Result<String, ParseError> {
        let is_legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !after.is_empty() && after.len() <= NAME_MAX && after.bytes().all(is_legal) {
            return Ok(after.to_owned());
        }
        Err(self.wrong(token.at + id.len() + 1, format!("{after:?} is no {what}")))
    }
}

/// `text` as an id.
///
/// # Errors
/// If it has another form.
pub fn name(text: &str, at: usize) -> Result<Name, ParseError> {
    Name::new(text).ok_or_else(|| {
        let rule = format!("an id is 1 to {NAME_MAX} of a-z, 0-9, _ and -");
        ParseError::new(at, format!("{text:?} is no id; {rule}"))
    })
}

/// A value.
///
/// # Errors
/// If it has another form.
pub fn value_at(token: &Token) -> Result<Value, ParseError> {
    value(&token.text).map_err(|message| ParseError::new(token.at, message))
}

/// A linear factor: `2`, `50%`, `-6db`.
///
/// # Errors
/// If it is something else.
pub fn factor(token: &Token, what: &str) -> Result<f64, ParseError> {
    match value_at(token)? {
        Value::Number(number, Measure::Plain) => Ok(number),
        Value::Number(number, Measure::Percent) => Ok(number / 100.0),
        Value::Number(number, Measure::Decibels) => Ok(10f64.powf(number / 20.0)),
        _ => {
            let message = format!("{what} takes a number, % or db, not {:?}", token.text);
            Err(ParseError::new(token.at, message).coded("bad_type"))
        }
    }
}

/// A time in seconds, within 0..=3600.
///
/// # Errors
/// If it is something else.
pub fn seconds(token: &Token, what: &str) -> Result<f64, ParseError> {
    match value_at(token)? {
        Value::Number(number, Measure::Plain | Measure::Seconds) if (0.0..=3600.0).contains(&number) => Ok(number),
        Value::Number(_, Measure::Plain | Measure::Seconds) => {
            let message = format!("{what} {} is outside 0s..3600s", token.text);
            Err(ParseError::new(token.at, message).coded("range"))
        }
        _ => {
            let message = format!("{what} takes a time such as 50ms or 2s, not {:?}", token.text);
            Err(ParseError::new(token.at, message).coded("bad_type"))
        }
    }
}

fn unknown_flag(verb: &Verb, name: &str) -> String {
    match verb.flags {
        [] => format!("{} has no flags, and so no {name:?}", verb.word),
        flags => format!("{} has no flag {name:?}{}", verb.word, similar::hint(name, flags.iter().copied())),
    }
}
