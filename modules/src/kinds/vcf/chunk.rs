//! What a filter hears and is told over a few frames, in its own terms: cycles per frame, dampings to come, driven input.

use super::{In, P};
use crate::dsp::math::exp2;
use crate::dsp::vactrol::Vactrol;
use crate::{Block, Param};

/// Frames that are prepared at once.
pub(super) const CHUNK: usize = 32;

/// Cutoff in cycles per frame: from 0.05 Hz at 48 kHz to just below half the rate, where the tangent is 32.
const CUTOFF_RANGE: (f32, f32) = (1e-6, 0.49);

/// Cutoff, resonance and driven input over one chunk.
pub(super) struct Chunk<const W: usize> {
    pub frames: usize,
    /// Cutoff and resonance do not move here: only their first rows count.
    pub is_even: bool,
    /// Some of what makes them moves in this block.
    moves: bool,
    pub input: [[f32; W]; CHUNK],
    pub cutoff: [[f32; W]; CHUNK],
    pub res: [[f32; W]; CHUNK],
    /// Loudness of a gate.
    pub gain: [[f32; W]; CHUNK],
}

impl<const W: usize> Chunk<W> {
    /// An empty one, for this `block`.
    #[inline(always)]
    pub fn new(block: &Block<'_, W>) -> Self {
        let still = is_still(&block.param(P::Cutoff))
            && is_still(&block.param(P::Res))
            && (!block.is_patched(In::Pitch) || is_still(&Param::Varying(block.input(In::Pitch))));
        let rows = [[0.0; W]; CHUNK];
        Chunk { frames: 0, is_even: still, moves: !still, input: rows, cutoff: rows, res: rows, gain: rows }
    }

    /// Takes the frames of `block` from `start` on.
    #[inline(always)]
    pub fn fill(&mut self, block: &Block<'_, W>, start: usize) {
        self.frames = CHUNK.min(block.frames - start);
        self.is_even = !self.moves;
        let input = &block.input(In::Main)[start..start + self.frames];
        match block.param(P::Drive) {
            Param::Constant(drive) => {
                for (row, input) in self.input.iter_mut().zip(input) {
                    for lane in 0..W {
                        row[lane] = input[lane] * drive;
                    }
                }
            }
            Param::Varying(drive) => {
                for ((row, input), drive) in self.input.iter_mut().zip(input).zip(&drive[start..]) {
                    for lane in 0..W {
                        row[lane] = input[lane] * drive[lane];
                    }
                }
            }
        }
        let (cutoff, res, frame_s) = (block.param(P::Cutoff), block.param(P::Res), 1.0 / block.rate_hz);
        let (is_played, pitch) = (block.is_patched(In::Pitch), block.input(In::Pitch));
        for index in 0..if self.is_even { 1 } else { self.frames } {
            let mut hz = cutoff.at(start + index);
            if is_played {
                for lane in 0..W {
                    hz[lane] *= exp2(pitch[start + index][lane]);
                }
            }
            for lane in 0..W {
                self.cutoff[index][lane] = (hz[lane] * frame_s).clamp(CUTOFF_RANGE.0, CUTOFF_RANGE.1);
            }
            self.res[index] = res.at(start + index);
        }
    }

    /// Lets a gate's vactrols follow the cutoff.
    #[inline(always)]
    pub fn gate(&mut self, vactrol: &mut Vactrol<W>) {
        let (cutoff, res) = (self.cutoff[0], self.res[0]);
        for index in 0..self.frames {
            let (cutoff, res) = if self.moves { (self.cutoff[index], self.res[index]) } else { (cutoff, res) };
            (self.cutoff[index], self.gain[index]) = vactrol.step(&cutoff);
            self.res[index] = res;
        }
        self.is_even = false;
    }

    /// The loudness of the gates.
    #[inline(always)]
    pub fn attenuate(&self, heard: &mut [[f32; W]]) {
        for (row, gain) in heard.iter_mut().zip(&self.gain) {
            for lane in 0..W {
                row[lane] *= gain[lane];
            }
        }
    }

    /// Whether the resonance is above `level` in some frame.
    #[inline(always)]
    pub fn resonates_above(&self, level: f32) -> bool {
        let rows = if self.is_even { 1 } else { self.frames };
        let mut most = 0.0f32;
        for row in &self.res[..rows] {
            for lane in 0..W {
                most = most.max(row[lane]);
            }
        }
        most > level
    }
}

/// Whether a param is the same in every frame, channel by channel.
#[inline(always)]
fn is_still<const W: usize>(param: &Param<'_, W>) -> bool {
    match param {
        Param::Constant(_) => true,
        Param::Varying(rows) => rows.iter().all(|row| row == &rows[0]),
    }
}
