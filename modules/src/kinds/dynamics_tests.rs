//! limiter, comp, meter: true to the level.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

/// Frames by which a limiter is late.
const LATE: usize = 192;

fn rig(name: &str) -> Rig {
    let (_, kind) = kind(name).unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES)
}

fn through(rig: &mut Rig, port: &str, blocks: usize, signal: impl Fn(usize) -> f32) -> Vec<f32> {
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..blocks {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame));
        rig.step();
        heard.extend(rig.output(port, 0));
    }
    heard
}

fn sine(hz: f64, frame: usize) -> f32 {
    (TAU * (hz / RATE_HZ * frame as f64).fract()).sin() as f32
}

fn noise(frame: usize) -> f32 {
    let x = (frame as u32).wrapping_mul(0x9e37_79b9);
    ((x ^ x >> 15).wrapping_mul(0x85eb_ca6b) as i32) as f32 / 2_147_483_648.0
}

fn gain_of(db: f64) -> f64 {
    10f64.powf(0.05 * db)
}

#[test]
fn a_limiter_lets_nothing_over_its_threshold() {
    for threshold_db in [0.0, -0.1, -6.0, -40.0] {
        let bound = gain_of(threshold_db) as f32 * 1.000_001;
        for level in [1.01, 3.0, 1e3] {
            let signals: [&dyn Fn(usize) -> f32; 3] = [
                &|frame| level * noise(frame),
                &|frame| level * sine(997.0, frame),
                // Lone peaks, at all distances.
                &|frame| if frame.is_multiple_of(7 + frame / 500) { level } else { 0.01 },
            ];
            for (number, signal) in signals.iter().enumerate() {
                let heard = through(&mut rig("limiter").with("threshold", threshold_db as f32), "out", 400, signal);
                let peak = heard.iter().fold(0f32, |peak, x| x.abs().max(peak));
                assert!(peak <= bound, "signal {number} by {level} at {threshold_db} dB: {peak}");
                assert!(peak >= 0.98 * bound, "and it comes up to it: {number} by {level}: {peak} of {bound}");
            }
        }
    }
}

#[test]
fn below_its_threshold_a_limiter_passes_every_bit_and_after_a_peak_it_does_again() {
    let signal = |frame: usize| {
        let peak = if frame == 10_001 { 30.0 } else { 1.0 };
        if frame.is_multiple_of(5) { f32::from_bits(0x0080_0000 + frame as u32) } else { peak * noise(frame) }
    };
    let heard = through(&mut rig("limiter").with("release", 0.05), "out", 1_500, signal);
    let same = |frame: usize| heard[frame].to_bits() == signal(frame - LATE).to_bits();
    assert!((LATE..10_001).all(same), "before");
    assert!((10_001 + LATE + 30_000..heard.len()).all(same), "and after");
    assert!(!same(10_001 + LATE - 20), "the gain is down before the peak");
}

#[test]
fn a_limiter_keeps_the_shape_of_a_steady_tone() {
    let heard = through(&mut rig("limiter").with("release", 1.0), "out", 1_500, |frame| 2.0 * sine(1_000.0, frame));
    for frame in 48_000..heard.len() {
        assert!((heard[frame] - sine(1_000.0, frame - LATE)).abs() < 0.002, "frame {frame}");
    }
}

#[test]
fn linked_limiters_go_down_together() {
    let mut limiter = rig("limiter");
    let link = limiter.patch("link", 1.0);
    limiter.feed(link, |_, _| 4.0);
    let heard = through(&mut limiter, "out", 100, |_| 0.5);
    assert!((heard[6_000] - 0.125).abs() < 1e-6, "{}", heard[6_000]);
}

