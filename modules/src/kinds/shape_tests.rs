//! drive, fold, ring: what bends a sound, against the targets of SOUND.md.

use std::f64::consts::TAU;

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{db, gain_db, periodic, rms, spectrum};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

fn rig(name: &str) -> Rig {
    let (_, kind) = kind(name).unwrap();
    Rig::new(kind, 1, RATE_HZ as f32, FRAMES)
}

fn through(mut rig: Rig, blocks: usize, signal: impl Fn(usize) -> f64) -> Vec<f32> {
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..blocks {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame) as f32);
        rig.step();
        heard.extend(rig.output("out", 0));
    }
    heard
}

fn sine(hz: f64, frame: usize) -> f64 {
    (TAU * (hz / RATE_HZ * frame as f64).fract()).sin()
}

/// A tone whose harmonics, and what folds from them, never meet: `near_hz` moved to an odd bin of the spectrum.
fn odd_bin(near_hz: f64) -> f64 {
    let bins = (near_hz / RATE_HZ * 65_536.0).round();
    (bins + (bins + 1.0) % 2.0) * RATE_HZ / 65_536.0
}

fn alias_db(rig: Rig, near_hz: f64) -> f64 {
    let hz = odd_bin(near_hz);
    periodic(&through(rig, 1_700, |frame| sine(hz, frame)), RATE_HZ, hz).alias_db
}

const CURVES: [&str; 4] = ["tanh", "hard", "diode", "tube"];
const FOLDERS: [&str; 3] = ["sine", "tri", "buchla"];

#[test]
fn twenty_db_of_drive_alias_as_little_as_can_be() {
    // SOUND.md, 4x: at most -140 and -50 dB. The half-bands' -108 dB keep the lower one to -134; a corner makes more than a bend.
    for (curve, low_db, high_db) in [(0, -133.0, -85.0), (1, -84.0, -68.0), (2, -133.0, -100.0), (3, -128.0, -87.0)] {
        for (hz, target_db) in [(1_244.5, low_db), (4_978.0, high_db)] {
            let alias = alias_db(rig("drive").with("drive", 10.0).with("curve", curve as f32), hz);
            assert!(alias <= target_db, "{} at {hz} Hz: {alias:.1} dB", CURVES[curve]);
        }
    }
}

#[test]
fn folds_alias_little_however_many() {
    for (curve, gain, low_db, high_db) in
        [(0, 3.0, -138.0, -135.0), (0, 12.0, -123.0, -123.0), (1, 6.0, -97.0, -75.0), (2, 6.0, -97.0, -75.0)]
    {
        for (hz, target_db) in [(220.0, low_db), (1_244.5, high_db)] {
            let alias = alias_db(rig("fold").with("gain", gain).with("curve", curve as f32), hz);
            assert!(alias <= target_db, "{} by {gain} at {hz} Hz: {alias:.1} dB", FOLDERS[curve]);
        }
    }
}

#[test]
fn lopsided_curves_leave_no_dc() {
    let drive = rig("drive").with("drive", 20.0).with("curve", 3.0);
    let fold = rig("fold").with("gain", 5.0).with("symmetry", 0.4).with("curve", 2.0);
    for (name, rig) in [("tube", drive), ("fold", fold)] {
        let sound = through(rig, 2_500, |frame| sine(odd_bin(330.0), frame));
        let found = periodic(&sound, RATE_HZ, odd_bin(330.0));
        assert!(found.dc.abs() < 1e-6, "{name}: {}", found.dc);
        assert!(found.thd_db > -30.0, "{name} is bent");
    }
}

#[test]
fn what_is_quiet_passes_a_drive_as_it_is() {
    for curve in 0..CURVES.len() {
        let level = 1e-3;
        let impulse = |frame: usize| if frame == 0 { level } else { 0.0 };
        let response = through(rig("drive").with("curve", curve as f32), 2_000, impulse);
        let base = 20.0 * level.log10();
        for (hz, fall_db) in [(20.0, 0.15), (100.0, 0.02), (1_000.0, 0.02), (10_000.0, 0.02), (16_000.0, 0.03)] {
            let gain = gain_db(&response, RATE_HZ, hz) - base;
            assert!(gain.abs() < fall_db, "{} at {hz} Hz: {gain} dB", CURVES[curve]);
        }
        let hz = odd_bin(1_000.0);
        let found =
            periodic(&through(rig("drive").with("curve", curve as f32), 1_700, |at| 1e-3 * sine(hz, at)), RATE_HZ, hz);
        assert!(found.thd_db < -110.0 && found.noise_db < -130.0, "{}: {found:?}", CURVES[curve]);
    }
}

