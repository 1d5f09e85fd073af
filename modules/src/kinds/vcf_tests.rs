//! The vcf against the targets of SOUND.md.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{cents, frequency, gain_db, periodic, rms};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;
const SVF: f32 = 0.0;
const LADDER: f32 = 1.0;

fn vcf(model: f32, slope: f32) -> Rig {
    let (_, kind) = kind("vcf").unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("model", model).with("slope", slope)
}

fn through(rig: &mut Rig, blocks: usize, signal: impl Fn(usize) -> f64) -> Vec<f32> {
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..blocks {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame) as f32);
        rig.step();
        heard.extend(rig.output("out", 0));
    }
    heard
}

fn impulse(mut rig: Rig, level: f64) -> Vec<f32> {
    through(&mut rig, 1_500, |frame| if frame == 0 { level } else { 0.0 })
}

/// Where a low pass is `fall_db` below its passband.
fn corner(response: &[f32], near_hz: f64, fall_db: f64) -> f64 {
    let base = gain_db(response, RATE_HZ, 0.0);
    let (mut low, mut high) = (0.5 * near_hz, (2.0 * near_hz).min(0.499 * RATE_HZ));
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if gain_db(response, RATE_HZ, middle) - base > fall_db { low = middle } else { high = middle }
    }
    low
}

#[test]
fn the_corner_lies_where_cutoff_says() {
    for cutoff_hz in [20.0, 100.0, 1_000.0, 4_000.0, 8_000.0, 16_000.0] {
        for (model, slope, fall_db) in
            [(SVF, 0.0, -3.0103), (SVF, 1.0, -3.0103), (LADDER, 0.0, -6.0206), (LADDER, 1.0, -12.0412)]
        {
            // Small for the ladder, so that its tanh is a straight line.
            let level = if model == LADDER { 1e-3 } else { 1.0 };
            let response = impulse(vcf(model, slope).with("cutoff", cutoff_hz as f32), level);
            let off = cents(corner(&response, cutoff_hz, fall_db), cutoff_hz);
            assert!(off.abs() < 0.1, "model {model} slope {slope} at {cutoff_hz} Hz: {off} cents");
        }
    }
}

#[test]
fn at_full_resonance_it_sings_in_tune_and_at_a_steady_level() {
    for cutoff_hz in [110.0, 440.0, 1_760.0, 3_520.0, 7_040.0, 14_000.0] {
        for (model, slope, res, off_max) in
            [(SVF, 0.0, 1.0, 0.1), (SVF, 1.0, 1.0, 0.1), (LADDER, 1.0, 0.92, 0.1), (LADDER, 1.0, 1.0, 0.2)]
        {
            let mut rig = vcf(model, slope).with("cutoff", cutoff_hz as f32).with("res", res);
            let sound = through(&mut rig, 4_500, |_| 0.0);
            let off = cents(frequency(&sound, RATE_HZ, cutoff_hz), cutoff_hz);
            let level = rms(&sound[240_000..]);
            assert!(off.abs() < off_max, "level {level} res {res} model {model} at {cutoff_hz} Hz: {off} cents");
            let (before, after) = (rms(&sound[192_000..240_000]), rms(&sound[240_000..]));
            assert!(
                (after / before - 1.0).abs() < 0.01 && after > 0.1,
                "model {model} at {cutoff_hz} Hz: {before} {after}"
            );
        }
    }
}

#[test]
fn without_resonance_silence_stays_silent() {
    for model in [SVF, LADDER] {
        let sound = through(&mut vcf(model, 1.0).with("res", 0.5), 100, |_| 0.0);
        assert!(sound.iter().all(|&sample| sample == 0.0));
    }
}

#[test]
fn the_svf_is_clean_at_a_drive_of_1_and_the_ladder_at_20_db() {
    for (tone_hz, ladder_db) in [(1_244.5f64, -130.0), (4_978.0, -90.0)] {
        for (model, drive, alias_db) in [(SVF, 1.0, -130.0), (LADDER, 1.0, -130.0), (LADDER, 10.0, ladder_db)] {
            let mut rig = vcf(model, 1.0).with("cutoff", 12_000.0).with("drive", drive).with("res", 0.25);
            let sound = through(&mut rig, 1_500, |frame| (TAU * (tone_hz / RATE_HZ * frame as f64).fract()).sin());
            let found = periodic(&sound, RATE_HZ, tone_hz);
            assert!(found.alias_db <= alias_db, "model {model} drive {drive} at {tone_hz} Hz: {found:?}");
            assert!(model == LADDER || found.thd_db <= -130.0, "the svf is linear: {found:?}");
        }
    }
}

