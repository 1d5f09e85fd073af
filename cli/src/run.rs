//! The subcommands that need an engine: each starts one, or looks at the machine, and ends with an exit code.
//!
//! Errors are sentences for standard error. The bodies are not written yet.

use std::path::PathBuf;

use crate::config::Config;

/// What a subcommand ends with: nothing, or a sentence for standard error and exit code 1.
pub type Ended = Result<(), String>;

/// Engine and REPL, after running `files`.
///
/// # Errors
/// If a file is wrong or the engine cannot start.
pub fn play(_config: &Config, _files: &[PathBuf]) -> Ended {
    later("play")
}

/// Engine without a REPL, after running `files`.
///
/// # Errors
/// If a file is wrong or the engine cannot start.
pub fn serve(_config: &Config, _files: &[PathBuf]) -> Ended {
    later("serve")
}

/// Renders `file` into `output`, offline.
///
/// # Errors
/// If the file is wrong or the WAV cannot be written.
pub fn render(_config: &Config, _file: &PathBuf, _output: &PathBuf) -> Ended {
    later("render")
}

/// What sound goes to, as text or JSON.
///
/// # Errors
/// If the system cannot be asked.
pub fn devices(_json: bool) -> Result<String, String> {
    Err("devices: not wired yet".to_owned())
}

/// What stands in the way of low latency here.
///
/// # Errors
/// If the machine cannot be asked.
pub fn doctor(_config: &Config) -> Ended {
    later("doctor")
}

/// Measures this machine.
///
/// # Errors
/// If a suite cannot run or a file cannot be written.
pub fn bench(
    _config: &Config,
    _suites: &[String],
    _quick: bool,
    _json: Option<&PathBuf>,
    _html: Option<&PathBuf>,
) -> Ended {
    later("bench")
}

/// The engine's process, with the keeper's descriptors.
///
/// # Errors
/// If a descriptor is not what it should be.
pub fn engine(_config: &Config, _inherited: &[i32], _files: &[PathBuf]) -> Ended {
    later("engine")
}

/// The zygote's process, with the keeper's descriptors.
///
/// # Errors
/// If a descriptor is not what it should be.
pub fn zygote(_config: &Config, _inherited: &[i32]) -> Ended {
    later("zygote")
}

fn later(what: &str) -> Ended {
    Err(format!("{what}: not wired yet"))
}
