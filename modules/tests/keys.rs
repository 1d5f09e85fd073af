//! What is played by hand comes out to the frame, glides as told, and never loses a strike.

use tine_modules::rig::Rig;

use crate::signal::{FRAMES, RATE_HZ, kind, rig};

/// Plays `pitch` in all channels from `frame` of the next block on.
fn note(keys: &mut Rig, frame: u32, pitch: f32) {
    keys.event("pitch", frame, pitch, 0);
    keys.event("gate", frame, 1.0, 0);
}

/// Renders until `pitch` has come from `from` to within `left` octaves of `to`; returns the frames that it took.
fn frames_until(keys: &mut Rig, to: f32, left: f32) -> usize {
    let heard = keys.render("pitch", 1_000);
    heard.iter().position(|pitch| (pitch - to).abs() <= left).expect("it gets there")
}

#[test]
fn a_note_is_there_in_its_frame_with_a_pulse_of_a_millisecond() {
    let mut keys = rig("keys");
    note(&mut keys, 9, 1.25);
    keys.event("velocity", 9, 0.7, 0);
    keys.step();
    let row = |keys: &Rig, port: &str| keys.output(port, 0).collect::<Vec<_>>();
    for (port, held) in [("pitch", 1.25), ("gate", 1.0), ("velocity", 0.7)] {
        let heard = row(&keys, port);
        assert!(heard[..9].iter().all(|&x| x == 0.0) && heard[9..].iter().all(|&x| x == held), "{port}: {heard:?}");
    }
    let struck = row(&keys, "trig");
    assert!((0..FRAMES).all(|frame| struck[frame] == f32::from((9..57).contains(&frame))));
}

#[test]
fn a_glide_takes_its_time_for_any_interval_and_arrives_exactly() {
    for interval in [1.0 / 12.0, 1.0, 4.0] {
        let mut keys = rig("keys").with("glide", 0.5);
        note(&mut keys, 0, 0.0);
        keys.render("pitch", 10);
        keys.event("pitch", 0, interval, 0);
        let took = frames_until(&mut keys, interval, 0.001 * interval);
        assert!(took.abs_diff(24_000) <= 24, "{interval} octaves took {took} frames");
        assert_eq!(*keys.render("pitch", 1_000).last().unwrap(), interval);
    }
}

#[test]
fn the_first_note_does_not_glide_and_no_glide_is_none() {
    let mut keys = rig("keys").with("glide", 1.0);
    note(&mut keys, 5, -2.0);
    assert_eq!(keys.render("pitch", 1)[5], -2.0);
    let mut keys = rig("keys");
    for pitch in [0.3, -1.7, 4.0] {
        note(&mut keys, 3, pitch);
        assert_eq!(keys.render("pitch", 1)[3], pitch);
    }
}

#[test]
fn legato_glides_only_from_a_note_that_is_still_held() {
    let is_gliding = |silence_frames: u32| {
        let mut keys = rig("keys").with("glide", 0.5).with("legato", 1.0);
        note(&mut keys, 0, 0.0);
        keys.render("pitch", 10);
        if silence_frames > 0 {
            keys.event("gate", 0, 0.0, 0);
            keys.render("pitch", silence_frames as usize / FRAMES);
        }
        note(&mut keys, silence_frames % FRAMES as u32, 1.0);
        keys.render("pitch", 1)[silence_frames as usize % FRAMES] < 0.5
    };
    assert!(is_gliding(0), "an overlapping note");
    assert!(
        is_gliding(1) && is_gliding(64),
        "a channel that is struck again sees its gate fall for a frame or a block"
    );
    assert!(!is_gliding(480), "ten milliseconds are a gap");
}

#[test]
fn every_strike_of_a_retriggered_key_is_heard() {
    let mut keys = rig("keys");
    let mut struck = Vec::new();
    for _ in 0..20 {
        keys.event("gate", 10, 0.0, 0);
        keys.event("gate", 11, 1.0, 0);
        struck.extend(keys.render("trig", 1));
    }
    let edges: Vec<usize> = (1..struck.len()).filter(|&frame| struck[frame] > 0.5 && struck[frame - 1] < 0.5).collect();
    assert_eq!(edges, (0..20).map(|block| block * FRAMES + 11).collect::<Vec<_>>());
    keys.event("gate", 0, 0.0, 0);
    keys.render("trig", 1);
    keys.event("trig", 30, 1.0, 0);
    keys.event("trig", 40, 0.0, 0);
    let struck = keys.render("trig", 1);
    assert!((0..FRAMES).all(|frame| struck[frame] == f32::from((30..40).contains(&frame))), "trig passes as it is");
}

#[test]
fn channels_are_played_one_by_one_and_a_bend_moves_them_all() {
    let mut keys = Rig::new(kind("keys"), 5, RATE_HZ, FRAMES);
    for channel in 0..5 {
        keys.event_in(channel, "pitch", channel, channel as f32 / 12.0);
        keys.event_in(channel, "gate", channel, 1.0);
    }
    keys.event("bend", 32, 1.0 / 6.0, 16);
    keys.step();
    for channel in 0..5 {
        let gates: Vec<f32> = keys.output("gate", channel).collect();
        assert!((0..FRAMES).all(|frame| gates[frame] == f32::from(frame >= channel)));
        let pitch: Vec<f32> = keys.output("pitch", channel).collect();
        assert_eq!(pitch[31], channel as f32 / 12.0);
        assert!((pitch[63] - (channel as f32 + 2.0) / 12.0).abs() < 1e-6);
    }
}
