//! A device that goes away takes nothing with it but the hearing: the clock goes on, and the device is played to again when it is back.

use std::thread::sleep;
use std::time::{Duration, Instant};

use tine_tests::jack::Jack;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, Tine, render};
use tine_tests::wav::assert_same;

/// Waits until it has said `what` so often.
fn wait_for_word(tine: &Tine, what: &str, times: usize) {
    let begun = Instant::now();
    while tine.said().matches(what).count() < times {
        assert!(begun.elapsed() < PATIENCE, "it never said {what:?}: {}", tine.said());
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_jack_server_that_is_killed_is_played_to_again_and_the_patch_knows_nothing_of_it() {
    let mut jack = Jack::start(48_000, 256);
    let arguments = ["--period", "256", "--block", "256", "--lead", "16", "--record", "live.wav"];
    let mut tine = Tine::start(PLAYING, &arguments, |command| {
        jack.give_to(command.args(["--backend", "jack"]));
    });
    tine.play_until(4_800);
    for time in 1..=2 {
        jack.die();
        wait_for_word(&tine, "is gone", time);
        let frames = tine.osc().stat("frames") as usize;
        tine.play_until(frames + 24_000);
        jack.rise();
        wait_for_word(&tine, "jack:system is back", time);
        let begun = Instant::now();
        while jack.ports("cpal").len() != 2 {
            assert!(begun.elapsed() < PATIENCE, "it does not play to the new server: {}", tine.said());
            sleep(Duration::from_millis(20));
        }
        let frames = tine.osc().stat("frames") as usize;
        tine.play_until(frames + 24_000);
    }
    // A follower would record elsewhere.
    assert_eq!(tine.osc().stat("engine_restarts"), 0.0, "{}", tine.said());
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &["--block", "256"]);
    assert_same("while servers came and went", &recorded, &rendered, 4 * 24_000);
}

#[test]
fn an_engine_that_is_killed_with_its_jack_server_waits_for_that_server_and_takes_no_other() {
    let mut jack = Jack::start(48_000, 256);
    let mut tine = Tine::start(PLAYING, &["--period", "256", "--block", "256"], |command| {
        jack.give_to(command.args(["--backend", "jack"]));
    });
    tine.play_until(4_800);
    jack.die();
    tine.role("engine").signal(nix::sys::signal::Signal::SIGKILL);
    wait_for_word(&tine, "is gone", 1);
    let osc = tine.osc();
    assert_eq!(osc.stat("engine_restarts"), 1.0);
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 4_800);
    jack.rise();
    wait_for_word(&tine, "jack:system is back", 1);
    tine.quit();
}
