//! The kinds as text, JSON and Markdown. Names, units and ranges come from the catalogue alone.

use serde::Serialize;
use tine_modules::CATALOGUE;
use tine_protocol::spec::{Curve, KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::similar;
use crate::words::Style;
use crate::words::number::{choice, quantity, range, symbol};
use crate::words::table::Table;

/// All kinds, or the one called `name`.
///
/// # Errors
/// If there is no such kind; the message says which there are.
pub fn chosen(name: Option<&str>) -> Result<Vec<&'static KindSpec>, String> {
    let all = || CATALOGUE.iter().map(|kind| kind.spec);
    match name {
        None => Ok(all().collect()),
        Some(name) => match all().find(|kind| kind.name == name) {
            Some(kind) => Ok(vec![kind]),
            None => Err(format!("no kind {name:?}{}", similar::hint(name, all().map(|kind| kind.name)))),
        },
    }
}

/// A table of all kinds, or a page about one.
///
/// # Errors
/// As [`chosen`].
pub fn text(name: Option<&str>, style: Style) -> Result<String, String> {
    let kinds = chosen(name)?;
    if name.is_some() {
        return Ok(kinds.into_iter().map(|kind| page(kind, style)).collect());
    }
    let mut table = Table::new(&["kind", "what it does", "inputs", "outputs", "params"]);
    for kind in kinds {
        let params: Vec<&str> = kind.params.iter().map(|param| param.name).collect();
        table.row([kind.name.into(), kind.summary.into(), names(kind.inputs), names(kind.outputs), params.join(" ")]);
    }
    Ok(table.text(style))
}

fn names(ports: &[PortSpec]) -> String {
    ports.iter().map(|port| port.name).collect::<Vec<_>>().join(" ")
}

fn page(kind: &KindSpec, style: Style) -> String {
    let mut parts = vec![format!("{}: {}", kind.name, kind.summary)];
    if !kind.source.is_empty() {
        parts.push(format!("source: {}", kind.source));
    }
    for (title, ports) in [("input", kind.inputs), ("output", kind.outputs)] {
        if !ports.is_empty() {
            let mut table = Table::new(&[title, "signal", ""]);
            for port in ports {
                table.row([port.name.into(), signal(port.signal).into(), port.summary.into()]);
            }
            parts.push(table.text(style));
        }
    }
    if !kind.params.is_empty() {
        let mut table = Table::new(&["param", ">default", "range", "curve", ""]);
        for param in kind.params {
            let default = quantity(param.default, param);
            table.row([param.name.into(), default, range(param), curve(param).into(), param.summary.into()]);
        }
        parts.push(table.text(style));
    }
    parts.extend(playing(&kind.notes).map(|text| text.replace('`', "")));
    parts.join("\n\n")
}

/// All kinds, or one, as JSON.
///
/// # Errors
/// As [`chosen`].
pub fn json(name: Option<&str>) -> Result<String, String> {
    let kinds: Vec<KindDoc> = chosen(name)?.into_iter().map(KindDoc::of).collect();
    serde_json::to_string_pretty(&kinds).map_err(|error| error.to_string())
}

/// All kinds, or one, as a page of Markdown: `docs/MODULES.md`.
///
/// # Errors
/// As [`chosen`].
pub fn markdown(name: Option<&str>) -> Result<String, String> {
    let kinds = chosen(name)?;
    let mut page = String::from(
        "# Modules\n\nWritten by `tine modules --markdown`; change the kinds' tables instead of this page.\n\n\
         Every param is also an input of the same name. A cable into an exponential param adds octaves, into a \
         linear one its unit, into a choice steps.\n",
    );
    for kind in &kinds {
        page += &format!("\n## {}\n\n{}.\n", kind.name, sentence(kind.summary));
        if !kind.source.is_empty() {
            page += &format!("\nSource: {}\n", kind.source);
        }
        for (title, ports) in [("Input", kind.inputs), ("Output", kind.outputs)] {
            if !ports.is_empty() {
                page += &format!("\n| {title} | Signal | |\n|---|---|---|\n");
                for port in ports {
                    page += &format!("| `{}` | {} | {} |\n", port.name, signal(port.signal), cell(port.summary));
                }
            }
        }
        if !kind.params.is_empty() {
            page += "\n| Param | Unit | Range | Default | Curve | |\n|---|---|---|---|---|---|\n";
            for param in kind.params {
                let unit = symbol(param.unit);
                let (range, default) = (range(param), quantity(param.default, param));
                let about = cell(param.summary);
                page += &format!("| `{}` | {unit} | {range} | {default} | {} | {about} |\n", param.name, curve(param));
            }
        }
        if let Some(playing) = playing(&kind.notes) {
            page += &format!("\n{}.\n", sentence(&playing));
        }
    }
    Ok(page)
}

