//! Measures sounds, as tools/measure.py does: what is harmonic, what is alias, how well it is tuned.
//!
//! Window: Blackman-Harris with 7 terms, side lobes below -180 dB (Albrecht, "A family of cosine-sum windows for
//! high-resolution measurements", ICASSP 2001). A harmonic takes the 8 bins on either side of it.

use std::f64::consts::TAU;

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

const WINDOW: [f64; 7] = [
    0.271_051_400_693_42,
    0.433_297_939_234_48,
    0.218_122_999_543_11,
    0.065_925_446_388_03,
    0.010_811_742_098_37,
    0.000_776_584_825_22,
    0.000_013_887_217_35,
];

/// Length of a measurement.
pub const LENGTH: usize = 1 << 16;

/// Bins to either side of a line that belong to it.
const LOBE: usize = 8;

/// Upper end of the band in which alias counts.
const TOP_HZ: f64 = 16_000.0;

fn window(index: usize) -> f64 {
    let angle = TAU * index as f64 / LENGTH as f64;
    WINDOW.iter().enumerate().map(|(term, a)| if term % 2 == 0 { *a } else { -a } * (term as f64 * angle).cos()).sum()
}

/// Amplitude spectrum of the last [`LENGTH`] samples: a sine of amplitude 1 gives 1.
pub fn spectrum(sound: &[f32]) -> Vec<Complex<f64>> {
    let sound = &sound[sound.len() - LENGTH..];
    let mut samples: Vec<f64> =
        sound.iter().enumerate().map(|(index, &sample)| f64::from(sample) * window(index)).collect();
    let plan = RealFftPlanner::<f64>::new().plan_fft_forward(LENGTH);
    let mut bins = plan.make_output_vec();
    plan.process(&mut samples, &mut bins).expect("the lengths fit");
    let scale = 2.0 / (LENGTH as f64 * WINDOW[0]);
    bins.iter().map(|bin| bin * scale).collect()
}

/// Power in decibels.
pub fn db(power: f64) -> f64 {
    10.0 * power.max(1e-40).log10()
}

/// White noise, even over -1..1: the same number for a frame in every run.
pub fn noise(frame: usize) -> f64 {
    let z = (frame as u64 ^ 0x5555).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z >> 40) as f64 / 8_388_608.0 - 1.0
}

/// A sine of `hz` at `frame`, of 48 000 a second.
pub fn tone(hz: f64, frame: usize) -> f64 {
    (TAU * (hz / 48_000.0 * frame as f64).fract()).sin()
}

/// Root of the mean square.
pub fn rms(sound: &[f32]) -> f64 {
    (sound.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / sound.len() as f64).sqrt()
}

/// True frequency of the line near `near_hz`: from how its phase moves between two windows, ever further apart.
pub fn frequency(sound: &[f32], rate_hz: f64, near_hz: f64) -> f64 {
    let first = sound.len() - LENGTH - 16_384;
    let mut hz = near_hz;
    let phase = |hz: f64, shift: usize| {
        let sum: Complex<f64> = (0..LENGTH)
            .map(|index| {
                let angle = -TAU * hz / rate_hz * (index + shift) as f64;
                Complex::from_polar(f64::from(sound[first + shift + index]) * window(index), angle)
            })
            .sum();
        sum.arg()
    };
    for shift in [64usize, 1_024, 16_384] {
        let turned = phase(hz, shift) - phase(hz, 0);
        hz += (turned / TAU - (turned / TAU).round()) / shift as f64 * rate_hz;
    }
    hz
}

/// `1200 log2(measured / wanted)`.
pub fn cents(measured: f64, wanted: f64) -> f64 {
    1_200.0 * (measured / wanted).log2()
}

/// What a periodic sound consists of.
#[derive(Clone, Copy, Debug)]
pub struct Periodic {
    /// Power that is no multiple of the fundamental, below 16 kHz, against all.
    pub alias_db: f64,
    /// The largest single such line against the fundamental.
    pub worst_dbc: f64,
    /// Mean.
    pub dc: f64,
    /// Power of harmonics 2 and up against the fundamental.
    pub thd_db: f64,
    /// Power outside all harmonics, over the whole band, against the fundamental: minus the SNR.
    pub noise_db: f64,
}