#[test]
fn a_compressors_static_curve_is_within_a_tenth_of_a_db() {
    for (threshold, ratio, knee) in [(-18.0, 4.0, 6.0), (-30.0, 2.0, 0.0), (-20.0, 100.0, 24.0), (-10.0, 1.0, 6.0)] {
        for step in 0..=24 {
            let level = -60.0 + 2.5 * f64::from(step);
            let over = level - threshold;
            let wanted = if 2.0 * over.abs() < knee {
                level + (1.0 / ratio - 1.0) * (over + 0.5 * knee).powi(2) / (2.0 * knee)
            } else if over > 0.0 {
                threshold + over / ratio
            } else {
                level
            };
            let make = || {
                let rig = rig("comp").with("threshold", threshold as f32).with("ratio", ratio as f32);
                rig.with("knee", knee as f32).with("release", 1.0)
            };
            let held = through(&mut make(), "out", 200, |_| gain_of(level) as f32);
            let found = 20.0 * f64::from(held[held.len() - 1]).log10();
            assert!(
                (found - wanted).abs() < 0.01,
                "{level} dB at {threshold}, {ratio}:1, {knee}: {found}, not {wanted}"
            );
            // A tone is judged by its peak.
            let tone = through(&mut make(), "out", 400, |frame| (gain_of(level) as f32) * sine(2_000.0, frame));
            let peak = tone[tone.len() - 4_800..].iter().fold(0f32, |peak, x| x.abs().max(peak));
            let found = 20.0 * f64::from(peak).log10();
            assert!(
                (found - wanted).abs() < 0.1,
                "a tone of {level} dB at {threshold}, {ratio}:1: {found}, not {wanted}"
            );
        }
    }
}

#[test]
fn attack_and_release_are_time_constants() {
    // 1:100 of 20 dB over.
    let mut comp = rig("comp").with("threshold", -20.0).with("ratio", 100.0).with("knee", 0.0);
    comp = comp.with("attack", 0.02).with("release", 0.2);
    let gains = through(&mut comp, "gain", 1_500, |frame| if frame < 24_000 { 1.0 } else { 0.0 });
    let reduction = |frame: usize| -20.0 * f64::from(gains[frame]).log10();
    let full = 20.0 * 0.99;
    assert!((reduction(960) / full - 0.632).abs() < 0.005, "{}", reduction(960));
    // The attack's own lag stays behind the release: exp(-t / 0.2) has a head start of 0.02 s.
    let left = reduction(24_000 + 9_600) / reduction(24_000);
    assert!((left - (0.2 * (-1f64).exp() - 0.02 * (-10f64).exp()) / 0.18).abs() < 0.005, "{left}");
}

#[test]
fn a_compressor_at_rest_passes_every_bit_and_a_key_ducks() {
    let quiet = through(&mut rig("comp"), "out", 50, |frame| 0.05 * noise(frame));
    assert!(quiet.iter().enumerate().all(|(frame, x)| x.to_bits() == (0.05 * noise(frame)).to_bits()));
    let mut ducked = rig("comp").with("attack", 0.001);
    let key = ducked.patch("key", 1.0);
    ducked.feed(key, |_, _| 1.0);
    let heard = through(&mut ducked, "out", 50, |_| 0.01);
    let found = 20.0 * libm::log10f(heard[3_000] / 0.01);
    assert!((found + 13.5).abs() < 0.01, "18 dB over, 4:1: {found} dB");
}

#[test]
fn a_meter_reads_a_sine_right_and_falls_as_told() {
    let peak = through(
        &mut rig("meter"),
        "peak",
        2_000,
        |frame| if frame < 48_000 { 0.5 * sine(1_000.0, frame) } else { 0.0 },
    );
    let found = 20.0 * libm::log10f(peak[47_999] / 0.5);
    assert!(found.abs() < 0.2, "{found} dB");
    let fall = 20.0 * libm::log10f(peak[48_000] / peak[96_000]);
    assert!((fall - 20.0 / 1.7).abs() < 0.05, "{fall} dB in a second");
    let rms = through(&mut rig("meter"), "rms", 1_000, |frame| 0.5 * sine(1_000.0, frame));
    let found = 20.0 * libm::log10f(rms[47_999] / (0.5 * std::f32::consts::FRAC_1_SQRT_2));
    assert!(found.abs() < 0.05, "{found} dB");
    let same = through(&mut rig("meter"), "out", 10, noise);
    assert!(same.iter().enumerate().all(|(frame, x)| x.to_bits() == noise(frame).to_bits()));
}
