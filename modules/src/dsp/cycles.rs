//! Single cycles of a sound, ready to be read at any pitch: mip-maps half an octave apart, and a spline between samples.
//!
//! A cycle of 512 harmonics read at 1 kHz would alias from its 24th on. So each cycle is kept 19 times, each time
//! with 1/sqrt 2 as many harmonics, down to one; the reader takes the richest whose top stays below half the rate. That
//! top is never below 17 kHz at 48 kHz, so nothing audible is missing, and nothing folds. Below 47 Hz the 512th
//! harmonic is the end. Close to where a level ends the next fades in: no step in a glide. Under frequency modulation levels change
//! within a few frames, which makes side bands of its own; there the fade spans the whole half octave (saw of 880 Hz by
//! 110 Hz: -77 dB instead of -57), and takes some of what lies above 12 kHz.
//!
//! Every level has at least eight samples for each of its harmonics, and is read by a B-spline of order 5, six samples wide. Its
//! images are 101 dB down for the highest harmonic, and what it dulls is made up for, exactly, when the level is made.
//! Transforms are scalar, in f64, so that every machine makes the same bits.
//!
//! Source: Niemitalo, "Polynomial Interpolators for High-Quality Resampling of Oversampled Audio", 2001 (B-splines of
//! oversampled sound, pre-emphasis); Laakso et al., "Splitting the unit delay", 1996.

use rustfft::FftPlannerScalar;
use rustfft::num_complex::Complex64;

/// Harmonics of the richest level.
pub const HARMONICS: usize = 512;

/// Levels: harmonic counts of 512, 362, 256, ... 1.
const LEVELS: usize = 19;

/// Samples that are read at once; the spline has six, so that two of its weights are 0.
const TAPS: usize = 8;

/// Samples of a level that lie before the point, besides the one at it.
const NEAR: usize = 2;

/// First sample of each level, and the end.
const OFFSETS: [usize; LEVELS + 1] = {
    let mut offsets = [0; LEVELS + 1];
    let mut level = 0;
    while level < LEVELS {
        // The ends are kept twice, so that no reader has to wrap.
        offsets[level + 1] = offsets[level] + (1 << length_log2(level)) + TAPS;
        level += 1;
    }
    offsets
};

/// Samples of one cycle with all its levels: 67 KB.
pub const CYCLE_SAMPLES: usize = OFFSETS[LEVELS];

/// Amplitudes of cosine (re) and sine (im) of each harmonic from 0 on; the mean (0) is left out.
pub type Spectrum = [Complex64; HARMONICS + 1];

const fn length_log2(level: usize) -> u32 {
    let log2 = 12 - level as u32 / 2;
    if log2 > 6 { log2 } else { 6 }
}

fn harmonics(level: usize) -> usize {
    (HARMONICS as f64 * libm::exp2(-0.5 * level as f64)) as usize
}

/// Cuts cycles into harmonics, and makes levels of harmonics.
pub struct Maker {
    /// Transforms of the levels' lengths and of whatever else was asked for; scalar ones, which every machine computes alike.
    planner: FftPlannerScalar<f64>,
    /// What makes up for the spline's gain at each harmonic, a level after another.
    emphasis: Vec<Vec<f64>>,
    points: Vec<Complex64>,
}

impl Default for Maker {
    /// Computes what all cycles share.
    fn default() -> Maker {
        let emphasis = |level: usize| {
            let length = 1usize << length_log2(level);
            let gain = |harmonic: usize| {
                // The spline's own gain at a harmonic is sinc^6.
                let angle = std::f64::consts::PI * harmonic as f64 / length as f64;
                let inverse = angle / libm::sin(angle);
                let cube = inverse * inverse * inverse;
                cube * cube
            };
            (1..=harmonics(level)).map(gain).collect()
        };
        Maker { planner: FftPlannerScalar::new(), emphasis: (0..LEVELS).map(emphasis).collect(), points: Vec::new() }
    }
}

impl Maker {
    /// The spectrum of one cycle of any length.
    pub fn analyse(&mut self, cycle: &[f64]) -> Box<Spectrum> {
        let length = cycle.len();
        let mut spectrum = Box::new([Complex64::ZERO; HARMONICS + 1]);
        let count = HARMONICS.min(length.saturating_sub(1) / 2);
        self.points.clear();
        self.points.extend(cycle.iter().map(|&sample| Complex64::from(sample)));
        self.planner.plan_fft_inverse(length).process(&mut self.points);
        for (harmonic, amplitude) in spectrum.iter_mut().enumerate().take(count + 1).skip(1) {
            *amplitude = self.points[harmonic] * (2.0 / length as f64);
        }
        spectrum
    }

