//! How the phase of an oscillator moves through one chunk of frames, and when exactly it crosses a level.
//!
//! Frames that may hold a crossing are found by integer compares, in a loop that vectorises; only those few are looked at closely, as
//! paths through the last four samples ([`super::cubic`]): when exactly did phase - offset pass a whole cycle, in which
//! direction, how fast. Paths may turn round within a frame (through-zero FM), and a sync splits its frame in two: a hard
//! one resets the phase, a soft one sends it back the way that it came.

use super::cubic::{Crossings, Cubic};
use super::math::round;
use super::steady::CHUNK;
use super::wave::{CYCLE, Motion};

/// Phase, width and syncs of one channel over one chunk, with as many frames before it as the cubics need.
pub struct Course {
    /// Frames in this chunk.
    pub frames: usize,
    /// `[i + 2]`: how far the phase would move on the way to frame `i`, syncs aside.
    pub steps: [i32; CHUNK + 2],
    /// `[i]`: 0 where the phase sets out for frame `i` forwards, -1 where a soft sync has sent it backwards.
    pub signs: [i32; CHUNK],
    /// `[i + 3]`: the pulse width at frame `i`.
    pub widths: [u32; CHUNK + 3],
    /// `[i + 1]`: the phase at frame `i`.
    pub phases: [u32; CHUNK + 1],
    /// Bit `i`: the phase was reset on the way to frame `i`, and runs forwards from there.
    pub resets: u64,
    /// Bit `i`: it turned round on the way to frame `i`. Not where it was reset.
    pub turns: u64,
    /// When either was, between the frame before (0) and frame `i` (1).
    pub sync_times: [f64; CHUNK],
}

/// A movement in cycles per frame, below one half, as a step of the phase.
#[inline(always)]
pub fn step_of(rise: f32) -> i32 {
    round(rise * CYCLE as f32)
}

/// What a shape's edges depend on: the phase less this, in whole cycles.
#[derive(Clone, Copy)]
pub enum Offset {
    /// A fixed phase.
    Fixed(u32),
    /// The pulse width.
    Width,
}

impl Default for Course {
    /// A chunk of no frames.
    #[inline(always)]
    fn default() -> Course {
        Course {
            frames: 0,
            steps: [0; CHUNK + 2],
            signs: [0; CHUNK],
            widths: [0; CHUNK + 3],
            phases: [0; CHUNK + 1],
            resets: 0,
            turns: 0,
            sync_times: [0.0; CHUNK],
        }
    }
}

impl Course {
    /// Computes the phases from the one before the chunk, through steps and syncs, and the signs; returns the last sign.
    #[inline(always)]
    pub fn set_phases(&mut self, before: u32, mut sign: i32) -> i32 {
        let mut phase = before;
        self.phases[0] = before;
        if self.syncs() == 0 {
            self.signs = [sign; CHUNK];
            for frame in 0..self.frames {
                phase = phase.wrapping_add(signed(self.steps[frame + 2], sign) as u32);
                self.phases[frame + 1] = phase;
            }
            return sign;
        }
        for frame in 0..self.frames {
            self.signs[frame] = sign;
            if self.resets >> frame & 1 == 1 {
                phase = self.since_reset(frame) as u32;
                sign = 0;
            } else if self.turns >> frame & 1 == 1 {
                phase = phase.wrapping_add(self.there_and_back(frame) as u32);
                sign = !sign;
            } else {
                phase = phase.wrapping_add(signed(self.steps[frame + 2], sign) as u32);
            }
            self.phases[frame + 1] = phase;
        }
        sign
    }

    /// The crossings on the way to `frame`, and the path of the phase: before a sync and after it. The second part is empty
    /// where there was none.
    #[inline(never)]
    pub fn parts(&self, frame: usize, offset: Offset) -> [(Crossings, Cubic); 2] {
        let sign = self.signs[frame];
        let (path, phase) = (self.path(frame, offset, sign), self.path(frame, Offset::Fixed(0), sign));
        let (old, new) = match offset {
            Offset::Fixed(offset) => (cycles(offset), cycles(offset)),
            Offset::Width => (cycles(self.widths[frame + 2]), cycles(self.widths[frame + 3])),
        };
        let start = cycles(self.phases[frame]) - old;
        if self.syncs() >> frame & 1 == 0 {
            let whole = path.crossings((0.0, start), (1.0, start + path.at(1.0)));
            return [(whole, phase), (Crossings::default(), phase)];
        }
        let time = self.sync_times[frame];
        let before = start + path.at(time);
        // Where the phase goes on from, and where it stands at the frame: from its rounded steps, as the next frame will see it.
        let (sign, after, end) = if self.resets >> frame & 1 == 1 {
            (0, path.at(time) - phase.at(time) - old, self.since_reset(frame) as f64 / CYCLE - new)
        } else {
            (!sign, before, cycles(self.phases[frame]) + self.there_and_back(frame) as f64 / CYCLE - new)
        };
        let first = path.crossings((0.0, start), (time, before));
        let (path, later) = (self.path(frame, offset, sign), self.path(frame, Offset::Fixed(0), sign));
        [(first, phase), (path.crossings((time, after), (1.0, end)), later)]
    }

