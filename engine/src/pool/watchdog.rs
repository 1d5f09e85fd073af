//! Tells a worker that hangs (an endless loop, SIGSTOP) from one that waits for another, or that the machine holds up.

use super::progress::Progress;

/// How often stalls of the machine may excuse one and the same block, or a lane that is lost.
const EXCUSES_MAX: u32 = 8;

/// A lane that was behind at the last look.
#[derive(Clone, Copy)]
struct Behind {
    /// The most that it has said it has finished: a count that goes back and forth does not get on.
    done: u64,
    /// It has not got on since then.
    since_ns: u64,
    /// It has been lost since then, however it got on meanwhile.
    lost_since_ns: Option<u64>,
    excuses: u32,
}

impl Behind {
    fn at(done: u64, now_ns: u64) -> Behind {
        Behind { done, since_ns: now_ns, lost_since_ns: None, excuses: 0 }
    }

    /// What is known of the lane at the next look.
    fn next(known: Option<Behind>, progress: &Progress, now_ns: u64) -> Behind {
        let lost_since_ns = known.and_then(|known| known.lost_since_ns).unwrap_or(now_ns);
        let mut next = known.unwrap_or(Behind::at(progress.done, now_ns));
        if progress.done > next.done {
            let excuses = if progress.is_lost() { next.excuses } else { 0 };
            next = Behind { excuses, ..Behind::at(progress.done, now_ns) };
        }
        Behind { lost_since_ns: progress.is_lost().then_some(lost_since_ns), ..next }
    }

    /// It is excused: its time begins anew.
    fn excuse(&mut self, now_ns: u64) {
        self.since_ns = now_ns;
        self.lost_since_ns = self.lost_since_ns.map(|_| now_ns);
    }

    /// Since when it is to blame.
    fn guilty_since_ns(&self) -> u64 {
        self.lost_since_ns.map_or(self.since_ns, |lost_ns| lost_ns.min(self.since_ns))
    }
}

/// The supervisor's watch over lanes that do not get on.
pub struct Watchdog {
    behind: Vec<Option<Behind>>,
    limit_ns: u64,
}

impl Watchdog {
    /// Watches `lanes` lanes; one that does not finish its block for `limit_ns` hangs, and so does one that is lost for that long: it says that
    /// it gets on, and may say so for ever.
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
        self.behind[lane] = Some(Behind::at(done, now_ns));
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
            let mut now = Behind::next(*behind, progress, now_ns);
            if is_waiting(lanes, lane) {
                now.excuse(now_ns);
            } else if now_ns - now.guilty_since_ns() >= self.limit_ns {
                if now.excuses < EXCUSES_MAX && has_stalled(now.guilty_since_ns()) {
                    now.excuse(now_ns);
                    now.excuses += 1;
                } else {
                    hung.push(lane);
                }
            }
            *behind = Some(now);
        }
        hung
    }
}

/// Whether a lane waits for one that is behind itself, and no less: what has finished the block need not be waited for. A ring of lanes that wait for each other does not count: a lane's word is its
/// worker's, and two may lie.
fn is_waiting(lanes: &[Progress], lane: usize) -> bool {
    let mut at = lane;
    for _ in 0..lanes.len() {
        let next = lanes[at].awaits.map(|lane| usize::from(lane.0)).filter(|&next| next != at);
        match next.and_then(|next| Some((next, lanes.get(next)?))) {
            Some((next, progress)) if progress.is_behind() && progress.done <= lanes[at].done => at = next,
            _ => return at != lane,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use tine_protocol::ids::LaneId;

    use super::*;

    const LIMIT: u64 = 1000;

    fn lane(done: u64, due: u64, awaits: Option<u16>) -> Progress {
        Progress { due, done, awaits: awaits.map(LaneId), is_lie: false }
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
            assert!(watchdog.look(&[lane(block, block + 7, None)], block * (LIMIT - 1), |_| false).is_empty());
        }
        assert!(watchdog.look(&[lane(20, 20, None)], 10 * LIMIT, |_| false).is_empty());
        assert!(!watchdog.is_watching());
    }

    #[test]
    fn a_lane_that_is_always_eight_blocks_behind_hangs_however_it_gets_on() {
        let mut watchdog = Watchdog::new(2, LIMIT);
        let looks = |watchdog: &mut Watchdog, from: u64, has_stalled: bool| {
            let lanes = |look: u64| [lane(look, look + 8, None), lane(look, look + 9, Some(0))];
            (from..from + 100).find_map(|look| {
                let hung = watchdog.look(&lanes(look), look * LIMIT / 4, |_| has_stalled);
                (!hung.is_empty()).then_some((look - from, hung))
            })
        };
        assert_eq!(looks(&mut watchdog, 0, false), Some((4, vec![0])), "the other waits for it");
        watchdog.begin_anew(0, 0, 1000 * LIMIT);
        let excused = u64::from(EXCUSES_MAX) * 4;
        assert_eq!(looks(&mut watchdog, 4000, true), Some((excused + 4, vec![0])), "stalls excuse it so often");
    }

    #[test]
    fn who_says_to_wait_for_a_lane_that_is_further_than_itself_does_not_wait() {
        let mut watchdog = Watchdog::new(2, LIMIT);
        let lanes = |look: u64| [lane(0, look + 1, Some(1)), lane(look, look + 1, None)];
        let hung = (0..100).find(|&look| !watchdog.look(&lanes(look), look * LIMIT, |_| false).is_empty());
        assert_eq!(hung, Some(1));
    }

    #[test]
    fn a_lane_that_goes_back_and_forth_does_not_get_on() {
        let mut watchdog = Watchdog::new(1, LIMIT);
        let hung = (0..100)
            .find(|look| !watchdog.look(&[lane(5 + look % 2, 8, None)], look * LIMIT / 4, |_| false).is_empty());
        assert_eq!(hung, Some(5), "it got on once");
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
