//! Read-only tables that the oscillators share: built once at warm-up, then sealed.

use bytemuck::{Pod, Zeroable};

/// Every table of every kind, as plain data: it lives in a sealed segment that all workers map.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Tables {
    /// Placeholder until the oscillators bring theirs.
    pub reserved: [f32; 4],
}

impl Tables {
    /// Computes every table on the heap.
    pub fn build() -> Box<Tables> {
        bytemuck::zeroed_box()
    }
}
