//! From what was typed to a number in a param's unit.

use tine_protocol::spec::{ParamSpec, Unit};

use crate::command::{Measure, Value};
use crate::error::PatchError;

/// Frequency of C4, from which pitches are counted, in Hz (A4 = 440).
pub const C4_HZ: f64 = 261.625_565_300_598_6;

/// `value` in the unit of `spec`, within its range.
///
/// # Errors
/// `BadType` for a wrong unit or word, `Range` outside.
pub fn resolve(spec: &ParamSpec, value: &Value) -> Result<f32, PatchError> {
    let number = match (value, spec.unit) {
        (Value::Word(word), Unit::Choice) => {
            let index = spec.choices.iter().position(|choice| choice == word);
            index.ok_or_else(|| bad_type(spec))? as f64
        }
        (Value::Number(number, Measure::Plain), Unit::Choice) => {
            // A choice may be called `12`; where none is, the number counts them.
            let named = spec.choices.iter().position(|choice| *choice == number.to_string());
            named.map_or(number.round(), |index| index as f64)
        }
        (Value::Number(number, Measure::Plain), Unit::Count) => number.round(),
        (Value::Word(word), Unit::Ratio | Unit::Gain) if word == "on" => f64::from(spec.max.min(1.0)),
        (Value::Word(word), Unit::Ratio | Unit::Gain) if word == "off" => f64::from(spec.min.max(0.0)),
        (Value::Word(word), Unit::File) if word == "none" => 0.0,
        (_, Unit::File) => return Err(bad_type(spec)),
        (Value::Number(number, Measure::Plain), _) => *number,
        (Value::Number(number, Measure::Hertz), Unit::Hertz) => *number,
        (Value::Number(octaves, Measure::Note), Unit::Hertz) => C4_HZ * libm::exp2(*octaves),
        (Value::Number(octaves, Measure::Note), Unit::Octaves) => *octaves,
        (Value::Number(seconds, Measure::Seconds), Unit::Seconds) => *seconds,
        (Value::Number(decibels, Measure::Decibels), Unit::Decibels) => *decibels,
        (Value::Number(decibels, Measure::Decibels), Unit::Gain) => libm::exp10(decibels / 20.0),
        (Value::Number(percent, Measure::Percent), Unit::Ratio | Unit::Gain | Unit::Cycles) => percent / 100.0,
        _ => return Err(bad_type(spec)),
    };
    // A float that was saved in decimal comes back exactly; the range is compared as the param's own type.
    let rounded = number as f32;
    if !rounded.is_finite() || rounded < spec.min || rounded > spec.max {
        return Err(PatchError::Range {
            param: spec.name.to_owned(),
            value: number,
            min: f64::from(spec.min),
            max: f64::from(spec.max),
            unit: symbol(spec.unit),
        });
    }
    Ok(rounded)
}

/// Octaves from C4 of a pitch: a note name, octaves, or a frequency.
///
/// # Errors
/// `BadType` for anything else.
pub fn pitch(value: &Value) -> Result<f32, PatchError> {
    match value {
        Value::Number(octaves, Measure::Note | Measure::Plain) => Ok(*octaves as f32),
        Value::Number(hertz, Measure::Hertz) if *hertz > 0.0 => Ok(libm::log2(hertz / C4_HZ) as f32),
        _ => Err(PatchError::BadType {
            param: "pitch".to_owned(),
            wants: "a note such as c#3, octaves from c4, or hz".to_owned(),
        }),
    }
    .and_then(|octaves| if octaves.abs() <= 16.0 { Ok(octaves) } else { Err(pitch_range(octaves)) })
}

fn pitch_range(octaves: f32) -> PatchError {
    PatchError::Range { param: "pitch".to_owned(), value: f64::from(octaves), min: -16.0, max: 16.0, unit: "octaves" }
}

/// The symbol of a unit, as players type it.
pub fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Hertz => "hz",
        Unit::Seconds => "s",
        Unit::Octaves => "octaves",
        Unit::Decibels => "db",
        Unit::Cents => "cents",
        Unit::Beats => "beats",
        Unit::BeatsPerMinute => "bpm",
        Unit::Ratio | Unit::Gain | Unit::Cycles | Unit::Choice | Unit::Count | Unit::File => "",
    }
}

fn bad_type(spec: &ParamSpec) -> PatchError {
    let wants = match spec.unit {
        Unit::Choice => format!("one of {}", spec.choices.join(" ")),
        Unit::Hertz => "hz, khz, or a note such as c#3".to_owned(),
        Unit::Seconds => "s or ms".to_owned(),
        Unit::Gain => "a factor, db or %".to_owned(),
        Unit::Ratio | Unit::Cycles => "a number or %".to_owned(),
        Unit::Octaves => "octaves".to_owned(),
        Unit::Decibels => "db".to_owned(),
        Unit::Cents => "cents".to_owned(),
        Unit::Beats => "beats, such as 1/4".to_owned(),
        Unit::BeatsPerMinute => "beats per minute".to_owned(),
        Unit::Count => "a whole number".to_owned(),
        Unit::File => "a .wav file, or none".to_owned(),
    };
    PatchError::BadType { param: spec.name.to_owned(), wants }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREQ: ParamSpec = ParamSpec::exponential("freq", Unit::Hertz, (1.0, 20_000.0), 440.0);
    const GAIN: ParamSpec = ParamSpec::linear("gain", Unit::Gain, (-1.0, 8.0), 1.0);
    const SHAPE: ParamSpec = ParamSpec::choice("shape", &["saw", "tri"]);

    #[test]
    fn units_are_converted_and_wrong_ones_are_refused_with_the_right_one() {
        let a4 = resolve(&FREQ, &Value::Number(9.0 / 12.0, Measure::Note)).unwrap();
        assert!((a4 - 440.0).abs() < 1e-4, "{a4}");
        assert!(resolve(&GAIN, &Value::Number(20.0, Measure::Decibels)).is_err());
        assert_eq!(resolve(&GAIN, &Value::Number(0.0, Measure::Decibels)).unwrap(), 1.0);
        assert_eq!(resolve(&SHAPE, &Value::Word("tri".into())).unwrap(), 1.0);
        let refused = resolve(&FREQ, &Value::Number(-6.0, Measure::Decibels)).unwrap_err();
        assert_eq!(refused.to_string(), "freq takes hz, khz, or a note such as c#3");
        assert!(resolve(&FREQ, &Value::Number(f64::NAN, Measure::Plain)).is_err());
    }
}
