//! Unison: several channels sound one note, each a little out of tune and at its own place between left and right.
//!
//! The channels of the module are dealt to notes in groups of `voices`, one group after another; a last group with fewer
//! channels is one of so many voices. Voices are spread evenly over the detuning, and over the stereo field: pairs of
//! opposite detuning lie on opposite sides, and every other pair is swapped, so that neither side is the sharp one.
//! With one voice a note nothing is detuned, and it is the notes that are spread from left to right.

use bytemuck::{Pod, Zeroable};

use crate::dsp::math::sin_cos_pi;

/// What a channel is among the voices of its note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Seat {
    /// Share of `detune`, -1..1.
    pitch: f32,
    /// Share of `spread`: -1 left, 1 right.
    side: f32,
    /// 1 / sqrt(voices): as many voices, out of step as they are, are together as loud as one.
    level: f32,
}

impl Seat {
    fn new(voices: usize, channel: usize, channels: usize) -> Seat {
        // Channels beyond the last are padding.
        let channel = channel.min(channels - 1);
        let voices = voices.max(1);
        let size = voices.min(channels - channel / voices * voices);
        let voice = channel % voices;
        let pitch = even(voice, size);
        let is_swapped = voice.min(size - 1 - voice) % 2 == 1;
        let side = match voices {
            1 => even(channel, channels),
            _ if is_swapped => -pitch,
            _ => pitch,
        };
        Seat { pitch, side, level: 1.0 / (size as f32).sqrt() }
    }

    #[inline(always)]
    fn towards(self, to: Seat, share: f32) -> Seat {
        Seat {
            pitch: self.pitch + (to.pitch - self.pitch) * share,
            side: self.side + (to.side - self.side) * share,
            level: self.level + (to.level - self.level) * share,
        }
    }
}

/// Item `index` of `count` that lie evenly over -1..=1; a single one in the middle.
fn even(index: usize, count: usize) -> f32 {
    if count < 2 { 0.0 } else { 2.0 * index as f32 / (count - 1) as f32 - 1.0 }
}

/// How a channel glides from one seat to another when `voices` changes. A change that comes meanwhile waits.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Seating {
    from: Seat,
    to: Seat,
    /// Frames of the glide that are still to come.
    left: u32,
    is_started: u32,
}

impl Seating {
    /// Heeds `voices`, at the start of a block.
    pub(super) fn meet(&mut self, voices: usize, channel: usize, channels: usize, glide_frames: u32) {
        if self.left > 0 {
            return;
        }
        let seat = Seat::new(voices, channel, channels);
        if self.is_started == 0 {
            *self = Seating { from: seat, to: seat, left: 0, is_started: 1 };
        } else if seat != self.to {
            *self = Seating { from: self.to, to: seat, left: glide_frames, is_started: 1 };
        }
    }

    /// Moves past a block.
    pub(super) fn advance(&mut self, frames: usize) {
        self.left = self.left.saturating_sub(frames as u32);
        if self.left == 0 {
            self.from = self.to;
        }
    }

    /// The seat in `frame` of this block. A smoothstep, so that neither loudness nor pitch has a corner.
    #[inline(always)]
    fn at(&self, frame: usize, glide_frames: u32) -> Seat {
        if self.left == 0 {
            return self.to;
        }
        let left = self.left.saturating_sub(frame as u32) as f32 / glide_frames as f32;
        let part = 1.0 - left;
        self.from.towards(self.to, part * part * (3.0 - 2.0 * part))
    }

    /// Share of `detune` in `frame` of this block.
    #[inline(always)]
    pub(super) fn pitch(&self, frame: usize, glide_frames: u32) -> f32 {
        self.at(frame, glide_frames).pitch
    }

    /// The same, if it does not move in this block.
    #[inline(always)]
    pub(super) fn resting_pitch(&self) -> Option<f32> {
        (self.from.pitch == self.to.pitch).then_some(self.to.pitch)
    }

    /// Gains of left and right in `frame` of this block.
    #[inline(always)]
    pub(super) fn gains(&self, frame: usize, glide_frames: u32, spread: f32) -> [f32; 2] {
        let seat = self.at(frame, glide_frames);
        equal_power(seat.side * spread).map(
            #[inline(always)]
            |gain| gain * seat.level,
        )
    }

    /// The same, if they do not move in this block while `spread` rests.
    #[inline(always)]
    pub(super) fn resting_gains(&self, spread: f32) -> Option<[f32; 2]> {
        (self.left == 0).then(|| self.gains(0, 1, spread))
    }
}

/// Gains of left and right at `place` (-1 left, 1 right): the sum of their squares is 2 everywhere, both are 1 in the middle.
#[inline(always)]
fn equal_power(place: f32) -> [f32; 2] {
    if place == 0.0 {
        return [1.0, 1.0];
    }
    let (sin, cos) = sin_cos_pi(0.25 + 0.25 * place.clamp(-1.0, 1.0));
    [cos * std::f32::consts::SQRT_2, sin * std::f32::consts::SQRT_2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_balance_in_pitch_and_place_and_keep_their_power() {
        for channels in 1..=16 {
            for voices in 1..=16 {
                let seats: Vec<Seat> = (0..channels).map(|channel| Seat::new(voices, channel, channels)).collect();
                for group in seats.chunks(voices) {
                    let sum = |of: &dyn Fn(&Seat) -> f32| group.iter().map(of).sum::<f32>();
                    assert!(sum(&|seat| seat.pitch).abs() < 1e-5);
                    assert!(voices == 1 || sum(&|seat| seat.side).abs() < 1e-5);
                    assert!((sum(&|seat| seat.level * seat.level) - 1.0).abs() < 1e-5);
                    assert!(group.len() == 1 || (group[0].pitch, group[group.len() - 1].pitch) == (-1.0, 1.0));
                }
            }
        }
        let notes: Vec<f32> = (0..3).map(|channel| Seat::new(1, channel, 3).side).collect();
        assert_eq!(notes, [-1.0, 0.0, 1.0]);
        for place in [-1.0, -0.3, 0.0, 0.7, 1.0] {
            let [left, right] = equal_power(place);
            assert!((left * left + right * right - 2.0).abs() < 2e-6 && (left > right) == (place < 0.0));
        }
    }
}