    /// Frames in which the phase less `offset` passes a whole cycle, or may do so and turn back, and those with a sync.
    #[inline(always)]
    pub fn suspects(&self, offset: Offset) -> u64 {
        let mut flags = [0u8; CHUNK];
        let frames = self.frames;
        let (before, after) = (&self.phases[..frames], &self.phases[1..=frames]);
        let (last_steps, steps) = (&self.steps[1..=frames], &self.steps[2..frames + 2]);
        let (old, new) = (&self.widths[2..frames + 2], &self.widths[3..frames + 3]);
        let signs = &self.signs[..frames];
        for frame in 0..frames {
            let (step, last) = (steps[frame] >> 3, last_steps[frame] >> 3);
            // Slopes at both ends of the parabola through the last three phases; scaled, so that they fit.
            let is_turning = (last + step) ^ (3 * step - last) < 0;
            let step = step ^ signs[frame];
            let is_passing = match offset {
                Offset::Fixed(offset) => {
                    let (before, after) = (before[frame].wrapping_sub(offset), after[frame].wrapping_sub(offset));
                    (after < before) != (step < 0)
                }
                Offset::Width => {
                    let is_wrapping = (after[frame] < before[frame]) != (step < 0);
                    // Wraps of the phase, plus or minus one where it changed sides with the width.
                    let wraps = if is_wrapping { 1 | step >> 31 } else { 0 };
                    let sides = i32::from(before[frame] < old[frame]) - i32::from(after[frame] < new[frame]);
                    wraps + sides != 0
                }
            };
            flags[frame] = u8::from(is_passing | is_turning);
        }
        let mut mask = 0;
        for (index, bytes) in flags.chunks_exact(8).enumerate() {
            let word = bytes.iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
            // Gathers the lowest bit of every byte into the top byte (Warren, Hacker's Delight).
            mask |= (word.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
        }
        mask | self.syncs()
    }

    /// Frames with a sync of either kind.
    #[inline(always)]
    pub fn syncs(&self) -> u64 {
        self.resets | self.turns
    }

    /// How the phase moves just before the sync on the way to `frame`.
    #[inline(never)]
    pub fn motion_at_sync(&self, frame: usize) -> Motion {
        let (time, sign) = (self.sync_times[frame], self.signs[frame]);
        let (path, lag) = (self.path(frame, Offset::Fixed(0), sign), self.path(frame, Offset::Width, sign));
        let (phase, width) = (cycles(self.phases[frame]), cycles(self.widths[frame + 2]));
        Motion {
            phase: phase + path.at(time),
            lag: phase - width + lag.at(time),
            width: width + path.at(time) - lag.at(time),
            rise: path.slope(time),
            bend: path.bend(time),
        }
    }

    /// How phase - offset moved on the way to `frame`, syncs aside, as the phase ran forwards or backwards.
    #[inline(always)]
    fn path(&self, frame: usize, offset: Offset, sign: i32) -> Cubic {
        let rise = |age: usize| {
            let step = f64::from(signed(self.steps[frame + 2 - age], sign));
            let (new, old) = (self.widths[frame + 3 - age], self.widths[frame + 2 - age]);
            match offset {
                Offset::Fixed(_) => step / CYCLE,
                Offset::Width => (step - (f64::from(new) - f64::from(old))) / CYCLE,
            }
        };
        Cubic::new(rise(2), rise(1), rise(0))
    }

    /// How far the phase has moved at `frame` since the reset on the way to it.
    #[inline(always)]
    fn since_reset(&self, frame: usize) -> i64 {
        let path = self.path(frame, Offset::Fixed(0), 0);
        libm::round((path.at(1.0) - path.at(self.sync_times[frame])) * CYCLE) as i64
    }

    /// How far the phase has moved at `frame`, on the way to which it turned round.
    #[inline(always)]
    fn there_and_back(&self, frame: usize) -> i64 {
        let path = self.path(frame, Offset::Fixed(0), self.signs[frame]);
        libm::round((2.0 * path.at(self.sync_times[frame]) - path.at(1.0)) * CYCLE) as i64
    }
}

/// `step`, or minus that where `sign` is -1.
#[inline(always)]
fn signed(step: i32, sign: i32) -> i32 {
    (step ^ sign).wrapping_sub(sign)
}

/// A phase in cycles.
#[inline(always)]
fn cycles(phase: u32) -> f64 {
    f64::from(phase) / CYCLE
}

/// The numbers of the bits that are set, from the lowest.
#[inline(always)]
pub fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        bit
    })
}
