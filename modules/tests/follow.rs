//! The envelope follower: what it reads, and how fast.

use crate::signal::{FRAMES, hash, play, rig, sine};

fn db(level: f32) -> f32 {
    20.0 * libm::log10f(level)
}

/// The last quarter of a second of the reading of `signal`, after two: lowest and highest in decibels.
fn reading(mode: f32, signal: impl Fn(usize) -> f32) -> (f32, f32) {
    let mut follow = rig("follow").with("mode", mode);
    let input = follow.patch("in", 1.0);
    let heard = play(&mut follow, "out", 0, 1_700, &mut [(input, &mut |frame| signal(frame))]);
    let last = &heard[heard.len() - 12_000..];
    last.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(db(x)), high.max(db(x))))
}

#[test]
fn a_steady_tone_is_read_at_its_height_and_at_its_power() {
    for (level, hz) in [(1.0, 1_000.0), (0.1, 1_000.0), (0.01, 5_000.0)] {
        let (low, high) = reading(0.0, |frame| level * sine(hz, frame));
        assert!(low - db(level) > -0.15 && high - db(level) < 0.01, "peak of {level}: {low} to {high} dB");
        let (low, high) = reading(1.0, |frame| level * sine(hz, frame));
        assert!(low - db(level) > -3.03 && high - db(level) < -2.95, "rms of {level}: {low} to {high} dB");
    }
    let (low, high) = reading(1.0, |frame| sine(100.0, frame));
    assert!(low > -3.11 && high < -2.91, "rms at 100 Hz: {low} to {high} dB");
}

#[test]
fn noise_reads_its_power() {
    let (low, high) = reading(1.0, |frame| hash(frame as u64));
    // Even noise over -1..1 has -4.77 dB; a mean over 25 ms of it wavers.
    assert!(low > -4.97 && high < -4.57, "{low} to {high} dB");
}

#[test]
fn attack_and_release_are_the_times_to_60_db() {
    let mut follow = rig("follow").with("attack", 0.05).with("release", 0.5);
    let input = follow.patch("in", 1.0);
    let mut burst = |frame: usize| if (100..48_100).contains(&frame) { 1.0 } else { 0.0 };
    let heard = play(&mut follow, "out", 0, 2_000, &mut [(input, &mut burst)]);
    assert!(heard[..100].iter().all(|&x| x == 0.0));
    let risen = heard.iter().position(|&x| x >= 0.999).unwrap() - 100;
    assert!(risen.abs_diff(2_400) <= 3, "attack took {risen} frames");
    let fallen = heard[48_100..].iter().position(|&x| x <= 1e-3).unwrap();
    // The attack stage smooths the fall too: 0.5 s and 0.5 / 6.9 * ln(1 / 0.9) s more.
    assert!(fallen.abs_diff(24_000 + 366) <= 10, "release took {fallen} frames");
}

#[test]
fn after_a_sound_it_comes_to_exactly_nothing() {
    let mut follow = rig("follow").with("release", 0.1);
    let input = follow.patch("in", 1.0);
    play(&mut follow, "out", 0, 20, &mut [(input, &mut |frame| sine(440.0, frame))]);
    let heard = play(&mut follow, "out", 20 * FRAMES, 750, &mut [(input, &mut |_| 0.0)]);
    assert_eq!(*heard.last().unwrap(), 0.0);
    assert!(heard.iter().all(|&x| x >= 0.0));
}
