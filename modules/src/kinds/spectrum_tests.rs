//! The spectrum tells pitches rightly, and leaves the signal alone.

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{cents, tone};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

/// Centroid and peak in hertz, half a second into `signal`.
fn told(signal: impl Fn(usize) -> f32) -> [f64; 2] {
    let (_, kind) = kind("spectrum").unwrap();
    let mut rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES);
    let cable = rig.patch("in", 1.0);
    for block in 0..375 {
        rig.feed(cable, |_, frame| signal(block * FRAMES + frame));
        rig.step();
        let same =
            rig.output("out", 0).enumerate().all(|(frame, x)| x.to_bits() == signal(block * FRAMES + frame).to_bits());
        assert!(same, "the signal passes bit for bit");
    }
    ["centroid", "peak"].map(|port| 261.625_565 * f64::from(rig.output(port, 0).last().unwrap()).exp2())
}

#[test]
fn the_strongest_partial_is_told_within_a_cent() {
    for hz in [110.0, 441.0, 1_000.0, 5_678.9, 15_000.0] {
        let [_, alone] = told(|frame| 0.3 * tone(hz, frame) as f32);
        let [_, among] =
            told(|frame| (0.3 * tone(hz, frame) + 0.1 * tone(1.37 * hz, frame) + 0.02 * tone(0.5 * hz, frame)) as f32);
        assert!(cents(alone, hz).abs() < 1.0, "{hz} Hz: {alone}");
        assert!(cents(among, hz).abs() < 20.0, "{hz} Hz among others: {among}");
    }
}

#[test]
fn the_centroid_is_the_mean_of_what_there_is() {
    let [one, _] = told(|frame| 0.5 * tone(2_000.0, frame) as f32);
    assert!(cents(one, 2_000.0).abs() < 20.0, "{one} Hz");
    let [two, _] = told(|frame| (0.3 * tone(1_000.0, frame) + 0.3 * tone(5_000.0, frame)) as f32);
    assert!((two / 3_000.0 - 1.0).abs() < 0.02, "{two} Hz");
    let noise = |frame: usize| {
        ((frame as u32).wrapping_mul(2_654_435_761).wrapping_mul(frame as u32 | 1) >> 8) as f32 / 16_777_216.0 - 0.5
    };
    let [white, _] = told(noise);
    assert!((white / 12_000.0 - 1.0).abs() < 0.1, "{white} Hz");
}

#[test]
fn silence_moves_nothing() {
    let faded = |frame: usize| if frame < 9_600 { 0.3 * tone(700.0, frame) as f32 } else { 0.0 };
    let [_, peak] = told(faded);
    assert!(cents(peak, 700.0).abs() < 60.0, "{peak} Hz");
}
