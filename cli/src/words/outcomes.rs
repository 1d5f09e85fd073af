//! What commands did, one short line each.

use tine_engine::answer::{Applied, CableInfo, Outcome};
use tine_engine::command::Command;

use super::number::{milliseconds, quantity_exact, seconds, significant};
use super::{count, module};

/// What a command did, or `None` where success says enough.
pub fn outcome(command: &Command, outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Created { id, kind, worker, took_ms } => {
            Some(format!("{} on worker {worker} ({})", module(kind, id), milliseconds(*took_ms)))
        }
        Outcome::Connected { changed, feedback } => Some(connected(*changed, feedback)),
        Outcome::Disconnected { changed: 0 } => Some("no cable there".to_owned()),
        Outcome::Disconnected { changed } => Some(format!("{} removed", count(*changed, "cable"))),
        Outcome::Destroyed { removed } => Some(format!("{} removed", count(*removed, "module"))),
        // A param's unit stands in its kind's table, which the answer does not name; `get` does.
        Outcome::Set { module, param, value } => {
            Some(format!("{module}.{param} = {}", significant(f64::from(*value), 6)))
        }
        Outcome::Undone { count: number } => {
            let what = if matches!(command, Command::Redo(_)) { "done again" } else { "taken back" };
            Some(format!("{} {what}", count(*number, "change")))
        }
        Outcome::Done => done(command),
    }
}

/// `set` with the unit of the param, where the module's kind is known.
pub fn set_with_unit(outcome: &Outcome, kind: &tine_protocol::spec::KindSpec) -> Option<String> {
    let Outcome::Set { module, param, value } = outcome else { return None };
    let spec = &kind.params[kind.param(param)?];
    Some(format!("{module}.{param} = {}", quantity_exact(*value, spec)))
}

/// A remark on a request that took effect too late.
pub fn lateness(applied: &Applied) -> Option<String> {
    (applied.late_s > 0.0).then(|| format!("late by {}", seconds(applied.late_s)))
}

/// A cable as it is typed.
pub fn cable(cable: &CableInfo) -> String {
    let gain = if cable.gain == 1.0 { String::new() } else { format!(" --gain {}", cable.gain) };
    format!("{}.{} > {}.{}{gain}", cable.from, cable.output, cable.to, cable.input)
}

fn connected(changed: usize, feedback: &[CableInfo]) -> String {
    let mut text = if changed == 0 { "already connected".to_owned() } else { count(changed, "cable") };
    for closing in feedback {
        text += &format!("; {} closes a loop, one block late", cable(closing));
    }
    text
}

/// Gestures of playing say nothing: they are heard.
fn done(command: &Command) -> Option<String> {
    match command {
        Command::Rename { from, to } => Some(format!("{from} is {to} now")),
        Command::Bypass { id, on: true } => Some(format!("{id} is bypassed")),
        Command::Bypass { id, on: false } => Some(format!("{id} is in the signal again")),
        Command::Reset { id } => Some(format!("{id} is reset")),
        Command::Clear => Some("the patch is empty".to_owned()),
        Command::Panic => Some("silent".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_engine::name::Name;

    #[test]
    fn a_new_module_says_where_it_is_and_how_fast_it_came() {
        let created = |id: &str| Outcome::Created { id: Name::new(id).unwrap(), kind: "vco", worker: 3, took_ms: 0.81 };
        let says = |id: &str| outcome(&Command::Clear, &created(id)).unwrap();
        assert_eq!(says("1"), "vco 1 on worker 3 (0.81 ms)");
        assert_eq!(says("vco1"), "vco1 on worker 3 (0.81 ms)");
    }

    #[test]
    fn a_cable_that_closes_a_loop_is_shown() {
        let name = |id: &str| Name::new(id).unwrap();
        let feedback =
            CableInfo { from: name("a"), output: "out", to: name("b"), input: "in", gain: 0.5, feedback: true };
        let text = outcome(&Command::Clear, &Outcome::Connected { changed: 2, feedback: vec![feedback] }).unwrap();
        assert_eq!(text, "2 cables; a.out > b.in --gain 0.5 closes a loop, one block late");
    }
}
