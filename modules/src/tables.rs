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
    /// Computes every table on the heap; some ten milliseconds.
    pub fn build() -> Box<Tables> {
        let mut tables: Box<Tables> = bytemuck::zeroed_box();
        tables.residuals.fill(residual::BEST);
        tables.low_residuals.fill(residual::LOW);
        tables.sinc.fill();
        tables.banks.fill();
        tables
    }
}
