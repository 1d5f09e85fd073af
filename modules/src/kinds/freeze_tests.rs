//! Freeze: tones stay, in tune and as loud, and noise stays noise.

use crate::kind;
use crate::rig::Rig;
use crate::spectrum::{cents, db, frequency, noise, rms, tone};

const RATE_HZ: f64 = 48_000.0;
const FRAMES: usize = 64;

/// Hears `signal` for half a second, holds its last moment while there is silence, and gives what is heard from then on.
fn held(blur: f32, seconds: f64, signal: impl Fn(usize) -> f64) -> Vec<f32> {
    let (_, kind) = kind("freeze").unwrap();
    let mut rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES).with("blur", blur);
    let cable = rig.patch("in", 1.0);
    let mut heard = Vec::new();
    for block in 0..400 + (seconds * RATE_HZ) as usize / FRAMES {
        if block == 375 {
            rig.event("gate", 10, 1.0, 0);
        }
        rig.feed(cable, |_, frame| if block < 400 { signal(block * FRAMES + frame) as f32 } else { 0.0 });
        rig.step();
        if block >= 400 {
            heard.extend(rig.output("out", 0));
        }
    }
    heard
}

#[test]
fn while_it_is_off_every_bit_passes_and_again_after_it_was_on() {
    let (_, kind) = kind("freeze").unwrap();
    let mut rig = Rig::new(kind, 1, RATE_HZ as f32, FRAMES);
    let cable = rig.patch("in", 1.0);
    for block in 0..400 {
        match block {
            100 => rig.event("freeze", 0, 1.0, 0),
            200 => rig.event("freeze", 0, 0.0, 0),
            _ => {}
        }
        rig.feed(cable, |_, frame| noise(block * FRAMES + frame) as f32);
        rig.step();
        let same = rig.output("out", 0).enumerate().all(|(frame, x)| x == noise(block * FRAMES + frame) as f32);
        if !(100..240).contains(&block) {
            assert!(same, "block {block}");
        }
        assert!(block != 180 || !same);
    }
}

#[test]
fn a_held_tone_keeps_its_pitch_and_its_level() {
    for hz in [82.4, 220.0, 440.0, 1_318.5, 5_000.0] {
        let heard = held(0.0, 5.0, |frame| 0.5 * tone(hz, frame));
        let off = cents(frequency(&heard, RATE_HZ, hz), hz);
        let (early, late) = (
            2.0 * db(rms(&heard[4_800..14_400]) / 0.125f64.sqrt()),
            2.0 * db(rms(&heard[192_000..]) / 0.125f64.sqrt()),
        );
        assert!(off.abs() < 1.0, "{hz} Hz: {off} cents");
        assert!(early.abs() < 0.5 && late.abs() < 0.5, "{hz} Hz: {early} dB, {late} dB");
    }
}

#[test]
fn held_noise_is_as_loud_at_any_blur_and_does_not_buzz() {
    for blur in [0.0, 0.1, 0.5, 1.0] {
        let heard = &held(blur, 4.0, noise)[9_600..];
        let level = 2.0 * db(rms(heard) * 3.0f64.sqrt());
        // A buzz repeats: stretches are made every 512 frames and are 2048 long.
        let power = heard.iter().map(|&x| f64::from(x * x)).sum::<f64>();
        let alike = |lag: usize| heard.iter().zip(&heard[lag..]).map(|(a, b)| f64::from(a * b)).sum::<f64>() / power;
        let worst = [512, 1_024, 1_536, 2_048, 4_096].map(alike).iter().fold(0.0f64, |worst, x| x.abs().max(worst));
        assert!(level.abs() < 2.0, "blur {blur}: {level} dB");
        assert!(worst < 0.3, "blur {blur}: {worst}");
    }
}