#[test]
fn tone_tilts_by_six_db_either_way() {
    for (tone, low_db, high_db) in [(-1.0, 6.02, -6.02), (1.0, -6.02, 6.02)] {
        let impulse = |frame: usize| if frame == 0 { 1e-3 } else { 0.0 };
        let response = through(rig("drive").with("tone", tone), 2_000, impulse);
        let gain = |hz| gain_db(&response, RATE_HZ, hz) + 60.0;
        assert!((gain(40.0) - low_db).abs() < 0.3 && (gain(14_000.0) - high_db).abs() < 0.3, "{tone}");
    }
}

#[test]
fn folds_are_where_they_should_be() {
    // Slow enough that the sound stands still: the curve itself, less the DC blocker's doing.
    let at = |curve: f32, stages: f32, x: f64| {
        let rig = rig("fold").with("curve", curve).with("gain", 1.0).with("stages", stages);
        f64::from(through(rig, 2, |_| x)[100])
    };
    for (x, height) in
        [(0.5, 0.5), (1.0, 1.0), (2.0, 0.0), (3.0, -1.0), (-3.0, 1.0), (5.0, 1.0), (7.0, 1.0), (-90.0, -1.0)]
    {
        let found = at(1.0, 2.0, x);
        assert!((found - height).abs() < 0.05, "tri at {x}: {found}, not {height}");
    }
    for (x, height) in [(1.0 / 3.0, 0.5), (1.0, 1.0), (3.0, -1.0), (50.0, -1.0)] {
        assert!((at(0.0, 1.0, x) - height).abs() < 0.05, "sine at {x}: {}", at(0.0, 1.0, x));
    }
    // Esqueda et al.: 3 V out for 0.6 V in, then falling to -3 V at 1.8 V.
    for (x, height) in [(0.5, 0.5), (1.0, 1.0), (3.0, -1.0), (4.99, 1.04), (6.8, -0.89), (9.1, 1.13)] {
        assert!((at(2.0, 6.0, x) - height).abs() < 0.06, "buchla at {x}: {}", at(2.0, 6.0, x));
    }
}

#[test]
fn extremes_stay_within_reason_and_silence_comes_back() {
    for (name, curves, bound) in [("drive", 4, 140.0), ("fold", 3, 8.0)] {
        for curve in 0..curves {
            let amount = if name == "drive" { "drive" } else { "gain" };
            let rig = rig(name).with("curve", curve as f32).with(amount, if name == "drive" { 100.0 } else { 16.0 });
            let loud = |frame: usize| if frame < 48_000 { 1e6 * sine(9_999.0, frame).signum() } else { 0.0 };
            let sound = through(rig, 3_000, loud);
            let peak = sound.iter().fold(0f32, |peak, x| x.abs().max(peak));
            assert!(peak < bound, "{name} {curve}: {peak}");
            assert!(sound[sound.len() - 64..].iter().all(|x| x.abs() < 1e-9), "{name} {curve}");
        }
    }
}

#[test]
fn a_ring_modulator_gives_sum_and_difference_and_nothing_else() {
    let mut rig = rig("ring");
    let (input, carrier) = (rig.patch("in", 1.0), rig.patch("carrier", 1.0));
    let (a, b) = (odd_bin(3_000.0), odd_bin(440.0));
    let mut sound = Vec::new();
    for block in 0..1_100 {
        rig.feed(input, |_, frame| sine(a, block * FRAMES + frame) as f32);
        rig.feed(carrier, |_, frame| sine(b, block * FRAMES + frame) as f32);
        rig.step();
        sound.extend(rig.output("out", 0));
    }
    let bins = spectrum(&sound);
    let near = |bin: usize, hz: f64| bin.abs_diff((hz / RATE_HZ * 65_536.0) as usize) < 10;
    let rest: f64 =
        (0..bins.len()).filter(|&bin| !near(bin, a - b) && !near(bin, a + b)).map(|bin| bins[bin].norm_sqr()).sum();
    assert!(db(rest) < -140.0, "{} dB", db(rest));
    assert!((rms(&sound) - 0.5).abs() < 1e-3);
}
