//! A trigger that goes out: a pulse of one millisecond.

use bytemuck::{Pod, Zeroable};

/// How long a trigger stays up: what VCV Rack's modules send and every Eurorack input sees.
pub const PULSE_S: f32 = 0.001;

/// One channel's pulse: part of its state. Zeroed, it is down.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct Pulse {
    /// Frames until it goes down; the highest bit: it goes down for one frame first.
    left: u32,
}

/// Set in a pulse that was up when it was fired again.
const GAP: u32 = 1 << 31;

/// Frames of a trigger at `rate_hz`: at least one.
#[inline(always)]
pub fn pulse_frames(rate_hz: f32) -> u32 {
    ((PULSE_S * rate_hz) as u32).max(1)
}

impl Pulse {
    /// Goes up for `frames` from this frame on. A pulse that is still up goes down for this frame first, so that its new edge
    /// is seen, a frame late.
    #[inline(always)]
    pub fn fire(&mut self, frames: u32) {
        let gap = if self.left > 0 { GAP } else { 0 };
        self.left = frames.clamp(1, GAP - 1) | gap;
    }

    /// Goes down at once.
    #[inline(always)]
    pub fn stop(&mut self) {
        self.left = 0;
    }

    /// The level in this frame, 0 or 1; to be asked once a frame.
    #[inline(always)]
    pub fn level(&mut self) -> f32 {
        if self.left & GAP != 0 {
            self.left &= !GAP;
            return 0.0;
        }
        let level = if self.left > 0 { 1.0 } else { 0.0 };
        self.left = self.left.saturating_sub(1);
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_lasts_as_long_as_it_is_told_and_one_fired_again_shows_its_edge() {
        let mut pulse = Pulse::zeroed();
        let mut heard = Vec::new();
        for frame in 0..12 {
            if [1, 6, 8].contains(&frame) {
                pulse.fire(3);
            }
            heard.push(pulse.level());
        }
        assert_eq!(heard, [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
        pulse.fire(3);
        pulse.stop();
        assert_eq!(pulse.level(), 0.0);
    }
}