/// A cell must not end its column.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// What `note`, `gate` and `trig` do, or `None` where they do nothing.
fn playing(notes: &Notes) -> Option<String> {
    let of_note = [(notes.pitch, "its pitch to"), (notes.velocity, "its velocity to"), (notes.gate, "1 to")];
    let note: Vec<String> =
        of_note.iter().filter_map(|(port, what)| port.map(|port| format!("{what} `{port}`"))).collect();
    let gate = notes.gate.map(|port| format!("`gate` switches `{port}`"));
    let trigger = notes.trigger.map(|port| format!("`trig` pulses `{port}`"));
    let note = (!note.is_empty()).then(|| format!("`note` gives {}", note.join(", ")));
    let parts: Vec<String> = [note, gate, trigger].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A signal in a word or two.
pub fn signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Audio => "audio",
        Signal::Pitch => "pitch, 1 per octave",
        Signal::Gate => "gate",
        Signal::Trigger => "trigger",
        Signal::Bipolar => "control -1..1",
        Signal::Unipolar => "control 0..1",
    }
}

fn curve(param: &ParamSpec) -> &'static str {
    match param.curve {
        Curve::Linear => "linear",
        Curve::Exponential => "exponential",
        Curve::Choice if param.unit == Unit::Choice => "choice",
        Curve::Choice => "steps",
    }
}

/// A kind as a program reads it; fields are added, never renamed.
#[derive(Serialize)]
struct KindDoc {
    name: &'static str,
    summary: &'static str,
    source: &'static str,
    creatable: bool,
    inputs: Vec<PortDoc>,
    outputs: Vec<PortDoc>,
    params: Vec<ParamDoc>,
    notes: NotesDoc,
}

#[derive(Serialize)]
struct PortDoc {
    name: &'static str,
    signal: &'static str,
    summary: &'static str,
    /// It hears every channel of its cables, however many the module has.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    poly: bool,
}

#[derive(Serialize)]
struct ParamDoc {
    name: &'static str,
    unit: &'static str,
    min: f32,
    max: f32,
    default: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_word: Option<&'static str>,
    curve: &'static str,
    smooth_ms: f32,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    choices: &'static [&'static str],
    summary: &'static str,
}

#[derive(Serialize)]
struct NotesDoc {
    pitch: Option<&'static str>,
    gate: Option<&'static str>,
    velocity: Option<&'static str>,
    trigger: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voices: Option<&'static str>,
}

impl KindDoc {
    fn of(kind: &'static KindSpec) -> KindDoc {
        let port = |port: &PortSpec| {
            let PortSpec { name, signal, summary, is_poly } = *port;
            let signal = match signal {
                Signal::Audio => "audio",
                Signal::Pitch => "pitch",
                Signal::Gate => "gate",
                Signal::Trigger => "trigger",
                Signal::Bipolar => "bipolar",
                Signal::Unipolar => "unipolar",
            };
            PortDoc { name, signal, summary, poly: is_poly }
        };
        let param = |param: &'static ParamSpec| ParamDoc {
            name: param.name,
            unit: symbol(param.unit),
            min: param.min,
            max: param.max,
            default: param.default,
            default_word: choice(param.default, param),
            curve: curve(param),
            smooth_ms: param.smooth_ms,
            choices: param.choices,
            summary: param.summary,
        };
        let Notes { pitch, gate, velocity, trigger, voices } = kind.notes;
        KindDoc {
            name: kind.name,
            summary: kind.summary,
            source: kind.source,
            creatable: kind.role == Role::Lane,
            inputs: kind.inputs.iter().map(port).collect(),
            outputs: kind.outputs.iter().map(port).collect(),
            params: kind.params.iter().map(param).collect(),
            notes: NotesDoc { pitch, gate, velocity, trigger, voices },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_port_and_param_is_on_every_page() {
        let (table, page, json) = (text(None, Style::PLAIN).unwrap(), markdown(None).unwrap(), json(None).unwrap());
        for kind in chosen(None).unwrap() {
            let about = text(Some(kind.name), Style::PLAIN).unwrap();
            assert!(about.starts_with(&format!("{}: ", kind.name)));
            let ports = kind.inputs.iter().chain(kind.outputs).map(|port| port.name);
            for name in ports.chain(kind.params.iter().map(|param| param.name)).chain([kind.name]) {
                assert!(about.contains(name) && table.contains(name), "{}: {name}", kind.name);
                assert!(page.contains(name) && json.contains(&format!("\"{name}\"")), "{}: {name}", kind.name);
            }
        }
    }

    #[test]
    fn json_is_read_by_any_program() {
        let value: serde_json::Value = serde_json::from_str(&json(Some("vca")).unwrap()).unwrap();
        assert_eq!(value[0]["params"][0]["name"], "gain");
        assert_eq!(value[0]["params"][0]["max"], 8.0);
        assert_eq!(value[0]["notes"]["velocity"], "gain");
    }

    #[test]
    fn an_unknown_kind_is_met_with_those_there_are() {
        assert_eq!(text(Some("vcaa"), Style::PLAIN).unwrap_err(), "no kind \"vcaa\"; did you mean \"vca\"?");
    }
}
