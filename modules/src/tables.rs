//! Read-only tables that the oscillators share: built once at warm-up, then sealed.

use bytemuck::{Pod, Zeroable};

use crate::dsp::banks::Banks;
use crate::dsp::residual::Residuals;

/// Every table of every kind, as plain data: it lives in a sealed segment that all workers map.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Tables {
    /// Band-limited jumps and corners.
    pub residuals: Residuals,
    /// Cycles to morph through.
    pub banks: Banks,
}

impl Tables {
    /// Computes every table on the heap; some ten milliseconds.
    pub fn build() -> Box<Tables> {
        let mut tables: Box<Tables> = bytemuck::zeroed_box();
        tables.residuals.fill();
        tables.banks.fill();
        tables
    }
}
