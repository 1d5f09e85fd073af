//! The vcf as it is played: modes, gates, choices, channels.

use std::f64::consts::TAU;

use super::vcf_tests::{FRAMES, LADDER, LPG, RATE_HZ, SVF, impulse, through, vcf};
use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{gain_db, rms};

/// Gain at `hz` of an impulse response at `level`.
fn gain(response: &[f32], level: f64, hz: f64) -> f64 {
    gain_db(response, RATE_HZ, hz) - 20.0 * level.log10()
}

#[test]
fn an_allpass_lets_everything_pass_and_turns_it() {
    // The ladder's is one without resonance only.
    for (model, res, level) in [(SVF, 0.0, 0.5), (SVF, 0.4, 0.5), (LADDER, 0.0, 1e-3)] {
        for slope in [0.0, 1.0] {
            let rig = vcf(&[("model", model), ("res", res), ("slope", slope), ("mode", 5.0), ("quality", 0.0)]);
            let response = impulse(rig, 200, level);
            for hz in [20.0, 300.0, 990.0, 1_000.0, 1_700.0, 5_000.0, 15_000.0, 20_000.0] {
                let found = gain(&response, level, hz);
                assert!(found.abs() < 0.01, "model {model} res {res} slope {slope} at {hz} Hz: {found} dB");
            }
            // Half a turn per order: at 12 dB it is inverted at the cutoff, at 24 dB it is back there.
            let (sin, cos) = response.iter().enumerate().fold((0.0, 0.0), |(sin, cos), (frame, &sample)| {
                let turn = TAU * 1_000.0 / RATE_HZ * frame as f64;
                (sin + f64::from(sample) * turn.sin(), cos + f64::from(sample) * turn.cos())
            });
            let wanted = if slope == 0.0 { -level } else { level };
            assert!(
                (cos / wanted - 1.0).abs() < 0.01 && sin.abs() < 0.1 * level,
                "model {model} slope {slope}: {cos} {sin}"
            );
        }
    }
}

#[test]
fn a_peak_stands_on_a_flat_floor() {
    for slope in [0.0, 1.0] {
        let response = impulse(vcf(&[("res", 0.6), ("slope", slope), ("mode", 4.0)]), 200, 0.5);
        for hz in [10.0, 20_000.0] {
            assert!(gain(&response, 0.5, hz).abs() < 0.5, "slope {slope}: {} dB at {hz} Hz", gain(&response, 0.5, hz));
        }
        let peak = gain(&response, 0.5, 1_000.0);
        assert!(peak > 8.0, "slope {slope}: {peak} dB");
        // The ladder is flat without resonance; with it the peak stands out as much.
        for (res, least_db, most_db) in [(0.0, -0.1, 0.1), (0.8, 10.0, 30.0)] {
            let rig = vcf(&[("model", LADDER), ("res", res), ("slope", slope), ("mode", 4.0)]);
            let response = impulse(rig, 200, 1e-3);
            let peak = gain(&response, 1e-3, 1_000.0) - gain(&response, 1e-3, 10_000.0);
            assert!((least_db..most_db).contains(&peak), "slope {slope} res {res}: {peak} dB");
        }
    }
}

#[test]
fn at_2x_the_svf_pays_only_for_its_drive_and_at_4x_always() {
    let saw = |frame: usize| (frame % 109) as f64 / 54.5 - 1.0;
    let heard = |model: f32, quality: Option<f32>, drive: f32| {
        let rig = vcf(&[("model", model), ("drive", drive)]);
        through(&mut quality.into_iter().fold(rig, |rig, quality| rig.with("quality", quality)), 20, saw)
    };
    for model in [SVF, LPG] {
        assert!(heard(model, None, 1.0) == heard(model, Some(0.0), 1.0), "the default is 1x while the drive is 1");
        assert!(heard(model, None, 1.1) == heard(model, Some(1.0), 1.1));
        assert!(heard(model, None, 1.1) != heard(model, Some(0.0), 1.1), "and 2x when it is driven");
        assert!(heard(model, Some(2.0), 1.0) != heard(model, Some(0.0), 1.0));
    }
    assert!(heard(LADDER, None, 1.0) == heard(LADDER, Some(1.0), 1.0), "the ladder's default is 2x");
    assert!(heard(LADDER, None, 1.0) != heard(LADDER, Some(0.0), 1.0));
}

#[test]
fn what_sings_goes_on_when_the_quality_changes() {
    for model in [SVF, LADDER] {
        let mut rig = vcf(&[("model", model), ("res", 1.0), ("quality", 0.0)]);
        let before = rms(&rig.render("out", 3_000)[180_000..]);
        for quality in [2.0, 1.0, 0.0] {
            rig.event("quality", 0, quality, 0);
            let sound = rig.render("out", 100);
            // In the fade the two are some samples apart.
            let least = sound.chunks(480).map(rms).fold(f64::MAX, f64::min);
            assert!(least > 0.7 * before, "model {model} to {quality}: {before}, then {least}");
        }
    }
}

