//! What a picture of a recording shows, as numbers.

use std::path::Path;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

/// Lowest level that a spectrum shows, in dB of a full-scale sine: a little above the window's own floor.
pub const FLOOR_DB: f64 = -160.0;

/// Points of a spectrum: lines 0.7 Hz apart at 48 kHz.
const SPECTRUM_POINTS: usize = 65_536;

/// Points of one column of a spectrogram: 43 ms at 48 kHz.
const COLUMN_POINTS: usize = 2048;

/// Blackman-Harris of seven terms: side lobes below -180 dB (Albrecht, "A family of cosine-sum windows for high-resolution
/// measurements", ICASSP 2001).
const WINDOW: [f64; 7] = [
    0.271_220_360_585_039,
    -0.433_444_612_327_442,
    0.218_004_122_892_930,
    -0.065_785_343_295_606,
    0.010_761_867_305_342,
    -0.000_770_012_710_581,
    0.000_013_680_883_060,
];

/// A recording in stereo.
pub struct Sound {
    /// Left and right.
    pub sides: [Vec<f32>; 2],
    /// Frames per second.
    pub rate_hz: u32,
}

impl Sound {
    /// Reads a WAV of 32-bit floats, as `render` writes it.
    ///
    /// # Errors
    /// If there is none.
    pub fn read(path: &Path) -> Result<Sound, String> {
        let wrong = |error: hound::Error| format!("{}: {error}", path.display());
        let mut wav = hound::WavReader::open(path).map_err(wrong)?;
        let format = wav.spec();
        let samples = wav.samples::<f32>().collect::<Result<Vec<f32>, _>>().map_err(wrong)?;
        let channels = usize::from(format.channels).max(1);
        if samples.len() < channels {
            return Err(format!("{}: there is no sound in it", path.display()));
        }
        let side = |side: usize| samples.iter().skip(side.min(channels - 1)).step_by(channels).copied().collect();
        Ok(Sound { sides: [side(0), side(1)], rate_hz: format.sample_rate })
    }

    /// How long it is.
    pub fn seconds(&self) -> f64 {
        self.sides[0].len() as f64 / f64::from(self.rate_hz)
    }

    /// The largest sample.
    pub fn peak(&self) -> f64 {
        f64::from(self.sides.iter().flatten().fold(0.0f32, |peak, sample| peak.max(sample.abs())))
    }

    /// The mean of both sides.
    pub fn middle(&self) -> Vec<f32> {
        self.sides[0].iter().zip(&self.sides[1]).map(|(left, right)| 0.5 * (left + right)).collect()
    }
}

/// The lowest and the highest sample of each of `columns` stretches.
pub fn envelope(samples: &[f32], columns: usize) -> Vec<[f64; 2]> {
    let bound = |column: usize| samples.len() * column / columns;
    let stretch = |column| &samples[bound(column)..bound(column + 1).max(bound(column) + 1).min(samples.len())];
    (0..columns.min(samples.len()))
        .map(|column| {
            let fold = |start: f32, pick: fn(f32, f32) -> f32| stretch(column).iter().copied().fold(start, pick);
            [f64::from(fold(f32::INFINITY, f32::min)), f64::from(fold(f32::NEG_INFINITY, f32::max))]
        })
        .collect()
}

fn window(points: usize) -> Vec<f64> {
    let term = |n: usize, k: usize| WINDOW[k] * libm::cos(std::f64::consts::TAU * k as f64 * n as f64 / points as f64);
    (0..points).map(|n| (0..WINDOW.len()).map(|k| term(n, k)).sum()).collect()
}

/// Transforms stretches of one length.
struct Analyser {
    fft: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
}

impl Analyser {
    fn new(points: usize) -> Analyser {
        Analyser { fft: RealFftPlanner::new().plan_fft_forward(points), window: window(points) }
    }

