//! The frequency shifter: one sideband, where it belongs.

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{LENGTH, db, frequency, spectrum, tone};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn shifted(output: &str, shift_hz: f64, tone_hz: f64) -> Vec<f32> {
    let (_, kind) = kind("shift").unwrap();
    let mut rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("shift", shift_hz as f32);
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..(LENGTH + 40_000) / FRAMES {
        rig.feed(cable, |_, frame| tone(tone_hz, block * FRAMES + frame) as f32);
        rig.step();
        heard.extend(rig.output(output, 0));
    }
    heard
}

/// Power of the line at `hz`, against a sine of amplitude 1, and of all that is not there.
fn line(sound: &[f32], hz: f64) -> (f64, f64) {
    let power: Vec<f64> = spectrum(sound).iter().map(|bin| bin.norm_sqr()).collect();
    let at = (hz * LENGTH as f64 / RATE_HZ).round() as usize;
    let near = at.saturating_sub(8)..(at + 9).min(power.len());
    let own: f64 = power[near.clone()].iter().sum();
    let other = power.iter().enumerate().filter(|(bin, _)| !near.contains(bin)).map(|(_, power)| power).sum::<f64>();
    (own, other)
}

#[test]
fn the_other_sideband_and_all_else_stay_below_minus_82_db() {
    for tone_hz in [20.0, 30.0, 55.0, 100.0, 440.0, 1_000.0, 5_000.0, 12_000.0, 18_000.0] {
        for (output, shift_hz, sign) in
            [("up", 500.0, 1.0), ("down", 500.0, -1.0), ("up", -333.0, 1.0), ("out", 4_000.0, 1.0)]
        {
            let sound = shifted(output, shift_hz, tone_hz);
            let (own, other) = line(&sound, (tone_hz + sign * shift_hz).abs());
            // A sine of amplitude 1, whose lobe holds about 2 of power in these bins.
            let (reference, _) = line(&shifted("down", 0.0, tone_hz), tone_hz);
            assert!(db(other / own) < -82.0, "{output} {shift_hz} of {tone_hz} Hz: {} dB", db(other / own));
            assert!(db(own / reference).abs() < 0.01, "{output} {shift_hz} of {tone_hz} Hz: {}", db(own / reference));
        }
    }
}

#[test]
fn a_partial_moves_by_just_that_many_hertz() {
    for shift_hz in [-440.0, -0.25, 0.0, 1.5, 2_000.0] {
        let found = frequency(&shifted("up", shift_hz, 1_000.0), RATE_HZ, 1_000.0 + shift_hz);
        assert!((found - 1_000.0 - shift_hz).abs() < 2e-5, "{shift_hz} Hz: {found}");
    }
}
