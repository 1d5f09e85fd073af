//! Notices as lines that may appear above what is being typed: few, and joined where they belong together.

use std::time::{Duration, Instant};

use tine_engine::answer::Notice;
use tine_engine::name::Name;

use super::number::milliseconds;
use super::{count, module};

/// A lost worker is back within a millisecond or so; a loss that lasts longer is told by itself.
const RESTORE_WAIT: Duration = Duration::from_millis(100);

/// Xruns within this time are told as one line: a flood of lines helps nobody who plays.
const XRUN_QUIET: Duration = Duration::from_secs(1);

struct Loss {
    worker: u16,
    why: String,
    ids: Vec<Name>,
    since: Instant,
}

/// Turns notices into lines. Holds back a loss until its worker is restored, and counts repeated xruns.
#[derive(Default)]
pub struct Events {
    losses: Vec<Loss>,
    xruns: usize,
    worst_ms: f32,
    quiet_until: Option<Instant>,
}

impl Events {
    /// Lines to show for a notice; `kind_of` says the kind of a module, if it still can.
    pub fn take(
        &mut self,
        notice: Notice,
        now: Instant,
        kind_of: impl Fn(&Name) -> Option<&'static str>,
    ) -> Vec<String> {
        let label = |id: &Name| kind_of(id).map_or_else(|| id.to_string(), |kind| module(kind, id));
        match notice {
            Notice::ModuleAdded(id, kind) => vec![format!("{} came", module(kind, &id))],
            Notice::ModuleRemoved(id) => vec![format!("{id} went")],
            // Knobs and cables of others are seen by `info`; told one by one they would bury the prompt.
            Notice::CableAdded(_) | Notice::CableRemoved(_) | Notice::ParamSet(..) => vec![],
            Notice::WorkerLost(worker, why, ids) => {
                self.losses.push(Loss { worker, why, ids, since: now });
                vec![]
            }
            Notice::WorkerRestored(worker, took_ms) => {
                let Some(at) = self.losses.iter().position(|loss| loss.worker == worker) else {
                    return vec![format!("worker {worker} back in {}", milliseconds(f64::from(took_ms)))];
                };
                let loss = self.losses.remove(at);
                let who = if loss.ids.is_empty() { String::new() } else { labels(&loss.ids, label) + " " };
                vec![format!("worker {worker} lost: {who}back in {}", milliseconds(f64::from(took_ms)))]
            }
            Notice::ModuleFault(id, what) => vec![format!("{}: {what}", label(&id))],
            Notice::Xrun(id, late_ms) => {
                if self.quiet_until.is_some_and(|until| now < until) {
                    self.xruns += 1;
                    self.worst_ms = self.worst_ms.max(late_ms);
                    return vec![];
                }
                self.quiet_until = Some(now + XRUN_QUIET);
                let whose =
                    id.map_or_else(|| "the machine stalled".to_owned(), |id| format!("{} was running", label(&id)));
                vec![format!("xrun: {} late; {whose}", milliseconds(f64::from(late_ms)))]
            }
            Notice::Device(name) => vec![format!("sound goes to {name}")],
            // On standard error already.
            Notice::Session(_) => vec![],
            Notice::Ending => vec!["the engine ends".to_owned()],
        }
    }

    /// Lines whose time has come without a further notice.
    pub fn overdue(&mut self, now: Instant, kind_of: impl Fn(&Name) -> Option<&'static str>) -> Vec<String> {
        let label = |id: &Name| kind_of(id).map_or_else(|| id.to_string(), |kind| module(kind, id));
        let mut lines = Vec::new();
        self.losses.retain(|loss| {
            let is_due = now.duration_since(loss.since) >= RESTORE_WAIT;
            if is_due {
                let who = if loss.ids.is_empty() { "idle".to_owned() } else { labels(&loss.ids, label) + " waits" };
                lines.push(format!("worker {} lost ({}): {who}", loss.worker, loss.why));
            }
            !is_due
        });
        if self.xruns > 0 && self.quiet_until.is_none_or(|until| now >= until) {
            let worst = milliseconds(f64::from(self.worst_ms));
            lines.push(format!("{} more, at worst {worst} late", count(self.xruns, "xrun")));
            (self.xruns, self.worst_ms) = (0, 0.0);
            self.quiet_until = Some(now + XRUN_QUIET);
        }
        lines
    }
}

fn labels(ids: &[Name], label: impl Fn(&Name) -> String) -> String {
    // A worker may run hundreds of modules; the line stays one line.
    const SHOWN: usize = 4;
    let mut text = ids.iter().take(SHOWN).map(label).collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN {
        text += &format!(" and {} more", ids.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_loss_and_its_restoration_are_one_line() {
        let (mut events, now) = (Events::default(), Instant::now());
        let kind = |_: &Name| Some("vco");
        assert!(events.take(Notice::WorkerLost(3, "killed".into(), vec![id("1")]), now, kind).is_empty());
        let lines = events.take(Notice::WorkerRestored(3, 0.6), now, kind);
        assert_eq!(lines, ["worker 3 lost: vco 1 back in 0.6 ms"]);
        assert!(events.overdue(now + RESTORE_WAIT * 2, kind).is_empty());
    }

    #[test]
    fn a_loss_that_lasts_is_told_by_itself() {
        let (mut events, now) = (Events::default(), Instant::now());
        events.take(Notice::WorkerLost(3, "killed".into(), vec![id("1")]), now, |_| None);
        assert_eq!(events.overdue(now + RESTORE_WAIT, |_| None), ["worker 3 lost (killed): 1 waits"]);
    }

    #[test]
    fn a_flood_of_xruns_is_one_line_a_second() {
        let (mut events, now) = (Events::default(), Instant::now());
        let told: usize = (0..50).map(|_| events.take(Notice::Xrun(None, 0.5), now, |_| None).len()).sum();
        assert_eq!(told, 1);
        assert_eq!(events.overdue(now + XRUN_QUIET, |_| None), ["49 xruns more, at worst 0.5 ms late"]);
    }
}