#[test]
fn noise_at_20_db_through_a_cutoff_swept_at_3_khz_stays_bounded_at_full_resonance() {
    for (model, slope) in [(SVF, 0.0), (SVF, 1.0), (LADDER, 0.0), (LADDER, 1.0)] {
        for mode in 0..4 {
            let mut rig = vcf(model, slope).with("cutoff", 632.5).with("res", 1.0).with("drive", 10.0);
            rig = rig.with("mode", mode as f32);
            let (sweep, cable) = (rig.patch("cutoff", 1.0), rig.patch("in", 1.0));
            let mut seed = 1u32;
            for block in 0..3_000 {
                let frame = |frame: usize| (block * FRAMES + frame) as f64;
                rig.feed(sweep, |_, at| 5.0 * (TAU * 3_000.0 / RATE_HZ * frame(at)).sin() as f32);
                rig.feed(cable, |_, _| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    seed as i32 as f32 / 2_147_483_648.0
                });
                rig.step();
                assert!(rig.output("out", 0).all(|sample| sample.abs() < 40.0), "model {model} mode {mode}");
            }
        }
    }
}

#[test]
fn the_largest_signals_on_all_inputs_stay_finite() {
    for model in [SVF, LADDER] {
        let mut rig = vcf(model, 1.0);
        let cables = ["in", "pitch", "cutoff", "res", "drive", "mode"].map(|input| rig.patch(input, 1.0));
        for block in 0..500usize {
            for (number, &cable) in cables.iter().enumerate() {
                rig.feed(cable, |_, frame| if (block * 7 + frame * (number + 3)) % 11 < 5 { 1e6 } else { -1e6 });
            }
            rig.step();
            assert!(rig.output("out", 0).all(|sample| sample.abs() < 1e4), "model {model}");
        }
    }
}

#[test]
fn a_change_of_mode_model_or_slope_has_neither_a_step_nor_a_corner() {
    for (param, values) in [("mode", &[1.0, 2.0, 3.0, 0.0][..]), ("model", &[1.0, 0.0]), ("slope", &[1.0, 0.0])] {
        for model in [SVF, LADDER] {
            let mut rig = vcf(model, 0.0);
            let cable = rig.patch("in", 1.0);
            let mut sound = Vec::new();
            for block in 0..120 {
                rig.feed(cable, |_, _| 0.5);
                if block >= 40 && block % 10 == 0 {
                    rig.event(param, 0, values[block / 10 % values.len()], 0);
                }
                rig.step();
                sound.extend(rig.output("out", 0));
            }
            let bend =
                sound[30 * FRAMES..].windows(3).map(|at| (at[0] - 2.0 * at[1] + at[2]).abs()).fold(0.0, f32::max);
            // A step of -80 dB would be 1e-4; the ease itself bends by 6 / 240^2 of what changes.
            assert!(bend < 2e-4, "{param} with model {model}: {bend}");
        }
    }
}

const PART_INPUTS: [&str; 6] = ["in", "pitch", "cutoff", "res", "model", "slope"];

fn part(channel: usize, frame: usize, input: usize) -> f32 {
    let swing = (TAU * (0.003 * (channel + 1) as f64 * (1.0 + input as f64) * frame as f64).fract()).sin() as f32;
    match input {
        0 => swing,
        1 if channel.is_multiple_of(3) => 0.2,
        3 => 0.5 + 0.6 * swing,
        // Choices differ from channel to channel and move from block to block.
        4 | 5 => ((channel + input + frame / 640) % 2) as f32,
        _ => 2.0 * swing,
    }
}

fn channels_of(channels: usize, first: usize, patched: usize) -> Vec<Vec<f32>> {
    let (_, kind) = kind("vcf").unwrap();
    let mut rig = Rig::new(kind, channels, RATE_HZ as f32, FRAMES).with("res", 0.7).with("model", patched as f32 % 2.0);
    let cables: Vec<usize> = PART_INPUTS[..patched].iter().map(|input| rig.patch_poly(input, 1.0, channels)).collect();
    let mut heard = vec![Vec::new(); channels];
    for block in 0..40 {
        for (input, &cable) in cables.iter().enumerate() {
            rig.feed(cable, |channel, frame| part(first + channel, block * FRAMES + frame, input));
        }
        let (state, _) = rig.snapshot();
        rig.step();
        let bits: Vec<u32> = rig.output("out", 0).map(f32::to_bits).collect();
        if block > 0 {
            rig.rewind(&state);
            rig.step();
            assert_eq!(bits, rig.output("out", 0).map(f32::to_bits).collect::<Vec<_>>(), "executed again");
        }
        for (channel, heard) in heard.iter_mut().enumerate() {
            heard.extend(rig.output("out", channel));
        }
    }
    heard
}

#[test]
fn a_channel_gives_the_same_bits_alone_among_others_and_when_executed_again() {
    for patched in [1, 2, 3, 4, 5, 6] {
        let wide = channels_of(11, 0, patched);
        for channel in 0..11 {
            let alone = &channels_of(1, channel, patched)[0];
            let same = alone.iter().zip(&wide[channel]).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "channel {channel} of 11, {patched} inputs");
        }
    }
}
