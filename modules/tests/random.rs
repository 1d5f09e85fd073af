//! Random voltages: how they are spread, when they come, and what they remember.

use crate::signal::{FRAMES, RATE_HZ, play, rig};
use tine_modules::rig::Rig;

/// Values of `count` steps of ten frames each.
fn draws(random: Rig, count: usize) -> Vec<f32> {
    steps(random, "out", count)
}

fn steps(random: Rig, port: &str, count: usize) -> Vec<f32> {
    let mut random = random;
    let trig = random.patch("trig", 1.0);
    let blocks = (count * 10).div_ceil(FRAMES);
    let heard = play(&mut random, port, 0, blocks, &mut [(trig, &mut |frame| f32::from(frame % 10 < 5))]);
    heard.iter().step_by(10).take(count).copied().collect()
}

/// Share of `values` below `level`.
fn below(values: &[f32], level: f32) -> f64 {
    values.iter().filter(|&&x| x < level).count() as f64 / values.len() as f64
}

#[test]
fn values_are_spread_as_named() {
    const DRAWS: usize = 40_000;
    // Kolmogorov and Smirnov: a greater distance than this has a probability of 1e-5.
    let limit = 2.47 / libm::sqrt(DRAWS as f64);
    let uniform = draws(rig("random"), DRAWS);
    let normal = draws(rig("random").with("dist", 1.0), DRAWS);
    for step in -19..20 {
        let level = step as f32 / 20.0;
        let even = 0.5 + 0.5 * f64::from(level);
        assert!((below(&uniform, level) - even).abs() < limit, "uniform below {level}: {}", below(&uniform, level));
        let bell = 0.5 + 0.5 * libm::erf(f64::from(level) * 3.0 / std::f64::consts::SQRT_2);
        assert!((below(&normal, level) - bell).abs() < limit, "normal below {level}: {}", below(&normal, level));
    }
    assert!(normal.iter().chain(&uniform).all(|x| (-1.0..=1.0).contains(x)));
}

#[test]
fn successive_values_are_unrelated_and_follow_the_seed() {
    let values = draws(rig("random").seed(3), 20_000);
    for lag in [1, 2, 16] {
        let sum: f64 = values.windows(lag + 1).map(|w| f64::from(w[0]) * f64::from(w[lag])).sum();
        // Of 20000 products of variance 1/9 the sum has a deviation of 47; 5 of them.
        assert!(sum.abs() < 236.0, "lag {lag}: {sum}");
    }
    assert_eq!(values, draws(rig("random").seed(3), 20_000));
    assert_ne!(values, draws(rig("random").seed(4), 20_000));
}

#[test]
fn gates_open_as_often_as_chance_says() {
    for chance in [0.0, 0.25, 0.7, 1.0] {
        let gates = steps(rig("random").with("chance", chance), "gate", 10_000);
        let share = gates.iter().sum::<f32>() / 10_000.0;
        // The deviation is at most 0.005.
        assert!((share - chance).abs() < 0.02 && (chance.fract() != 0.0 || share == chance), "{share} of {chance}");
    }
}

#[test]
fn a_locked_loop_repeats_for_ever_and_an_open_one_never_does() {
    let locked = draws(rig("random").with("change", 0.0).with("length", 7.0), 700);
    assert!(locked.windows(8).all(|w| w[0] == w[7]));
    let gates = steps(rig("random").with("change", 0.0).with("length", 7.0), "gate", 700);
    assert!(gates.windows(8).all(|w| w[0] == w[7]), "its rhythm too");
    let open = draws(rig("random").with("length", 7.0), 700);
    assert!(!open.windows(8).any(|w| w[0] == w[7]));
    // Of the steps of a loop as many change as told.
    let change = draws(rig("random").with("change", 0.1).with("length", 16.0), 20_000);
    let changed = change.windows(17).filter(|w| w[0] != w[16]).count() as f64 / change.len() as f64;
    assert!((changed - 0.1).abs() < 0.01, "{changed}");
}

#[test]
fn a_reset_brings_the_loop_back_to_its_beginning() {
    let mut random = rig("random").with("change", 0.0).with("length", 16.0).with("rate", 750.0);
    let first = random.render("out", 5);
    random.event("reset", 0, 1.0, 0);
    assert_eq!(random.render("out", 5), first);
}

#[test]
fn free_steps_come_in_their_frames_and_gates_last_half_of_them() {
    let mut random = rig("random").with("rate", 100.0).with("chance", 1.0);
    let mut gates = Vec::new();
    let mut heard = Vec::new();
    for _ in 0..750 {
        random.step();
        heard.extend(random.output("out", 0));
        gates.extend(random.output("gate", 0));
    }
    let steps: Vec<usize> = (1..heard.len()).filter(|&frame| heard[frame] != heard[frame - 1]).collect();
    assert!(steps.iter().enumerate().all(|(step, frame)| frame.abs_diff((step + 1) * 480) <= 1), "{:?}", &steps[..9]);
    assert_eq!(steps.len(), 99);
    let on = gates.iter().filter(|&&x| x > 0.5).count();
    assert!(on.abs_diff(24_000) <= 100, "{on} frames on");
}

#[test]
fn a_smooth_one_reaches_each_value_and_never_jumps() {
    for is_clocked in [false, true] {
        let mut random = rig("random").with("rate", 100.0).with("smooth", 1.0);
        let mut clock = |frame: usize| f32::from(frame % 480 < 100);
        let heard = if is_clocked {
            let trig = random.patch("trig", 1.0);
            play(&mut random, "out", 0, 750, &mut [(trig, &mut clock)])
        } else {
            random.render("out", 750)
        };
        // A smoothstep over 480 frames is nowhere steeper than 1.5 / 480 of its way, which is at most 2.
        let steepest = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest < 1.001 * 2.0 * 1.5 / 480.0 && steepest > 0.003, "{steepest} a frame, clocked: {is_clocked}");
        let rms = libm::sqrt(heard.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / f64::from(RATE_HZ));
        assert!(rms > 0.35, "it moves: {rms}");
    }
}
