//! The quantizer: in tune, without trills, and telling each new note.

use crate::signal::{FRAMES, hash, kind, play, rig};

/// Semitones above the root of the scale called `name`, as the tables of any harmony book have them.
const SCALES: [(&str, &[i32]); 5] = [
    ("major", &[0, 2, 4, 5, 7, 9, 11]),
    ("harmonic-minor", &[0, 2, 3, 5, 7, 8, 11]),
    ("dorian", &[0, 2, 3, 5, 7, 9, 10]),
    ("minor-pentatonic", &[0, 3, 5, 7, 10]),
    ("whole-tone", &[0, 2, 4, 6, 8, 10]),
];

fn scale(name: &str) -> f32 {
    let spec = kind("quantize").spec;
    let choices = spec.params[spec.param("scale").unwrap()].choices;
    choices.iter().position(|&choice| choice == name).expect("the scale is there") as f32
}

#[test]
fn every_note_is_in_the_scale_nearest_to_the_input_and_exactly_in_tune() {
    for (name, semitones) in SCALES {
        for root in [0, 3, 11] {
            let mut quantize = rig("quantize").with("scale", scale(name)).with("root", root as f32).with("hyst", 0.0);
            let input = quantize.patch("in", 1.0);
            let mut voltage = |frame: usize| 4.0 * hash(frame as u64);
            let heard = play(&mut quantize, "out", 0, 20, &mut [(input, &mut voltage)]);
            let is_in = |note: i32| semitones.contains(&(note - root).rem_euclid(12));
            for (frame, &pitch) in heard.iter().enumerate() {
                let note = libm::round(12.0 * f64::from(pitch));
                assert_eq!(pitch, (note / 12.0) as f32, "a note as exact as an f32");
                assert!(is_in(note as i32), "{note} is not in {name} on {root}");
                let wanted = 12.0 * f64::from(voltage(frame));
                let nearest = (-60..=60).filter(|&note| is_in(note)).map(|note| (f64::from(note) - wanted).abs());
                let away = nearest.fold(f64::MAX, f64::min);
                assert!(((note - wanted).abs() - away).abs() < 1e-9, "{wanted} became {note} in {name} on {root}");
            }
        }
    }
}

#[test]
fn a_noisy_voltage_between_two_notes_does_not_trill() {
    let changes = |hyst: f32| {
        let mut quantize = rig("quantize").with("hyst", hyst);
        let input = quantize.patch("in", 1.0);
        // Half a semitone, and 4 cents of noise to either side.
        let mut voltage = |frame: usize| 0.5 / 12.0 + 4.0 / 1_200.0 * hash(frame as u64);
        let heard = play(&mut quantize, "out", 0, 50, &mut [(input, &mut voltage)]);
        heard.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    assert!(changes(0.0) > 1_000);
    assert!(changes(5.0) <= 1);
}

#[test]
fn a_note_is_left_hyst_past_the_middle() {
    let mut quantize = rig("quantize").with("hyst", 20.0);
    let input = quantize.patch("in", 1.0);
    // Cents, one a frame: up from 0 to 200 and back.
    let mut cents = |frame: usize| if frame < 200 { frame as f32 } else { 400.0 - frame as f32 } / 1_200.0;
    let heard = play(&mut quantize, "out", 0, 7, &mut [(input, &mut cents)]);
    let changes: Vec<usize> = (1..400).filter(|&frame| heard[frame] != heard[frame - 1]).collect();
    assert_eq!(changes.len(), 4, "{changes:?}");
    for (change, cents) in changes.into_iter().zip([70, 170, 270, 370]) {
        assert!(change.abs_diff(cents) <= 1, "left at {change}");
    }
}

#[test]
fn each_new_note_is_told_in_its_frame_and_the_first_is_none() {
    let mut quantize = rig("quantize");
    let input = quantize.patch("in", 1.0);
    let mut steps = |frame: usize| (frame / 200) as f32 / 12.0;
    let told = play(&mut quantize, "trig", 0, 20, &mut [(input, &mut steps)]);
    for (frame, &on) in told.iter().enumerate() {
        assert_eq!(on, f32::from(frame >= 200 && frame % 200 < 48), "frame {frame}");
    }
}

#[test]
fn with_a_trigger_it_takes_a_note_and_holds_it() {
    let mut quantize = rig("quantize").with("scale", scale("major"));
    let (input, trig) = (quantize.patch("in", 1.0), quantize.patch("trig", 1.0));
    let mut voltage = |frame: usize| 2.0 * hash((frame / 7) as u64);
    let mut clock = |frame: usize| f32::from(frame % 100 < 30);
    let heard = play(&mut quantize, "out", 0, 20, &mut [(input, &mut voltage), (trig, &mut clock)]);
    assert!((1..heard.len()).all(|frame| heard[frame] == heard[frame - 1] || frame % 100 == 0));
    let held: std::collections::HashSet<u32> =
        heard.chunks(100).map(|held| held[50.min(held.len() - 1)].to_bits()).collect();
    assert!(held.len() > 3, "it does take new ones");
}

#[test]
fn another_scale_moves_a_note_that_does_not_belong_to_it() {
    let mut quantize = rig("quantize");
    quantize.event("in", 0, 1.1 / 12.0, 0);
    assert_eq!(quantize.render("out", 1)[FRAMES - 1], (1.0f64 / 12.0) as f32);
    quantize.event("scale", 20, scale("major"), 0);
    let heard = quantize.render("out", 1);
    assert_eq!((heard[19], heard[20]), ((1.0f64 / 12.0) as f32, (2.0f64 / 12.0) as f32));
}