    /// Mean power of the stretches that begin at `starts`, in dB of a full-scale sine, line by line.
    fn levels(&self, samples: &[f32], starts: impl Iterator<Item = usize>) -> Vec<f64> {
        let (mut time, mut lines) = (self.fft.make_input_vec(), self.fft.make_output_vec());
        let mut power = vec![0.0; lines.len()];
        let mut count = 0.0f64;
        for start in starts {
            for ((n, value), weight) in time.iter_mut().enumerate().zip(&self.window) {
                *value = f64::from(samples.get(start + n).copied().unwrap_or(0.0)) * weight;
            }
            // The lengths are the plan's own.
            if self.fft.process(&mut time, &mut lines).is_ok() {
                power.iter_mut().zip(&lines).for_each(|(sum, line)| *sum += line.norm_sqr());
                count += 1.0;
            }
        }
        // A sine of amplitude 1 has half the window's sum in its line.
        let full = 0.25 * self.window.iter().sum::<f64>().powi(2) * count.max(1.0);
        power.into_iter().map(|power| 10.0 * libm::log10((power / full).max(1e-20))).collect()
    }
}

/// Frequency in Hz and level in dB of each line.
pub fn spectrum(samples: &[f32], rate_hz: u32) -> Vec<(f64, f64)> {
    let points = SPECTRUM_POINTS.min(samples.len().next_power_of_two().max(COLUMN_POINTS));
    let last = samples.len().saturating_sub(points);
    let levels = Analyser::new(points).levels(samples, (0..=last).step_by(points / 2));
    let hz = |line: usize| line as f64 * f64::from(rate_hz) / points as f64;
    levels.into_iter().enumerate().map(|(line, level)| (hz(line), level.max(FLOOR_DB))).collect()
}

/// Levels over time and frequency.
pub struct Spectrogram {
    columns: Vec<Vec<f64>>,
    line_hz: f64,
}

impl Spectrogram {
    /// Of `columns` moments, evenly spread.
    pub fn of(samples: &[f32], rate_hz: u32, columns: usize) -> Spectrogram {
        let analyser = Analyser::new(COLUMN_POINTS);
        let column = |column: usize| {
            let middle = samples.len() * (2 * column + 1) / (2 * columns.max(1));
            let start = middle.saturating_sub(COLUMN_POINTS / 2);
            analyser.levels(samples, std::iter::once(start))
        };
        Spectrogram { columns: (0..columns).map(column).collect(), line_hz: f64::from(rate_hz) / COLUMN_POINTS as f64 }
    }

    /// The level at a frequency, between the two lines beside it.
    pub fn level_db(&self, column: usize, hz: f64) -> f64 {
        let Some(levels) = self.columns.get(column) else { return FLOOR_DB };
        let line = (hz / self.line_hz).clamp(0.0, (levels.len() - 1) as f64);
        let below = (line as usize).min(levels.len() - 2);
        levels[below] + (levels[below + 1] - levels[below]) * (line - below as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, amplitude: f64, frames: usize) -> Vec<f32> {
        let at = |frame: usize| amplitude * libm::sin(std::f64::consts::TAU * hz * frame as f64 / 48_000.0);
        (0..frames).map(|frame| at(frame) as f32).collect()
    }

    #[test]
    fn a_sine_is_one_line_of_its_level() {
        let lines = spectrum(&sine(1500.0, 0.5, 200_000), 48_000);
        let loudest = lines.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((loudest.0 - 1500.0).abs() < 1.0 && (loudest.1 + 6.02).abs() < 0.01, "{loudest:?}");
        let elsewhere = lines.iter().filter(|(hz, _)| (hz - 1500.0).abs() > 10.0);
        assert!(elsewhere.map(|line| line.1).fold(FLOOR_DB, f64::max) < -140.0);
    }

    #[test]
    fn a_spectrogram_follows_a_change_of_pitch() {
        let mut samples = sine(500.0, 1.0, 48_000);
        samples.extend(sine(4000.0, 1.0, 48_000));
        let picture = Spectrogram::of(&samples, 48_000, 10);
        assert!(picture.level_db(1, 500.0) > -3.0 && picture.level_db(1, 4000.0) < -90.0);
        assert!(picture.level_db(8, 4000.0) > -3.0 && picture.level_db(8, 500.0) < -90.0);
    }

    #[test]
    fn an_envelope_holds_every_peak() {
        let mut samples = vec![0.0; 1001];
        (samples[500], samples[1000]) = (0.7, -0.9);
        let envelope = envelope(&samples, 100);
        assert_eq!(envelope.len(), 100);
        assert!(envelope.iter().any(|column| column[1] == f64::from(0.7f32)));
        assert!(envelope.iter().any(|column| column[0] == f64::from(-0.9f32)));
        assert_eq!(super::envelope(&samples[..3], 100).len(), 3);
    }
}
