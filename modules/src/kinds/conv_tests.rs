//! Convolution: what a direct sum would give, at once, and the same bits in blocks of any length.

use realfft::RealFftPlanner;

use crate::kind;
use crate::rig::Rig;
use crate::sounds::Recording;
use crate::spectrum::{db, noise, rms, tone};

const RATE_HZ: f32 = 48_000.0;

/// A stereo room of `frames`, of energy 1 on its louder side.
fn room(frames: usize) -> (Recording, [Vec<f64>; 2]) {
    let fade = |frame: usize| libm::exp(-5.0 * frame as f64 / frames as f64);
    let sides = [0, 1].map(|side| -> Vec<f32> {
        (0..frames).map(|n| (noise(n * 2 + side + 77_777) * fade(n)) as f32 * [1.0, 0.7][side]).collect()
    });
    let energy: f64 = sides[0].iter().map(|&x| f64::from(x).powi(2)).sum();
    let samples = (0..2 * frames).map(|n| sides[n % 2][n / 2]).collect();
    let scaled = sides.map(|side| side.iter().map(|&x| f64::from(x) / energy.sqrt()).collect());
    (Recording { rate_hz: 48_000, channels: 2, samples }, scaled)
}

/// What `left` and `right` give to noise.
fn heard(rig: &mut Rig, frames: usize, blocks: usize) -> [Vec<f32>; 2] {
    let cable = rig.patch("in", 1.0);
    let mut heard = [Vec::new(), Vec::new()];
    for block in 0..blocks {
        rig.feed(cable, |_, frame| noise(block * frames + frame) as f32);
        rig.step();
        heard[0].extend(rig.output("left", 0));
        heard[1].extend(rig.output("right", 0));
    }
    heard
}

/// The first `length` frames of `noise` through `response`, in double precision.
fn expected(response: &[f64], length: usize) -> Vec<f64> {
    let points = 2 * length.max(response.len()).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(points), planner.plan_fft_inverse(points));
    let spectrum = |signal: &dyn Fn(usize) -> f64| {
        let mut time: Vec<f64> = (0..points).map(signal).collect();
        let mut bins = forward.make_output_vec();
        forward.process(&mut time, &mut bins).unwrap();
        bins
    };
    let signal = spectrum(&|frame| if frame < length { f64::from(noise(frame) as f32) } else { 0.0 });
    let response = spectrum(&|frame| response.get(frame).copied().unwrap_or(0.0));
    let mut product: Vec<_> = signal.iter().zip(&response).map(|(a, b)| a * b / points as f64).collect();
    (product[0].im, product[points / 2].im) = (0.0, 0.0);
    let mut time = inverse.make_output_vec();
    inverse.process(&mut product, &mut time).unwrap();
    time[..length].to_vec()
}

#[test]
fn it_is_the_direct_sum_within_minus_120_db_in_blocks_of_any_length() {
    let (_, kind) = kind("conv").unwrap();
    for length in [100, 512, 513, 1_500, 5_000, 60_000] {
        let (recording, sides) = room(length);
        let mut first: Option<[Vec<f32>; 2]> = None;
        for frames in [64, 16, 512, 1_024] {
            let mut rig = Rig::new(kind, 1, RATE_HZ, frames).with_file("file", &recording);
            let heard = heard(&mut rig, frames, 40_960 / frames);
            for (side, heard) in heard.iter().enumerate() {
                let exact = expected(&sides[side], heard.len());
                let off: Vec<f32> = heard.iter().zip(&exact).map(|(&x, y)| (f64::from(x) - y) as f32).collect();
                let error_db = 2.0 * db(rms(&off) / rms(heard));
                assert!(error_db < -120.0, "{length} frames, blocks of {frames}, side {side}: {error_db} dB");
            }
            match &first {
                None => first = Some(heard),
                Some(first) => assert!(*first == heard, "{length} frames, blocks of {frames}: other bits"),
            }
        }
    }
}

#[test]
fn a_click_as_response_and_no_response_at_all_pass_the_very_bits() {
    let (_, kind) = kind("conv").unwrap();
    let click = Recording { rate_hz: 48_000, channels: 1, samples: vec![0.5] };
    for mut rig in [Rig::new(kind, 1, RATE_HZ, 64), Rig::new(kind, 1, RATE_HZ, 64).with_file("file", &click)] {
        for side in heard(&mut rig, 64, 50) {
            assert!(side.iter().enumerate().all(|(frame, x)| x.to_bits() == (noise(frame) as f32).to_bits()));
        }
    }
}

#[test]
fn noise_comes_out_as_loud_as_it_goes_in_from_a_file_of_any_rate() {
    let (_, kind) = kind("conv").unwrap();
    let recording = Recording { rate_hz: 44_100, ..room(30_000).0 };
    let [left, _] = heard(&mut Rig::new(kind, 1, RATE_HZ, 64).with_file("file", &recording), 64, 3_000);
    let level = 2.0 * db(rms(&left[96_000..]) * 3.0f64.sqrt());
    assert!(level.abs() < 1.0, "{level} dB");
}

#[test]
fn another_file_comes_in_whole_and_without_a_jump() {
    let (_, kind) = kind("conv").unwrap();
    let (first, _) = room(20_000);
    let (second, _) = room(3_000);
    let mut rig = Rig::new(kind, 1, RATE_HZ, 64).with_file("file", &first).with_file("file", &second);
    let mut fresh = Rig::new(kind, 1, RATE_HZ, 64).with_file("file", &second);
    let cables = [rig.patch("in", 1.0), fresh.patch("in", 1.0)];
    let mut sounds = [Vec::new(), Vec::new()];
    for block in 0..1_500 {
        match block {
            300 => rig.event("file", 7, 1.0, 0),
            600 => rig.event("file", 7, 0.0, 0),
            900 => rig.event("file", 7, 2.0, 0),
            _ => {}
        }
        for (sound, (rig, cable)) in sounds.iter_mut().zip([&mut rig, &mut fresh].into_iter().zip(cables)) {
            rig.feed(cable, |_, frame| tone(300.0, block * 64 + frame) as f32);
            rig.step();
            sound.extend(rig.output("left", 0));
        }
    }
    let bend = sounds[0][9_600..].windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max);
    let own = sounds[1][9_600..].windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max);
    assert!(bend < 3.0 * own.max(2e-3), "{bend} against {own}");
    assert!(sounds[0][70_000..] == sounds[1][70_000..], "in the end it is the second room");
}
