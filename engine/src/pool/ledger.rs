//! Which modules end their workers: a circuit breaker per module, in the supervisor's own memory.
//!
//! Closed, a module runs. It opens when two workers died of the module in one block, as the block then kills, or three within ten
//! seconds. Open, the module is passed by; after a while it is born again and tried (half open). A death then opens it for twice as
//! long; a clean minute closes it.

use std::collections::HashMap;

use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::message::{QUARANTINED_MAX, Quarantined};

/// Within this time three deaths are too many.
const WINDOW_NS: u64 = 10_000_000_000;

/// Deaths within the window that open the breaker.
const DEATHS_MAX: usize = 3;

/// How long a module is out of service the first time.
const FIRST_NS: u64 = 1_000_000_000;

/// How long at most.
const LONGEST_NS: u64 = 60_000_000_000;

/// How long a module that is tried again must behave.
const CLEAN_NS: u64 = 60_000_000_000;

/// What a death comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The module runs on.
    RunsOn,
    /// It is taken out of service, and is to be tried again after so many nanoseconds.
    Quarantine(u64),
}

/// One module's record.
#[derive(Default)]
struct Record {
    /// When workers died of it, within the window.
    deaths_ns: Vec<u64>,
    /// The block in which the last one died.
    block: Option<Block>,
    /// For how long it was taken out last, and since when.
    open: Option<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    born_before: Block,
    since_ns: u64,
    for_ns: u64,
}

/// All records.
#[derive(Default)]
pub struct Ledger {
    records: HashMap<(LaneId, Slot), Record>,
}

impl Ledger {
    /// A worker died while the code of the module in `slot` was running for `block`; `due` is the block that the lane was to finish.
    /// Two in one block are too many, whatever they died of.
    pub fn died(&mut self, lane: LaneId, slot: Slot, block: Block, due: Block, now_ns: u64) -> Verdict {
        let record = self.records.entry((lane, slot)).or_default();
        let is_repeated = record.block.replace(block) == Some(block);
        if is_repeated || record.is_on_trial(now_ns) { record.open(due, now_ns) } else { Verdict::RunsOn }
    }

    /// It has become known that the last death was the module's own doing: not somebody's SIGKILL.
    pub fn blame(&mut self, lane: LaneId, slot: Slot, due: Block, now_ns: u64) -> Verdict {
        let record = self.records.entry((lane, slot)).or_default();
        record.deaths_ns.retain(|&at_ns| now_ns - at_ns < WINDOW_NS);
        record.deaths_ns.push(now_ns);
        if record.deaths_ns.len() >= DEATHS_MAX { record.open(due, now_ns) } else { Verdict::RunsOn }
    }

    /// The modules of a lane that its next worker is not to run.
    pub fn quarantined(&self, lane: LaneId) -> [Quarantined; QUARANTINED_MAX] {
        let mut list = [Quarantined::default(); QUARANTINED_MAX];
        let of_lane = self.records.iter().filter(|((of, _), _)| *of == lane);
        let mut open: Vec<_> = of_lane.filter_map(|((_, slot), record)| Some((*slot, record.open?))).collect();
        // Without room for all the latest count.
        open.sort_by_key(|(slot, open)| (std::cmp::Reverse(open.since_ns), slot.0));
        for (entry, (slot, open)) in list.iter_mut().zip(open) {
            *entry = Quarantined { slot, reserved: 0, born_before: open.born_before };
        }
        list
    }
}

impl Record {
    /// Whether the module has been tried again and has not had its clean minute.
    fn is_on_trial(&self, now_ns: u64) -> bool {
        self.open.is_some_and(|open| now_ns < open.since_ns + open.for_ns + CLEAN_NS)
    }

    fn open(&mut self, due: Block, now_ns: u64) -> Verdict {
        // A test that kills a module in every way there is would see it taken out.
        #[cfg(feature = "faults")]
        if std::env::var_os("TINE_BREAKER").is_some_and(|is| is == "off") {
            return Verdict::RunsOn;
        }
        let for_ns = match self.open {
            Some(open) if self.is_on_trial(now_ns) => (2 * open.for_ns).min(LONGEST_NS),
            _ => FIRST_NS,
        };
        // A module that is born again is so in a later block than any that was asked for until now.
        self.open = Some(Open { born_before: due + 1, since_ns: now_ns, for_ns });
        self.deaths_ns.clear();
        self.block = None;
        Verdict::Quarantine(for_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: LaneId = LaneId(2);
    const SLOT: Slot = Slot(7);
    const SECOND: u64 = 1_000_000_000;

    fn listed(ledger: &Ledger) -> Vec<(Slot, Block)> {
        let list = ledger.quarantined(LANE).into_iter();
        list.filter(|entry| entry.born_before > 0).map(|entry| (entry.slot, entry.born_before)).collect()
    }

    #[test]
    fn two_deaths_in_one_block_open_and_two_in_two_blocks_do_not() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.died(LANE, SLOT, 10, 11, 0), Verdict::RunsOn);
        assert_eq!(ledger.died(LANE, SLOT, 20, 21, 1), Verdict::RunsOn);
        assert_eq!(listed(&ledger), []);
        assert_eq!(ledger.died(LANE, SLOT, 20, 22, 2), Verdict::Quarantine(SECOND));
        assert_eq!(listed(&ledger), [(SLOT, 23)]);
        assert_eq!(ledger.died(LANE, Slot(8), 20, 22, 2), Verdict::RunsOn, "another module");
    }

    #[test]
    fn three_of_its_own_doing_within_ten_seconds_open() {
        let mut ledger = Ledger::default();
        let blame = |ledger: &mut Ledger, second: u64| ledger.blame(LANE, SLOT, 5, second * SECOND);
        assert_eq!([0, 5, 11, 16].map(|second| blame(&mut ledger, second)), [Verdict::RunsOn; 4]);
        assert_eq!(blame(&mut ledger, 17), Verdict::Quarantine(SECOND));
    }

    #[test]
    fn a_death_on_trial_doubles_the_time_up_to_a_minute_and_a_clean_minute_forgives() {
        let mut ledger = Ledger::default();
        ledger.died(LANE, SLOT, 0, 1, 0);
        let mut now_ns = SECOND;
        assert_eq!(ledger.died(LANE, SLOT, 0, 1, now_ns), Verdict::Quarantine(SECOND));
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            now_ns += 60 * SECOND;
            assert_eq!(ledger.died(LANE, SLOT, now_ns, now_ns, now_ns), Verdict::Quarantine(seconds * SECOND));
        }
        now_ns += 121 * SECOND;
        assert_eq!(ledger.died(LANE, SLOT, now_ns, now_ns, now_ns), Verdict::RunsOn);
        assert_eq!(ledger.died(LANE, SLOT, now_ns, now_ns, now_ns), Verdict::Quarantine(SECOND));
    }
}
