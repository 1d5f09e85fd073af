//! Fourier transforms that are ready when a module needs them: planned at warm-up, run without allocation.
//!
//! The choice of instruction set is made once, with the plan: every worker forks from one that has made it, so a block gives
//! the same bits wherever it is computed.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

/// Shortest transform, as a power of two.
const SHORTEST_LOG2: u32 = 5;

/// Longest transform: 8192 points.
const LONGEST_LOG2: u32 = 13;

/// Points of the longest transform.
pub const LONGEST: usize = 1 << LONGEST_LOG2;

/// Complex numbers of work space that any transform here is content with; a shorter one with as many as it has points.
pub const SCRATCH: usize = LONGEST;

/// Transforms of 32, 64, ... 8192 points.
pub struct Ffts {
    forward: Vec<Arc<dyn RealToComplex<f32>>>,
    inverse: Vec<Arc<dyn ComplexToReal<f32>>>,
}

impl Ffts {
    /// Plans all lengths; some milliseconds.
    pub fn plan() -> Ffts {
        let mut planner = RealFftPlanner::new();
        let lengths = || (SHORTEST_LOG2..=LONGEST_LOG2).map(|log2| 1 << log2);
        let ffts = Ffts {
            forward: lengths().map(|length| planner.plan_fft_forward(length)).collect(),
            inverse: lengths().map(|length| planner.plan_fft_inverse(length)).collect(),
        };
        let forward = ffts.forward.iter().map(|fft| (fft.get_scratch_len(), fft.len()));
        let inverse = ffts.inverse.iter().map(|fft| (fft.get_scratch_len(), fft.len()));
        assert!(
            forward.chain(inverse).all(|(scratch, points)| scratch <= points),
            "every transform fits the work space"
        );
        ffts
    }

    /// The spectrum of `time`, a power of two of 32 to 8192 points, which is spoilt; `spectrum` has half as many bins plus one. Not
    /// normalised. `scratch` has at least as many elements as `time`.
    #[inline(never)]
    pub fn forward(&self, time: &mut [f32], spectrum: &mut [Complex32], scratch: &mut [Complex32]) {
        let fft = &self.forward[index(time.len())];
        let length = fft.get_scratch_len();
        let outcome = fft.process_with_scratch(time, spectrum, &mut scratch[..length]);
        debug_assert!(outcome.is_ok(), "lengths match");
    }

    /// The inverse, not normalised: forward and back multiplies by the number of points. `spectrum` is spoilt; its first
    /// and last bins are taken as real.
    #[inline(never)]
    pub fn inverse(&self, spectrum: &mut [Complex32], time: &mut [f32], scratch: &mut [Complex32]) {
        let fft = &self.inverse[index(time.len())];
        let length = fft.get_scratch_len();
        spectrum[0].im = 0.0;
        spectrum[time.len() / 2].im = 0.0;
        let outcome = fft.process_with_scratch(spectrum, time, &mut scratch[..length]);
        debug_assert!(outcome.is_ok(), "lengths match");
    }
}

fn index(points: usize) -> usize {
    debug_assert!(points.is_power_of_two());
    (points.trailing_zeros() - SHORTEST_LOG2) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_and_back_gives_the_signal_times_its_length() {
        let ffts = Ffts::plan();
        let mut scratch = vec![Complex32::default(); SCRATCH];
        for log2 in SHORTEST_LOG2..=LONGEST_LOG2 {
            let length = 1usize << log2;
            let signal: Vec<f32> = (0..length).map(|n| libm::sinf(n as f32 * 0.7) + 0.1 * (n % 5) as f32).collect();
            let (mut time, mut spectrum) = (signal.clone(), vec![Complex32::default(); length / 2 + 1]);
            ffts.forward(&mut time, &mut spectrum, &mut scratch);
            ffts.inverse(&mut spectrum, &mut time, &mut scratch);
            for (back, sample) in time.iter().zip(&signal) {
                assert!((back / length as f32 - sample).abs() < 1e-5);
            }
        }
    }
}
