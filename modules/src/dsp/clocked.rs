//! What walks in steps hears two gates: a clock that moves it on and a reset that sends it back.

use bytemuck::{Pod, Zeroable};

use super::schmitt::gate;

/// Both gates, 0 or 1: part of a channel's state.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Clocked {
    clock: f32,
    reset: f32,
}

/// What happened in a frame. A reset comes before a pulse of the same frame.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// The reset went on.
    pub is_reset: bool,
    /// The clock went on.
    pub is_pulse: bool,
    /// The clock is on.
    pub is_up: bool,
}

impl Clocked {
    /// Takes the levels of one frame.
    #[inline(always)]
    pub fn hear(&mut self, clock: f32, reset: f32) -> Heard {
        let before = *self;
        *self = Clocked { clock: gate(before.clock, clock), reset: gate(before.reset, reset) };
        Heard { is_reset: self.reset > before.reset, is_pulse: self.clock > before.clock, is_up: self.is_up() }
    }

    /// Whether the clock is on.
    #[inline(always)]
    pub fn is_up(&self) -> bool {
        self.clock > 0.5
    }
}

/// Walks through `count` steps again and again: the step after `next` steps were walked since the reset, and whether that
/// begins anew.
#[inline(always)]
pub fn walk(next: &mut u32, count: u32) -> (u32, bool) {
    let is_new = *next >= count.max(1);
    let step = if is_new { 0 } else { *next };
    *next = step + 1;
    (step, is_new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_round_and_heeds_a_count_that_shrinks() {
        let mut next = 0;
        let counts = [3, 3, 3, 3, 3, 1, 1, 0];
        let steps: Vec<(u32, bool)> = counts.into_iter().map(|count| walk(&mut next, count)).collect();
        let once = |step| (step, false);
        assert_eq!(steps, [once(0), once(1), once(2), (0, true), once(1), (0, true), (0, true), (0, true)]);
    }
}
