//! The figures of SOUND.md, measured from plain samples: what the tests hold against the targets, and a bench may print.
//!
//! Oscillators: [`crate::spectrum::periodic`] for alias, DC and harmonics, [`crate::spectrum::droop_db`] for the top. Filters: where the corner
//! lies and what resonance sings, here. All measure at the end of a sound, so that what comes first may settle.

use crate::spectrum::{LENGTH, cents, frequency, gain_db, rms};

/// Samples that [`singing`] looks at.
pub const SINGING_SAMPLES: usize = 2 * LENGTH;

/// What a filter sings by itself.
#[derive(Clone, Copy, Debug)]
pub struct Singing {
    /// Cents above its cutoff.
    pub off_cents: f64,
    /// Root of the mean square.
    pub level: f64,
    /// How the level changed over the second half of what was measured, in dB.
    pub drift_db: f64,
}

/// Measures the last [`SINGING_SAMPLES`] of a filter that oscillates at `cutoff_hz`.
pub fn singing(sound: &[f32], rate_hz: f64, cutoff_hz: f64) -> Singing {
    let (before, after) = sound[sound.len() - SINGING_SAMPLES..].split_at(LENGTH);
    let level = rms(after);
    Singing {
        off_cents: cents(frequency(sound, rate_hz, cutoff_hz), cutoff_hz),
        level,
        drift_db: 20.0 * (level.max(1e-20) / rms(before).max(1e-20)).log10(),
    }
}

/// How many cents above `cutoff_hz` the low pass with this impulse response is `fall_db` below its passband; at most 51 either way.
pub fn corner_off_cents(response: &[f32], rate_hz: f64, cutoff_hz: f64, fall_db: f64) -> f64 {
    let base = gain_db(response, rate_hz, 0.0);
    let (mut low, mut high) = (0.97 * cutoff_hz, 1.03 * cutoff_hz);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if gain_db(response, rate_hz, middle) - base > fall_db { low = middle } else { high = middle }
    }
    cents(low, cutoff_hz)
}

/// How far `sound` lies below `exact`, sample by sample, in dB: the signal-to-noise ratio of what should have been exact.
pub fn snr_db(sound: &[f32], exact: impl Fn(usize) -> f64) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (frame, &sample) in sound.iter().enumerate() {
        let exact = exact(frame);
        signal += exact * exact;
        noise += (f64::from(sample) - exact).powi(2);
    }
    10.0 * (signal / noise.max(1e-300)).log10()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const RATE_HZ: f64 = 48_000.0;

    #[test]
    fn a_one_pole_has_its_corner_where_the_formula_says() {
        // y += k (x - y), 3.01 dB down where cos(w) = 1 - k^2 / (2 (1 - k)).
        let k = 0.1f64;
        let hz = (1.0 - k * k / (2.0 * (1.0 - k))).acos() / TAU * RATE_HZ;
        let response: Vec<f32> = (0..2_000).map(|n| (k * (1.0 - k).powi(n)) as f32).collect();
        let off = corner_off_cents(&response, RATE_HZ, hz, -3.0103);
        assert!(off.abs() < 0.01, "{off} cents");
        let off = corner_off_cents(&response, RATE_HZ, hz / 1.01, -3.0103);
        assert!((off - cents(1.01, 1.0)).abs() < 0.01, "{off} cents");
    }

    #[test]
    fn a_detuned_and_decaying_sine_is_found_so() {
        let wave = |n: usize| (TAU * (440.1 / RATE_HZ * n as f64).fract()).sin() * (1.0 - 1e-6 * n as f64);
        let sound: Vec<f32> = (0..200_000).map(|n| wave(n) as f32).collect();
        let found = singing(&sound, RATE_HZ, 440.0);
        assert!((found.off_cents - cents(440.1, 440.0)).abs() < 0.001, "{found:?}");
        assert!((found.drift_db + 0.658).abs() < 0.01, "{found:?}");
        let snr = snr_db(&sound, |n| wave(n) + 1e-5);
        assert!((snr - 96.1).abs() < 0.1, "{snr} dB");
    }
}
