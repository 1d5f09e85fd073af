//! Portamento: a pitch on its way from one note to the next.
//!
//! An exponential approach in pitch, as the capacitor of a Minimoog's glide circuit makes it: fast at first, and every interval
//! takes the same time. The time that a player sets is that in which 99.9 % of the way are done: an octave is then 1.2 cents away.

use bytemuck::{Pod, Zeroable};

/// This close to the note it has arrived: a ten-thousandth of a cent.
const ARRIVED: f64 = 1e-7;

/// Where the pitch is, in octaves: part of a channel's state. An f64, for an f32 stalls on a slow way.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(transparent)]
pub struct Portamento {
    pitch: f64,
}

impl Portamento {
    /// Is at `note` at once.
    #[inline(always)]
    pub fn jump(&mut self, note: f32) {
        self.pitch = f64::from(note);
    }

    /// Moves towards `note` for one frame, by the share of [`Approach`](super::decay::Approach) with
    /// [`FALL_60_DB`](super::decay::FALL_60_DB); exactly there at a share of a time of 0.
    #[inline(always)]
    pub fn step(&mut self, note: f32, share: f64) -> f32 {
        let way = f64::from(note) - self.pitch;
        let left = way - way * share;
        self.pitch = if left.abs() < ARRIVED { f64::from(note) } else { self.pitch + way * share };
        self.pitch as f32
    }
}
