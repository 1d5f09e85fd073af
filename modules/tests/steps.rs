//! divide, seq and euclid: what walks in steps.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, rig};

/// Frames from one pulse of the clock to the next.
const EVERY: usize = 1_000;

/// A clock whose pulses last 100 frames; the first comes in frame 5.
fn clock(frame: usize) -> f32 {
    f32::from(frame >= 5 && (frame - 5) % EVERY < 100)
}

/// Runs `blocks` with that clock in `input` and returns what each of `ports` gave.
fn walk<const N: usize>(rig: &mut Rig, input: &str, ports: [&str; N], blocks: usize) -> [Vec<f32>; N] {
    let cable = rig.patch(input, 1.0);
    go_on(rig, cable, ports, 0..blocks)
}

fn go_on<const N: usize>(
    rig: &mut Rig,
    cable: usize,
    ports: [&str; N],
    blocks: std::ops::Range<usize>,
) -> [Vec<f32>; N] {
    let mut heard = ports.map(|_| Vec::new());
    for block in blocks {
        rig.feed(cable, |_, frame| clock(block * FRAMES + frame));
        rig.step();
        for (heard, port) in heard.iter_mut().zip(ports) {
            heard.extend(rig.output(port, 0));
        }
    }
    heard
}

/// The frames in which a gate goes on.
fn edges(heard: &[f32]) -> Vec<usize> {
    (0..heard.len()).filter(|&frame| heard[frame] > 0.5 && (frame == 0 || heard[frame - 1] < 0.5)).collect()
}

/// Numbers of the clock's pulses that a gate goes on with; it must go on in their very frame.
fn pulses(heard: &[f32]) -> Vec<usize> {
    let of = |frame: usize| {
        assert_eq!((frame - 5) % EVERY, 0, "an edge in frame {frame}");
        (frame - 5) / EVERY
    };
    edges(heard).into_iter().map(of).collect()
}

#[test]
fn a_divider_lets_every_nth_pulse_through_as_it_is() {
    let mut divide = rig("divide").with("by", 5.0);
    let heard = walk(&mut divide, "in", ["out", "div2", "div4", "div8", "div16", "div32"], 64 * 1_000 / FRAMES);
    for (heard, by) in heard.iter().zip([5, 2, 4, 8, 16, 32]) {
        for (frame, &on) in heard.iter().enumerate() {
            let passes = frame >= 5 && ((frame - 5) / EVERY).is_multiple_of(by);
            assert_eq!(on, if passes { clock(frame) } else { 0.0 }, "by {by}, frame {frame}");
        }
    }
}

#[test]
fn a_reset_makes_the_next_pulse_the_first_even_in_its_own_frame() {
    // 3005 is the frame of a pulse; 2500 lies between two.
    for at in [2_500, 3_005] {
        for (kind, input, port) in [("divide", "in", "div4"), ("euclid", "clock", "out"), ("seq", "clock", "end")] {
            let mut rig = rig(kind);
            let cable = rig.patch(input, 1.0);
            let before = at / FRAMES;
            let [mut heard] = go_on(&mut rig, cable, [port], 0..before);
            rig.event("reset", (at % FRAMES) as u32, 1.0, 0);
            heard.extend(go_on(&mut rig, cable, [port], before..200)[0].iter());
            // Pulse 3 is the first one again: of four, of eight steps with three pulses, of eight steps that end after 8 more.
            let expected: &[usize] = match kind {
                "divide" => &[0, 3, 7, 11],
                "euclid" => &[0, 3, 6, 9, 11],
                _ => &[11],
            };
            assert_eq!(pulses(&heard), expected, "{kind}, reset in frame {at}");
        }
    }
}

