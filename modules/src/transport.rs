//! Musical time, as a module sees it: a position in beats that is part of the block's inputs, like any signal.

/// The transport over one block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transport {
    /// Beats since the start, at the first frame of the block.
    pub beat: f64,
    /// Beats per frame; 0 while the transport stands.
    pub beats_per_frame: f64,
}

impl Transport {
    /// The position at `frame` of this block, in beats.
    #[inline(always)]
    pub fn at(&self, frame: usize) -> f64 {
        self.beat + self.beats_per_frame * frame as f64
    }
}
