//! Reading a recording between its samples and at any speed: a windowed sinc, stretched where the speed would alias.
//!
//! The sinc ends at half the rate under Kaiser's window over 16 zero crossings a side: below 0.4 of the rate (19 kHz at 48 kHz) it is flat,
//! above 0.6 it is gone, -100 dB. Read at a speed of s > 1 it is s times as wide, so that its edge stays where the output's band ends:
//! what folds lands above 19 kHz. Linear interpolation between 512 positions per crossing adds an error of -116 dB.
//!
//! Source: Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP 1984.

use bytemuck::{Pod, Zeroable};

use super::kaiser::Kaiser;

/// Zero crossings on either side.
const CROSSINGS: usize = 16;

/// Positions per crossing.
const PHASES: usize = 512;

/// Shape of Kaiser's window: -100 dB.
const BETA: f64 = 10.06;

/// Fastest read: a stretch by this much.
pub const STRETCH_MAX: f32 = 2.0;

/// Most samples that one read takes.
pub const TAPS_MAX: usize = 2 * CROSSINGS * STRETCH_MAX as usize;

/// Samples that a read takes where nothing is stretched.
const TAPS: usize = 2 * CROSSINGS;

/// The kernel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Sinc {
    /// Its right half.
    values: [f32; CROSSINGS * PHASES + 2],
    /// The same again, a row of weights per position between two samples: what is not stretched is read straight from here.
    rows: [[f32; TAPS]; PHASES + 1],
}

/// What a read between two samples weighs its neighbours with.
pub struct Weights {
    /// The first sample of the read, against the whole part of the position.
    pub first: i64,
    /// How many.
    pub count: usize,
    /// One each.
    pub values: [f32; TAPS_MAX],
}

impl Sinc {
    /// Computes the table in place.
    pub fn fill(&mut self) {
        let window = Kaiser::new(BETA);
        for (index, value) in self.values.iter_mut().enumerate() {
            let time = index as f64 / PHASES as f64;
            let part = time / CROSSINGS as f64;
            let angle = std::f64::consts::PI * time;
            let sinc = if index == 0 { 1.0 } else { libm::sin(angle) / angle };
            // Exactly 0 at the crossings: a whole position is read to the bit.
            let is_crossing = index > 0 && index % PHASES == 0;
            *value = if is_crossing { 0.0 } else { (sinc * window.at(part)) as f32 };
        }
        for (phase, row) in self.rows.iter_mut().enumerate() {
            for (tap, weight) in row.iter_mut().enumerate() {
                *weight = self.values[(phase + (CROSSINGS - 1) * PHASES).abs_diff(tap * PHASES)];
            }
        }
    }

    /// The weights for a point `part` (0..1) after a sample, at a speed of `stretch` (1..=[`STRETCH_MAX`]) frames per frame.
    #[inline(always)]
    pub fn weights(&self, part: f32, stretch: f32) -> Weights {
        if stretch <= 1.0 {
            return self.unstretched(part);
        }
        let stretch = stretch.min(STRETCH_MAX);
        let reach = (CROSSINGS as f32 * stretch) as i64;
        let scale = 1.0 / stretch;
        let mut weights = Weights { first: 1 - reach, count: 2 * reach as usize, values: [0.0; TAPS_MAX] };
        for (tap, weight) in weights.values[..2 * reach as usize].iter_mut().enumerate() {
            let time = (part - (1 - reach + tap as i64) as f32).abs() * scale * PHASES as f32;
            let index = (time as usize).min(CROSSINGS * PHASES);
            let between = time - index as f32;
            let (near, far) = (self.values[index], self.values[index + 1]);
            *weight = scale * (near + between.min(1.0) * (far - near));
        }
        weights
    }

    #[inline(always)]
    fn unstretched(&self, part: f32) -> Weights {
        let mut weights = Weights { first: 1 - CROSSINGS as i64, count: TAPS, values: [0.0; TAPS_MAX] };
        let position = part * PHASES as f32;
        let row = (position as usize).min(PHASES - 1);
        let between = position - row as f32;
        let (this, next) = (&self.rows[row], &self.rows[row + 1]);
        for tap in 0..TAPS {
            weights.values[tap] = this[tap] + between * (next[tap] - this[tap]);
        }
        weights
    }
}
