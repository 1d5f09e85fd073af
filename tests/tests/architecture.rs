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

/// Whether one may take a package with this licence: an SPDX expression, or the older form with slashes.
fn is_free(licence: &str) -> bool {
    const FREE: [&str; 10] = [
        "MIT",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-1-Clause",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Unicode-3.0",
        "Unlicense",
        "Zlib",
    ];
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    // No package so far needs brackets to be understood: every OR offers a free one, or every AND is free.
    plain.split(" AND ").all(|all| all.split(" OR ").any(|one| FREE.contains(&one.trim())))
}

#[test]
fn every_package_has_a_licence_that_asks_for_no_more_than_a_notice() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_free(licence), "{} has the licence {licence}", package["name"]);
    }
    assert!(!is_free("GPL-3.0-or-later") && !is_free("MIT AND GPL-2.0") && is_free("GPL-2.0 OR MIT"));
}
