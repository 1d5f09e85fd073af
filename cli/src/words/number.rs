//! Numbers as a player reads them: few digits, natural units. Patch files do not come through here.

use tine_protocol::spec::{ParamSpec, Unit};

/// Digits in tables and answers: enough to hear no difference, few enough to read.
const DIGITS: usize = 4;

/// `value` with at most `digits` significant digits and no zeros at its end.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (digits as i32 - 1 - magnitude).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A value of `param` with its unit: `440 hz`, `1.2 khz`, `20 ms`, `0.5 (-6.02 db)`, `saw`.
pub fn quantity(value: f32, param: &ParamSpec) -> String {
    quantity_with(value, param, DIGITS)
}

/// The same with more digits: what `get` says can be typed again.
pub fn quantity_exact(value: f32, param: &ParamSpec) -> String {
    // A float has 7.2 decimal digits: 6 always survive the change of unit.
    quantity_with(value, param, 6)
}

fn quantity_with(value: f32, param: &ParamSpec, digits: usize) -> String {
    if param.unit == Unit::Choice {
        return choice(value, param).map_or_else(|| significant(f64::from(value), digits), str::to_owned);
    }
    let value = f64::from(value);
    let show = |value: f64| significant(value, digits);
    match param.unit {
        Unit::Hertz if value.abs() >= 1000.0 => format!("{} khz", show(value / 1000.0)),
        Unit::Hertz => format!("{} hz", show(value)),
        Unit::Seconds if value.abs() < 1.0 && value != 0.0 => format!("{} ms", show(value * 1000.0)),
        Unit::Seconds => format!("{} s", show(value)),
        Unit::Gain if value > 0.0 && value != 1.0 => format!("{} ({} db)", show(value), decibels(value)),
        Unit::Octaves => format!("{} oct", show(value)),
        Unit::Cycles => format!("{} cycles", show(value)),
        Unit::Decibels => format!("{} db", show(value)),
        Unit::Cents => format!("{} cents", show(value)),
        Unit::Beats => format!("{} beats", show(value)),
        Unit::BeatsPerMinute => format!("{} bpm", show(value)),
        Unit::File if value == 0.0 => "none".to_owned(),
        Unit::Gain | Unit::Ratio | Unit::Choice | Unit::Count | Unit::File => show(value),
    }
}

/// The word of a choice's value, or `None` outside the choices.
pub fn choice(value: f32, param: &ParamSpec) -> Option<&'static str> {
    (value >= 0.0).then(|| param.choices.get(value.round() as usize).copied()).flatten()
}

/// Both ends of the range, or the choices.
pub fn range(param: &ParamSpec) -> String {
    match param.unit {
        Unit::Choice => param.choices.join(" "),
        Unit::File => "a .wav file".to_owned(),
        _ => {
            let plain = |value: f32| {
                let text = quantity(value, param);
                // The decibels of a gain's ends tell nobody anything.
                text.split(" (").next().unwrap_or_default().to_owned()
            };
            format!("{} .. {}", plain(param.min), plain(param.max))
        }
    }
}

/// What the numbers of a unit are called, as it is typed and shown; empty for plain numbers.
pub fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Hertz => "hz",
        Unit::Seconds => "s",
        Unit::Octaves => "oct",
        Unit::Cycles => "cycles",
        Unit::Decibels => "db",
        Unit::Cents => "cents",
        Unit::Beats => "beats",
        Unit::BeatsPerMinute => "bpm",
        Unit::Ratio | Unit::Gain | Unit::Choice | Unit::Count | Unit::File => "",
    }
}

/// A linear amplitude in decibels: `-6.02`, `-inf`.
pub fn decibels(amplitude: f64) -> String {
    let db = 20.0 * amplitude.abs().log10();
    if db.is_finite() { significant((db * 100.0).round() / 100.0, DIGITS) } else { "-inf".to_owned() }
}

/// Milliseconds as an answer shows them: `0.8 ms`, `12 ms`.
pub fn milliseconds(value: f64) -> String {
    format!("{} ms", significant(value, 2))
}

/// Seconds in the unit that suits: `50 ms`, `2 s`.
pub fn seconds(value: f64) -> String {
    if value < 1.0 { milliseconds(value * 1000.0) } else { format!("{} s", significant(value, 3)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits_and_no_zeros_at_the_end() {
        for (value, text) in
            [(440.0, "440"), (261.6256, "261.6"), (0.8, "0.8"), (12_345.6, "12346"), (0.0, "0"), (-0.5, "-0.5")]
        {
            assert_eq!(significant(value, 4), text);
        }
    }

    #[test]
    fn units_are_the_natural_ones() {
        let hertz = ParamSpec::exponential("f", Unit::Hertz, (1.0, 20_000.0), 440.0);
        let time = ParamSpec::exponential("t", Unit::Seconds, (0.001, 10.0), 0.02);
        let gain = ParamSpec::linear("g", Unit::Gain, (-8.0, 8.0), 1.0);
        let shape = ParamSpec::choice("s", &["saw", "tri"]);
        assert_eq!(quantity(440.0, &hertz), "440 hz");
        assert_eq!(quantity(1200.0, &hertz), "1.2 khz");
        assert_eq!(quantity_exact(440.125, &hertz), "440.125 hz");
        assert_eq!(quantity(0.02, &time), "20 ms");
        assert_eq!(quantity(1.5, &time), "1.5 s");
        assert_eq!(quantity(0.5, &gain), "0.5 (-6.02 db)");
        assert_eq!(quantity(1.0, &gain), "1");
        assert_eq!(quantity(1.0, &shape), "tri");
        assert_eq!(range(&hertz), "1 hz .. 20 khz");
        assert_eq!(range(&gain), "-8 .. 8");
        assert_eq!(range(&shape), "saw tri");
    }
}
