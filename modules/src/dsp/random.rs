//! Randomness that lives in a state, so that a block that is executed again draws the same numbers.
//!
//! xoroshiro64* (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2018): 32-bit operations
//! only, which every SIMD level has; its period of 2^64 - 1 lasts three million years at 192 kHz. Its lowest six bits
//! are weak; only the upper 24 are used.

use bytemuck::{Pod, Zeroable};

/// One channel's generator.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Random {
    s: [u32; 2],
}

/// The generators of `W` channels, side by side.
pub struct RandomLanes<const W: usize> {
    s0: [u32; W],
    s1: [u32; W],
}

impl Random {
    /// The generator of `channel` in a module with `seed`. Channels start at unrelated points of the period.
    pub fn new(seed: u64, channel: usize) -> Random {
        // SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): the authors' way to seed xoroshiro.
        let mut z = seed.wrapping_add((channel as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // All zeros is the one state that never leaves itself.
        Random { s: [(z as u32).max(1), (z >> 32) as u32] }
    }

    /// The next number, even over -1..1 (1 excluded).
    #[inline(always)]
    pub fn bipolar(&mut self) -> f32 {
        let (value, s0, s1) = step(self.s[0], self.s[1]);
        self.s = [s0, s1];
        value
    }
}

impl<const W: usize> RandomLanes<W> {
    /// Takes the generators out of the voices' states.
    #[inline(always)]
    pub fn load(of: impl Fn(usize) -> Random) -> Self {
        let (mut s0, mut s1) = ([0; W], [0; W]);
        for channel in 0..W {
            [s0[channel], s1[channel]] = of(channel).s;
        }
        RandomLanes { s0, s1 }
    }

    /// The generator of `channel`, to put back.
    #[inline(always)]
    pub fn store(&self, channel: usize) -> Random {
        Random { s: [self.s0[channel], self.s1[channel]] }
    }

    /// The next number of every channel, even over -1..1 (1 excluded).
    #[inline(always)]
    pub fn bipolar(&mut self) -> [f32; W] {
        let mut drawn = [0.0; W];
        for channel in 0..W {
            (drawn[channel], self.s0[channel], self.s1[channel]) = step(self.s0[channel], self.s1[channel]);
        }
        drawn
    }
}

#[inline(always)]
fn step(s0: u32, s1: u32) -> (f32, u32, u32) {
    let drawn = s0.wrapping_mul(0x9e37_79bb);
    let s1 = s1 ^ s0;
    // 24 bits and a sign are exact in an f32.
    let value = ((drawn as i32) >> 8) as f32 * (1.0 / 8_388_608.0);
    (value, s0.rotate_left(26) ^ s1 ^ (s1 << 9), s1.rotate_left(13))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_even_and_lanes_draw_what_one_channel_draws() {
        let mut lanes = RandomLanes::<4>::load(|channel| Random::new(7, channel));
        let mut alone = Random::new(7, 2);
        let (mut sum, mut square) = (0.0, 0.0);
        for _ in 0..100_000 {
            let drawn = lanes.bipolar()[2];
            assert_eq!(drawn, alone.bipolar());
            assert!((-1.0..1.0).contains(&drawn));
            sum += f64::from(drawn);
            square += f64::from(drawn) * f64::from(drawn);
        }
        assert!((sum / 1e5).abs() < 0.01, "mean {}", sum / 1e5);
        assert!((square / 1e5 - 1.0 / 3.0).abs() < 0.005, "power {}", square / 1e5);
    }
}
