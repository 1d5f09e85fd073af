//! However it ends, nothing is left: no process, no shared memory.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, STEADY, Tine, render};
use tine_tests::wav::{assert_same, peak};

/// A playing engine whose shared memory has no name, so that it goes with the processes.
fn playing() -> Tine {
    playing_with(&["--lead", "16"])
}

fn playing_with(timing: &[&str]) -> Tine {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(timing);
    let tine = Tine::serve(PLAYING, &arguments);
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
fn a_killed_zygote_is_started_again_and_its_workers_play_on() {
    let mut tine = playing_with(&STEADY);
    let osc = tine.osc();
    let workers: Vec<i32> = osc.pool().iter().map(|(_, pid, ..)| *pid).collect();
    let first = tine.role("zygote");
    first.signal(Signal::SIGKILL);
    let begun = Instant::now();
    while osc.stat("zygotes_lost") < 1.0 {
        assert!(begun.elapsed() < PATIENCE, "{}", tine.said());
        sleep(Duration::from_millis(10));
    }
    let now: Vec<i32> = osc.pool().iter().map(|(_, pid, ..)| *pid).collect();
    assert_eq!(workers, now, "no worker died with it");
    // The spares step in, and the next zygote forks others, which step in too.
    for pair in workers[..4].chunks(2) {
        for pid in pair {
            kill(Pid::from_raw(*pid), Signal::SIGKILL).unwrap();
            sleep(Duration::from_millis(50));
        }
        let is_full = || osc.pool().iter().filter(|(_, pid, state, _)| *pid > 0 && state != "warming").count() == 10;
        while !is_full() {
            assert!(begun.elapsed() < PATIENCE, "{:?}; {}", osc.pool(), tine.said());
            sleep(Duration::from_millis(10));
        }
    }
    assert_ne!(tine.role("zygote").pid, first.pid);
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 4_800);
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    assert_same("with another zygote", &recorded, &rendered, 9_600);
}

#[test]
fn a_keeper_killed_after_its_zygote_leaves_no_orphan() {
    let mut tine = playing();
    tine.role("zygote").signal(Signal::SIGKILL);
    sleep(Duration::from_millis(20));
    tine.keeper().signal(Signal::SIGKILL);
    assert_eq!(tine.ended(), None, "it was ended by a signal");
}
