//! The reverb: it dies away in the time that is asked for, does not ring, and stays a room whatever is done to it.

use realfft::num_complex::Complex;

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{LENGTH, db, noise, rms, spectrum};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn reverb(params: &[(&str, f32)]) -> Rig {
    let (_, kind) = kind("reverb").unwrap();
    let rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("mix", 1.0);
    params.iter().fold(rig, |rig, (param, value)| rig.with(param, *value))
}

/// What `outputs` give to `signal` at `input`.
fn answer<const N: usize>(
    rig: &mut Rig,
    input: &str,
    outputs: [&str; N],
    seconds: f64,
    signal: impl Fn(usize) -> f32,
) -> [Vec<f32>; N] {
    let cable = rig.patch(input, 1.0);
    let mut heard = [const { Vec::new() }; N];
    for block in 0..(seconds * RATE_HZ) as usize / FRAMES {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame));
        rig.step();
        for (heard, output) in heard.iter_mut().zip(outputs) {
            heard.extend(rig.output(output, 0));
        }
    }
    heard
}

fn click(frame: usize) -> f32 {
    if frame == 0 { 1.0 } else { 0.0 }
}

/// Power between two pitches in a stretch of sound, by sines and cosines every 7 Hz under Hann's window.
fn band(sound: &[f32], low_hz: f64, high_hz: f64) -> f64 {
    use std::f64::consts::TAU;
    let count = ((high_hz - low_hz) / 7.0) as usize;
    let window = |frame: usize| 1.0 - libm::cos(TAU * frame as f64 / sound.len() as f64);
    let windowed: Vec<f64> = sound.iter().enumerate().map(|(frame, &x)| f64::from(x) * window(frame)).collect();
    let mut power = 0.0;
    for line in 0..count {
        let turn = Complex::from_polar(1.0, TAU * (low_hz + 7.0 * line as f64) / RATE_HZ);
        let sum = windowed.iter().rev().fold(Complex::new(0.0, 0.0), |sum, &x| sum * turn + x);
        power += sum.norm_sqr();
    }
    power
}

/// Seconds in which a band falls by 60 dB: the slope of a straight line through its level, a tenth of `about_s` apart.
fn t60(sound: &[f32], about_s: f64, low_hz: f64, high_hz: f64) -> f64 {
    let stretch = (0.1 * about_s * RATE_HZ).min(9_600.0) as usize;
    let points: Vec<(f64, f64)> = (2..9)
        .map(|tenth| {
            let start = (0.1 * f64::from(tenth) * about_s * RATE_HZ) as usize;
            (0.1 * f64::from(tenth) * about_s, db(band(&sound[start..start + stretch], low_hz, high_hz)))
        })
        .collect();
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let over: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let under: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    -60.0 * under / over
}

#[test]
fn it_falls_by_60_db_in_the_time_that_is_asked_for_and_twice_as_fast_at_the_corner() {
    for (size, decay) in [(0.3, 0.5), (1.0, 1.0), (1.0, 3.0), (2.0, 6.0)] {
        let mut rig = reverb(&[("size", size), ("decay", decay as f32), ("damp", 6_000.0)]);
        let [left] = answer(&mut rig, "in", ["left"], 1.05 * decay, click);
        let (low, corner) = (t60(&left, decay, 300.0, 900.0), t60(&left, 0.5 * decay, 5_700.0, 6_300.0));
        assert!((low / decay - 1.0).abs() < 0.1, "size {size}, {decay} s: {low} s at 300-900 Hz");
        assert!((corner / decay - 0.5).abs() < 0.08, "size {size}, {decay} s: {corner} s at 6 kHz");
    }
}

/// Share of samples beyond one deviation, against that of noise: 1 is as dense as noise (Abel & Huang, AES 121, 2006).
fn density(sound: &[f32]) -> f64 {
    let deviation = rms(sound);
    let beyond = sound.iter().filter(|x| f64::from(x.abs()) > deviation).count();
    beyond as f64 / sound.len() as f64 / 0.317_3
}

#[test]
fn echoes_are_as_dense_as_noise_after_a_tenth_of_a_second() {
    let [left, right] = answer(&mut reverb(&[]), "in", ["left", "right"], 0.5, click);
    for side in [left, right] {
        let at = |ms: usize| density(&side[48 * (ms - 12)..48 * (ms + 12)]);
        assert!(at(60) > 0.6 && at(100) > 0.85 && at(200) > 0.9, "{} {} {}", at(60), at(100), at(200));
    }
}

