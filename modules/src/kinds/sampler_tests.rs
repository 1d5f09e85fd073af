//! The sampler: exact at its own pitch, clean at any other, and without a click wherever it starts, turns or stops.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::sounds::Recording;
use crate::spectrum::{LENGTH, cents, db, frequency, periodic, spectrum};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn tone(rate_hz: u32, hz: f64, seconds: f64) -> Recording {
    let sample = |frame: usize| (TAU * (hz / f64::from(rate_hz) * frame as f64).fract()).sin() as f32;
    let samples = (0..(f64::from(rate_hz) * seconds) as usize).map(sample).collect();
    Recording { rate_hz, channels: 1, samples }
}

fn sampler(recording: &Recording, params: &[(&str, f32)]) -> Rig {
    let (_, kind) = kind("sampler").unwrap();
    let rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with_file("file", recording);
    params.iter().fold(rig, |rig, (param, value)| rig.with(param, *value))
}

/// What it plays from frame 5 on, at `octaves` from its root.
fn played(rig: &mut Rig, octaves: f32, frames: usize) -> Vec<f32> {
    rig.event("pitch", 0, octaves, 0);
    rig.event("trig", 5, 1.0, 0);
    rig.render("left", frames.div_ceil(FRAMES))
}

#[test]
fn at_its_own_pitch_every_sample_comes_back_to_the_bit() {
    let samples: Vec<f32> =
        (0..9_600u32).map(|n| ((n.wrapping_mul(2_654_435_761) >> 8) as f32) / 16_777_216.0 - 0.5).collect();
    let stereo = Recording { rate_hz: 48_000, channels: 2, samples: samples.clone() };
    let mut rig = sampler(&stereo, &[]);
    rig.event("trig", 5, 1.0, 0);
    for block in 0..60 {
        rig.step();
        for (channel, output) in ["left", "right"].into_iter().enumerate() {
            for (frame, heard) in rig.output(output, 0).enumerate() {
                let at = (block * FRAMES + frame).checked_sub(5);
                assert_eq!(heard, at.map_or(0.0, |at| samples[2 * at + channel]), "{output} {block} {frame}");
            }
        }
    }
}

#[test]
fn it_is_in_tune_and_clean_at_any_pitch_and_rate() {
    for (rate_hz, hz) in [(48_000, 997.0), (44_100, 997.0), (48_000, 15_013.0)] {
        let recording = tone(rate_hz, hz, 11.0);
        for octaves in [-2.0f32, -0.583, 0.0, 0.01, 1.4, 2.5] {
            let there = hz * f64::from(octaves).exp2();
            if there > 19_000.0 {
                continue;
            }
            let sound = played(&mut sampler(&recording, &[]), octaves, LENGTH + 24_000);
            let (off, found) = (cents(frequency(&sound, RATE_HZ, there), there), periodic(&sound, RATE_HZ, there));
            assert!(off.abs() < 0.01, "{hz} of {rate_hz} at {octaves}: {off} cents");
            assert!(found.noise_db < -90.0, "{hz} of {rate_hz} at {octaves}: {found:?}");
        }
    }
}

#[test]
fn what_would_fold_is_gone_before_it_does() {
    let mut worst = -200.0f64;
    for (hz, octaves) in [
        (15_000.0, 1.0f32),
        (15_000.0, 0.95),
        (20_000.0, 0.6),
        (9_000.0, 2.0),
        (5_000.0, 3.0),
        (3_000.0, 3.9),
        (1_000.0, 4.99),
    ] {
        let seconds = 1.8 * f64::from(octaves).exp2();
        let sound = played(&mut sampler(&tone(48_000, hz, seconds), &[]), octaves, LENGTH + 12_000);
        let top = 19_000 * LENGTH / 48_000;
        let power: f64 = spectrum(&sound)[..top].iter().map(|bin| bin.norm_sqr()).sum();
        worst = worst.max(db(power));
    }
    assert!(worst < -100.0, "{worst} dB");
}

#[test]
fn a_loop_has_its_exact_length() {
    let samples: Vec<f32> =
        (0..48_000u32).map(|n| ((n.wrapping_mul(2_654_435_761) >> 8) as f32) / 16_777_216.0 - 0.5).collect();
    let noise = Recording { rate_hz: 48_000, channels: 1, samples };
    for (start, end, turn) in [(0.25, 0.5, 12_000), (0.0, 1.0, 48_000), (0.0, 0.01, 480)] {
        let sound =
            played(&mut sampler(&noise, &[("start", start), ("end", end), ("loop", 1.0)]), 0.0, 4 * 48_000 + 640);
        let from = 48_000 + 5;
        let same = (from..from + 96_000).filter(|&frame| (sound[frame] - sound[frame + turn]).abs() < 1e-6).count();
        assert!(same == 96_000, "{start}..{end}: {same} of 96000");
    }
}

/// Loudest of what lies above 10 kHz or so: a fourth difference of the signal, whose gain at 440 Hz is below -130 dB.
fn edges(sound: &[f32]) -> f64 {
    let difference = |w: &[f32]| {
        let [a, b, c, d, e, f, g] = [0, 1, 2, 3, 4, 5, 6].map(|k| f64::from(w[k]));
        (a - 6.0 * b + 15.0 * c - 20.0 * d + 15.0 * e - 6.0 * f + g).abs() / 64.0
    };
    sound.windows(7).map(difference).fold(0.0, f64::max)
}

#[test]
fn nothing_that_starts_turns_or_stops_it_makes_a_click() {
    let recording = tone(48_000, 441.3, 3.0);
    // A jump of -80 dBFS gives 20 / 64 of itself.
    let click = 1e-4 * 20.0 / 64.0;
    for (repeat, start, end, speed) in [
        (0.0, 0.1, 0.3, 1.0),
        (1.0, 0.1, 0.3, 1.0),
        (2.0, 0.1, 0.3, 1.0),
        (1.0, 0.31, 0.4, -1.3),
        (2.0, 0.11, 0.2, 0.7),
    ] {
        let params = [("loop", repeat), ("start", start), ("end", end), ("speed", speed)];
        let mut rig = sampler(&recording, &params);
        rig.event("gate", 3, 1.0, 0);
        let mut sound = rig.render("left", 900);
        // Again, while it plays, and twice within 3 ms; then off.
        for frame in [10, 50] {
            rig.event("trig", frame, 1.0, 0);
            rig.event("trig", frame + 5, 0.0, 0);
        }
        sound.extend(rig.render("left", 37));
        rig.event("start", 10, 0.2, 0);
        rig.event("end", 12, 0.05, 0);
        sound.extend(rig.render("left", 500));
        rig.event("gate", 0, 0.0, 0);
        rig.event("gate", 20, 1.0, 0);
        sound.extend(rig.render("left", 51));
        rig.event("gate", 40, 0.0, 0);
        sound.extend(rig.render("left", 20));
        assert!(edges(&sound) < click, "loop {repeat} {start}..{end} at {speed}: {}", 2.0 * db(edges(&sound) / click));
        assert!(sound[sound.len() - 64..].iter().all(|&x| x == 0.0), "it is silent after the gate");
        assert!(sound[48_000..57_000].iter().any(|x| x.abs() > 0.5) == (repeat > 0.0));
    }
}