/// Measures a sound whose every true line is a multiple of `f0_hz`.
pub fn periodic(sound: &[f32], rate_hz: f64, f0_hz: f64) -> Periodic {
    let bins = spectrum(sound);
    let power: Vec<f64> = bins.iter().map(|bin| bin.norm_sqr()).collect();
    let per_harmonic = f0_hz * LENGTH as f64 / rate_hz;
    let mut is_true = vec![false; power.len()];
    is_true[..=LOBE].fill(true);
    let harmonics: Vec<f64> = (1..=(0.5 * rate_hz / f0_hz) as usize)
        .map(|number| {
            let range = lobe(number as f64 * per_harmonic, power.len());
            is_true[range.clone()].fill(true);
            power[range].iter().sum()
        })
        .collect();
    let top = (TOP_HZ * LENGTH as f64 / rate_hz) as usize;
    let total: f64 = power[LOBE + 1..].iter().sum();
    let stray =
        |end: usize| power[..end].iter().zip(&is_true).filter(|(_, is_true)| !**is_true).map(|(power, _)| *power);
    let strongest = power[LOBE + 1..].iter().copied().fold(0.0, f64::max);
    Periodic {
        alias_db: db(stray(top).sum::<f64>() / total),
        worst_dbc: db(stray(top).fold(0.0, f64::max) / strongest),
        dc: 0.5 * bins[0].re,
        thd_db: db(harmonics[1..].iter().sum::<f64>() / harmonics[0]),
        noise_db: db(stray(power.len()).sum::<f64>() / harmonics[0]),
    }
}

/// Largest deviation in decibels of the harmonics up to 16 kHz from `ideal(number)`, an amplitude against the first.
pub fn droop_db(sound: &[f32], rate_hz: f64, f0_hz: f64, ideal: impl Fn(usize) -> f64) -> f64 {
    let bins = spectrum(sound);
    let per_harmonic = f0_hz * LENGTH as f64 / rate_hz;
    let power = |number: usize| -> f64 {
        bins[lobe(number as f64 * per_harmonic, bins.len())].iter().map(|bin| bin.norm_sqr()).sum()
    };
    (2..=(TOP_HZ / f0_hz) as usize)
        .filter(|&number| ideal(number) > 1e-9)
        .map(|number| db(power(number) / power(1) / ideal(number).powi(2)))
        .fold(0.0, |worst: f64, deviation| if deviation.abs() > worst.abs() { deviation } else { worst })
}

/// How far noise lies at most off a straight slope of so many decibels per octave, in the octaves from 20 Hz to 20 kHz. Averages over the
/// whole sound: a minute of it is known to within 0.2 dB in the lowest octave.
pub fn octaves_off_db(sound: &[f32], rate_hz: f64, slope_db: f64) -> f64 {
    let mut power = vec![0.0; LENGTH / 2 + 1];
    for end in (LENGTH..=sound.len()).step_by(LENGTH / 2) {
        for (sum, bin) in power.iter_mut().zip(spectrum(&sound[..end])) {
            *sum += bin.norm_sqr();
        }
    }
    let density_db = |octave: usize| {
        let bin = |octave: usize| (20.0 * (1 << octave) as f64 * LENGTH as f64 / rate_hz) as usize;
        let bins = &power[bin(octave)..bin(octave + 1).min((20_000.0 * LENGTH as f64 / rate_hz) as usize)];
        db(bins.iter().sum::<f64>() / bins.len() as f64) - slope_db * octave as f64
    };
    let levels: Vec<f64> = (0..10).map(density_db).collect();
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    levels.iter().map(|level| (level - mean).abs()).fold(0.0, f64::max)
}

fn lobe(bin: f64, bins: usize) -> std::ops::Range<usize> {
    let low = (bin - LOBE as f64).floor().max((LOBE + 1) as f64) as usize;
    low.min(bins)..((bin + LOBE as f64).ceil() as usize + 1).min(bins)
}

/// Gain in decibels at `hz` of the filter whose impulse response is `response`: its Fourier transform at one point.
pub fn gain_db(response: &[f32], rate_hz: f64, hz: f64) -> f64 {
    let step = Complex::from_polar(1.0, -TAU * hz / rate_hz);
    let sum: Complex<f64> =
        response.iter().rev().fold(Complex::new(0.0, 0.0), |sum, &sample| sum * step + f64::from(sample));
    db(sum.norm_sqr())
}
