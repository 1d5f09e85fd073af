//! A choice that changes without a click: the old and the new sound are crossfaded for a few milliseconds.
//!
//! A change that comes while a fade is under way waits for its end, so there are never more than two sounds.

use bytemuck::{Pod, Zeroable};

/// Length of a fade: short enough to feel immediate, long enough that its edges lie below -80 dB (tests/clicks.rs).
pub const FADE_S: f32 = 0.010;

/// What one channel plays: part of its state. Zeroed, it takes the first choice that it meets at once.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Switch {
    /// The choices counted from 1; 0 is none yet.
    from: u32,
    to: u32,
    /// Frames of the fade that are still to come.
    left: u32,
}

/// Frames of a fade at `rate_hz`.
#[inline(always)]
pub fn fade_frames(rate_hz: f32) -> u32 {
    (FADE_S * rate_hz) as u32
}

impl Switch {
    /// Heeds the player's `choice`, at the start of a block.
    #[inline(always)]
    pub fn meet(&mut self, choice: usize, fade_frames: u32) {
        let choice = choice as u32 + 1;
        if self.to == 0 {
            self.to = choice;
        } else if self.left == 0 && choice != self.to {
            *self = Switch { from: self.to, to: choice, left: fade_frames };
        }
    }

    /// The old choice and the new one; the same twice where no fade is under way.
    #[inline(always)]
    pub fn choices(&self) -> [usize; 2] {
        let to = self.to.saturating_sub(1) as usize;
        if self.left == 0 { [to, to] } else { [self.from.saturating_sub(1) as usize, to] }
    }

    /// Whether `choice` is heard in this block.
    #[inline(always)]
    pub fn plays(&self, choice: usize) -> bool {
        self.choices().contains(&choice)
    }

    /// The choice, if no fade is under way.
    #[inline(always)]
    pub fn settled(&self) -> Option<usize> {
        if self.left == 0 { Some(self.choices()[1]) } else { None }
    }

    /// Share of the new choice in `frame` of this block: exactly 1 from the end of the fade on.
    ///
    /// A smoothstep: a straight line would leave corners in the sound. A change that was met with more than `fade_frames`
    /// waits for the rest of them first.
    #[inline(always)]
    pub fn share(&self, frame: usize, fade_frames: u32) -> f32 {
        let left = self.left.saturating_sub(frame as u32).min(fade_frames) as f32 / fade_frames.max(1) as f32;
        let part = 1.0 - left;
        part * part * (3.0 - 2.0 * part)
    }

    /// Moves past a block.
    #[inline(always)]
    pub fn advance(&mut self, frames: usize) {
        self.left = self.left.saturating_sub(frames as u32);
    }
}

/// What all channels play, if they play the same and none is in a fade: the common case, computed without choosing.
#[inline(always)]
pub fn common<const W: usize>(of: impl Fn(usize) -> Switch) -> Option<usize> {
    let first = of(0).settled();
    let mut agree = true;
    for channel in 1..W {
        agree &= of(channel).settled() == first;
    }
    if agree { first } else { None }
}

/// `share` parts of `to` and the rest of `from`: exactly `to` at 1.
#[inline(always)]
pub fn blend(from: f32, to: f32, share: f32) -> f32 {
    if share >= 1.0 { to } else { from + (to - from) * share }
}