    /// Largest value of the cycle that has this spectrum.
    pub fn peak(&mut self, spectrum: &Spectrum) -> f64 {
        self.sum(&spectrum[1..], 8 * HARMONICS, |_| 1.0);
        self.points.iter().fold(0.0, |peak, point| point.re.abs().max(peak))
    }

    /// Makes all levels of the cycle that has this spectrum. `into` has [`CYCLE_SAMPLES`] values.
    pub fn make(&mut self, spectrum: &Spectrum, into: &mut [f32]) {
        let emphasis = std::mem::take(&mut self.emphasis);
        for (level, emphasis) in emphasis.iter().enumerate() {
            let length = 1usize << length_log2(level);
            self.sum(&spectrum[1..=emphasis.len()], length, |index| emphasis[index]);
            for (index, value) in into[OFFSETS[level]..OFFSETS[level + 1]].iter_mut().enumerate() {
                *value = self.points[(index + length - NEAR) % length].re as f32;
            }
        }
        self.emphasis = emphasis;
    }

    /// One cycle of `length` points, as real parts, of harmonics from the first on, each at a gain.
    fn sum(&mut self, harmonics: &[Complex64], length: usize, gain: impl Fn(usize) -> f64) {
        self.points.clear();
        self.points.resize(length, Complex64::ZERO);
        for (index, harmonic) in harmonics.iter().enumerate() {
            // a cos + b sin is the real part of (a - i b) e^(i angle).
            self.points[index + 1] = harmonic.conj() * gain(index);
        }
        self.planner.plan_fft_inverse(length).process(&mut self.points);
    }
}

/// Where a level begins to fade at a pitch that rests or glides: below it the next one's own top would not reach 16 kHz.
pub const STEADY: f32 = 0.95;

/// And under frequency modulation: everywhere.
pub const MOVING: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Which levels play at a pitch.
#[derive(Clone, Copy, Debug)]
pub struct Levels {
    level: usize,
    /// Share of the level after it.
    next: f32,
}

impl Levels {
    /// For a movement of `rise` cycles per frame, either way. `fade` says where the next level begins to come in, as a share of
    /// where it must be alone: between [`STEADY`] and [`MOVING`].
    #[inline(always)]
    pub fn at(rise: f32, fade: f32) -> Levels {
        // Half the rate over the pitch is what a level may have; 1 is all of 512.
        let excess = (rise.abs() * (2 * HARMONICS) as f32).clamp(0.5, 511.9);
        let exponent = (excess.to_bits() >> 23) as i32 - 127;
        let part = f32::from_bits(excess.to_bits() & 0x007f_ffff | 0x3f80_0000);
        let is_upper = part >= std::f32::consts::SQRT_2;
        let level = 2 * exponent + 1 + i32::from(is_upper);
        let top = if is_upper { 2.0 } else { std::f32::consts::SQRT_2 };
        let next = ((part / top - fade) / (1.0 - fade)).clamp(0.0, 1.0);
        if level < 0 || level as usize >= LEVELS - 1 {
            return Levels { level: level.clamp(0, LEVELS as i32 - 1) as usize, next: 0.0 };
        }
        Levels { level: level as usize, next }
    }
}

/// A row of cycles, wherever they are kept.
pub trait Cycles {
    /// How many.
    fn count(&self) -> usize;
    /// Eight samples from `at` on, counted over all cycles.
    fn taps(&self, at: usize) -> [f32; TAPS];
}

impl Cycles for &[f32] {
    #[inline(always)]
    fn count(&self) -> usize {
        self.len() / CYCLE_SAMPLES
    }

    #[inline(always)]
    fn taps(&self, at: usize) -> [f32; TAPS] {
        self.get(at..).and_then(|samples| samples.first_chunk()).copied().unwrap_or([0.0; TAPS])
    }
}

/// The value at `phase` (2^64 is a cycle), `position` (0..=1) of the way from the first of `cycles` to the last.
#[inline(always)]
pub fn read(cycles: &impl Cycles, phase: u64, position: f32, levels: Levels) -> f32 {
    let last = cycles.count().saturating_sub(1);
    let place = position * last as f32;
    let cycle = (place as usize).min(last);
    let morph = place - cycle as f32;
    let base = cycle * CYCLE_SAMPLES;
    let value = read_level(cycles, phase, base, morph, levels.level);
    if levels.next == 0.0 {
        return value;
    }
    value + (read_level(cycles, phase, base, morph, levels.level + 1) - value) * levels.next
}

