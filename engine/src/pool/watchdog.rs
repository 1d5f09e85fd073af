//! Tells a worker that hangs (an endless loop, SIGSTOP) from one that waits for another, or that the machine holds up.

use tine_protocol::ids::LaneId;

/// How often a stall of the machine may excuse one and the same block.
const EXCUSES_MAX: u32 = 8;

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Blocks that are to be finished.
    pub due: u64,
    /// Blocks that are.
    pub done: u64,
    /// The lane that it says to be waiting for.
    pub awaits: Option<LaneId>,
}

impl Progress {
    fn is_behind(&self) -> bool {
        self.done < self.due
    }
}

/// A lane that was behind at the last look.
#[derive(Clone, Copy)]
struct Behind {
    done: u64,
    since_ns: u64,
    excuses: u32,
}

/// The supervisor's watch over lanes that do not get on.
pub struct Watchdog {
    behind: Vec<Option<Behind>>,
    limit_ns: u64,
}

impl Watchdog {
    /// Watches `lanes` lanes; one that does not finish its block for `limit_ns` hangs.
    pub fn new(lanes: usize, limit_ns: u64) -> Watchdog {
        Watchdog { behind: vec![None; lanes], limit_ns }
    }

    /// Whether some lane has not got on since the look before, so that another look is due.
    pub fn is_watching(&self) -> bool {
        self.behind.iter().any(Option::is_some)
    }

    /// How long until the next look at the latest.
    pub fn look_ns(&self) -> u64 {
        self.limit_ns / 4
    }

    /// The lane has a new worker, or none: its time begins anew, and it is looked at until it gets on.
    pub fn begin_anew(&mut self, lane: usize, done: u64, now_ns: u64) {
        self.behind[lane] = Some(Behind { done, since_ns: now_ns, excuses: 0 });
    }

    /// Looks at all lanes; returns those whose workers hang. `has_stalled(since)` says whether the machine did not let a thread run, and
    /// the stall ended after that moment.
    pub fn look(&mut self, lanes: &[Progress], now_ns: u64, has_stalled: impl Fn(u64) -> bool) -> Vec<usize> {
        let mut hung = Vec::new();
        for (lane, progress) in lanes.iter().enumerate() {
            let behind = &mut self.behind[lane];
            if !progress.is_behind() {
                *behind = None;
                continue;
            }
            let known = behind.filter(|behind| behind.done == progress.done);
            let mut now = known.unwrap_or(Behind { done: progress.done, since_ns: now_ns, excuses: 0 });
            if is_waiting(lanes, lane) {
                now.since_ns = now_ns;
            } else if now_ns - now.since_ns >= self.limit_ns {
                if now.excuses < EXCUSES_MAX && has_stalled(now.since_ns) {
                    (now.since_ns, now.excuses) = (now_ns, now.excuses + 1);
                } else {
                    hung.push(lane);
                }
            }
            *behind = Some(now);
        }
        hung
    }
}

/// Whether a lane waits for one that is behind itself. A ring of lanes that wait for each other does not count: a lane's word is its
/// worker's, and two may lie.
fn is_waiting(lanes: &[Progress], lane: usize) -> bool {
    let mut at = lane;
    for _ in 0..lanes.len() {
        let next = lanes[at].awaits.map(|lane| usize::from(lane.0)).filter(|&next| next != at);
        match next.and_then(|next| Some((next, lanes.get(next)?))) {
            Some((next, progress)) if progress.is_behind() => at = next,
            _ => return at != lane,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1000;

    fn lane(done: u64, due: u64, awaits: Option<u16>) -> Progress {
        Progress { due, done, awaits: awaits.map(LaneId) }
    }

    #[test]
    fn a_lane_that_stands_still_hangs_and_one_that_waits_for_it_does_not() {
        let mut watchdog = Watchdog::new(3, LIMIT);
        let lanes = [lane(5, 6, None), lane(5, 6, Some(0)), lane(6, 6, None)];
        assert!(watchdog.look(&lanes, 0, |_| false).is_empty());
        assert!(watchdog.is_watching());
        assert!(watchdog.look(&lanes, LIMIT - 1, |_| false).is_empty());
        assert_eq!(watchdog.look(&lanes, LIMIT, |_| false), [0]);
    }

    #[test]
    fn a_lane_that_gets_on_slowly_does_not_hang() {
        let mut watchdog = Watchdog::new(1, LIMIT);
        for block in 0..10 {
            assert!(watchdog.look(&[lane(block, 20, None)], block * (LIMIT - 1), |_| false).is_empty());
        }
        assert!(watchdog.look(&[lane(20, 20, None)], 10 * LIMIT, |_| false).is_empty());
        assert!(!watchdog.is_watching());
    }

    #[test]
    fn a_stall_of_the_machine_excuses_but_not_for_ever() {
        let mut watchdog = Watchdog::new(1, LIMIT);
        let hung_at = (0..100).find(|look| !watchdog.look(&[lane(0, 1, None)], look * LIMIT, |_| true).is_empty());
        assert_eq!(hung_at, Some(u64::from(EXCUSES_MAX) + 1));
    }

    #[test]
    fn lanes_that_claim_to_wait_for_each_other_hang_and_one_that_waits_for_a_finished_lane_does() {
        let mut watchdog = Watchdog::new(3, LIMIT);
        let lanes = [lane(0, 1, Some(1)), lane(0, 1, Some(0)), lane(0, 1, Some(2))];
        watchdog.look(&lanes, 0, |_| false);
        assert_eq!(watchdog.look(&lanes, LIMIT, |_| false), [0, 1, 2]);
        let lanes = [lane(0, 2, Some(1)), lane(2, 2, None), lane(2, 2, None)];
        let mut watchdog = Watchdog::new(3, LIMIT);
        watchdog.look(&lanes, 0, |_| false);
        assert_eq!(watchdog.look(&lanes, LIMIT, |_| false), [0]);
    }
}
