//! pluck and comb: in tune, stable, as long as told.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{LENGTH, cents, db, frequency, gain_db, spectrum};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn rig(name: &str) -> Rig {
    let (_, kind) = kind(name).unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES)
}

fn plucked(mut rig: Rig, blocks: usize) -> Vec<f32> {
    rig.event("trig", 0, 1.0, 0);
    rig.render("out", blocks)
}

fn noise(frame: usize) -> f32 {
    let x = (frame as u32).wrapping_mul(0x9e37_79b9);
    ((x ^ x >> 15).wrapping_mul(0x85eb_ca6b) as i32) as f32 / 2_147_483_648.0
}

#[test]
fn a_plucked_string_is_in_tune_within_a_cent() {
    for freq_hz in [30.0, 55.0, 110.3, 440.0, 987.77, 1_760.0, 2_637.02, 4_186.01, 5_000.0] {
        for brightness in [0.2, 0.6, 1.0] {
            let rig = rig("pluck").with("freq", freq_hz).with("decay", 30.0).with("brightness", brightness);
            let sound = plucked(rig, 1_800);
            let hz = f64::from(freq_hz);
            let off = cents(frequency(&sound, RATE_HZ, hz), hz);
            assert!(off.abs() < 1.0, "{freq_hz} Hz, brightness {brightness}: {off} cents");
        }
    }
}

#[test]
fn a_string_rings_as_long_as_decay_says() {
    for freq_hz in [82.0, 330.0, 1_320.0] {
        for (decay, brightness) in [(1.0, 0.3), (4.0, 0.6), (4.0, 1.0)] {
            let rig = rig("pluck").with("freq", freq_hz).with("decay", decay).with("brightness", brightness);
            let sound = plucked(rig, 3_000);
            let level = |from: usize| {
                let angle = |frame: usize| TAU * f64::from(freq_hz) / RATE_HZ * frame as f64;
                let window = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / 24_000.0).cos();
                let part = |turn: fn(f64) -> f64| -> f64 {
                    (0..24_000).map(|n| window(n) * f64::from(sound[from + n]) * turn(angle(n))).sum()
                };
                20.0 * part(f64::cos).hypot(part(f64::sin)).log10()
            };
            // Half a second apart.
            let fall_db = level(12_000) - level(36_000);
            let wanted_db = 60.0 * 0.5 / f64::from(decay);
            assert!((fall_db / wanted_db - 1.0).abs() < 0.03, "{freq_hz} Hz, {decay} s: {fall_db} dB, not {wanted_db}");
        }
    }
}

#[test]
fn each_pluck_is_another_and_a_string_has_no_dc_and_falls_silent() {
    let mut string = rig("pluck").with("decay", 0.2);
    let first = plucked_again(&mut string);
    let second = plucked_again(&mut string);
    assert!(first.iter().zip(&second).any(|(a, b)| (a - b).abs() > 0.01));
    for sound in [&first, &second] {
        let peak = sound.iter().fold(0f32, |peak, x| x.abs().max(peak));
        assert!((0.3..1.6).contains(&peak), "{peak}");
        let mean = sound.iter().map(|&x| f64::from(x)).sum::<f64>() / sound.len() as f64;
        assert!(mean.abs() < 1e-5, "{mean}");
        assert!(sound[sound.len() - 64..].iter().all(|x| x.abs() < 1e-6));
    }
}

fn plucked_again(string: &mut Rig) -> Vec<f32> {
    string.event("trig", 0, 1.0, 0);
    string.event("trig", 32, 0.0, 0);
    string.render("out", 750)
}

#[test]
fn a_pluck_in_the_middle_has_no_even_harmonics() {
    let hz = 375.0;
    let even_db = |position: f32| {
        let rig = rig("pluck").with("freq", hz as f32).with("decay", 20.0).with("brightness", 1.0);
        let bins = spectrum(&plucked(rig.with("position", position), 1_100));
        let power = |number: usize| -> f64 {
            let bin = (number as f64 * hz * LENGTH as f64 / RATE_HZ) as usize;
            bins[bin - 4..bin + 5].iter().map(|bin| bin.norm_sqr()).sum()
        };
        db((power(2) + power(4) + power(6)) / (power(1) + power(3) + power(5)))
    };
    assert!(even_db(0.5) < -60.0, "{}", even_db(0.5));
    assert!(even_db(0.2) > -20.0);
}

