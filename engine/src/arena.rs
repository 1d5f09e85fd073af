//! Gives out ranges of a lane's segment. The books are the engine's: the lane itself is written by its worker alone.

use std::collections::BTreeMap;
use std::ops::Range;

use tine_protocol::plan::GRAIN;
use tine_protocol::segment::{LANE_BYTES, lane};

/// The free ranges of one lane.
pub struct Arena {
    /// Length of each free range by its start; no two touch.
    free: BTreeMap<usize, usize>,
}

impl Default for Arena {
    fn default() -> Arena {
        Arena { free: BTreeMap::from([(lane::ARENA, LANE_BYTES - lane::ARENA)]) }
    }
}

impl Arena {
    /// The first free range of `bytes`, rounded up to whole grains. `None` when the lane is full.
    pub fn take(&mut self, bytes: usize) -> Option<Range<usize>> {
        let bytes = bytes.next_multiple_of(GRAIN);
        let (&start, &length) = self.free.iter().find(|&(_, &length)| length >= bytes)?;
        self.free.remove(&start);
        if length > bytes {
            self.free.insert(start + bytes, length - bytes);
        }
        Some(start..start + bytes)
    }

    /// Takes a certain range, as an engine before took it. False if it is not free.
    pub fn claim(&mut self, range: Range<usize>) -> bool {
        let Some((&start, &length)) = self.free.range(..=range.start).next_back() else { return false };
        let end = start + length;
        if range.start > range.end || range.end > end {
            return false;
        }
        self.free.remove(&start);
        for (from, to) in [(start, range.start), (range.end, end)] {
            if from < to {
                self.free.insert(from, to - from);
            }
        }
        true
    }

    /// Takes back what [`Arena::take`] gave.
    pub fn give(&mut self, range: Range<usize>) {
        let (mut start, mut end) = (range.start, range.end);
        if let Some((&before, &length)) = self.free.range(..start).next_back()
            && before + length == start
        {
            self.free.remove(&before);
            start = before;
        }
        if let Some(length) = self.free.remove(&end) {
            end += length;
        }
        self.free.insert(start, end - start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_claimed_once_and_the_rest_stays_free() {
        let mut arena = Arena::default();
        let first = arena.take(640).unwrap();
        let (inner, whole) = (first.start + 1280..first.start + 1920, LANE_BYTES - lane::ARENA);
        assert!(arena.claim(inner.clone()));
        assert!(!arena.claim(inner.start + 64..inner.end + 64), "part of it is taken");
        assert!(!arena.claim(LANE_BYTES - 64..LANE_BYTES + 64), "it does not lie in the lane");
        assert_eq!(arena.take(640).unwrap(), first.end..inner.start);
        arena.give(first.start..inner.end);
        assert_eq!(arena.take(whole).unwrap().len(), whole);
    }

    #[test]
    fn what_is_given_back_joins_what_is_free() {
        let mut arena = Arena::default();
        let whole = LANE_BYTES - lane::ARENA;
        let parts: Vec<_> = (0..4).map(|_| arena.take(100).unwrap()).collect();
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].len() == 128));
        for index in [1, 3, 0, 2] {
            arena.give(parts[index].clone());
        }
        assert_eq!(arena.take(whole).unwrap().len(), whole);
        assert_eq!(arena.take(1), None, "full");
    }
}
