//! What the documents say stays true: the patches in examples/ sound as they should, README's session gives the answers that
//! stand there, docs/MODULES.md is what the tables say, and the picture is what its script draws.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tine_tests::tine::{render_file, run, said};
use tine_tests::wav::Frame;

const SECONDS: f64 = 8.0;
const RATE: f64 = 48_000.0;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn rms(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
}

fn side(frames: &[Frame], side: usize) -> Vec<f64> {
    frames.iter().map(|frame| f64::from(f32::from_bits(frame[side]))).collect()
}

fn check_sound(name: &str, frames: &[Frame]) {
    let sides = [side(frames, 0), side(frames, 1)];
    for (which, samples) in sides.iter().enumerate() {
        assert!(samples.iter().all(|sample| sample.is_finite()), "{name}: side {which} has what is no number");
        let peak = samples.iter().fold(0.0f64, |peak, sample| peak.max(sample.abs()));
        // The limiter brings whatever is above 1 to 1: what stays below was not touched.
        assert!(
            (0.1..0.99).contains(&peak),
            "{name}: side {which} peaks at {peak}; the limiter is no part of the sound"
        );
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        // -54 dBFS. A bass drum that falls has a little, which is no error.
        assert!(mean.abs() < 0.002, "{name}: side {which} has a DC of {mean}");
        // Nobody waits longer than a second for a sound: after the first, at which one swells from nothing.
        let seconds = samples.chunks_exact(RATE as usize);
        for (second, samples) in seconds.enumerate().skip(1) {
            let level = rms(samples);
            assert!(level > 0.003, "{name}: side {which} is silent in second {second}: {level}");
        }
    }
    let [left, right] = &sides;
    let apart: Vec<f64> = left.iter().zip(right).map(|(left, right)| left - right).collect();
    assert!(rms(&apart) > 0.05 * rms(left), "{name}: left and right are the same");
}

#[test]
fn the_examples_sound_and_leave_the_limiter_alone() {
    let mut names: Vec<_> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let (patches, others): (Vec<&str>, Vec<&str>) =
        names.iter().map(|name| name.to_str().unwrap()).partition(|name| name.ends_with(".tine"));
    assert!(patches.len() >= 12, "{patches:?}");
    // What patches play.
    assert!(others.iter().all(|name| name.ends_with(".wav")), "{others:?}");
    for name in patches {
        let frames = render_file(&root().join("examples").join(name), SECONDS, &[]);
        assert_eq!(frames.len(), (SECONDS * RATE) as usize);
        check_sound(name, &frames);
        let documents = read("README.md");
        assert!(documents.contains(name), "README.md does not name examples/{name}");
    }
}

/// An answer without the time that it took.
fn timeless(answer: &str) -> String {
    match answer.split_once(" (") {
        Some((before, time)) if time.ends_with(" ms)") => before.to_owned(),
        _ => answer.to_owned(),
    }
}

#[test]
fn the_first_patch_of_the_readme_gives_the_answers_that_stand_there() {
    let readme = read("README.md");
    let (_, rest) = readme.split_once("```text\n> create").expect("README.md has a session");
    let (session, _) = rest.split_once("```").expect("it ends");
    let session = format!("> create{session}");
    let (asked, answered): (Vec<&str>, Vec<&str>) = session.lines().partition(|line| line.starts_with("> "));
    let script: String = asked.iter().map(|line| format!("{}\n", &line[2..])).collect();
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--backend", "null", "--osc", "off"], &script);
    assert!(output.status.success(), "{}", said(&output));
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<String> = answers.lines().map(timeless).collect();
    let expected: Vec<String> = answered.iter().map(|line| timeless(line)).collect();
    assert_eq!(answers, expected);
}

#[test]
fn the_page_of_kinds_is_what_the_tables_say() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["modules", "--markdown"], "");
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page == read("docs/MODULES.md"), "docs/MODULES.md is old: tine modules --markdown > docs/MODULES.md");
}

#[test]
fn the_picture_is_what_its_script_draws() {
    // ./check has python for its OSC tests.
    let Ok(output) = Command::new("python3").arg(root().join("docs/picture.py")).output() else { return };
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), read("docs/picture.svg"), "docs/picture.svg is old");
}
