//! Exit codes, and what is said where something is wrong.

use tine_tests::tine::{run, said};

#[test]
fn wrong_usage_is_status_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["frobnicate"][..],
        &["--frobnicate"],
        &["render"],
        &["render", "x.tine", "-o", "x.wav"],
        &["serve", "--block", "63"],
        &["serve", "--workers", "0"],
        &["serve", "--workers", "65"],
        &["serve", "--backend", "tape"],
        &["serve", "--osc", "nowhere"],
        &["serve", "--seconds", "-1"],
        &["modules", "--json", "--markdown"],
    ] {
        let output = run(folder.path(), arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).starts_with("error: "), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "diagnostics go to stderr: {arguments:?}");
    }
}

#[test]
fn what_goes_well_is_status_0() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.tine"), "create vco --id 1\nconnect 1 > out\n").unwrap();
    for arguments in [
        &["--version"][..],
        &["--help"],
        &["modules"],
        &["modules", "vco"],
        &["modules", "--json"],
        &["devices"],
        &["render", "a.tine", "-o", "a.wav", "--seconds", "0.1"],
        &["serve", "a.tine", "--backend", "null", "--osc", "off", "--seconds", "0.1"],
        &["play", "a.tine", "--backend", "null", "--osc", "off", "--seconds", "0.1"],
    ] {
        let output = run(folder.path(), arguments, "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn a_wrong_patch_file_is_status_1_and_its_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text, at, says) in [
        ("a.tine", "create vco --id 1\n\ncreate vvf --id 2\n", "a.tine:3", "vcf"),
        ("b.tine", "# tine 1\ncreate vco --id 1\nconnect 1.sqare > out\n", "b.tine:3", "1"),
        ("c.tine", "create vco --id 1 freq=-3db\n", "c.tine:1", "hz"),
        ("d.tine", "create vco --id 1\ncreate vco --id 1\n", "d.tine:2", "1"),
        ("e.tine", "quit now please\n", "e.tine:1", ""),
        ("f.tine", "# tine 99\n", "f.tine", "version"),
        ("g.tine", "\u{0}\u{1}\n", "g.tine:1", ""),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
        for arguments in [
            vec!["render", file, "-o", "x.wav", "--seconds", "1"],
            vec!["serve", file, "--backend", "null", "--osc", "off"],
        ] {
            let output = run(folder.path(), &arguments, "");
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
            assert!(said.contains(at) && said.contains(says), "{text:?}: {said}");
        }
    }
    let output = run(folder.path(), &["serve", "none.tine", "--backend", "null", "--osc", "off"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("none.tine: No such file"), "{}", said(&output));
}

#[test]
fn an_error_in_a_pipe_is_status_1_and_its_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        run(folder.path(), &["--backend", "null", "--osc", "off"], "create vco --id 1\nconnct 1 > out\nlist\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("line 2: no command \"connct\"; did you mean \"connect\"?"), "{}", said(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("worker  params"), "nothing after it is carried out");
}

#[test]
fn a_recording_that_cannot_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.tine"), "create vco --id 1\nconnect 1 > out\n").unwrap();
    for (path, why) in [("/nowhere/x.wav", "No such file or directory"), ("/dev/full", "No space left on device")] {
        for arguments in [
            vec!["render", "a.tine", "-o", path, "--seconds", "1"],
            vec!["serve", "a.tine", "--backend", "null", "--osc", "off", "--seconds", "1", "--record", path],
        ] {
            let output = run(folder.path(), &arguments, "");
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
            let wanted = format!("error: cannot record to {path}: {why}");
            assert!(said(&output).contains(&wanted), "{arguments:?}: {}", said(&output));
        }
    }
}
