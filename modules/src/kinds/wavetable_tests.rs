//! The wavetable against the targets of SOUND.md: at most -105 dB of alias.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::sounds::Recording;
use crate::spectrum::{cents, droop_db, frequency, periodic};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;
const BLOCKS: usize = 1_500;
const BANKS: usize = 6;

fn wavetable(table: usize, freq_hz: f64, position: f32) -> Rig {
    let (_, kind) = kind("wavetable").unwrap();
    let rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("table", table as f32);
    rig.with("freq", freq_hz as f32).with("position", position)
}

#[test]
fn every_bank_is_clean_at_every_pitch() {
    for table in 0..BANKS {
        // Each at its brightest, at pitches that fall here and there between the levels.
        for freq_hz in [110.0, 311.127, 1_760.0, 2_793.83, 7_040.0] {
            let sound = wavetable(table, freq_hz, 1.0).render("out", BLOCKS);
            let found = periodic(&sound, RATE_HZ, f64::from(freq_hz as f32));
            assert!(found.alias_db <= -105.0 && found.worst_dbc <= -100.0, "{table} at {freq_hz}: {found:?}");
            assert!(found.dc.abs() <= 1e-6, "{table} at {freq_hz}: {found:?}");
        }
    }
}

#[test]
fn the_saw_has_every_harmonic_at_its_height_and_is_in_tune() {
    for freq_hz in [55.0, 110.0, 440.0, 990.0, 1_760.0, 3_520.0, 5_000.0] {
        let sound = wavetable(0, freq_hz, 1.0).render("out", BLOCKS);
        let droop = droop_db(&sound, RATE_HZ, freq_hz, |number| 1.0 / number as f64);
        assert!(droop.abs() <= 0.05, "{freq_hz}: {droop} dB");
        let off = cents(frequency(&sound, RATE_HZ, freq_hz), freq_hz);
        assert!(off.abs() <= 0.001, "{freq_hz}: {off} cents");
        let peak = sound.iter().fold(0f32, |peak, x| x.abs().max(peak));
        assert!(peak <= 1.01, "{peak}");
    }
}

#[test]
fn through_zero_fm_and_a_position_at_audio_rate_stay_clean() {
    for (input, depth, alias_db) in [("fm", 0.9, -77.0), ("fm", 2.0, -72.0), ("position", 0.5, -85.0)] {
        // The whole saw under FM; from one end of the table to the other.
        let mut rig = wavetable(0, 880.0, if input == "fm" { 1.0 } else { 0.5 }).with("fm_depth", depth);
        let cable = rig.patch(input, if input == "fm" { 1.0 } else { depth });
        let mut sound = Vec::new();
        for block in 0..BLOCKS {
            rig.feed(cable, |_, frame| {
                (TAU * (110.0 / RATE_HZ * (block * FRAMES + frame) as f64).fract()).sin() as f32
            });
            rig.step();
            sound.extend(rig.output("out", 0));
        }
        let found = periodic(&sound, RATE_HZ, 110.0);
        assert!(found.alias_db <= alias_db, "{input} by {depth}: {found:?}");
    }
}

#[test]
fn a_glide_through_all_levels_has_no_step() {
    let mut rig = wavetable(0, 20.0, 1.0);
    rig.event("freq", 0, 16_000.0, 96_000);
    let sound = rig.render("out", BLOCKS);
    // A sine of 16 kHz moves by 1.73 a frame, a saw of 20 Hz jumps by nearly 2.
    assert!(sound.iter().all(|x| x.abs() < 1.2));
    // The fundamental of a saw whose peak, with Gibbs' overshoot, is 1.
    let peak = sound[sound.len() - 640..].iter().fold(0f32, |peak, x| x.abs().max(peak));
    assert!((peak - 1.0 / 1.851_94).abs() < 0.01, "only the fundamental is left: {peak}");
}

fn recording(rate_hz: u32, samples: Vec<f32>) -> Recording {
    Recording { rate_hz, channels: 1, samples }
}

#[test]
fn a_file_of_two_cycles_is_played_from_one_to_the_other() {
    let cycle = |harmonic: f64, n: usize| (TAU * harmonic * n as f64 / 2_048.0).sin() as f32;
    let samples = (0..4_096).map(|n| cycle(if n < 2_048 { 1.0 } else { 3.0 }, n)).collect();
    let file = recording(44_100, samples);
    for (position, amplitudes) in [(0.0, [1.0, 0.0]), (0.25, [0.75, 0.25]), (1.0, [0.0, 1.0])] {
        let sound = wavetable(1, 375.0, position).with_file("file", &file).render("out", 20);
        for (frame, &x) in sound.iter().enumerate() {
            let angle = TAU * 375.0 / RATE_HZ * frame as f64;
            let exact = amplitudes[0] * angle.sin() + amplitudes[1] * (3.0 * angle).sin();
            assert!((f64::from(x) - exact).abs() < 2e-6, "position {position}, frame {frame}: {x}, not {exact}");
        }
    }
}

#[test]
fn a_short_file_is_one_cycle_and_a_long_one_is_thinned_out() {
    let short: Vec<f32> = (0..600).map(|n| (TAU * n as f64 / 600.0).sin() as f32).collect();
    let sound = wavetable(1, 375.0, 0.7).with_file("file", &recording(48_000, short)).render("out", 20);
    assert!(
        sound
            .iter()
            .enumerate()
            .all(|(frame, &x)| { (f64::from(x) - (TAU * 375.0 / RATE_HZ * frame as f64).sin()).abs() < 2e-6 })
    );
    let (_, kind) = kind("wavetable").unwrap();
    let long = kind.prepare(&recording(48_000, vec![0.5; 200 * 2_048]), 48_000.0, FRAMES).unwrap();
    assert_eq!(long.note, 64);
    let complaint = kind.prepare(&recording(48_000, vec![0.5; 3]), 48_000.0, FRAMES).unwrap_err();
    assert!(complaint.contains("needs 8 frames"), "{complaint}");
}

#[test]
fn a_new_table_fades_in() {
    let mut rig = wavetable(0, 0.01, 1.0);
    let mut sound = rig.render("out", 20);
    for table in [1, 3, 5, 0] {
        rig.event("table", 0, table as f32, 0);
        sound.extend(rig.render("out", 20));
    }
    let bend = sound.windows(3).map(|at| (at[0] - 2.0 * at[1] + at[2]).abs()).fold(0.0, f32::max);
    assert!(bend < 2.1 * 6.0 / (480.0 * 480.0), "{bend}");
}
