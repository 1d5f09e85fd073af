//! The binary as a program sees it: what goes to which stream, and with which exit code.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn tine(words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tine"));
    let piped = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A child that needs no input may have ended before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn answers_go_to_stdout_without_colour_and_end_with_0() {
    for words in [&["modules"][..], &["modules", "vca"], &["modules", "--markdown"], &["--version"], &["--help"]] {
        let output = tine(words, "");
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{words:?}");
        assert!(!output.stdout.contains(&0x1b), "{words:?}");
    }
    let output = tine(&["modules", "--json"], "");
    let kinds: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(kinds.as_array().unwrap().iter().any(|kind| kind["name"] == "vca"));
}

#[test]
fn doctor_answers_on_any_machine_and_a_suite_that_comes_later_says_so() {
    let output = tine(&["doctor"], "");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).lines().all(|line| line.starts_with("ok  ") || line.starts_with("!!  ")));
    let output = tine(&["bench", "voices"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(output.stdout.is_empty() && said.contains("comes later") && said.lines().count() == 1, "{said}");
}

#[test]
fn wrong_usage_goes_to_stderr_and_ends_with_2() {
    for (words, says) in [
        (&["--block", "65"][..], "no power of two"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["modules", "vcaa"], "did you mean \"vca\"?"),
        (&["render", "x", "-o", "y"], "--seconds"),
        (&["bench", "osc", "--svg", "x"], "failover"),
    ] {
        let output = tine(words, "");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty() && text(&output.stderr).contains(says), "{words:?}");
    }
}

#[test]
fn a_piped_line_that_fails_is_named_and_ends_with_1() {
    // Port 9 (discard) of loopback: nobody listens there on a machine for builds.
    let output = tine(&["connect", "127.0.0.1:9"], "# fine\nlist\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error: line 2: 127.0.0.1:9: "), "{}", text(&output.stderr));
}

#[test]
fn internal_subcommands_are_not_shown() {
    let help = text(&tine(&["--help"], "").stdout);
    assert!(help.contains("render") && !help.contains("zygote"), "{help}");
}
