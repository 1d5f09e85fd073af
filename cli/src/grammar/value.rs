//! Values as they are typed: `440 440hz 1.2khz c#3 bb2 -6db 20ms 1.5s 1/8 50% on saw`.
//! What a value means is the param's business; only its form is judged here.

use tine_engine::command::{Measure, Value};

/// What the name of a sound file ends with.
const SOUND_FILE: &str = ".wav";

/// The value that `text` spells, or what is wrong with it.
///
/// # Errors
/// A sentence that says what would be right.
pub fn value(text: &str) -> Result<Value, String> {
    let lower = text.to_lowercase();
    if lower.ends_with(SOUND_FILE) && !text.contains('\0') {
        return Ok(Value::File(text.into()));
    }
    let starts_number = |text: &str| {
        text.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit() || first == '.')
    };
    if starts_number(&lower) {
        return number(&lower);
    }
    if let Some(octaves) = note(&lower) {
        return Ok(Value::Number(octaves, Measure::Note));
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    if !lower.is_empty() && lower.chars().all(is_word) && !lower.starts_with('-') {
        return Ok(Value::Word(lower));
    }
    Err(format!("{text:?} is no value; values look like 440 440hz 1.2khz c#3 -6db 20ms 1.5s 1/8 50% on saw"))
}

/// A pitch such as `c4`, `c#3`, `bb2`, `a-1` in octaves from C4, or `None`.
fn note(text: &str) -> Option<f64> {
    let letter = text.chars().next()?;
    let step = match letter {
        'c' => 0,
        'd' => 2,
        'e' => 4,
        'f' => 5,
        'g' => 7,
        'a' => 9,
        'b' => 11,
        _ => return None,
    };
    let rest = &text[1..];
    let (shift, octave) = match rest.as_bytes().first()? {
        b'#' => (1, &rest[1..]),
        b'b' => (-1, &rest[1..]),
        _ => (0, rest),
    };
    let digits = octave.strip_prefix('-').unwrap_or(octave);
    if digits.is_empty() || digits.len() > 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let octave: i32 = octave.parse().ok()?;
    // C-5 is 0.5 Hz and C14 past 260 kHz: what lies beyond was meant as a word.
    (-5..=14).contains(&octave).then(|| f64::from(octave - 4) + f64::from(step + shift) / 12.0)
}

/// Digits, perhaps a fraction, perhaps a unit.
fn number(text: &str) -> Result<Value, String> {
    let end = number_end(text);
    let (digits, rest) = text.split_at(end);
    if let Some(divisor) = rest.strip_prefix('/') {
        let end = number_end(divisor);
        let (above, below): (f64, f64) = (parse(digits)?, parse(&divisor[..end])?);
        if below == 0.0 {
            return Err(format!("{text:?} divides by zero"));
        }
        return match &divisor[end..] {
            "" => Ok(Value::Number(above / below, Measure::Plain)),
            unit => Err(format!("{text:?} is no value; a fraction such as 1/8 has no unit, and {unit:?} follows it")),
        };
    }
    let (power, measure) = match rest {
        "" => (0, Measure::Plain),
        "hz" => (0, Measure::Hertz),
        "khz" => (3, Measure::Hertz),
        "s" => (0, Measure::Seconds),
        "ms" => (-3, Measure::Seconds),
        "db" => (0, Measure::Decibels),
        "%" => (0, Measure::Percent),
        // The name of a choice: 2x.
        "x" => return Ok(Value::Word(text.to_owned())),
        unit => return Err(format!("no unit {unit:?}; there are hz khz s ms db %")),
    };
    // The exponent is given to the parser rather than multiplied, so that 20ms is the float nearest to 0.02.
    let number = match (power, digits.contains('e')) {
        (0, _) => parse(digits)?,
        (_, false) => parse(&format!("{digits}e{power}"))?,
        (_, true) => parse(digits)? * 10f64.powi(power),
    };
    if number.is_finite() { Ok(Value::Number(number, measure)) } else { Err(format!("{text:?} is too large")) }
}

fn parse(digits: &str) -> Result<f64, String> {
    digits.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| format!("{digits:?} is no number"))
}

/// Bytes of `text` that belong to a number: sign, digits, point, exponent.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    end += digits(end);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if bytes.get(end) == Some(&b'e') {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_interface_is_understood() {
        for (text, number, measure) in [
            ("440", 440.0, Measure::Plain),
            ("440hz", 440.0, Measure::Hertz),
            ("440Hz", 440.0, Measure::Hertz),
            ("1.2khz", 1200.0, Measure::Hertz),
            ("-6db", -6.0, Measure::Decibels),
            ("20ms", 0.02, Measure::Seconds),
            ("1.5s", 1.5, Measure::Seconds),
            ("1/8", 0.125, Measure::Plain),
            ("50%", 50.0, Measure::Percent),
            ("1e3", 1000.0, Measure::Plain),
            ("-.5", -0.5, Measure::Plain),
            ("c4", 0.0, Measure::Note),
            ("c#3", -11.0 / 12.0, Measure::Note),
            ("bb2", -2.0 + 10.0 / 12.0, Measure::Note),
            ("b2", -2.0 + 11.0 / 12.0, Measure::Note),
            ("a-1", -5.0 + 9.0 / 12.0, Measure::Note),
        ] {
            assert_eq!(value(text), Ok(Value::Number(number, measure)), "{text}");
        }
        for word in ["on", "off", "saw", "nan", "inf", "b", "bb", "d99"] {
            assert_eq!(value(word), Ok(Value::Word(word.to_owned())), "{word}");
        }
    }

    #[test]
    fn a_malformed_value_says_what_would_be_right() {
        for (text, says) in [
            ("440herz", "hz khz s ms db %"),
            ("1/0", "divides by zero"),
            ("1/8s", "no unit"),
            ("--", "look like"),
            ("", "look like"),
            ("1e999", "no number"),
            ("1.2.3", "no unit"),
            ("-", "look like"),
        ] {
            let message = value(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
