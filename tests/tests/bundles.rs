//! OSC time: to the frame, together, or late and told so.

use std::time::{Duration, SystemTime};

use tine_tests::osc::{message, number};
use tine_tests::tine::{STEADY, Tine};
use tine_tests::wav::Frame;

/// Two envelopes that wait for their gates, one on each side.
const ENVELOPES: &str = "\
create adsr --id a attack=0.5ms
create adsr --id b attack=0.5ms
connect a > out.left
connect b > out.right
";

fn onset(recording: &[Frame], side: usize) -> usize {
    let found = recording.iter().position(|frame| f32::from_bits(frame[side]) > 0.0);
    found.unwrap_or_else(|| panic!("side {side} is silent"))
}

/// Where each side begins to sound after `gates`.
fn onsets(gates: impl FnOnce(&Tine)) -> [usize; 2] {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve(ENVELOPES, &arguments);
    // Time enough for the engine to know its clock.
    tine.play_until(24_000);
    gates(&tine);
    let now = tine.osc().stat("frames") as usize;
    tine.play_until(now + 40_000);
    tine.quit();
    let recording = tine.recording();
    [0, 1].map(|side| onset(&recording, side))
}

#[test]
fn bundles_a_tenth_of_a_second_apart_land_4800_frames_apart() {
    let [a, b] = onsets(|tine| {
        let (osc, at) = (tine.osc(), SystemTime::now() + Duration::from_millis(400));
        // The later one first: the schedule sorts them.
        osc.bundle(at + Duration::from_millis(100), vec![message("/m/b/gate", &[&1.0f32])]);
        osc.bundle(at, vec![message("/m/a/gate", &[&1.0f32])]);
    });
    assert_eq!(b.checked_sub(a), Some(4_800), "a began at {a}, b at {b}");
}

#[test]
fn a_bundle_takes_effect_in_one_frame() {
    let [a, b] = onsets(|tine| {
        let gates = vec![message("/m/a/gate", &[&1.0f32]), message("/m/b/gate", &[&1.0f32])];
        tine.osc().bundle(SystemTime::now() + Duration::from_millis(300), gates);
    });
    assert_eq!(a, b);
}

#[test]
fn a_late_bundle_runs_at_once_and_says_how_late_it_is() {
    let [a, b] = onsets(|tine| {
        let osc = tine.osc();
        let gates = vec![message("/m/a/gate", &[&1.0f32]), message("/m/b/gate", &[&1.0f32])];
        osc.bundle(SystemTime::now() - Duration::from_secs(2), gates);
        let late = number(&osc.hear("/late").args[0]);
        assert!(late > 1.9, "two seconds late, it says {late}");
    });
    assert_eq!(a, b);
}

#[test]
fn a_bundle_with_a_wrong_message_changes_nothing() {
    let mut tine = Tine::serve("", &[]);
    let osc = tine.osc();
    let good = message("/create", &[&"vco", &"new"]);
    osc.packet(&rosc::OscPacket::Bundle(rosc::OscBundle {
        timetag: rosc::OscTime { seconds: 0, fractional: 1 },
        content: vec![good, message("/connect", &[&"nobody", &"", &"out", &""])]
            .into_iter()
            .map(rosc::OscPacket::Message)
            .collect(),
    }));
    osc.hear("/fail");
    let rows = osc.ask("/list", &[&"new"]);
    assert_eq!(rows.len(), 1, "nothing of it was done: {rows:?}");
    tine.quit();
}