/// Levels of a strike's 200 Hz and 4 kHz over 10 ms from `from_ms` after it on.
fn struck(heard: &[f32], from_ms: usize) -> [f64; 2] {
    let start = 4_800 + from_ms * 48;
    [200.0, 4_000.0].map(|hz| {
        let (sin, cos) =
            heard[start..start + 480].iter().enumerate().fold((0.0, 0.0), |(sin, cos), (frame, &sample)| {
                let turn = TAU * hz / RATE_HZ * frame as f64;
                (sin + f64::from(sample) * turn.sin(), cos + f64::from(sample) * turn.cos())
            });
        10.0 * ((sin * sin + cos * cos) / (240.0 * 240.0)).max(1e-20).log10()
    })
}

#[test]
fn a_strike_opens_a_gate_at_once_and_lets_it_close_slowly_and_darkening() {
    let mut rig = vcf(&[("model", LPG), ("cutoff", 20.0)]);
    let (input, gate) = (rig.patch("in", 1.0), rig.patch("cutoff", 10.0));
    let mut heard = Vec::new();
    for block in 0..900 {
        let frame = |at: usize| block * FRAMES + at;
        rig.feed(input, |_, at| {
            let turn = |hz: f64| (TAU * (hz / RATE_HZ * frame(at) as f64).fract()).sin();
            (0.5 * (turn(200.0) + turn(4_000.0))) as f32
        });
        // Struck after 100 ms, for 40 ms.
        rig.feed(gate, |_, at| if (4_800..6_720).contains(&frame(at)) { 1.0 } else { 0.0 });
        rig.step();
        heard.extend(rig.output("out", 0));
    }
    assert!(rms(&heard[2_400..4_800]) < 1e-3, "closed it is silent: {}", rms(&heard[2_400..4_800]));
    let at = [25, 80, 140, 270, 520].map(|ms| struck(&heard, ms));
    let [low, high] = at[0];
    assert!(low > -7.0 && high > -8.0, "open after 25 ms: {at:?}");
    // Loudness falls all the way, by 80 dB a second and more; what is high falls faster.
    for pair in at.windows(2) {
        assert!(pair[1][0] < pair[0][0] - 2.0 && pair[1][1] - pair[1][0] < pair[0][1] - pair[0][0] - 1.0, "{at:?}");
    }
    assert!(at[2][0] > -20.0 && at[4][0] < -55.0, "it rings for a quarter of a second: {at:?}");
}

#[test]
fn without_resonance_silence_stays_silent() {
    for model in [SVF, LADDER, LPG] {
        let sound = through(&mut vcf(&[("model", model), ("res", 0.5)]), 100, |_| 0.0);
        assert!(sound.iter().all(|&sample| sample == 0.0));
    }
}

#[test]
fn a_change_of_any_choice_has_neither_a_step_nor_a_corner() {
    let mode: (&str, &[f32]) = ("mode", &[1.0, 2.0, 3.0, 4.0, 5.0, 0.0]);
    for (param, values) in [mode, ("model", &[1.0, 2.0, 0.0]), ("slope", &[1.0, 0.0]), ("quality", &[2.0, 1.0, 0.0])] {
        for model in [SVF, LADDER, LPG] {
            let mut rig = vcf(&[("model", model)]);
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

const PART_INPUTS: [&str; 9] = ["in", "pitch", "cutoff", "res", "model", "slope", "mode", "quality", "drive"];

fn part(channel: usize, frame: usize, input: usize) -> f32 {
    let swing = (TAU * (0.003 * (channel + 1) as f64 * (1.0 + input as f64) * frame as f64).fract()).sin() as f32;
    match input {
        0 => swing,
        1 if channel.is_multiple_of(3) => 0.2,
        3 => 0.5 + 0.6 * swing,
        // Choices differ from channel to channel and move from block to block.
        4..=7 => ((channel + input + frame / 960) % 3) as f32,
        8 => 0.6 * swing,
        _ => 2.0 * swing,
    }
}

fn channels_of(channels: usize, first: usize, patched: usize) -> Vec<Vec<f32>> {
    let (_, kind) = kind("vcf").unwrap();
    let mut rig = Rig::new(kind, channels, RATE_HZ as f32, FRAMES).with("res", 0.7).with("model", patched as f32 % 3.0);
    let cables: Vec<usize> = PART_INPUTS[..patched].iter().map(|input| rig.patch_poly(input, 1.0, channels)).collect();
    let mut heard = vec![Vec::new(); channels];
    for block in 0..60 {
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
    for patched in 1..=9 {
        let wide = channels_of(11, 0, patched);
        for channel in 0..11 {
            let alone = &channels_of(1, channel, patched)[0];
            let same = alone.iter().zip(&wide[channel]).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "channel {channel} of 11, {patched} inputs");
        }
    }
}
