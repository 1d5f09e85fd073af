//! Notes, tempo, bars: what is played arrives where and when a player means it.

use tine_tests::tine::{STEADY, Tine, render};
use tine_tests::wav::Frame;

fn left(frame: Frame) -> f32 {
    f32::from_bits(frame[0])
}

/// Frames at which the left side rises, or falls, past a quarter.
fn edges(recording: &[Frame], rises: bool) -> Vec<usize> {
    let is_up = |frame: Frame| left(frame) > 0.25;
    let was_up = std::iter::once(false).chain(recording.iter().map(|&frame| is_up(frame)));
    let pairs = was_up.zip(recording.iter().map(|&frame| is_up(frame)));
    pairs.enumerate().filter(|(_, (was, is))| was != is && *is == rises).map(|(frame, _)| frame).collect()
}

#[test]
fn a_clock_is_met_to_the_frame_at_the_tempo_of_the_patch() {
    // Before the first frame: so it is the tempo from the start.
    let recording = render("bpm 240\ncreate clock --id c every=1/2\nconnect c > out.left --gain 0.5\n", 3.0, &[]);
    let expected: Vec<usize> = (0..24).map(|pulse| pulse * 6_000).collect();
    assert_eq!(edges(&recording, true), expected);
}

#[test]
fn a_change_at_the_next_bar_waits_for_it() {
    assert!((0..5).any(|_| waits_for_the_bar()), "the machine stands still again and again");
}

/// False if the machine stood still, so that blocks were late.
fn waits_for_the_bar() -> bool {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let patch = "bpm 240\ncreate clock --id c every=1 width=25%\nconnect c > out.left --gain 0.5\n";
    let mut tine = Tine::serve(patch, &arguments);
    let osc = tine.osc();
    // In the middle of a bar, as far as anybody can say.
    tine.play_until(60_000);
    osc.done("/eval", &[&"set c.width 75% --at bar"]);
    tine.play_until(200_000);
    let is_machines = osc.stat("late_by_us") == 0.0 && osc.stat("late_by_machine") > 0.0;
    tine.quit();
    if is_machines {
        return false;
    }
    let recording = tine.recording();
    let (rises, falls) = (edges(&recording, true), edges(&recording, false));
    assert!(rises.iter().enumerate().all(|(pulse, &frame)| frame == pulse * 12_000), "{rises:?}");
    let widths: Vec<usize> = rises.iter().zip(&falls).map(|(rise, fall)| fall - rise).collect();
    let first_wide = widths.iter().position(|&width| width > 6_000).expect("the width changed");
    assert!(first_wide >= 4 && first_wide % 4 == 0, "at pulse {first_wide} of bars of 4");
    assert!(widths[..first_wide].iter().all(|&width| width == 3_000), "{widths:?}");
    assert!(widths[first_wide..].iter().all(|&width| width == 9_000), "{widths:?}");
    true
}

#[test]
fn the_tempo_is_asked_for_undone_and_saved_like_any_param() {
    let tine = Tine::serve("", &STEADY);
    let osc = tine.osc();
    let eval = |line: &str| tine_tests::osc::text(&osc.done("/eval", &[&line])[0]).to_owned();
    assert_eq!(eval("bpm"), "out.bpm = 120 bpm");
    eval("bpm 93.5");
    assert_eq!(eval("bpm"), "out.bpm = 93.5 bpm");
    osc.done("/save", &[&"a.tine"]);
    let saved = std::fs::read_to_string(tine.folder().join("a.tine")).unwrap();
    assert!(saved.contains("set out.bpm 93.5"), "{saved}");
    eval("undo");
    assert_eq!(eval("bpm"), "out.bpm = 120 bpm");
    assert_eq!(osc.refused("/eval", &[&"bpm 0"]).1, "range");
    eval("create lfo --id l");
    assert_eq!(osc.refused("/connect", &[&"l", &"", &"out", &"bpm"]).1, "unsupported");
}

/// How many gates of four are open after each of `notes`: pitch in octaves, velocity.
fn open_gates(notes: &[(f32, f32)]) -> Vec<usize> {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let patch = "create keys*4 --id k\nconnect k.gate > out.left --gain 0.2\n";
    let mut tine = Tine::serve(patch, &arguments);
    let osc = tine.osc();
    tine.play_until(4_800);
    let mut looks = Vec::new();
    for (pitch, velocity) in notes {
        osc.send("/m/k/note", &[pitch, velocity]);
        osc.sync();
        // Behind the lead, and behind the millisecond for which a gate that is taken stays closed.
        let frame = osc.stat("frames") as usize + 9_600;
        tine.play_until(frame + 4_800);
        looks.push(frame);
    }
    tine.quit();
    let recording = tine.recording();
    looks.into_iter().map(|frame| (left(recording[frame]) / 0.2).round() as usize).collect()
}

#[test]
fn notes_go_to_channels_of_their_own_and_the_oldest_is_taken() {
    let down = |pitch: f32| (pitch, 1.0f32);
    let up = |pitch: f32| (pitch, 0.0f32);
    let notes = [down(0.0), down(0.25), down(0.5), up(0.25), down(1.0), down(1.25), down(1.5), up(0.0), up(0.5)];
    // The fifth note takes the first one's channel: letting go of that one changes nothing then.
    assert_eq!(open_gates(&notes), [1, 2, 3, 2, 3, 4, 4, 4, 3]);
}
