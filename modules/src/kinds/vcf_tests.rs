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
fn print_filters() {
    for f in [20.0f64, 100.0, 1_000.0, 4_000.0, 8_000.0, 16_000.0] {
        for (name, model, slope, fall) in [
            ("svf12", SVF, 0.0, -3.0103),
            ("svf24", SVF, 1.0, -3.0103),
            ("lad12", LADDER, 0.0, -6.0206),
            ("lad24", LADDER, 1.0, -12.0412),
        ] {
            let level = if model == LADDER { 1e-3 } else { 1.0 };
            let response = impulse(vcf(model, slope).with("cutoff", f as f32), level);
            println!("{name} {f}: {:.4} cents", cents(corner(&response, f, fall), f));
        }
    }
    for f in [110.0f64, 440.0, 1_760.0, 3_520.0, 7_040.0, 14_000.0] {
        for (name, model, slope, res) in [
            ("svf", SVF, 0.0, 1.0f32),
            ("svf24", SVF, 1.0, 1.0),
            ("ladder onset", LADDER, 1.0, 0.8912),
            ("ladder .95", LADDER, 1.0, 0.95),
            ("ladder full", LADDER, 1.0, 1.0),
        ] {
            let mut rig = vcf(model, slope).with("cutoff", f as f32).with("res", res);
            let sound = through(&mut rig, 4_500, |_| 0.0);
            let start = sound.iter().position(|x| x.abs() > 0.05).unwrap_or(0) as f64 / RATE_HZ;
            let half = sound.len() - 20_000;
            println!(
                "{name} {f}: {:.4} cents rms {:.4} drift {:.4} thd {:.1} start {start:.3} s",
                cents(frequency(&sound, RATE_HZ, f), f),
                rms(&sound[half..]),
                rms(&sound[half..]) / rms(&sound[half - 40_000..half]),
                periodic(&sound, RATE_HZ, frequency(&sound, RATE_HZ, f)).thd_db
            );
        }
    }
    for f in [1_244.5f64, 4_978.0] {
        for (name, model) in [("svf", SVF), ("ladder", LADDER)] {
            for drive in [1.0, 10.0] {
                let mut rig = vcf(model, 1.0).with("cutoff", 12_000.0).with("drive", drive).with("res", 0.25);
                let sound = through(&mut rig, 1_500, |frame| (TAU * (f / RATE_HZ * frame as f64).fract()).sin());
                println!("drive {drive} {name} {f}: {:?}", periodic(&sound, RATE_HZ, f));
            }
        }
    }
    for model in [SVF, LADDER] {
        for slope in [0.0, 1.0] {
            for mode in 0..4 {
                let mut rig = vcf(model, slope)
                    .with("cutoff", 632.5)
                    .with("res", 1.0)
                    .with("drive", 10.0)
                    .with("mode", mode as f32);
                let sweep = rig.patch("cutoff", 1.0);
                let cable = rig.patch("in", 1.0);
                let mut seed = 1u32;
                let mut peak = 0.0f32;
                for block in 0..7_500 {
                    rig.feed(sweep, |_, frame| {
                        5.0 * (TAU * 3_000.0 / RATE_HZ * (block * FRAMES + frame) as f64).sin() as f32
                    });
                    rig.feed(cable, |_, _| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        seed as i32 as f32 / 2_147_483_648.0
                    });
                    rig.step();
                    for x in rig.output("out", 0) {
                        assert!(x.is_finite());
                        peak = peak.max(x.abs());
                    }
                }
                println!("stability {model} {slope} {mode}: peak {peak}");
            }
        }
    }
}
