//! A read head on a tape: glides to a new place, or leaps there by a crossfade; and the limit that keeps a loop through it finite.

use bytemuck::{Pod, Zeroable};

use crate::dsp::switch::blend;

/// Where a head reads, and how it moves: part of a channel's state. Zeroed, it takes the first place that it is told at once.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Head {
    /// In frames of delay; 0 before the first frame.
    at: f64,
    /// In frames per frame.
    speed: f64,
    /// Where a leap goes.
    next: f64,
    /// Frames until the leap is done; 0 if there is none.
    leap_left: u32,
    reserved: u32,
}

/// How heads move.
#[derive(Clone, Copy, Debug)]
pub struct Motion {
    /// Share of the way in one frame: 1 / (time constant x rate).
    pub pull: f64,
    /// Fastest moves, in frames per frame: towards now (-1: an octave up) and away (0.5: an octave down).
    pub speeds: (f64, f64),
    /// A longer move is a leap, in frames.
    pub leap: f64,
    /// So is one to less than the first share of the delay, or to more than 1 over the second.
    pub leap_shares: (f64, f64),
    /// How long a leap fades.
    pub leap_frames: u32,
    /// Nearest place to read, in frames of delay.
    pub nearest: f64,
}

impl Head {
    /// Moves towards `target` for one frame.
    #[inline(always)]
    pub fn aim(&mut self, target: f64, motion: &Motion) {
        if self.leap_left > 0 {
            self.leap_left -= 1;
            if self.leap_left == 0 {
                self.at = self.next;
            }
            return;
        }
        let way = target - self.at;
        if way == 0.0 && self.speed == 0.0 {
            return;
        }
        let (shrunk, grown) = motion.leap_shares;
        if self.at == 0.0 {
            self.at = target;
        } else if way.abs() > motion.leap || target < shrunk * self.at || self.at < grown * target {
            (self.next, self.speed, self.leap_left) = (target, 0.0, motion.leap_frames);
        } else {
            // Critically damped: the speed follows the pull four times as fast as the pull lets up, so that
            // the pitch bends without a corner and without overshoot.
            let wanted = (way * motion.pull).clamp(motion.speeds.0, motion.speeds.1);
            self.speed += (wanted - self.speed) * (4.0 * motion.pull);
            self.at = (self.at + self.speed).max(motion.nearest);
            // Arrived, to a millionth of a frame: rest exactly there, and a whole number of frames is read exactly.
            if (target - self.at).abs() < 1e-6 && self.speed.abs() < 1e-6 {
                (self.at, self.speed) = (target, 0.0);
            }
        }
    }

    /// What is heard there, given what lies at a delay; both places during a leap.
    #[inline(always)]
    pub fn hear(&self, motion: &Motion, read: impl Fn(f64) -> f32) -> f32 {
        let here = read(self.at);
        if self.leap_left == 0 {
            return here;
        }
        let left = self.leap_left as f32 / motion.leap_frames as f32;
        blend(here, read(self.next), (1.0 - left) * (1.0 - left) * (1.0 + 2.0 * left))
    }
}

/// `x` within -1..1; beyond, bent without a corner towards ±2.
#[inline(always)]
pub fn soft_limit(x: f32) -> f32 {
    let over = (x.abs() - 1.0).max(0.0);
    x.clamp(-1.0, 1.0) + (over / (1.0 + over)).copysign(x)
}
