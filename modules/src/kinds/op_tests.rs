//! The op against its formula.

use std::f64::consts::{PI, TAU};

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{cents, db, frequency, periodic, rms, spectrum};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn op() -> Rig {
    let (_, kind) = kind("op").unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES)
}

fn modulated(mut rig: Rig, blocks: usize, pm: impl Fn(f64) -> f64) -> Vec<f32> {
    let cable = rig.patch("pm", 1.0);
    let mut heard = Vec::new();
    for block in 0..blocks {
        rig.feed(cable, |_, frame| pm((block * FRAMES + frame) as f64) as f32);
        rig.step();
        heard.extend(rig.output("out", 0));
    }
    heard
}

#[test]
fn a_sine_is_140_db_above_everything_else_and_in_tune() {
    for (freq_hz, ratio) in [(110.0, 1.0), (440.0, 1.0), (1_760.0, 0.5), (1_760.0, 1.0), (1_760.0, 4.0)] {
        let sound = op().with("freq", freq_hz).with("ratio", ratio).render("out", 1_500);
        let f0 = f64::from(freq_hz * ratio);
        let found = periodic(&sound, RATE_HZ, f0);
        assert!(found.noise_db <= -140.0 && found.thd_db <= -140.0 && found.dc.abs() <= 1e-6, "{f0}: {found:?}");
        let off = cents(frequency(&sound, RATE_HZ, f0), f0);
        assert!(off.abs() <= 0.001, "{f0}: {off} cents");
    }
}

#[test]
fn the_phase_has_not_drifted_after_two_minutes() {
    let sound = op().with("freq", 1_000.0).render("out", 90_000);
    for (frame, &x) in sound.iter().enumerate().skip(sound.len() - 1_000) {
        let exact = (TAU * (frame as f64 / 48.0).fract()).sin();
        assert!((f64::from(x) - exact).abs() < 1e-6, "frame {frame}");
    }
}

#[test]
fn phase_modulation_is_what_its_formula_says() {
    // A cable has 24 bits: at an index of 4 pi what they round is 22 dB louder than at 1.
    for (index, error_db) in [(1.0, -138.0), (4.0 * PI, -118.0)] {
        let modulator = |frame: f64| (TAU * 110.0 / RATE_HZ * frame).sin();
        let rig = op().with("freq", 440.0).with("pm_depth", index as f32);
        let sound = modulated(rig, 300, modulator);
        let error: Vec<f32> = sound
            .iter()
            .enumerate()
            .map(|(frame, &x)| {
                let frame = frame as f64;
                let exact =
                    (TAU * (440.0 / RATE_HZ * frame).fract() + f64::from(index as f32) * modulator(frame)).sin();
                (f64::from(x) - exact) as f32
            })
            .collect();
        let error = 20.0 * (rms(&error) / rms(&sound)).log10();
        assert!(error <= error_db, "index {index}: {error:.1} dB");
    }
}

#[test]
fn feedback_is_rich_in_tune_and_does_not_hunt() {
    for (feedback, noise_db) in [(0.3, -100.0), (-0.3, -100.0), (0.6, -40.0), (-0.6, -40.0)] {
        for freq_hz in [55.0, 220.0] {
            let sound = op().with("freq", freq_hz).with("feedback", feedback).render("out", 1_500);
            let f0 = f64::from(freq_hz);
            let found = periodic(&sound, RATE_HZ, f0);
            assert!(found.thd_db > -12.0, "{f0}: {found:?}");
            assert!(found.noise_db < noise_db, "all of it is harmonic: {f0}: {found:?}");
            // What hunts flips every frame: its power lies just below half the rate.
            let bins = spectrum(&sound);
            let top: f64 = bins[bins.len() * 9 / 10..].iter().map(|bin| bin.norm_sqr()).sum();
            assert!(db(top) < -35.0, "{f0}: {} dB near half the rate", db(top));
            assert!(cents(frequency(&sound, RATE_HZ, f0), f0).abs() < 0.001);
        }
    }
}

#[test]
fn the_largest_signals_never_leave_the_level() {
    for level in [1.0, 4.0] {
        let mut rig = op().with("freq", 20_000.0).with("ratio", 64.0).with("feedback", 1.0).with("level", level);
        let cables = ["pitch", "pm", "pm_depth", "feedback"].map(|input| rig.patch(input, 1.0));
        for block in 0..300usize {
            for (number, &cable) in cables.iter().enumerate() {
                rig.feed(cable, |_, frame| if (block * 7 + frame * (number + 3)) % 11 < 5 { 1e6 } else { -1e6 });
            }
            rig.step();
            assert!(rig.output("out", 0).all(|x| x.abs() <= level * 1.000_001));
        }
    }
}
