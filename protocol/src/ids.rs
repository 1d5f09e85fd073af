//! Typed, fixed-width numbers, so that a lane cannot be taken for a slot.

use bytemuck::{Pod, Zeroable};
use serde::Serialize;

/// One worker seat, and the segment that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable, Serialize)]
#[repr(transparent)]
pub struct LaneId(pub u16);

/// Which incarnation of a lane's worker this is; the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable, Serialize)]
#[repr(transparent)]
pub struct Generation(pub u32);

/// A module, for as long as the engine runs; never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct Slot(pub u32);

/// Number of a block, from 0 at the start of sound. At 48 kHz and 16 frames it lasts 194 million years.
pub type Block = u64;

/// The 32 low bits of how many blocks are finished: what fits a futex word. 0 means none since the segment was made.
///
/// Half the range is 8 days of blocks of 16 frames at 48 kHz; nothing lags that far.
pub fn count_word(finished: u64) -> u32 {
    finished as u32
}

/// Whether a count word says that at least `needed` blocks are finished.
pub fn has_reached(word: u32, needed: u64) -> bool {
    word.wrapping_sub(needed as u32) as i32 >= 0
}

/// The full count behind `word`, which is near `reference`.
pub fn full_count(word: u32, reference: u64) -> u64 {
    let ahead = i64::from(word.wrapping_sub(reference as u32) as i32);
    reference.saturating_add_signed(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_survive_the_wrap_of_their_word() {
        for base in [8u64, u64::from(u32::MAX) - 3, u64::from(u32::MAX) + 1, 1 << 40] {
            for ahead in 0..8 {
                let word = count_word(base + ahead);
                assert!(has_reached(word, base) && !has_reached(word, base + ahead + 1));
                assert_eq!(full_count(word, base), base + ahead);
                assert_eq!(full_count(count_word(base), base + ahead), base);
            }
        }
    }
}