#[test]
fn a_string_that_is_plucked_without_end_stays_finite() {
    let mut string = rig("pluck").with("decay", 60.0).with("brightness", 1.0).with("level", 2.0);
    let (trig, pitch) = (string.patch("trig", 1.0), string.patch("pitch", 1.0));
    for block in 0..3_000usize {
        string.feed(trig, |_, frame| (frame / 16 % 2) as f32);
        string.feed(pitch, |_, frame| 4.0 * noise(block / 40) + 0.01 * noise(block * FRAMES + frame));
        string.step();
        assert!(string.output("out", 0).all(|x| x.abs() < 6.0));
    }
}

fn rung(freq_hz: f32, feedback: f32) -> Vec<f32> {
    let mut comb = rig("comb").with("freq", freq_hz).with("feedback", feedback).with("damp", 0.0);
    let input = comb.patch("in", 1.0);
    let mut sound = Vec::new();
    for block in 0..1_800usize {
        comb.feed(
            input,
            |_, frame| if block * FRAMES + frame < 4_800 { 0.1 * noise(frame + block * FRAMES) } else { 0.0 },
        );
        comb.step();
        sound.extend(comb.output("out", 0));
    }
    sound
}

#[test]
fn a_comb_rings_in_tune_within_a_cent() {
    for freq_hz in [55.0, 110.3, 440.0, 987.77, 1_760.0, 4_186.01, 5_000.0] {
        for (feedback, harmonic) in [(0.9999, 1.0), (-0.9999, 0.5)] {
            let hz = f64::from(freq_hz) * harmonic;
            let off = cents(frequency(&rung(freq_hz, feedback), RATE_HZ, hz), hz);
            assert!(off.abs() < 1.0, "{freq_hz} Hz by {feedback}: {off} cents");
        }
    }
}

#[test]
fn a_comb_at_full_feedback_rings_for_ever_and_stays_finite() {
    for (feedback, damp, level) in
        [(1.0, 0.0, 1.0), (-1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, 0.0, 1e6), (-1.0, 0.0, 1e6)]
    {
        let mut comb = rig("comb").with("freq", 1_234.5).with("feedback", feedback).with("damp", damp);
        let input = comb.patch("in", 1.0);
        let mut last = Vec::new();
        for block in 0..15_000usize {
            comb.feed(input, |_, frame| if block < 100 { level * noise(block * FRAMES + frame) } else { 0.0 });
            comb.step();
            last.clear();
            last.extend(comb.output("out", 0));
            // By then what kept DC out of the loop has forgotten the noise.
            assert!(block < 1_000 || last.iter().all(|x| x.abs() < 2.0), "block {block}");
        }
        let rings = last.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(damp > 0.0 || level > 1.0 || rings > 1e-3, "by {feedback} it still rings: {rings}");
    }
}

#[test]
fn a_comb_has_its_teeth_where_they_should_be() {
    // 1 / (1 - 0.5) at its harmonics, 1 / (1 + 0.5) between.
    let mut comb = rig("comb").with("freq", 480.0).with("feedback", 0.5).with("damp", 0.0);
    let input = comb.patch("in", 1.0);
    let mut response = Vec::new();
    for block in 0..300 {
        comb.feed(input, |_, frame| if block == 0 && frame == 0 { 0.5 } else { 0.0 });
        comb.step();
        response.extend(comb.output("out", 0));
    }
    for (hz, gain) in [(480.0, 2.0), (4_800.0, 2.0), (720.0, 2.0 / 3.0), (5_040.0, 2.0 / 3.0)] {
        let found = gain_db(&response, RATE_HZ, hz);
        assert!((found - 20.0 * f64::log10(0.5 * gain)).abs() < 0.02, "at {hz} Hz: {found} dB");
    }
}
