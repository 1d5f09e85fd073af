//! However it ends, nothing is left: no process, no shared memory.

use nix::sys::signal::Signal;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{Tine, render};
use tine_tests::wav::{assert_same, peak};

/// A playing engine whose shared memory has no name, so that it goes with the processes.
fn playing() -> Tine {
    let tine = Tine::serve(PLAYING, &["--record", "live.wav", "--lead", "16"]);
    tine.play_until(4_800);
    let members = tine.members();
    assert_eq!(members.len(), 13, "keeper, engine, zygote, eight workers, two spares: {members:?}");
    for member in &members {
        let descriptors = member.descriptors();
        let is_named = |what: &str| what.starts_with("/dev/shm") || what.starts_with("/tmp/shm");
        assert!(!descriptors.iter().any(|(_, what)| is_named(what)), "{descriptors:?}");
        assert!(!member.file("maps").contains("/dev/shm"), "{member:?} maps named shared memory");
    }
    tine
}

fn assert_recorded(tine: &Tine) {
    let recorded = tine.recording();
    assert!(recorded.len() >= 4_800 && peak(&recorded) > 0.01, "{} frames", recorded.len());
}

#[test]
fn quit_leaves_nothing() {
    let mut tine = playing();
    tine.quit();
    assert_recorded(&tine);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let mut tine = playing();
    tine.signal_group(Signal::SIGINT);
    assert_eq!(tine.ended(), Some(0), "{}", tine.said());
    assert_recorded(&tine);
}

#[test]
fn a_second_ctrl_c_does_not_spoil_the_end() {
    let mut tine = playing();
    tine.signal_group(Signal::SIGINT);
    tine.signal_group(Signal::SIGINT);
    assert_eq!(tine.ended(), Some(0), "{}", tine.said());
    assert_recorded(&tine);
}

#[test]
fn sigterm_to_the_keeper_leaves_nothing() {
    let mut tine = playing();
    tine.keeper().signal(Signal::SIGTERM);
    assert_eq!(tine.ended(), Some(0), "{}", tine.said());
    assert_recorded(&tine);
}

#[test]
fn a_killed_engine_leaves_nothing_and_the_keeper_says_so() {
    let mut tine = playing();
    tine.role("engine").signal(Signal::SIGKILL);
    assert_eq!(tine.ended(), Some(1));
    assert!(tine.said().contains("SIGKILL"), "{}", tine.said());
}

#[test]
fn a_killed_keeper_leaves_nothing() {
    let mut tine = playing();
    tine.keeper().signal(Signal::SIGKILL);
    assert_eq!(tine.ended(), None, "it was ended by a signal");
}

#[test]
fn a_killed_zygote_takes_all_along_and_the_keeper_says_so() {
    let mut tine = playing();
    tine.role("zygote").signal(Signal::SIGKILL);
    assert_eq!(tine.ended(), Some(1), "{}", tine.said());
    assert!(tine.said().contains("zygote"), "{}", tine.said());
    assert_recorded(&tine);
    let rendered = render(PLAYING, 1.0, &[]);
    assert_same("before the zygote ended", &rendered[..2_400], &tine.recording(), 2_400);
}