#[inline(always)]
fn read_level(cycles: &impl Cycles, phase: u64, base: usize, morph: f32, level: usize) -> f32 {
    let length_log2 = length_log2(level);
    let at = base + OFFSETS[level] + (phase >> (64 - length_log2)) as usize;
    let weights = spline(((phase << length_log2) >> 40) as f32 * (1.0 / 16_777_216.0));
    let mut taps = cycles.taps(at);
    if morph > 0.0 {
        let next = cycles.taps(at + CYCLE_SAMPLES);
        for tap in 0..TAPS {
            taps[tap] += (next[tap] - taps[tap]) * morph;
        }
    }
    let mut sums = [0.0; TAPS];
    for tap in 0..TAPS {
        sums[tap] = taps[tap] * weights[tap];
    }
    // A tree, so that the order is the same however wide the vectors are.
    ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))
}

/// Weights of samples -2..=3 at `x` (0..1) of the way from sample 0 to sample 1; a B-spline of order 5 (Niemitalo, 6-point).
#[inline(always)]
fn spline(x: f32) -> [f32; TAPS] {
    // From x^5 down.
    const ROWS: [[f32; TAPS]; 6] = over_120([
        [-1.0, 5.0, -10.0, 10.0, -5.0, 1.0, 0.0, 0.0],
        [5.0, -20.0, 30.0, -20.0, 5.0, 0.0, 0.0, 0.0],
        [-10.0, 20.0, 0.0, -20.0, 10.0, 0.0, 0.0, 0.0],
        [10.0, 20.0, -60.0, 20.0, 10.0, 0.0, 0.0, 0.0],
        [-5.0, -50.0, 0.0, 50.0, 5.0, 0.0, 0.0, 0.0],
        [1.0, 26.0, 66.0, 26.0, 1.0, 0.0, 0.0, 0.0],
    ]);
    let mut weights = [0.0; TAPS];
    for row in &ROWS {
        for tap in 0..TAPS {
            weights[tap] = weights[tap] * x + row[tap];
        }
    }
    weights
}

const fn over_120(mut rows: [[f32; TAPS]; 6]) -> [[f32; TAPS]; 6] {
    let mut index = 0;
    while index < 6 * TAPS {
        rows[index / TAPS][index % TAPS] /= 120.0;
        index += 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_comes_back_from_its_spectrum() {
        let mut maker = Maker::default();
        let mut spectrum = Box::new([Complex64::ZERO; HARMONICS + 1]);
        (spectrum[1].im, spectrum[5].re, spectrum[60].im) = (1.0, -0.5, 0.25);
        let value = |t: f64| {
            let angle = std::f64::consts::TAU * t;
            libm::sin(angle) - 0.5 * libm::cos(5.0 * angle) + 0.25 * libm::sin(60.0 * angle)
        };
        for length in [600, 2_048] {
            let cycle: Vec<f64> = (0..length).map(|n| value(n as f64 / length as f64)).collect();
            for (found, meant) in maker.analyse(&cycle).iter().zip(spectrum.iter()) {
                assert!((found - meant).norm() < 1e-12);
            }
        }
        let mut samples = vec![0.0; CYCLE_SAMPLES];
        maker.make(&spectrum, &mut samples);
        for step in 0..10_000u64 {
            let phase = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let found = read(&samples.as_slice(), phase, 0.0, Levels::at(0.001, STEADY));
            let exact = value(phase as f64 / 18_446_744_073_709_551_616.0);
            assert!((f64::from(found) - exact).abs() < 1e-6, "at {phase}: {found}, not {exact}");
        }
    }

    #[test]
    fn no_level_that_plays_holds_what_would_fold_or_lacks_what_is_heard() {
        for step in 0..20_000 {
            let hz = 10.0 * libm::exp2f(step as f32 * 11.2 / 20_000.0);
            let levels = Levels::at(hz / 48_000.0, STEADY);
            let top = |level: usize| HARMONICS as f32 * libm::exp2f(-0.5 * level as f32) * hz;
            assert!(levels.next == 1.0 || top(levels.level) <= 24_001.0, "{hz} Hz: {levels:?}");
            let poorest = if levels.next > 0.0 { levels.level + 1 } else { levels.level };
            assert!(poorest <= 1 || top(poorest) >= 16_000.0, "{hz} Hz: {levels:?}");
        }
    }

    #[test]
    fn the_weights_sum_to_one() {
        for step in 0..=64 {
            let sum: f32 = spline(step as f32 / 64.0).iter().sum();
            assert!((sum - 1.0).abs() < 2e-7);
        }
    }
}
