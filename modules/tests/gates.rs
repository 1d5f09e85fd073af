//! compare and logic: gates that are right in every frame.

use crate::signal::{hash, play, rig, sine};

#[test]
fn a_comparator_is_above_below_or_inside_and_never_two_of_them() {
    for (level, width) in [(0.0, 0.0), (0.2, 0.0), (-0.1, 0.6)] {
        let mut compare = rig("compare").with("level", level).with("width", width).with("hyst", 0.0);
        let cable = compare.patch("in", 1.0);
        for block in 0..20 {
            let at = |frame: usize| sine(311.0, block * 64 + frame);
            compare.feed(cable, |_, frame| at(frame));
            compare.step();
            let [gt, lt, inside] = ["gt", "lt", "inside"].map(|port| compare.output(port, 0).collect::<Vec<_>>());
            for frame in 0..64 {
                let over = at(frame) - level;
                assert_eq!(gt[frame], f32::from(over - 0.5 * width > 0.0), "{} against {level}, {width}", at(frame));
                assert_eq!(lt[frame], f32::from(-over - 0.5 * width > 0.0));
                assert_eq!(inside[frame], f32::from(width > 0.0 && gt[frame] + lt[frame] == 0.0));
            }
        }
    }
}

#[test]
fn hysteresis_keeps_noise_from_stuttering() {
    let edges = |hyst: f32| {
        let mut compare = rig("compare").with("hyst", hyst);
        let cable = compare.patch("in", 1.0);
        // 20 Hz under noise that is 40 dB lower: over a second it rises through 0 twenty times.
        let mut noisy = |frame: usize| sine(20.0, frame) + 0.01 * hash(frame as u64);
        let heard = play(&mut compare, "gt", 0, 750, &mut [(cable, &mut noisy)]);
        heard.windows(2).filter(|pair| pair[1] > pair[0]).count()
    };
    assert!(edges(0.0) > 40, "without it the edges stutter: {}", edges(0.0));
    assert_eq!(edges(0.03), 20);
}

#[test]
fn a_signal_that_rests_on_the_edge_is_neither_above_nor_below() {
    let mut compare = rig("compare");
    let cable = compare.patch("in", 1.0);
    let mut gate = |frame: usize| if frame % 20 < 10 { 1.0 } else { 0.0 };
    let above = play(&mut compare, "gt", 0, 5, &mut [(cable, &mut gate)]);
    assert!(above.iter().enumerate().all(|(frame, &on)| on == gate(frame)));
}

#[test]
fn logic_answers_in_the_frame_of_the_question() {
    let mut logic = rig("logic");
    let (a, b) = (logic.patch("a", 1.0), logic.patch("b", 1.0));
    let level = |bit: usize| if bit == 1 { 0.9 } else { 0.1 };
    logic.feed(a, |_, frame| level(frame % 4 / 2));
    logic.feed(b, |_, frame| level(frame % 2));
    logic.step();
    // Truth tables over a, b = 00, 01, 10, 11.
    for (port, truth) in [
        ("and", [0.0, 0.0, 0.0, 1.0]),
        ("or", [0.0, 1.0, 1.0, 1.0]),
        ("xor", [0.0, 1.0, 1.0, 0.0]),
        ("nand", [1.0, 1.0, 1.0, 0.0]),
        ("nor", [1.0, 0.0, 0.0, 0.0]),
        ("xnor", [1.0, 0.0, 0.0, 1.0]),
        ("not", [1.0, 1.0, 0.0, 0.0]),
    ] {
        assert!(logic.output(port, 0).enumerate().all(|(frame, x)| x == truth[frame % 4]), "{port}");
    }
}

#[test]
fn logic_reads_gates_with_their_hysteresis() {
    let mut logic = rig("logic");
    let a = logic.patch("a", 1.0);
    let levels = [0.4, 0.6, 0.3, 0.26, 0.2, 0.5];
    logic.feed(a, |_, frame| levels[frame % 6]);
    logic.step();
    let heard: Vec<f32> = logic.output("or", 0).take(6).collect();
    assert_eq!(heard, [0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
}
