//! Merges the echoes of one subscriber: each param at most 60 times a second, and its last value always. Reads no clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::name::Name;

/// Between two echoes of one param: a sixtieth of a second (INTERFACE).
pub(super) const INTERVAL: Duration = Duration::from_nanos(16_666_667);

/// A param of a module.
pub(super) type Param = (Name, &'static str);

#[derive(Debug)]
struct Echo {
    sent: Instant,
    /// A newer value, to be sent when the interval is over.
    waiting: Option<f32>,
}

/// What happens to a value.
#[derive(Debug, PartialEq)]
pub(super) struct Fate {
    /// Send it now; otherwise it waits for the end of the interval.
    pub is_sent: bool,
    /// It took the place of one that waited, and that is never sent.
    pub is_merged: bool,
}

/// Params that changed within the last interval: at most those that the patch has.
#[derive(Debug, Default)]
pub(super) struct Echoes(HashMap<Param, Echo>);

impl Echoes {
    /// A param has a new value.
    pub fn set(&mut self, param: Param, value: f32, now: Instant) -> Fate {
        let last = self.0.get(&param);
        let is_merged = last.is_some_and(|echo| echo.waiting.is_some());
        // Also when a value still waits whose time has come meanwhile: the newer one goes instead.
        let sent = last.map(|echo| echo.sent).filter(|sent| now < *sent + INTERVAL);
        self.0.insert(param, Echo { sent: sent.unwrap_or(now), waiting: sent.map(|_| value) });
        Fate { is_sent: sent.is_none(), is_merged }
    }

    /// Values whose time has come. Forgets params that did not change for an interval.
    pub fn due(&mut self, now: Instant) -> Vec<(Param, f32)> {
        let mut due = Vec::new();
        self.0.retain(|param, echo| {
            if now < echo.sent + INTERVAL {
                return true;
            }
            let Some(value) = echo.waiting.take() else { return false };
            due.push((param.clone(), value));
            echo.sent = now;
            true
        });
        due
    }

    /// Values of a module that goes: they are sent before it is told.
    pub fn flush(&mut self, id: &Name) -> Vec<(Param, f32)> {
        let mut last = Vec::new();
        self.0.retain(|param, echo| {
            let stays = param.0 != *id;
            if let Some(value) = echo.waiting.filter(|_| !stays) {
                last.push((param.clone(), value));
            }
            stays
        });
        last
    }

    /// When to look again, if anything waits.
    pub fn next_due(&self) -> Option<Instant> {
        self.0.values().filter(|echo| echo.waiting.is_some()).map(|echo| echo.sent + INTERVAL).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(name: &'static str) -> Param {
        (Name::new("vcf1").unwrap(), name)
    }

    #[test]
    fn a_param_is_echoed_sixty_times_a_second_and_its_last_value_always() {
        let (mut echoes, start) = (Echoes::default(), Instant::now());
        let mut sent = Vec::new();
        // A fader that moves a thousand times a second for a second.
        for ms in 0..1000u64 {
            let now = start + Duration::from_millis(ms);
            sent.extend(echoes.due(now).into_iter().map(|(_, value)| value));
            if echoes.set(param("cutoff"), ms as f32, now).is_sent {
                sent.push(ms as f32);
            }
        }
        let end = echoes.next_due().expect("the last one waits");
        sent.extend(echoes.due(end).into_iter().map(|(_, value)| value));
        assert!((50..=61).contains(&sent.len()), "{}", sent.len());
        assert!(sent.is_sorted());
        assert_eq!(sent.last(), Some(&999.0));
        assert_eq!(echoes.next_due(), None);
        echoes.due(end + INTERVAL);
        assert!(echoes.0.is_empty(), "what rests is forgotten");
    }

    #[test]
    fn params_do_not_wait_for_each_other() {
        let (mut echoes, now) = (Echoes::default(), Instant::now());
        let fate = |is_sent, is_merged| Fate { is_sent, is_merged };
        assert_eq!(echoes.set(param("cutoff"), 1.0, now), fate(true, false));
        assert_eq!(echoes.set(param("res"), 1.0, now), fate(true, false));
        assert_eq!(echoes.set(param("res"), 2.0, now), fate(false, false));
        assert_eq!(echoes.set(param("res"), 3.0, now), fate(false, true));
        assert_eq!(echoes.flush(&param("res").0), [(param("res"), 3.0)]);
        assert_eq!(echoes.next_due(), None);
    }

    #[test]
    fn a_value_that_overtakes_one_still_waiting_is_counted_as_merged() {
        let (mut echoes, now) = (Echoes::default(), Instant::now());
        echoes.set(param("res"), 1.0, now);
        echoes.set(param("res"), 2.0, now);
        let fate = echoes.set(param("res"), 3.0, now + INTERVAL);
        assert_eq!(fate, Fate { is_sent: true, is_merged: true });
        assert_eq!(echoes.next_due(), None, "the older value is not sent after the newer one");
    }
}