#[test]
fn steps_are_played_in_the_frame_of_their_pulse_in_each_mode() {
    for (mode, order) in [
        ("forward", vec![0, 1, 2, 3, 0, 1, 2, 3, 0, 1]),
        ("reverse", vec![3, 2, 1, 0, 3, 2, 1, 0, 3, 2]),
        ("pendulum", vec![0, 1, 2, 3, 2, 1, 0, 1, 2, 3]),
    ] {
        let number = ["forward", "reverse", "pendulum"].iter().position(|&name| name == mode).unwrap();
        let mut seq = rig("seq").with("steps", 4.0).with("mode", number as f32);
        for step in 0..4 {
            seq = seq.with(&format!("step{}", step + 1), 1.0 + step as f32 / 12.0);
        }
        let [pitch, trig, step, end] = walk(&mut seq, "clock", ["pitch", "trig", "step", "end"], 10 * EVERY / FRAMES);
        assert_eq!(pulses(&trig), (0..10).collect::<Vec<_>>(), "{mode}");
        for (pulse, &at) in order.iter().enumerate() {
            for frame in [5 + pulse * EVERY, (5 + (pulse + 1) * EVERY - 1).min(pitch.len() - 1)] {
                assert_eq!(pitch[frame], 1.0 + at as f32 / 12.0, "{mode}, pulse {pulse}");
                assert_eq!(step[frame], at as f32 / 16.0, "{mode}, pulse {pulse}");
            }
        }
        assert_eq!(pulses(&end), if mode == "pendulum" { vec![6] } else { vec![4, 8] }, "{mode}");
    }
}

#[test]
fn random_goes_anywhere_evenly_and_drunk_one_step_at_a_time() {
    for mode in [3.0, 4.0] {
        let mut seq = rig("seq").with("steps", 5.0).with("mode", mode);
        let [step] = walk(&mut seq, "clock", ["step"], 2_000 * EVERY / FRAMES);
        let steps: Vec<i32> = step.iter().skip(5).step_by(EVERY).map(|step| (step * 16.0) as i32).collect();
        let mut counts = [0; 5];
        for &step in &steps {
            counts[step as usize] += 1;
        }
        if mode == 3.0 {
            // Of 2000 draws each step has 400, with a deviation of 18.
            assert!(counts.iter().all(|count| (310..490).contains(count)), "{counts:?}");
        } else {
            assert!(steps.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == 1));
            assert!(counts.iter().all(|&count| count > 100), "{counts:?}");
        }
    }
}

#[test]
fn gates_last_as_long_as_told_and_a_rest_is_silent_but_keeps_the_pitch() {
    let mut seq = rig("seq").with("steps", 4.0).with("length", 0.3).with("vel3", 0.0).with("vel2", 0.6);
    for step in 0..4 {
        seq = seq.with(&format!("step{}", step + 1), step as f32);
    }
    let ports = ["gate", "pitch", "velocity", "trig"];
    let [gate, pitch, velocity, trig] = walk(&mut seq, "clock", ports, 8 * EVERY / FRAMES);
    assert_eq!(pulses(&gate), [0, 1, 3, 4, 5, 7]);
    assert_eq!(pulses(&trig), [0, 1, 3, 4, 5, 7]);
    let length = |pulse: usize| gate[5 + pulse * EVERY..].iter().take_while(|&&on| on > 0.5).count();
    assert_eq!(length(0), 100, "the first lasts as long as the clock's own pulse");
    assert_eq!([1, 3, 4, 5].map(length), [300; 4]);
    let rest = 5 + 2 * EVERY..5 + 3 * EVERY;
    assert!(pitch[rest.clone()].iter().all(|&x| x == 1.0) && velocity[rest].iter().all(|&x| x == 0.6));
}

