//! A control that follows its target without a corner: two low-passes in a row, so that even its speed never jumps.

use bytemuck::{Pod, Zeroable};

use super::decay::approach;

/// Where a control stands: part of a state. Zeroed, it takes the first target that it meets at once.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Glide {
    /// The first low-pass.
    lag: f64,
    level: f64,
    /// 1 once it has met a target.
    is_set: u64,
}

/// The coefficient of [`Glide::step`] for two time constants of `seconds` each and one step every `frames`.
///
/// A way of d frames of delay is then gone at d / (e * seconds * rate) frames per frame at most, e being 2.718.
#[inline(always)]
pub fn pull(seconds: f64, rate_hz: f32, frames: usize) -> f64 {
    approach(frames as f64 / (seconds * f64::from(rate_hz)))
}

impl Glide {
    /// Goes one step towards `target`.
    #[inline(always)]
    pub fn step(&mut self, target: f64, pull: f64) -> f64 {
        if self.is_set == 0 {
            *self = Glide { lag: target, level: target, is_set: 1 };
        }
        self.lag += (target - self.lag) * pull;
        self.level += (self.lag - self.level) * pull;
        self.level
    }

    /// Where it stands.
    #[inline(always)]
    pub fn level(&self) -> f64 {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_at_its_target_and_bends_to_the_next_without_a_corner() {
        let (mut glide, k) = (Glide::zeroed(), pull(0.01, 48_000.0, 1));
        assert_eq!(glide.step(3.0, k), 3.0);
        let levels: Vec<f64> = (0..9_600).map(|_| glide.step(4.0, k)).collect();
        let speeds: Vec<f64> = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let fastest = speeds.iter().copied().fold(0.0, f64::max);
        assert!((fastest * 480.0 * std::f64::consts::E - 1.0).abs() < 0.01, "{fastest}");
        assert!(speeds.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 1.0 / (480.0 * 479.0)));
        assert!((levels[9_599] - 4.0).abs() < 1e-6);
    }
}
