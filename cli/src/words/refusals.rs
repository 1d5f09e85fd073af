//! Refusals as sentences that say what would be right.

use tine_engine::error::{PatchError, Refusal};

use super::number::significant;
use crate::similar;

/// A refusal, without `error:` and without `nothing changed`.
pub fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Rejected { error, .. } => patch_error(error),
        Refusal::Busy => "the engine has more to do than it can take on; try again".to_owned(),
        Refusal::Closed => "the engine has ended".to_owned(),
        Refusal::File { path, reason } => format!("{path}: {reason}"),
    }
}

/// A sentence with `nothing changed` after it: `no module "vfo1"; did you mean "vco1"? nothing changed`.
pub fn nothing_changed(sentence: &str) -> String {
    after(sentence, "nothing changed")
}

/// A sentence and a remark after it.
pub fn after(sentence: &str, remark: &str) -> String {
    let joint = if sentence.ends_with('?') { "" } else { ";" };
    format!("{sentence}{joint} {remark}")
}

/// Why a command does not fit the patch.
pub fn patch_error(error: &PatchError) -> String {
    match error {
        PatchError::NoModule { id, similar } => match similar.first() {
            Some(near) => format!("no module {id:?}; did you mean {near:?}?"),
            None => format!("no module {id:?}; \"list\" shows what there is"),
        },
        PatchError::Exists { id, kind } => {
            format!("\"{id}\" is a {kind} already; choose another id or destroy it first")
        }
        PatchError::NoKind { kind, similar } => {
            format!("no kind {kind:?}{}", similar::hint(kind, similar.iter().copied()))
        }
        PatchError::NoPort { id, kind, port, is_output, has } => {
            let what = if *is_output { "output" } else { "input" };
            let label = super::module(kind, id);
            match (port.as_str(), &has[..]) {
                (_, []) => format!("{label} has no {what}s"),
                ("", has) => format!("{label} has no default {what}; it has {}", has.join(", ")),
                (port, has) => format!("{label} has no {what} {port:?}; {}", has_or_meant(port, has)),
            }
        }
        PatchError::NoParam { id, kind, param, has } => {
            let label = if id == kind { id.clone() } else { format!("{kind} {id}") };
            match &has[..] {
                [] => format!("{label} has no params"),
                has => format!("{label} has no param {param:?}; {}", has_or_meant(param, has)),
            }
        }
        PatchError::BadType { param, wants } => format!("{param} takes {wants}"),
        PatchError::Range { param, value, min, max, unit } => {
            let show = |value: f64| format!("{}{unit}", significant(value, 6));
            format!("{param} {} is outside {}..{}", show(*value), show(*min), show(*max))
        }
        PatchError::NoWorker { worker, count } => {
            format!("no worker {worker}; there are 0 to {}", count.saturating_sub(1))
        }
        PatchError::NoCable { from, to } => format!("no cable {from} > {to}; \"info\" shows the cables of a module"),
        PatchError::Full { what, limit } => format!("no room: {what} are limited to {limit}"),
        PatchError::Unsupported { id, kind, verb } => {
            let label = if id == kind { id.clone() } else { format!("{kind} {id}") };
            format!("{label} cannot {verb}")
        }
        PatchError::File { path, reason } => format!("{path}: {reason}"),
        PatchError::NoHistory { what } => format!("nothing to {what}"),
    }
}

fn has_or_meant(word: &str, has: &[&str]) -> String {
    match similar::nearest(word, has.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("it has {}", has.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_engine::name::Name;

    #[test]
    fn every_refusal_says_what_would_be_right() {
        let id = || Name::new("1").unwrap();
        let one = || "1".to_owned();
        for (error, text) in [
            (
                PatchError::NoModule { id: "vfo1".into(), similar: vec!["vco1".into()] },
                "no module \"vfo1\"; did you mean \"vco1\"?",
            ),
            (
                PatchError::Exists { id: id(), kind: "vco" },
                "\"1\" is a vco already; choose another id or destroy it first",
            ),
            (
                PatchError::NoPort {
                    id: id(),
                    kind: "vco",
                    port: "sin".into(),
                    is_output: true,
                    has: vec!["saw", "sine"],
                },
                "vco 1 has no output \"sin\"; did you mean \"sine\"?",
            ),
            (
                PatchError::NoPort { id: id(), kind: "vco", port: String::new(), is_output: false, has: vec!["fm"] },
                "vco 1 has no default input; it has fm",
            ),
            (
                PatchError::NoParam { id: one(), kind: "vca", param: "x".into(), has: vec!["gain"] },
                "vca 1 has no param \"x\"; it has gain",
            ),
            (
                PatchError::Range { param: "gain".into(), value: 9.0, min: -8.0, max: 8.0, unit: "" },
                "gain 9 is outside -8..8",
            ),
            (PatchError::NoWorker { worker: 9, count: 8 }, "no worker 9; there are 0 to 7"),
        ] {
            assert_eq!(patch_error(&error), text);
        }
    }

    #[test]
    fn nothing_changed_follows_a_question_without_a_semicolon() {
        assert_eq!(nothing_changed("no x; did you mean \"y\"?"), "no x; did you mean \"y\"? nothing changed");
        assert_eq!(nothing_changed("busy"), "busy; nothing changed");
    }
}
