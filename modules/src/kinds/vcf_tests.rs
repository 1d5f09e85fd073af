//! The vcf against the targets of SOUND.md.

use std::f64::consts::TAU;

use crate::kind;
use crate::measure::{corner_off_cents, singing};
use crate::rig::Rig;
use crate::spectrum::{cents, frequency, periodic};

pub const RATE_HZ: f64 = 48_000.0;
pub const FRAMES: usize = 64;
pub const SVF: f32 = 0.0;
pub const LADDER: f32 = 1.0;
pub const LPG: f32 = 2.0;

/// A mono vcf with these params.
pub fn vcf(params: &[(&str, f32)]) -> Rig {
    let (_, kind) = kind("vcf").unwrap();
    params.iter().fold(Rig::new(kind, 1, RATE_HZ as f32, FRAMES), |rig, &(name, value)| rig.with(name, value))
}

/// What `blocks` blocks of `signal` become in it.
pub fn through(rig: &mut Rig, blocks: usize, signal: impl Fn(usize) -> f64) -> Vec<f32> {
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..blocks {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame) as f32);
        rig.step();
        heard.extend(rig.output("out", 0));
    }
    heard
}

pub fn impulse(mut rig: Rig, blocks: usize, level: f64) -> Vec<f32> {
    through(&mut rig, blocks, |frame| if frame == 0 { level } else { 0.0 })
}

fn tone(hz: f64) -> impl Fn(usize) -> f64 {
    move |frame| (TAU * (hz / RATE_HZ * frame as f64).fract()).sin()
}

#[test]
fn the_corner_lies_where_cutoff_says() {
    for cutoff_hz in [20.0, 33.0, 100.0, 1_000.0, 4_000.0, 8_000.0, 12_345.0, 16_000.0] {
        for (model, slope, fall_db) in
            [(SVF, 0.0, -3.0103), (SVF, 1.0, -3.0103), (LADDER, 0.0, -6.0206), (LADDER, 1.0, -12.0412)]
        {
            for quality in [0.0, 1.0, 2.0] {
                // Small for the ladder, so that its tanh is a straight line; a drive that has the svf oversampled.
                let (level, drive) = if model == LADDER { (1e-3, 1.0) } else { (0.5, 1.5) };
                let rig = vcf(&[("model", model), ("slope", slope), ("quality", quality), ("drive", drive)]);
                let blocks = if cutoff_hz < 500.0 { 1_500 } else { 100 };
                let response = impulse(rig.with("cutoff", cutoff_hz as f32), blocks, level);
                let off = corner_off_cents(&response, RATE_HZ, cutoff_hz, fall_db);
                // The ladder may be 1 off.
                assert!(
                    off.abs() < 0.1,
                    "model {model} slope {slope} quality {quality} at {cutoff_hz} Hz: {off} cents"
                );
            }
        }
    }
}

#[test]
fn at_full_resonance_it_sings_in_tune_and_at_a_steady_level() {
    // Model, slope, resonance, lowest cutoff that has settled in time, cents that it may be off.
    let rows = [
        (SVF, 0.0, 1.0, 50.0, 0.1),
        (SVF, 1.0, 1.0, 50.0, 0.1),
        (LPG, 0.0, 1.0, 50.0, 0.1),
        // The onset lies at 4 / 4.5.
        (LADDER, 1.0, 0.9, 400.0, 1.0),
        (LADDER, 1.0, 0.92, 200.0, 1.0),
        (LADDER, 1.0, 1.0, 50.0, 2.0),
    ];
    for (model, slope, res, lowest_hz, off_max) in rows {
        // All pitches at the default, the extremes at the other rates.
        let every = [55.0, 110.0, 440.0, 1_760.0, 3_520.0, 7_040.0, 11_111.0, 14_000.0, 16_000.0];
        for (quality, cutoffs_hz) in [(1.0, &every[..]), (0.0, &[110.0, 1_760.0, 14_000.0]), (2.0, &[110.0, 16_000.0])]
        {
            for &cutoff_hz in cutoffs_hz.iter().filter(|&&hz| hz >= lowest_hz) {
                let rig = vcf(&[("model", model), ("slope", slope), ("res", res), ("quality", quality)]);
                let blocks = if cutoff_hz < 1_000.0 { 4_500 } else { 2_700 };
                let sound = through(&mut rig.with("cutoff", cutoff_hz as f32), blocks, |_| 0.0);
                let found = singing(&sound, RATE_HZ, cutoff_hz);
                let what = format!("model {model} slope {slope} res {res} quality {quality} at {cutoff_hz} Hz");
                assert!(found.off_cents.abs() < off_max, "{what}: {found:?}");
                assert!(found.drift_db.abs() < 0.05 && found.level > 0.05, "{what}: {found:?}");
            }
        }
    }
}

