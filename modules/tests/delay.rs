//! The echo: exact, stable for ever, smooth in motion.

use crate::signal::{FRAMES, RATE_HZ, hash, play, rig, sine};

#[test]
fn echoes_come_back_to_the_sample_and_to_the_bit() {
    let mut delay = rig("delay").with("feedback", 0.5).with("mix", 1.0);
    let input = delay.patch("in", 1.0);
    let heard = play(&mut delay, "out", 0, 600, &mut [(input, &mut |frame| if frame == 7 { 0.8 } else { 0.0 })]);
    for (frame, &x) in heard.iter().enumerate() {
        let expected = match frame.checked_sub(7) {
            Some(12_000) => 0.8,
            Some(24_000) => 0.4,
            Some(36_000) => 0.2,
            _ => 0.0,
        };
        assert_eq!(x, expected, "frame {frame}");
    }
}

#[test]
fn an_echo_shorter_than_a_block_feeds_back() {
    let mut delay = rig("delay").with("time", 0.001).with("feedback", 0.9).with("mix", 1.0);
    let input = delay.patch("in", 1.0);
    let heard = play(&mut delay, "out", 0, 8, &mut [(input, &mut |frame| if frame == 0 { 1.0 } else { 0.0 })]);
    for echo in 1..10 {
        let expected = 0.9f32.powi(echo - 1);
        assert!((heard[48 * echo as usize] - expected).abs() < 1e-4, "echo {echo}: {}", heard[48 * echo as usize]);
    }
    assert!(heard[1..48].iter().all(|&x| x == 0.0));
}

#[test]
fn a_time_between_samples_delays_by_that_much() {
    // 4800.5 frames of a 1 kHz sine.
    let seconds = 4_800.5 / RATE_HZ;
    let mut delay = rig("delay").with("time", seconds).with("feedback", 0.0).with("mix", 1.0);
    let input = delay.patch("in", 1.0);
    let heard = play(&mut delay, "out", 0, 150, &mut [(input, &mut |frame| sine(1_000.0, frame))]);
    for frame in 5_000..9_000 {
        let at = frame as f64 - f64::from(seconds) * f64::from(RATE_HZ);
        let expected = libm::sin(std::f64::consts::TAU * 1_000.0 * at / f64::from(RATE_HZ));
        assert!((f64::from(heard[frame]) - expected).abs() < 2e-6, "frame {frame}");
    }
}

#[test]
fn the_longest_echo_is_there() {
    let mut delay = rig("delay").with("time", 10.0).with("mix", 1.0);
    let input = delay.patch("in", 1.0);
    let heard = play(&mut delay, "out", 0, 7_510, &mut [(input, &mut |frame| if frame == 3 { 1.0 } else { 0.0 })]);
    assert_eq!(heard[480_003], 1.0);
}

#[test]
fn feedback_above_one_rings_for_ever_and_stays_within_reason() {
    let mut delay = rig("delay").with("time", 0.003).with("feedback", 1.1).with("mix", 1.0);
    let input = delay.patch("in", 1.0);
    let mut burst = |frame: usize| if frame < 4_800 { 1e6 * hash(frame as u64) } else { 0.0 };
    play(&mut delay, "out", 0, 80, &mut [(input, &mut burst)]);
    let heard = play(&mut delay, "out", 80 * FRAMES, 7_500, &mut [(input, &mut burst)]);
    let last = &heard[heard.len() - 48_000..];
    let peak = last.iter().fold(0f32, |peak, x| x.abs().max(peak));
    assert!(peak > 0.1 && peak < 2.0, "peak {peak} after ten seconds");
}

#[test]
fn a_moved_head_arrives_and_rests() {
    let mut delay = rig("delay").with("mix", 1.0).with("feedback", 0.0);
    let input = delay.patch("in", 1.0);
    let mut feed = |frame: usize| hash(frame as u64);
    // 0.25 s to 0.125 s glides; to 2 s leaps.
    play(&mut delay, "out", 0, 300, &mut [(input, &mut feed)]);
    delay.event("time", 0, 0.125, 0);
    let heard = play(&mut delay, "out", 300 * FRAMES, 600, &mut [(input, &mut feed)]);
    let late = heard.len() - 6_400;
    assert!((late..heard.len()).all(|frame| heard[frame] == hash((300 * FRAMES + frame - 6_000) as u64)));
    delay.event("time", 0, 2.0, 0);
    let heard = play(&mut delay, "out", 900 * FRAMES, 100, &mut [(input, &mut feed)]);
    assert_eq!(heard[0], hash((900 * FRAMES - 6_000) as u64), "a leap starts from where the head was");
    let heard = play(&mut delay, "out", 1_000 * FRAMES, 1_600, &mut [(input, &mut feed)]);
    let late = heard.len() - 640;
    assert!((late..heard.len()).all(|frame| heard[frame] == hash((1_000 * FRAMES + frame - 96_000) as u64)));
}
