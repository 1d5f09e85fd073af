//! However it ends, nothing is left: no process, no shared memory.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tine_tests::family::{Family, Process};
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, STEADY, Tine, command, render, said};
use tine_tests::wav::{self, Frame, assert_same, peak};

/// A playing engine whose shared memory has no name, so that it goes with the processes.
fn playing() -> Tine {
    playing_with(&["--lead", "16"])
}

fn playing_with(timing: &[&str]) -> Tine {
    playing_patch(PLAYING, timing)
}

fn playing_patch(patch: &str, timing: &[&str]) -> Tine {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(timing);
    let tine = Tine::serve(patch, &arguments);
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

/// Where in `rendered` `heard` goes on, from its frame `from`: the two are the same there for a tenth of a second.
fn place_of(heard: &[Frame], from: usize, rendered: &[Frame], block: usize) -> Option<usize> {
    let wanted = heard.get(from..from + 4_800)?;
    (0..rendered.len() - 4_800).step_by(block).find(|&at| rendered[at..at + 4_800] == *wanted)
}

#[test]
fn a_killed_engine_is_followed_by_one_that_plays_on_where_it_was() {
    plays_on_where_it_was(PLAYING);
}

/// Steps that a clock makes, each a pitch of chance: a clock that lost its place would begin another row.
#[test]
fn a_killed_engine_is_followed_by_one_that_keeps_time() {
    plays_on_where_it_was(
        "\
bpm 347
create clock --id clock every=1/4 swing=60%
create random --id chance
create vco --id voice
create adsr --id pluck attack=1ms decay=90ms sustain=0
create vca --id amp gain=0
connect clock > chance.trig
connect clock > pluck
connect chance > voice.pitch
connect voice.saw > amp
connect amp > out --gain 0.3
connect pluck > amp.gain
",
    );
}

fn plays_on_where_it_was(patch: &str) {
    let mut tine = playing_patch(patch, &STEADY);
    let first = tine.role("engine");
    let osc = tine.osc();
    let saved = |name: &str| {
        osc.done("/save", &[&name]);
        std::fs::read_to_string(tine.folder().join(name)).expect("it is saved")
    };
    let before = saved("before.tine");
    // The recorder gives the disk what it has twice a second.
    tine.play_until(48_000);
    first.signal(Signal::SIGKILL);
    // The client asks until somebody answers, at the same address.
    assert_eq!(osc.stat("engine_restarts"), 1.0);
    assert_ne!(tine.role("engine").pid, first.pid);
    assert_eq!(saved("after.tine"), before);
    assert_eq!(tine.members().len(), 13, "nothing is left of those before: {:?}", tine.members());
    println!("silent for {} ms", osc.stat("engine_gap_ms"));
    tine.play_until(osc.stat("frames") as usize + 9_600);
    // It takes orders as ever, and dies as ever.
    tine.quit();

    let [earlier, later] = ["live.wav", "live.2.wav"].map(|name| wav::read(&tine.folder().join(name)));
    let rendered = render(patch, (earlier.len() + later.len()) as f64 / 48_000.0 + 1.0, &STEADY[..2]);
    assert_same("until it died", &earlier, &rendered, 4_800);
    // 5 ms of fade, in whole blocks, after two of warming up.
    let faded = 5 * 256;
    let at = place_of(&later, faded, &rendered[earlier.len()..], 256).expect("it goes on with the modules' states");
    let at = earlier.len() + at;
    assert_same("from then on", &later[faded..], &rendered[at..], 9_600);
}

#[test]
fn what_was_changed_last_before_an_engine_died_is_there_after_it() {
    let mut tine = Tine::serve("create vco --id 1\nconnect 1 > out\n", &[]);
    let osc = tine.osc();
    for death in 1..=3 {
        let id = format!("f{death}");
        osc.done("/create", &[&"vcf", &id.as_str()]);
        osc.done("/connect", &[&"1", &"", &id.as_str(), &""]);
        osc.done("/connect", &[&id.as_str(), &"", &"out", &""]);
        osc.done("/set", &[&id.as_str(), &"cutoff", &(100 * death)]);
        if death % 2 == 1 {
            osc.done("/eval", &[&format!("bypass {id} on")]);
        }
        tine.role("engine").signal(Signal::SIGKILL);
        assert_eq!(osc.stat("engine_restarts"), f64::from(death));
        osc.done("/save", &[&"after.tine"]);
        let saved = std::fs::read_to_string(tine.folder().join("after.tine")).expect("it is saved");
        for said in [format!("create vcf --id {id} cutoff={}", 100 * death), format!("connect 1.out > {id}.in")] {
            assert!(saved.contains(&said), "{said}: {saved}");
        }
        assert_eq!(saved.contains(&format!("bypass {id} on")), death % 2 == 1, "{saved}");
    }
    // What was made after a death is played and taken down as ever.
    osc.done("/destroy", &[&"f1"]);
    osc.done("/create", &[&"vcf", &"f1"]);
    tine.quit();
}

#[test]
fn an_engine_that_is_killed_in_a_render_ends_it_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("patch.tine"), PLAYING).unwrap();
    let family = Family::default();
    let mut command = command(folder.path());
    command.args(["render", "patch.tine", "-o", "render.wav", "--seconds", "100000"]).stderr(Stdio::piped());
    let child = family.adopt(&mut command).spawn().expect("tine starts");
    let begun = Instant::now();
    let is_engine = |process: &Process| process.arguments.get(1).is_some_and(|argument| argument == "engine");
    let engine = loop {
        assert!(begun.elapsed() < PATIENCE, "no engine");
        if let Some(engine) = family.members().into_iter().find(is_engine) {
            break engine;
        }
        sleep(Duration::from_millis(10));
    };
    engine.signal(Signal::SIGKILL);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("SIGKILL"), "{}", said(&output));
    family.assert_gone();
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
