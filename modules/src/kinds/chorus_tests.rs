//! The chorus: copies that are late, out of tune by as much as they should be, clean, and apart.

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{LENGTH, db, frequency, noise, periodic, rms, spectrum, tone};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn chorus(params: &[(&str, f32)], seconds: f64, signal: impl Fn(usize) -> f64) -> [Vec<f32>; 3] {
    let (_, kind) = kind("chorus").unwrap();
    let rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("mix", 1.0);
    let mut rig = params.iter().fold(rig, |rig, (param, value)| rig.with(param, *value));
    let cable = rig.patch("in", 1.0);
    let mut heard = [const { Vec::new() }; 3];
    for block in 0..(seconds * RATE_HZ) as usize / FRAMES {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame) as f32);
        rig.step();
        for (heard, output) in heard.iter_mut().zip(["left", "right", "out"]) {
            heard.extend(rig.output(output, 0));
        }
    }
    heard
}

#[test]
fn at_rest_it_is_a_clean_delay() {
    let [left, ..] = chorus(&[("depth", 0.0), ("tone", 20_000.0)], 2.0, |frame| tone(997.0, frame));
    let found = periodic(&left, RATE_HZ, 997.0);
    assert!(found.noise_db < -130.0, "{found:?}");
    assert!((frequency(&left, RATE_HZ, 997.0) - 997.0).abs() < 1e-4);
}

#[test]
fn copies_spread_by_no_more_than_the_detuning_and_leave_nothing_elsewhere() {
    // The slow sine bends by up to 0.06 * depth, the quick one by 0.01 * depth.
    for (depth, rate) in [(0.5f64, 0.6f64), (1.0, 3.0)] {
        let [left, right, _] =
            chorus(&[("depth", depth as f32), ("rate", rate as f32), ("tone", 20_000.0)], 3.0, |frame| {
                tone(3_000.0, frame)
            });
        for side in [&left, &right] {
            let power: Vec<f64> = spectrum(side).iter().map(|bin| bin.norm_sqr()).collect();
            let bin = |hz: f64| (hz * LENGTH as f64 / RATE_HZ) as usize;
            // Carson: the deviation, and a few times the rates of the bend around it.
            let reach = 3_000.0 * 0.07 * depth + 12.0 * rate + 80.0;
            let inside: f64 = power[bin(3_000.0 - reach)..bin(3_000.0 + reach)].iter().sum();
            let outside = power.iter().sum::<f64>() - inside;
            assert!(db(outside / inside) < -100.0, "depth {depth} rate {rate}: {} dB", db(outside / inside));
        }
    }
}

#[test]
fn the_sides_are_as_loud_as_the_signal_and_apart() {
    let [left, right, _] = chorus(&[("tone", 20_000.0)], 6.0, noise);
    let (left, right) = (&left[48_000..], &right[48_000..]);
    let (l, r) = (rms(left), rms(right));
    let both = left.iter().zip(right).map(|(l, r)| f64::from(l * r)).sum::<f64>() / left.len() as f64;
    // White noise loses 1.5 dB to one pole at 20 kHz.
    assert!((2.0 * db(l * 3.0f64.sqrt())).abs() < 2.0 && (2.0 * db(l / r)).abs() < 0.5);
    assert!(both.abs() < 0.25 * l * r, "correlation {}", both / (l * r));
}
