//! Noise: its spectra, its randomness.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use tine_modules::rig::Rig;

use crate::signal::{FRAMES, RATE_HZ, kind, rig};

const BINS: usize = 16_384;

/// Power in half-octave bands from 20 Hz to 20 kHz: (middle, dB per Hz), averaged over `seconds`.
fn spectrum(color: f32, seconds: usize) -> Vec<(f64, f64)> {
    let mut noise = rig("noise").with("color", color);
    noise.render("out", 750);
    let heard = noise.render("out", seconds * 750);
    let fft = FftPlanner::new().plan_fft_forward(BINS);
    let mut power = vec![0.0f64; BINS / 2];
    for start in (0..heard.len() - BINS).step_by(BINS / 2) {
        let window = |n: usize| 0.5 - 0.5 * libm::cos(std::f64::consts::TAU * n as f64 / BINS as f64);
        let mut line: Vec<Complex<f64>> =
            (0..BINS).map(|n| Complex::new(f64::from(heard[start + n]) * window(n), 0.0)).collect();
        fft.process(&mut line);
        for (power, bin) in power.iter_mut().zip(&line) {
            *power += bin.norm_sqr();
        }
    }
    let hz = f64::from(RATE_HZ) / BINS as f64;
    let mut bands = Vec::new();
    let mut low = 20.0;
    while low < 19_000.0 {
        let high = f64::min(low * std::f64::consts::SQRT_2, 20_000.0);
        let bins = (low / hz).ceil() as usize..=(high / hz) as usize;
        // Tilted flat by +3 dB per octave for pink, +6 for brown, so that a band's mean does not depend on its width.
        let tilted = |bin: usize| power[bin] * libm::pow(bin as f64 * hz, f64::from(color));
        let mean = bins.clone().map(tilted).sum::<f64>() / bins.count() as f64;
        bands.push((low, 10.0 * libm::log10(mean)));
        low *= std::f64::consts::SQRT_2;
    }
    bands
}

#[test]
fn each_color_has_its_slope_within_half_a_db() {
    for (color, name) in ["white", "pink", "brown"].into_iter().enumerate() {
        let bands = spectrum(color as f32, 120);
        let middle = bands.iter().filter(|(hz, _)| *hz > 300.0).map(|(_, db)| db).sum::<f64>()
            / bands.iter().filter(|(hz, _)| *hz > 300.0).count() as f64;
        for (hz, db) in bands {
            assert!((db - middle).abs() < 0.5, "{name} at {hz:.0} Hz is {:+.2} dB off its slope", db - middle);
        }
    }
}

#[test]
fn levels_are_as_said() {
    for (color, rms) in [0.577, 0.25, 0.25].into_iter().enumerate() {
        let heard = rig("noise").with("color", color as f32).render("out", 40 * 750);
        let power = heard.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / heard.len() as f64;
        let mean = heard.iter().map(|&x| f64::from(x)).sum::<f64>() / heard.len() as f64;
        assert!((libm::sqrt(power) / rms - 1.0).abs() < 0.15, "color {color}: {}", libm::sqrt(power));
        assert!(mean.abs() < 0.05, "color {color}: mean {mean}");
    }
}

#[test]
fn channels_and_seeds_are_unrelated_and_a_seed_always_gives_the_same() {
    let render = |seed| {
        let mut noise = Rig::new(kind("noise"), 4, RATE_HZ, FRAMES).seed(seed);
        let mut heard = vec![Vec::new(); 4];
        for _ in 0..1_500 {
            noise.step();
            for (channel, heard) in heard.iter_mut().enumerate() {
                heard.extend(noise.output("out", channel));
            }
        }
        heard
    };
    let (one, two) = (render(1), render(2));
    assert!(one == render(1));
    let pairs = (0..4).flat_map(|a| (0..a).map(move |b| (a, b)));
    let within = pairs.map(|(a, b)| (&one[a], &one[b]));
    for (a, b) in within.chain(one.iter().zip(&two)) {
        let sum = a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
        // Of N = 96000 products of variance 1/9 the sum has a deviation of 103; 5 of them.
        assert!(sum.abs() < 516.0, "correlation {sum}");
    }
}
