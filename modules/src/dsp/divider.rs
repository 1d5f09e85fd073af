//! Sub-octave: a square one or two octaves below an oscillator, from a chain of two flip-flops.
//!
//! Each cycle that begins clocks the chain, also one that hard sync begins early; a cycle that is taken back (through-zero FM, soft
//! sync) clocks it back. Halves of a divided cycle are whole cycles, so the square is even and free of DC.
//!
//! Source: the CMOS divider behind the oscillator of the Roland SH-101 (service notes, 1982).

use bytemuck::{Pod, Zeroable};

use super::residual::{self, Residuals};
use super::steady::Canvas;

/// State of the chain.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Divider {
    /// Cycles begun, 0..=3.
    count: u32,
    /// Octaves below, 1 or 2.
    octaves: u32,
}

impl Divider {
    /// A chain at its beginning.
    pub fn new(octaves: u32) -> Divider {
        Divider { count: 0, octaves }
    }

    fn value(&self) -> f32 {
        if self.count >> (self.octaves >> 1) & 1 == 0 { 1.0 } else { -1.0 }
    }

    /// A cycle begins, or is taken back; `octaves` is what the player asks for. Returns by how much the square jumps.
    ///
    /// Both squares rise together every fourth cycle: there one takes over from the other without a trace.
    fn clock(&mut self, is_up: bool, octaves: u32) -> f32 {
        let before = self.value();
        let is_together = self.count == if is_up { 3 } else { 0 };
        self.count = self.count.wrapping_add(if is_up { 1 } else { 3 }) & 3;
        if is_together {
            self.octaves = octaves;
        }
        self.value() - before
    }
}

/// Draws the square onto a canvas, edge by edge in order of time.
pub struct Square<'a> {
    /// The chain as it stands after the last edge.
    pub divider: Divider,
    octaves: u32,
    tables: &'a Residuals,
    canvas: &'a mut Canvas,
    /// Frames that are drawn.
    drawn: usize,
}

impl<'a> Square<'a> {
    /// Before the first frame; `octaves` is what the player asks for.
    #[inline(always)]
    pub fn new(divider: Divider, octaves: u32, tables: &'a Residuals, canvas: &'a mut Canvas) -> Square<'a> {
        Square { divider, octaves, tables, canvas, drawn: 0 }
    }

    /// A cycle begins or is taken back, `age` frames before `frame`.
    #[inline(always)]
    pub fn edge(&mut self, frame: usize, age: f32, is_up: bool) {
        self.hold(frame);
        let jump = self.divider.clock(is_up, self.octaves);
        if jump != 0.0 {
            residual::add(&self.tables.step, &mut self.canvas[frame..], age, jump);
        }
    }

    /// Nothing happens up to `frame`.
    #[inline(always)]
    pub fn hold(&mut self, frame: usize) {
        let (late, value) = (self.tables.latency(), self.divider.value());
        for sample in &mut self.canvas[late + self.drawn..late + frame] {
            *sample += value;
        }
        self.drawn = frame;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_octave_waits_until_both_squares_rise() {
        let mut divider = Divider::new(1);
        let mut heard = vec![divider.value()];
        for cycle in 0..11 {
            let octaves = if cycle < 5 { 1 } else { 2 };
            divider.clock(true, octaves);
            heard.push(divider.value());
        }
        assert_eq!(heard, [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0]);
        for _ in 0..11 {
            divider.clock(false, 2);
        }
        assert_eq!((divider.count, divider.value()), (0, 1.0), "and back");
    }
}