/// Strongest line of a tail against its surroundings, and spectral flatness against them, 100 Hz to 5 kHz. Noise has 10 dB and 0.56.
fn ring(sound: &[f32]) -> (f64, f64) {
    let power: Vec<f64> = spectrum(sound).iter().map(|bin| bin.norm_sqr()).collect();
    let bin = |hz: f64| (hz * LENGTH as f64 / RATE_HZ) as usize;
    let (mut worst, mut log, mut mean, mut count) = (0.0f64, 0.0, 0.0, 0.0);
    for index in bin(100.0)..bin(5_000.0) {
        let around = &power[index * 9 / 10..index * 10 / 9 + 1];
        let share = power[index] * around.len() as f64 / around.iter().sum::<f64>();
        worst = worst.max(share);
        (log, mean, count) = (log + share.ln(), mean + share, count + 1.0);
    }
    (db(worst), (log / count).exp() / (mean / count))
}

#[test]
fn the_tail_does_not_ring() {
    // A smaller room has fewer modes: the ear knows that from bathrooms.
    for (size, decay, most_db) in [(1.0, 2.0, 13.0), (1.0, 6.0, 13.0), (2.0, 10.0, 11.0), (0.5, 3.0, 14.5)] {
        let mut rig = reverb(&[("size", size), ("decay", decay), ("damp", 20_000.0)]);
        let [left] = answer(&mut rig, "in", ["left"], 2.0, click);
        let (worst, flatness) = ring(&left);
        assert!(worst < most_db && flatness > 0.45, "size {size} decay {decay}: {worst} dB, flatness {flatness}");
    }
}

#[test]
fn one_side_fills_both_and_they_differ() {
    let [left, right] = answer(&mut reverb(&[]), "left", ["left", "right"], 3.0, |frame| noise(frame) as f32);
    let (left, right) = (&left[48_000..], &right[48_000..]);
    let both: f64 = left.iter().zip(right).map(|(l, r)| f64::from(l * r)).sum::<f64>() / left.len() as f64;
    let (l, r) = (rms(left), rms(right));
    assert!((db(l / r) * 2.0).abs() < 1.0, "{l} {r}");
    assert!(both.abs() < 0.1 * l * r, "correlation {}", both / (l * r));
}

#[test]
fn it_comes_out_about_as_loud_as_it_goes_in_and_holds_no_dc() {
    let [out] = answer(&mut reverb(&[]), "in", ["left"], 4.0, |frame| noise(frame) as f32);
    let level = 2.0 * db(rms(&out[96_000..]) / (1.0 / 3.0f64.sqrt()));
    assert!(level.abs() < 3.0, "{level} dB");
    let [out] = answer(&mut reverb(&[("decay", 100.0)]), "in", ["left"], 6.0, |_| 1.0);
    let late = &out[240_000..];
    let dc = late.iter().map(|&x| f64::from(x)).sum::<f64>() / late.len() as f64;
    assert!(dc.abs() < 0.01, "{dc}");
}

#[test]
fn it_stays_bounded_and_dies_away_whatever_is_done_to_it() {
    for decay in [0.1, 100.0] {
        let mut rig = reverb(&[("decay", decay), ("damp", 20_000.0), ("mod", 1.0)]);
        let cables = ["in", "size", "decay", "damp", "mod", "predelay"].map(|input| rig.patch(input, 1.0));
        let mut peak = 0.0f32;
        for block in 0..15_000 {
            for (index, &cable) in cables.iter().enumerate() {
                let gain = [1.0, 2.0, 6.0, 6.0, 1.0, 0.2][index];
                let is_on = block < 10_000;
                rig.feed(cable, |_, frame| {
                    let at = block * FRAMES + frame;
                    // Noise for a second, then slow and fast swings of everything.
                    if index == 0 || block < 750 {
                        return if is_on { gain * noise(at * 7 + index) as f32 } else { 0.0 };
                    }
                    let hz = [0.0, 0.7, 3.0, 170.0, 11.0, 5.0][index];
                    gain * libm::sin(std::f64::consts::TAU * hz * at as f64 / RATE_HZ) as f32
                });
            }
            rig.step();
            peak = rig.output("left", 0).fold(peak, |peak, x| x.abs().max(peak));
        }
        assert!(peak < 30.0, "decay {decay}: {peak}");
        let left: Vec<f32> = rig.output("left", 0).collect();
        assert!(rms(&left) < 2.0, "after 6 s of silence: {}", rms(&left));
    }
}
