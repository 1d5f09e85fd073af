//! The wavetables that come with Tine: banks of eight cycles, each made from its harmonics.

use bytemuck::{Pod, Zeroable};
use rustfft::num_complex::Complex64;

use super::cycles::{CYCLE_SAMPLES, HARMONICS, Maker, Spectrum};

/// Cycles of a bank, to morph through.
const CYCLES: usize = 8;

/// The banks, by number.
pub const BANKS: &[&str] = &["saw", "square", "pulse", "vocal", "organ", "bell"];

const COUNT: usize = 6;
const _: () = assert!(BANKS.len() == COUNT);

/// All banks: 3.2 MB.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Banks([[[f32; CYCLE_SAMPLES]; CYCLES]; COUNT]);

impl Banks {
    /// The cycles of a bank, one after another.
    #[inline(always)]
    pub fn of(&self, bank: usize) -> &[f32] {
        self.0.get(bank).map_or(&[], |bank| bank.as_flattened())
    }

    /// Computes all banks in place; some milliseconds.
    pub fn fill(&mut self) {
        let mut maker = Maker::default();
        for (bank, cycles) in self.0.iter_mut().enumerate() {
            for (index, cycle) in cycles.iter_mut().enumerate() {
                let mut spectrum = spectrum(&mut maker, bank, index);
                let gain = 1.0 / maker.peak(&spectrum);
                spectrum.iter_mut().for_each(|harmonic| *harmonic *= gain);
                maker.make(&spectrum, cycle);
            }
        }
    }
}

/// Harmonics of cycle `index` of a bank, at any level.
fn spectrum(maker: &mut Maker, bank: usize, index: usize) -> Box<Spectrum> {
    let part = index as f64 / (CYCLES - 1) as f64;
    match bank {
        0 => by_sines(|harmonic| opened(harmonic, part) / harmonic),
        1 => by_sines(|harmonic| if harmonic % 2.0 == 1.0 { opened(harmonic, part) / harmonic } else { 0.0 }),
        2 => by_cosines(|harmonic| libm::sin(std::f64::consts::PI * harmonic * (0.5 - 0.46 * part)) / harmonic),
        3 => by_sines(|harmonic| sung(harmonic * VOICE_HZ, VOWELS_HZ[index]) / harmonic),
        4 => by_sines(|harmonic| drawn(harmonic as usize, DRAWBARS[index])),
        _ => struck(maker, 4.0 * part),
    }
}

fn by_sines(amplitude: impl Fn(f64) -> f64) -> Box<Spectrum> {
    let mut spectrum: Box<Spectrum> = Box::new([Complex64::ZERO; HARMONICS + 1]);
    for (harmonic, value) in spectrum.iter_mut().enumerate().skip(1) {
        value.im = amplitude(harmonic as f64);
    }
    spectrum
}

fn by_cosines(amplitude: impl Fn(f64) -> f64) -> Box<Spectrum> {
    let mut spectrum = by_sines(amplitude);
    spectrum.iter_mut().for_each(|value| *value = value.im.into());
    spectrum
}

/// From the fundamental alone to all harmonics, as a low pass of many poles that opens: each cycle reaches 2.4 times as far as the
/// one before.
fn opened(harmonic: f64, part: f64) -> f64 {
    if part == 1.0 {
        return 1.0;
    }
    let reach = libm::exp2(9.0 * part);
    if part == 0.0 && harmonic > 1.0 { 0.0 } else { libm::exp(-(harmonic - 1.0) / reach) }
}

/// The voice whose formants `vocal` has, two octaves and a bit below C4.
const VOICE_HZ: f64 = 110.0;

/// First two formants of u, o, open o, back a, front a, open e, e, i (Catford, A Practical Introduction to Phonetics, 1988).
const VOWELS_HZ: [[f64; 2]; CYCLES] = [
    [250.0, 595.0],
    [360.0, 640.0],
    [500.0, 700.0],
    [750.0, 940.0],
    [850.0, 1_610.0],
    [610.0, 1_900.0],
    [390.0, 2_300.0],
    [240.0, 2_400.0],
];

/// Gain of a vocal tract: three resonances in a row (Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67:3, 1980).
fn sung(hz: f64, [first, second]: [f64; 2]) -> f64 {
    let gain = |formant: f64, width: f64| {
        let ratio = hz / formant;
        1.0 / libm::hypot(1.0 - ratio * ratio, ratio * width / formant)
    };
    gain(first, 80.0) * gain(second, 100.0) * gain(2_900.0, 160.0)
}

/// Harmonics that an organ's drawbars 8', 4', 2 2/3', 2', 1 3/5', 1 1/3', 1' sound at.
const DRAWBAR_HARMONICS: [usize; 7] = [1, 2, 3, 4, 5, 6, 8];

/// Registrations, 0..8 a drawbar.
const DRAWBARS: [[u32; 7]; CYCLES] = [
    [8, 0, 0, 0, 0, 0, 0],
    [8, 4, 0, 0, 0, 0, 0],
    [8, 6, 4, 0, 0, 0, 0],
    [8, 8, 6, 4, 0, 0, 0],
    [8, 4, 8, 4, 2, 4, 0],
    [6, 8, 4, 8, 4, 6, 4],
    [8, 0, 6, 0, 4, 6, 8],
    [8, 8, 8, 8, 8, 8, 8],
];

/// Each step of a drawbar is 3 dB.
fn drawn(harmonic: usize, bars: [u32; 7]) -> f64 {
    let bar = DRAWBAR_HARMONICS.iter().position(|&sounding| sounding == harmonic).map_or(0, |bar| bars[bar]);
    if bar == 0 { 0.0 } else { libm::exp2(0.5 * (f64::from(bar) - 8.0)) }
}

/// Frequency modulation 5 : 7 over a soft fundamental: partials far apart, as a bell's (Chowning, JAES 21:7, 1973).
fn struck(maker: &mut Maker, index: f64) -> Box<Spectrum> {
    const POINTS: usize = 2_048;
    let value = |n: usize| {
        let angle = std::f64::consts::TAU * n as f64 / POINTS as f64;
        0.4 * libm::sin(angle) + libm::sin(5.0 * angle + index * libm::sin(7.0 * angle))
    };
    maker.analyse(&(0..POINTS).map(value).collect::<Vec<_>>())
}
