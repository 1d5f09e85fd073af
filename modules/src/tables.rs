//! Read-only tables that kinds share: built once at warm-up, then sealed.

use bytemuck::{Pod, Zeroable};

use crate::dsp::banks::Banks;
use crate::dsp::residual::{self, Residuals};
use crate::dsp::sinc::Sinc;

/// Every table of every kind, as plain data: it lives in a sealed segment that all workers map.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Tables {
    /// Band-limited jumps and corners.
    pub residuals: Residuals,
    /// The same at half the latency.
    pub low_residuals: Residuals,
    /// To read recordings with.
    pub sinc: Sinc,
    /// Cycles to morph through.
    pub banks: Banks,
}

impl Tables {
    /// Computes every table on the heap.
    pub fn build() -> Box<Tables> {
        let mut tables: Box<Tables> = bytemuck::zeroed_box();
        tables.fill();
        tables
    }

    /// Computes every table in place; some ten milliseconds.
    pub fn fill(&mut self) {
        self.residuals.fill(residual::BEST);
        self.low_residuals.fill(residual::LOW);
        self.sinc.fill();
        self.banks.fill();
    }
}