#[test]
fn a_length_of_one_ties_notes_and_a_faster_clock_does_not_swallow_any() {
    let mut seq = rig("seq").with("length", 1.0).with("steps", 4.0).with("vel4", 0.0);
    let [gate, trig] = walk(&mut seq, "clock", ["gate", "trig"], 8 * EVERY / FRAMES);
    assert_eq!((pulses(&gate), pulses(&trig)), (vec![0, 4], vec![0, 1, 2, 4, 5, 6]));
    assert!(gate[5..5 + 3 * EVERY].iter().all(|&on| on == 1.0), "tied");
    assert!(gate[5 + 3 * EVERY..5 + 4 * EVERY].iter().all(|&on| on == 0.0), "a rest ends it");

    // The clock goes four times as fast at once: gates of 90 % would run into each other.
    let mut seq = rig("seq").with("length", 0.9);
    let cable = seq.patch("clock", 1.0);
    let mut heard = Vec::new();
    for block in 0..200 {
        seq.feed(cable, |_, frame| {
            let frame = block * FRAMES + frame;
            if frame < 4_005 { clock(frame) } else { f32::from((frame - 4_005) % 250 < 100) }
        });
        seq.step();
        heard.extend(seq.output("gate", 0));
    }
    let expected = (0..4).map(|pulse| 5 + pulse * EVERY).chain((4_005..200 * FRAMES).step_by(250));
    let is_near = |(heard, wanted): (&usize, usize)| (wanted..=wanted + 1).contains(heard);
    let heard = edges(&heard);
    assert!(heard.iter().zip(expected.clone()).all(is_near) && heard.len() == expected.count(), "{heard:?}");
}

#[test]
fn a_pause_does_not_make_the_note_after_it_a_long_one() {
    let mut seq = rig("seq").with("length", 0.5);
    let cable = seq.patch("clock", 1.0);
    let mut heard = Vec::new();
    for block in 0..700 {
        seq.feed(cable, |_, frame| {
            let frame = block * FRAMES + frame;
            if (5_000..40_000).contains(&frame) { 0.0 } else { clock(frame) }
        });
        seq.step();
        heard.extend(seq.output("gate", 0));
    }
    let after = heard.iter().skip(40_005).take_while(|&&on| on > 0.5).count();
    assert_eq!(after, 500);
}

#[test]
fn a_glide_and_a_transposition_shape_the_pitch() {
    let mut seq = rig("seq").with("steps", 2.0).with("glide", 0.01).with("step2", 1.0);
    seq.event("pitch", 0, 0.5, 0);
    let [pitch] = walk(&mut seq, "clock", ["pitch"], 32);
    // The second note begins in frame 1005 and is within 1/1000 after 480.
    assert!(pitch[1_004] == 0.5 && pitch[1_005 + 478] < 1.499 && pitch[1_005 + 480] > 1.499);
}

#[test]
fn euclid_plays_its_rhythm_rotated_with_its_accents_and_rests() {
    let rhythm = |on: &[usize]| -> Vec<usize> { (0..32).filter(|pulse| on.contains(&(pulse % 16))).collect() };
    for (params, ons, accents) in [
        // E(5,16) is the bossa nova.
        ([16.0, 5.0, 0.0, 1.0], vec![0, 3, 6, 9, 12], vec![0]),
        ([16.0, 5.0, 2.0, 2.0], vec![2, 5, 8, 11, 14], vec![2, 8]),
        ([8.0, 3.0, 0.0, 3.0], vec![0, 3, 6, 8, 11, 14], vec![0, 3, 6, 8, 11, 14]),
        ([4.0, 9.0, 0.0, 2.0], (0..16).collect(), (0..16).step_by(2).collect()),
        ([16.0, 0.0, 5.0, 3.0], vec![], vec![]),
    ] {
        let mut euclid = rig("euclid");
        for (param, value) in ["steps", "pulses", "rotate", "accents"].into_iter().zip(params) {
            euclid = euclid.with(param, value);
        }
        let ports = ["out", "gate", "accent", "rest"];
        let [out, gate, accent, rest] = walk(&mut euclid, "clock", ports, 32 * EVERY / FRAMES);
        assert_eq!(pulses(&out), rhythm(&ons), "{params:?}");
        assert_eq!(pulses(&accent), rhythm(&accents), "{params:?}");
        let rests: Vec<usize> = (0..16).filter(|pulse| !ons.contains(pulse)).collect();
        assert_eq!(pulses(&rest), rhythm(&rests), "{params:?}");
        for (frame, &on) in gate.iter().enumerate().skip(5) {
            assert_eq!(on, f32::from(ons.contains(&((frame - 5) / EVERY % 16))), "gate in frame {frame}");
        }
    }
}
