//! What the engine makes of a lane's count of finished blocks. Its worker alone writes it, so it may be anything: it can make the engine wait
//! for this lane a while, and never for ever.

use tine_protocol::segment::RING_BLOCKS;

/// What a count says, when so many blocks are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// All of them are finished.
    Finished,
    /// So many are missing.
    Behind(u64),
    /// More are finished than were asked for: nothing that this lane says is to be believed.
    Lie,
}

impl Claim {
    /// What `done` says when `due` blocks are due.
    pub fn of(done: u64, due: u64) -> Claim {
        match due.checked_sub(done) {
            Some(0) => Claim::Finished,
            Some(missing) => Claim::Behind(missing),
            None => Claim::Lie,
        }
    }

    /// Whether the lane owes blocks of which nobody remembers what belongs to them: plans, events and outputs are kept for [`RING_BLOCKS`].
    pub fn is_lost(self) -> bool {
        matches!(self, Claim::Behind(missing) if missing >= RING_BLOCKS as u64)
    }
}

/// Blocks that count as finished by a lane when `due` are due, for what waits for all lanes. One that lies counts as none, and none holds
/// anything up by more than [`RING_BLOCKS`]: it will leave out what is older.
pub fn settled(done: u64, due: u64) -> u64 {
    let believed = if Claim::of(done, due) == Claim::Lie { 0 } else { done };
    believed.max(due.saturating_sub(RING_BLOCKS as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_true_late_or_a_lie() {
        assert_eq!(Claim::of(100, 100), Claim::Finished);
        assert_eq!(Claim::of(0, 100), Claim::Behind(100));
        assert_eq!(Claim::of(101, 100), Claim::Lie);
        assert_eq!(Claim::of(u64::MAX, 100), Claim::Lie);
        assert!(Claim::of(92, 100).is_lost() && !Claim::of(93, 100).is_lost() && !Claim::of(200, 100).is_lost());
    }

    #[test]
    fn no_count_holds_anything_up_by_more_than_eight_blocks() {
        assert_eq!(settled(100, 100), 100);
        assert_eq!(settled(95, 100), 95);
        for anything in [0, 91, 101, u64::MAX] {
            assert_eq!(settled(anything, 100), 92);
        }
        assert_eq!(settled(u64::MAX, 3), 0);
    }
}