#[test]
fn pitch_plays_the_singing_svf_as_a_sine() {
    for (pitch, wanted_hz) in [(-1.0, 130.8128), (0.0, 261.6256), (1.75, 880.0), (4.0, 4_186.009_6)] {
        let mut rig = vcf(&[("cutoff", 261.6256), ("res", 1.0)]);
        let cable = rig.patch("pitch", 1.0);
        rig.feed(cable, |_, _| pitch);
        let sound = rig.render("out", 4_500);
        let hz = frequency(&sound, RATE_HZ, wanted_hz);
        assert!(cents(hz, wanted_hz).abs() < 0.1, "pitch {pitch}: {hz} Hz");
        let found = periodic(&sound, RATE_HZ, hz);
        assert!(found.thd_db < -110.0 && found.noise_db < -110.0, "pitch {pitch}: {found:?}");
    }
}

#[test]
fn a_drive_of_20_db_aliases_no_more_than_it_may() {
    // Model, drive, level of the tone, quality, and the most at 1244.5 and at 4978 Hz.
    let rows = [
        (LADDER, 10.0, 1.0, 1.0, [-100.0, -25.0]),
        (LADDER, 10.0, 1.0, 2.0, [-140.0, -50.0]),
        // A level of 10 at the tanh itself, 12 dB more, as SOUND's probe has it: at 4x -133.
        (LADDER, 16.0, 2.5, 1.0, [-100.0, -25.0]),
        (LADDER, 16.0, 2.5, 2.0, [-130.0, -50.0]),
        (SVF, 10.0, 1.0, 1.0, [-100.0, -25.0]),
        (SVF, 10.0, 1.0, 2.0, [-140.0, -50.0]),
    ];
    for (model, drive, level, quality, most_db) in rows {
        for (tone_hz, most_db) in [1_244.5, 4_978.0].into_iter().zip(most_db) {
            let rig = vcf(&[("model", model), ("slope", 1.0), ("quality", quality), ("drive", drive)]);
            let mut rig = rig.with("cutoff", 12_000.0).with("res", 0.25);
            let tone = tone(tone_hz);
            let found = periodic(&through(&mut rig, 1_500, |frame| level * tone(frame)), RATE_HZ, tone_hz);
            assert!(
                found.alias_db <= most_db,
                "model {model} drive {drive} quality {quality}, {tone_hz} Hz: {found:?}"
            );
        }
    }
}

#[test]
fn at_a_drive_of_1_all_is_clean() {
    for tone_hz in [1_244.5, 4_978.0] {
        for (model, quality) in [(SVF, 1.0), (SVF, 2.0), (LADDER, 1.0), (LADDER, 2.0)] {
            let rig =
                vcf(&[("model", model), ("slope", 1.0), ("quality", quality), ("cutoff", 12_000.0), ("res", 0.25)]);
            let mut rig = rig;
            let found = periodic(&through(&mut rig, 1_500, tone(tone_hz)), RATE_HZ, tone_hz);
            assert!(found.alias_db <= -130.0, "model {model} quality {quality} at {tone_hz} Hz: {found:?}");
            assert!(model == LADDER || found.thd_db <= -130.0, "the svf is linear: {found:?}");
        }
    }
}

#[test]
fn noise_at_20_db_through_a_cutoff_swept_at_3_khz_stays_bounded_at_full_resonance() {
    for case in 0..108 {
        let (mode, slope, model, quality) = (case % 6, case / 6 % 2, case / 12 % 3, case / 36);
        let choices = [("mode", mode), ("slope", slope), ("model", model), ("quality", quality)];
        let choices = choices.map(|(name, choice)| (name, choice as f32));
        let mut rig = vcf(&choices).with("cutoff", 632.5).with("res", 1.0).with("drive", 10.0);
        let (sweep, cable) = (rig.patch("cutoff", 1.0), rig.patch("in", 1.0));
        let mut seed = 1u32;
        for block in 0..1_500 {
            let frame = |frame: usize| (block * FRAMES + frame) as f64;
            rig.feed(sweep, |_, at| 5.0 * (TAU * 3_000.0 / RATE_HZ * frame(at)).sin() as f32);
            rig.feed(cable, |_, _| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as i32 as f32 / 2_147_483_648.0
            });
            rig.step();
            let loudest = rig.output("out", 0).map(f32::abs).fold(0.0, f32::max);
            // The ladder's all-passes subtract taps of up to 128.
            let most = [60.0, 150.0, 200.0][usize::from(mode > 3) * (1 + usize::from(model == 1))];
            assert!(loudest < most, "{choices:?}: {loudest}");
        }
    }
}

#[test]
fn the_largest_signals_on_all_inputs_stay_finite() {
    for model in [SVF, LADDER, LPG] {
        let mut rig = vcf(&[("model", model), ("slope", 1.0)]);
        let cables = ["in", "pitch", "cutoff", "res", "drive", "mode", "quality"].map(|input| rig.patch(input, 1.0));
        for block in 0..500usize {
            for (number, &cable) in cables.iter().enumerate() {
                rig.feed(cable, |_, frame| if (block * 7 + frame * (number + 3)) % 11 < 5 { 1e6 } else { -1e6 });
            }
            rig.step();
            assert!(rig.output("out", 0).all(|sample| sample.abs() < 1e4), "model {model}");
        }
    }
}
