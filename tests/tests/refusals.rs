//! Each system call that can fail for want of memory or descriptors is made to fail once, in turn: by the fault build, which counts them.

use std::process::{Command, Stdio};

use tine_tests::family::Family;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, STEADY, faulty_command, render};
use tine_tests::wav::{self, Frame, assert_same};

/// Seconds that each plays.
const SECONDS: &str = "0.4";

/// What came of one call that failed.
#[derive(Debug)]
enum Outcome {
    /// There are not so many calls.
    NotReached,
    /// It did not start, and said why.
    Refused,
    /// It played, as if nothing had been.
    Played,
}

/// Plays the patch, with `fail` as in `TINE_FAIL`.
fn play(fail: &str, is_once: bool, rendered: &[Frame]) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("patch.tine"), PLAYING).unwrap();
    let family = Family::default();
    let mut command: Command = faulty_command(folder.path());
    command.args(["serve", "patch.tine", "--backend", "null", "--osc", "127.0.0.1:0", "--record", "live.wav"]);
    command.args(["--seconds", SECONDS]).args(STEADY).env("TINE_FAIL", fail);
    if is_once {
        let mark = folder.path().join("once");
        std::fs::write(&mark, "").unwrap();
        command.env("TINE_FAIL_ONCE", mark);
    }
    family.adopt(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()));
    let child = command.spawn().expect("tine starts");
    let (done, is_done) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let output = child.wait_with_output().expect("it ends");
        let _ = done.send(());
        output
    });
    assert!(is_done.recv_timeout(PATIENCE).is_ok(), "{fail}: it hangs");
    let output = reader.join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    family.assert_gone();
    let is_reached = said.contains("refused: ");
    assert!(!said.contains("panicked"), "{fail}: {said}");
    match output.status.code() {
        Some(0) => {
            assert_same(fail, &wav::read(&folder.path().join("live.wav")), rendered, rendered.len());
            if is_reached { Outcome::Played } else { Outcome::NotReached }
        }
        Some(1) => {
            assert!(is_reached, "{fail}: {said}");
            assert!(said.contains("Cannot allocate memory"), "{fail}: no reason is said: {said}");
            Outcome::Refused
        }
        other => panic!("{fail}: {other:?}, {said}"),
    }
}

/// Lets every call of `calls` fail, `step` apart.
fn each_once(calls: &[&str], step: usize) {
    let rendered = render(PLAYING, SECONDS.parse().unwrap(), &STEADY[..2]);
    for call in calls {
        let (mut refused, mut played) = (0, 0);
        for nth in (1..).step_by(step) {
            match play(&format!("{call}:{nth}"), true, &rendered) {
                Outcome::NotReached => break,
                Outcome::Refused => refused += 1,
                Outcome::Played => played += 1,
            }
        }
        println!("{call}: {refused} did not start, {played} played on");
        assert!(refused + played > 0, "{call}: no such call was made to fail");
    }
}

/// Those that a pool survives: nothing is heard.
#[test]
fn a_refused_fork_or_message_of_the_pool_is_made_again() {
    each_once(&["zygote:fork", "worker:send", "worker:mmap"], 5);
}

#[test]
fn what_is_refused_at_the_start_is_said_and_leaves_nothing() {
    each_once(&["keeper:memfd", "keeper:mmap", "keeper:exec", "keeper:send", "engine:memfd", "engine:mmap"], 7);
}

#[test]
fn a_zygote_that_never_comes_up_ends_the_start_with_its_reason() {
    assert!(matches!(play("zygote:mmap:1", false, &[]), Outcome::Refused));
}

#[test]
#[ignore = "takes minutes: ./check --long"]
fn every_call_is_refused_once() {
    let calls = [
        "keeper:memfd",
        "keeper:mmap",
        "keeper:exec",
        "keeper:send",
        "engine:memfd",
        "engine:mmap",
        "engine:send",
        "zygote:mmap",
        "zygote:send",
        "zygote:fork",
        "worker:send",
        "worker:mmap",
    ];
    each_once(&calls, 1);
}
