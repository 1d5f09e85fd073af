//! What moves the phase of an oscillator: its inputs and params over one block, and whether a channel rests.

use super::unison::Seating;
use super::voice::Voice;
use super::{In, P, RISE_MAX};
use crate::dsp::course::step_of;
use crate::dsp::math::{exp2, round};
use crate::dsp::steady::{CYCLE_48, Steady};
use crate::{Block, Param};

/// Octaves of one cent.
const CENT: f32 = 1.0 / 1_200.0;

/// The inputs and params that move a phase, over one block.
pub(super) struct Controls<'a, const W: usize> {
    pitch: &'a [[f32; W]],
    /// Whether pitch is the same in every frame, per channel.
    is_pitch_resting: [bool; W],
    fm: Option<&'a [[f32; W]]>,
    xfm: Option<&'a [[f32; W]]>,
    pub(super) sync: Option<&'a [[f32; W]]>,
    freq: Param<'a, W>,
    pub(super) pw: Param<'a, W>,
    fm_depth: Param<'a, W>,
    xfm_depth: Param<'a, W>,
    detune: Param<'a, W>,
    rate_hz: f32,
    /// Frames in which a channel glides to another seat.
    glide_frames: u32,
}

impl<'a, const W: usize> Controls<'a, W> {
    #[inline(always)]
    pub(super) fn new(block: &Block<'a, W>, glide_frames: u32) -> Self {
        let modulation = |input: In, depth: &Param<'a, W>| {
            let is_on = block.is_patched(input) && depth.constant() != Some(0.0);
            is_on.then(|| block.input(input))
        };
        let (fm_depth, xfm_depth) = (block.param(P::FmDepth), block.param(P::XfmDepth));
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
            fm: modulation(In::Fm, &fm_depth),
            xfm: modulation(In::Xfm, &xfm_depth),
            sync: block.is_patched(In::Sync).then(|| block.input(In::Sync)),
            freq: block.param(P::Freq),
            pw: block.param(P::Pw),
            fm_depth,
            xfm_depth,
            detune: block.param(P::Detune),
            rate_hz: block.rate_hz,
            glide_frames,
        }
    }

    /// The movement of a channel over this block, if it is even. Decided for each channel by its own signals alone, so that a
    /// channel gives the same bits whatever its neighbours do.
    #[inline(always)]
    pub(super) fn steady(&self, voice: &Voice, lane: usize) -> Option<Steady> {
        let pw = resting(&self.pw, lane)?;
        let freq_hz = resting(&self.freq, lane)?;
        let is_moved = self.fm.is_some() || self.xfm.is_some() || self.sync.is_some();
        if is_moved || !self.is_pitch_resting[lane] || voice.is_backward() {
            return None;
        }
        let width = width_of(pw);
        if voice.last_width() != width {
            return None;
        }
        let detuning = match voice.seating.resting_pitch()? {
            0.0 => 0.0,
            share => share * resting(&self.detune, lane)? * CENT,
        };
        let rise = f64::from(freq_hz * exp2(self.pitch[0][lane] + detuning)) / f64::from(self.rate_hz);
        let step = (rise.min(f64::from(RISE_MAX)) * CYCLE_48 as f64 + 0.5) as u64;
        Some(Steady { phase: voice.phase_48(), step, width })
    }

    /// The steps of the phases of all channels, from frame `start` of the block on.
    #[inline(always)]
    pub(super) fn steps(&self, start: usize, seatings: &[Seating; W], steps: &mut [[i32; W]]) {
        let frame_s = 1.0 / self.rate_hz;
        let is_detuned = seatings.iter().any(|seating| seating.resting_pitch() != Some(0.0));
        let pitch = &self.pitch[start..start + steps.len()];
        for (index, (row, pitch)) in steps.iter_mut().zip(pitch).enumerate() {
            let frame = start + index;
            let freq = self.freq.at(frame);
            let mut octaves = *pitch;
            if is_detuned {
                let cents = self.detune.at(frame);
                for lane in 0..W {
                    octaves[lane] += seatings[lane].pitch(index, self.glide_frames) * cents[lane] * CENT;
                }
            }
            if let Some(xfm) = self.xfm {
                let (depth, xfm) = (self.xfm_depth.at(frame), xfm[frame]);
                for lane in 0..W {
                    octaves[lane] += depth[lane] * xfm[lane];
                }
            }
            let mut rise = [0.0; W];
            for lane in 0..W {
                rise[lane] = freq[lane] * exp2(octaves[lane]) * frame_s;
            }
            if let Some(fm) = self.fm {
                let (depth, fm) = (self.fm_depth.at(frame), fm[frame]);
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

/// The width of a pulse as a phase, by way of 31 bits: its conversions are signed ones.
#[inline(always)]
pub(super) fn width_of(pw: f32) -> u32 {
    (round(pw * 2_147_483_648.0) as u32) << 1
}

/// The value of a param in one channel, if it is the same in every frame.
#[inline(always)]
fn resting<const W: usize>(param: &Param<'_, W>, lane: usize) -> Option<f32> {
    match param {
        Param::Constant(value) => Some(*value),
        Param::Varying(rows) => rows.iter().all(|row| row[lane] == rows[0][lane]).then(|| rows[0][lane]),
    }
}
