//! What is deliberately absent stays absent: who may use unsafe code, and what a crate must not know.

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 7] = ["protocol", "modules", "worker", "engine", "cli", "tests", "benches"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust files below `folder` of this workspace, by their path from its root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&folder)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    found
}

/// Lines of code that hold `word`, comments left out.
fn lines_with(text: &str, word: &str) -> usize {
    text.lines().filter_map(|line| line.split("//").next()).filter(|code| code.contains(word)).count()
}

#[test]
fn unsafe_code_stands_in_protocol_sys_alone() {
    for (path, text) in CRATES.iter().flat_map(|name| sources(name)) {
        let is_crate_root = path.ends_with("src/lib.rs");
        if is_crate_root && !path.starts_with("protocol") && text.lines().count() > 1 {
            assert!(text.contains("#![forbid(unsafe_code)]"), "{path} must forbid unsafe code");
        }
        // This file names the words it looks for.
        if !path.starts_with("protocol/src/sys") && !path.ends_with("architecture.rs") {
            for word in ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"] {
                assert_eq!(lines_with(&text, word), 0, "{path} has unsafe code; only protocol/src/sys may");
            }
        }
    }
}

#[test]
fn a_crate_does_not_depend_on_what_it_must_not_know() {
    for (name, never) in [
        ("protocol", &["tine-modules", "tine-worker", "tine-engine", "tine-cli"][..]),
        ("modules", &["tine-worker", "tine-engine", "tine-cli", "rosc", "nix", "rustix", "libc"]),
        ("worker", &["tine-engine", "tine-cli", "rosc", "rustyline", "clap"]),
        ("engine", &["tine-cli", "rustyline", "clap"]),
    ] {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let tests_apart = manifest.split("[dev-dependencies]").next().unwrap();
        for other in never {
            let named = tests_apart.lines().any(|line| line.starts_with(other));
            assert!(!named, "{name} must not know {other}");
        }
    }
}

#[test]
fn modules_know_no_process_no_file_and_no_time() {
    for (path, text) in sources("modules/src") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for never in ["std::process", "std::fs", "std::net", "std::time", "std::thread", "sys::clock"] {
            assert_eq!(lines_with(code, never), 0, "{path}: a block is a pure function; it uses {never}");
        }
    }
}

#[test]
fn every_file_opens_with_its_room() {
    for (path, text) in CRATES.iter().flat_map(|name| sources(name)) {
        assert!(text.starts_with("//! "), "{path} does not say in its first line what it is");
    }
}
