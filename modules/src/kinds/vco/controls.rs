//! What moves the phase of an oscillator: its inputs and params over one block, and whether a channel rests.

use super::{In, P, RISE_MAX, Voice};
use crate::dsp::math::exp2;
use crate::dsp::moving::step_of;
use crate::dsp::steady::{CYCLE_48, Steady};
use crate::{Block, Param};

/// The inputs and params that move a phase, over one block.
pub(super) struct Controls<'a, const W: usize> {
    pitch: &'a [[f32; W]],
    /// Whether pitch is the same in every frame, per channel.
    is_pitch_resting: [bool; W],
    fm: Option<&'a [[f32; W]]>,
    pub(super) sync: Option<&'a [[f32; W]]>,
    freq: Param<'a, W>,
    pub(super) pw: Param<'a, W>,
    fm_depth: Param<'a, W>,
    rate_hz: f32,
}

impl<'a, const W: usize> Controls<'a, W> {
    #[inline(always)]
    pub(super) fn new(block: &Block<'a, W>) -> Self {
        let fm_depth = block.param(P::FmDepth);
        let is_fm = block.is_patched(In::Fm) && fm_depth.constant() != Some(0.0);
        let pitch = block.input(In::Pitch);
        let mut is_pitch_resting = [true; W];
        if block.is_patched(In::Pitch) {
            for row in pitch {
                for lane in 0..W {
                    is_pitch_resting[lane] &= row[lane] == pitch[0][lane];
                }
            }
        }
        Controls {
            pitch,
            is_pitch_resting,
            fm: is_fm.then(|| block.input(In::Fm)),
            sync: block.is_patched(In::Sync).then(|| block.input(In::Sync)),
            freq: block.param(P::Freq),
            pw: block.param(P::Pw),
            fm_depth,
            rate_hz: block.rate_hz,
        }
    }

    /// The movement of a channel over this block, if it is even. Decided for each channel by its own signals alone, so that a
    /// channel gives the same bits whatever its neighbours do.
    #[inline(always)]
    pub(super) fn steady(&self, voice: &Voice, lane: usize) -> Option<Steady> {
        let pw = resting(&self.pw, lane)?;
        let freq_hz = resting(&self.freq, lane)?;
        if self.fm.is_some() || self.sync.is_some() || !self.is_pitch_resting[lane] {
            return None;
        }
        let width = width_of(pw);
        if voice.is_started != 0 && voice.widths[2] != width {
            return None;
        }
        let rise = f64::from(freq_hz * exp2(self.pitch[0][lane])) / f64::from(self.rate_hz);
        let step = (rise.min(f64::from(RISE_MAX)) * CYCLE_48 as f64 + 0.5) as u64;
        Some(Steady { phase: voice.phase_48(), step, width })
    }

    /// The steps of the phases of all channels.
    #[inline(always)]
    pub(super) fn steps(&self, start: usize, steps: &mut [[i32; W]]) {
        let frame_s = 1.0 / self.rate_hz;
        let pitch = &self.pitch[start..start + steps.len()];
        for (index, (row, pitch)) in steps.iter_mut().zip(pitch).enumerate() {
            let freq = self.freq.at(start + index);
            let mut rise = [0.0; W];
            for lane in 0..W {
                rise[lane] = freq[lane] * exp2(pitch[lane]) * frame_s;
            }
            if let Some(fm) = self.fm {
                let (depth, fm) = (self.fm_depth.at(start + index), fm[start + index]);
                for lane in 0..W {
                    rise[lane] *= 1.0 + depth[lane] * fm[lane];
                }
            }
            for lane in 0..W {
                row[lane] = step_of(rise[lane].clamp(-RISE_MAX, RISE_MAX));
            }
        }
    }
}

/// The width of a pulse as a phase, by way of 31 bits, which SIMD can convert.
#[inline(always)]
pub(super) fn width_of(pw: f32) -> u32 {
    ((pw * 2_147_483_648.0) as i32 as u32) << 1
}

/// The value of a param in one channel, if it is the same in every frame.
#[inline(always)]
fn resting<const W: usize>(param: &Param<'_, W>, lane: usize) -> Option<f32> {
    match param {
        Param::Constant(value) => Some(*value),
        Param::Varying(rows) => rows.iter().all(|row| row[lane] == rows[0][lane]).then(|| rows[0][lane]),
    }
}
