//! The limiter: transparent to the bit below full scale, never above it.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, hash, rig, sine};

/// Plays `sample(frame)` for left and right; returns both sides.
fn limited(out: &mut Rig, start: usize, blocks: usize, sample: impl Fn(usize) -> [f32; 2]) -> [Vec<f32>; 2] {
    let mut heard = [Vec::new(), Vec::new()];
    for block in 0..blocks {
        for side in 0..2 {
            out.feed(side, |_, frame| sample(start + block * FRAMES + frame)[side]);
        }
        out.step();
        heard[0].extend(out.output("left", 0));
        heard[1].extend(out.output("right", 0));
    }
    heard
}

fn limiter() -> Rig {
    let mut out = rig("out");
    out.patch("left", 1.0);
    out.patch("right", 1.0);
    out
}

#[test]
fn up_to_full_scale_every_bit_passes() {
    let sample = |frame: usize| match frame % 4 {
        0 => [1.0, -1.0],
        1 => [f32::from_bits(1), -0.25],
        _ => [hash(frame as u64), hash(!(frame as u64))],
    };
    let heard = limited(&mut limiter(), 0, 100, sample);
    for (side, heard) in heard.iter().enumerate() {
        assert!(heard.iter().enumerate().all(|(frame, x)| x.to_bits() == sample(frame)[side].to_bits()));
    }
}

#[test]
fn nothing_ever_leaves_full_scale() {
    for level in [1.000_001, 1.5, 30.0, 1e6] {
        let sample = |frame: usize| [level * hash(frame as u64), level * hash(frame as u64 * 3)];
        for heard in limited(&mut limiter(), 0, 300, sample) {
            assert!(heard.iter().all(|x| x.abs() <= 1.0), "level {level}");
        }
    }
}

#[test]
fn both_sides_go_down_together_and_come_back_to_the_bit() {
    let mut out = limiter();
    let sample = |frame: usize| if frame < 100 { [4.0, 0.5] } else { [0.5, 0.25] };
    let [left, right] = limited(&mut out, 0, 1_000, sample);
    assert_eq!((left[50], right[50]), (1.0, 0.125));
    assert_eq!((left[300], right[300]), (0.125, 0.0625), "the gain holds for 10 ms");
    let release = &left[100..];
    assert!(release.windows(2).all(|pair| pair[1] >= pair[0] && pair[1] - pair[0] < 1e-3), "it returns smoothly");
    let nine_tenths = release.iter().position(|&x| x > 0.5 * (1.0 - 0.75 * 0.1)).unwrap();
    assert!((3_360..4_320).contains(&nine_tenths), "{nine_tenths} frames");
    assert_eq!((left[63_999], right[63_999]), (0.5, 0.25));
}

#[test]
fn a_steady_loud_note_keeps_its_shape() {
    for hz in [60.0, 440.0] {
        let [left, _] = limited(&mut limiter(), 0, 750, |frame| [2.0 * sine(hz, frame); 2]);
        for frame in 24_000..48_000 {
            assert!((left[frame] - sine(hz, frame)).abs() < 0.025, "{hz} Hz, frame {frame}");
        }
    }
}
