//! The clock: every pulse in its frame, for ever.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, RATE_HZ, kind, rig};

/// Frames in which `out` goes on, over `blocks`.
fn edges(clock: &mut Rig, out: &str, blocks: usize) -> Vec<usize> {
    let heard = clock.render(out, blocks);
    let is_on = |frame: usize| heard[frame] > 0.5;
    (0..heard.len()).filter(|&frame| is_on(frame) && (frame == 0 || !is_on(frame - 1))).collect()
}

/// The first frame that is not before `beat`, for a tempo of `bpm_num / bpm_den`, in whole numbers: beats are `num / den`.
fn frame_of(num: u64, den: u64, [bpm_num, bpm_den]: [u64; 2]) -> usize {
    (num * 60 * RATE_HZ as u64 * bpm_den).div_ceil(den * bpm_num) as usize
}

const MINUTE: usize = 60 * 750;

#[test]
fn pulses_come_in_their_very_frame_for_a_minute_at_any_tempo_and_division() {
    for tempo in [[120, 1], [133, 1], [1_287, 10], [90, 7]] {
        for (num, den) in [(1, 1), (1, 4), (1, 3), (1, 12), (2, 5), (3, 1)] {
            let bpm = tempo[0] as f64 / tempo[1] as f64;
            let mut clock = rig("clock").at_tempo(bpm).with("every", num as f32 / den as f32);
            let heard = edges(&mut clock, "out", MINUTE);
            let expected = (0..).map(|pulse| frame_of(pulse * num, den, tempo));
            let expected: Vec<usize> = expected.take_while(|&frame| frame < MINUTE * FRAMES).collect();
            assert_eq!(heard, expected, "{bpm} bpm, every {num}/{den}");
        }
    }
}

#[test]
fn a_free_clock_does_not_drift_in_a_minute() {
    for bpm in [120u64, 133, 77] {
        let mut clock = rig("clock").with("run", 1.0).with("bpm", bpm as f32).with("every", 1.0 / 3.0);
        let heard = edges(&mut clock, "out", MINUTE);
        let expected: Vec<usize> = (0..bpm * 3).map(|pulse| frame_of(pulse, 3, [bpm, 1])).collect();
        assert_eq!(heard, expected, "{bpm} bpm");
    }
}

#[test]
fn pulses_have_their_width_and_the_phase_rises_between_them() {
    let mut clock = rig("clock").at_tempo(120.0).with("width", 0.25);
    let mut on = 0;
    for block in 0..750 {
        clock.step();
        on += clock.output("out", 0).filter(|&x| x > 0.5).count();
        for (frame, phase) in clock.output("phase", 0).enumerate() {
            let wanted = ((block * FRAMES + frame) % 24_000) as f32 / 24_000.0;
            assert!((phase - wanted).abs() < 1e-6, "{phase} instead of {wanted}");
        }
    }
    assert_eq!(on, 2 * 6_000);
}

#[test]
fn swing_moves_every_second_pulse_and_leaves_the_first() {
    let mut clock = rig("clock").at_tempo(120.0).with("every", 0.25).with("swing", 2.0 / 3.0);
    let heard = edges(&mut clock, "out", 750);
    // A pair of sixteenths lasts 12000 frames.
    let expected: Vec<usize> = (0..4).flat_map(|pair| [pair * 12_000, pair * 12_000 + 8_000]).collect();
    assert!(heard.iter().zip(&expected).all(|(heard, wanted)| heard.abs_diff(*wanted) <= 1), "{heard:?}");
    assert_eq!(heard.len(), expected.len());
}

#[test]
fn the_narrowest_and_the_widest_pulse_have_both_edges() {
    for width in [0.01, 0.99] {
        let mut clock =
            rig("clock").with("run", 1.0).with("bpm", 1_000.0).with("width", width).with("every", 1.0 / 64.0);
        let heard = edges(&mut clock, "out", 75);
        // 45 frames a pulse.
        assert!(heard.len().abs_diff(75 * FRAMES / 45) <= 1, "{} pulses at a width of {width}", heard.len());
        assert!(heard.windows(2).all(|pair| pair[1] - pair[0] == 45));
    }
}

#[test]
fn it_stands_with_the_transport_and_tells_when_that_starts() {
    assert!(edges(&mut rig("clock"), "out", 100).is_empty());
    assert!(edges(&mut rig("clock"), "reset", 100).is_empty());
    let mut clock = rig("clock").at_tempo(90.0);
    assert_eq!(edges(&mut clock, "reset", 750), [0]);
    let mut free = rig("clock").with("run", 1.0);
    assert_eq!(edges(&mut free, "reset", 100), [0]);
    free.event("reset", 17, 1.0, 0);
    assert_eq!(edges(&mut free, "reset", 10), [17]);
    free.event("reset", 0, 0.0, 0);
    free.event("reset", 9, 1.0, 0);
    let pulses = edges(&mut free, "out", 500);
    // The pulse of the beat before was still up: it goes down for a frame.
    assert_eq!(pulses[..3], [0, 10, 24_009]);
}

#[test]
fn a_clock_that_is_told_another_division_keeps_to_the_beat() {
    let mut clock = rig("clock").at_tempo(120.0).with("every", 0.25);
    clock.render("out", 100);
    clock.event("every", 10, 1.0 / 3.0, 0);
    // From frame 6400 on: the next triplet is the one of frame 8000.
    let heard = edges(&mut clock, "out", 400);
    assert_eq!(heard, [0, 1_600, 9_600, 17_600]);
}

#[test]
fn channels_may_have_divisions_of_their_own() {
    let mut clock = Rig::new(kind("clock"), 3, RATE_HZ, FRAMES).at_tempo(120.0);
    // Each channel an octave more: 1, 2 and 4 beats.
    let every = clock.patch_poly("every", 1.0, 3);
    clock.feed(every, |channel, _| channel as f32);
    let mut pulses = [0; 3];
    let mut was = [0.0; 3];
    for _ in 0..3_000 {
        clock.step();
        for channel in 0..3 {
            for on in clock.output("out", channel) {
                pulses[channel] += usize::from(on > was[channel]);
                was[channel] = on;
            }
        }
    }
    // Four seconds: eight beats.
    assert_eq!(pulses, [8, 4, 2]);
}
