//! Short-time spectra: a stretch of what was heard under Hann's window, its bins, and their phases as parts of a cycle.

use realfft::num_complex::Complex32;

use super::wave::{CYCLE, QUARTER, sine};
use crate::{Ffts, Tape};

/// Hann's window of `points` at `index`.
#[inline(always)]
pub fn hann(index: usize, points: usize) -> f32 {
    let phase = (index as u64 * (CYCLE as u64 / points as u64)) as u32;
    0.5 - 0.5 * sine(phase.wrapping_add(QUARTER))
}

/// The spectrum of the `N` frames before `frame` of this block, under Hann's window; `B` is N / 2 + 1.
#[inline(never)]
pub fn listen<const N: usize, const B: usize>(tape: &Tape<'_>, frame: usize, ffts: &Ffts) -> [Complex32; B] {
    const { assert!(B == N / 2 + 1) };
    let mut time = [0.0; N];
    tape.copy(frame, N, &mut time);
    for (index, value) in time.iter_mut().enumerate() {
        *value *= hann(index, N);
    }
    let mut spectrum = [Complex32::default(); B];
    ffts.forward(&mut time, &mut spectrum, &mut [Complex32::default(); N]);
    spectrum
}

/// The phase of a bin; 2^32 is one cycle. Error below 1e-7 of it.
///
/// Arctangent on 0..=1 after Abramowitz & Stegun 4.4.49, the rest by symmetry.
#[inline(always)]
pub fn turn(bin: Complex32) -> u32 {
    let (re, im) = (bin.re.abs(), bin.im.abs());
    let ratio = re.min(im) / re.max(im).max(1e-30);
    let z = ratio * ratio;
    let slope = 1.0
        + z * (-0.333_331_45
            + z * (0.199_935_51
                + z * (-0.142_089
                    + z * (0.106_562_64
                        + z * (-0.075_289_64 + z * (0.042_909_61 + z * (-0.016_165_74 + z * 0.002_866_226)))))));
    let mut cycles = ratio * slope * std::f32::consts::FRAC_1_PI * 0.5;
    if im > re {
        cycles = 0.25 - cycles;
    }
    if bin.re < 0.0 {
        cycles = 0.5 - cycles;
    }
    if bin.im < 0.0 {
        cycles = -cycles;
    }
    (f64::from(cycles) * CYCLE) as i64 as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_right_all_around() {
        for step in 0..10_000u32 {
            let angle = f64::from(step) / 10_000.0;
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * angle);
            let found = turn(Complex32::new(3.0 * cos as f32, 3.0 * sin as f32));
            let off = found.wrapping_sub((angle * CYCLE) as i64 as u32) as i32;
            assert!(f64::from(off).abs() < 2e-7 * CYCLE, "{angle}: {found}");
        }
        assert_eq!(turn(Complex32::default()), 0);
    }
}
