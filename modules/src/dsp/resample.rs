//! From one sample rate to another, for whole files: when a file is loaded, never in a block.

use rubato::audioadapter_buffers::owned::InterleavedOwned;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use crate::Recording;

/// Frames that are transformed at once: the filter is as long, and cuts off within the uppermost 1 % of the band.
const CHUNK: usize = 4096;

/// The channels of `recording`, one after another, at `rate_hz`.
///
/// # Errors
/// If the file's rate makes no sense.
pub fn channels(recording: &Recording, rate_hz: f32) -> Result<Vec<Vec<f32>>, String> {
    if recording.channels == 0 || recording.samples.len() < recording.channels {
        return Err("there is no sound in this file".to_owned());
    }
    let frames = recording.samples.len() / recording.channels;
    let channel = |index| {
        let samples = recording.samples.iter().skip(index).step_by(recording.channels).take(frames);
        // A file may hold anything.
        samples.map(|&sample| if sample.is_finite() { sample } else { 0.0 }).collect::<Vec<f32>>()
    };
    (0..recording.channels)
        .map(|index| resample(channel(index), recording.rate_hz as usize, rate_hz as usize))
        .collect()
}

/// Every other frame of `samples`, after what lies above half their band is taken out.
pub fn halve(samples: &[f32]) -> Vec<f32> {
    resample(samples.to_vec(), 2, 1).unwrap_or_default()
}

fn resample(samples: Vec<f32>, from_hz: usize, to_hz: usize) -> Result<Vec<f32>, String> {
    if from_hz == to_hz {
        return Ok(samples);
    }
    let odd = |_| format!("a rate of {from_hz} Hz is beyond reason");
    let frames = samples.len();
    let wide: Vec<f64> = samples.into_iter().map(f64::from).collect();
    let input = InterleavedOwned::new_from(wide, 1, frames).map_err(|_| "this file is too long".to_owned())?;
    let window = WindowFunction::BlackmanHarris2;
    let mut fft = Fft::<f64>::new_custom(from_hz, to_hz, CHUNK, 1, 1, window, FixedSync::Input).map_err(odd)?;
    let output = fft.process_all(&input, frames, None).map_err(|_| "this file cannot be resampled".to_owned())?;
    // A product of rounded numbers may come to a frame more.
    let length = (frames * to_hz).div_ceil(from_hz);
    Ok(output.take_data().into_iter().take(length).map(|sample| sample as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_its_place_and_its_level() {
        let tone = |hz: f64, rate: f64, frame: usize| libm::sin(std::f64::consts::TAU * hz * frame as f64 / rate);
        let samples = (0..88_200).flat_map(|frame| [tone(1_000.0, 44_100.0, frame) as f32, 0.5]).collect();
        let recording = Recording { rate_hz: 44_100, channels: 2, samples };
        let found = channels(&recording, 48_000.0).unwrap();
        assert_eq!([found[0].len(), found[1].len()], [96_000, 96_000]);
        let worst = (10_000..86_000)
            .map(|frame| (f64::from(found[0][frame]) - tone(1_000.0, 48_000.0, frame)).abs())
            .fold(0.0, f64::max);
        assert!(worst < 3e-7, "{worst}");
        let half = halve(&found[0]);
        let worst = (5_000..43_000)
            .map(|frame| (f64::from(half[frame]) - tone(1_000.0, 24_000.0, frame)).abs())
            .fold(0.0, f64::max);
        assert!(half.len() == 48_000 && worst < 3e-7, "{worst}");
    }

    #[test]
    fn what_does_not_fit_the_lower_rate_is_gone() {
        let tone = |frame: usize| libm::sin(std::f64::consts::TAU * 0.27 * frame as f64) as f32;
        let half = halve(&(0..96_000).map(tone).collect::<Vec<f32>>());
        let worst = half[5_000..43_000].iter().fold(0.0f32, |worst, x| x.abs().max(worst));
        assert!(worst < 1e-7, "{worst}");
    }
}
