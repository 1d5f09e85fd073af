//! The real binary, started and ended by its tests. Nothing of it outlives them.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::family::{Family, Process};
use crate::osc::Osc;
use crate::wav::{self, Frame};

/// How long anything may take before it counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A lead that hides most stalls of a loaded machine: 85 ms at 48 kHz. Blocks are as long in renders to compare with.
pub const STEADY: [&str; 4] = ["--block", "256", "--lead", "16"];

/// The binary under test, beside the test binary's own folder.
///
/// # Panics
/// If it is not built.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own path");
    let profile = own.ancestors().find(|folder| folder.ends_with("deps")).and_then(Path::parent);
    let binary = profile.unwrap_or(Path::new("target/release")).join("tine");
    assert!(binary.is_file(), "{} is not built: cargo build --release (or ./check, which does it)", binary.display());
    binary
}

/// The same with fault points, beside it in `target`.
///
/// # Panics
/// If it is not built.
pub fn faulty_binary() -> PathBuf {
    let binary = binary().ancestors().nth(2).expect("target/release/tine").join("faults/release/tine");
    let how = "cargo build --release -p tine-cli --no-default-features --features faults --target-dir target/faults";
    assert!(binary.is_file(), "{} is not built: {how} (or ./check, which does it)", binary.display());
    binary
}

/// The binary, with a home of its own.
pub fn command(folder: &Path) -> Command {
    command_of(&binary(), folder)
}

/// The binary with fault points, likewise.
pub fn faulty_command(folder: &Path) -> Command {
    command_of(&faulty_binary(), folder)
}

fn command_of(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).env("HOME", folder).env_remove("XDG_STATE_HOME").env("NO_COLOR", "1");
    command.env("TERM", "xterm").env("JACK_DEFAULT_SERVER", "tine-none").env("JACK_NO_START_SERVER", "1");
    command
}

/// Runs it to its end, with `input`, in `folder`; nothing may be left of it.
///
/// # Panics
/// If it hangs, or leaves a process behind.
pub fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let family = Family::default();
    let mut command = command(folder);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = family.adopt(&mut command).spawn().expect("tine starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // A program that does not read its input to the end closes the pipe.
    let writer = std::thread::spawn(move || drop(pipe.write_all(input.as_bytes())));
    let (ended, is_ended) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let output = child.wait_with_output().expect("the output of tine");
        let _ = ended.send(());
        output
    });
    assert!(is_ended.recv_timeout(PATIENCE * 5).is_ok(), "tine {arguments:?} hangs");
    writer.join().expect("the writer does not panic");
    let output = reader.join().expect("the reader does not panic");
    family.assert_gone();
    output
}

/// What went to standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Renders a patch.
///
/// # Panics
/// If that fails.
pub fn render(patch: &str, seconds: f64, arguments: &[&str]) -> Vec<Frame> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("patch.tine");
    std::fs::write(&path, patch).expect("write the patch");
    render_file(&path, seconds, arguments)
}

/// Renders a patch's file, which may name sounds beside it.
///
/// # Panics
/// If that fails.
pub fn render_file(patch: &Path, seconds: f64, arguments: &[&str]) -> Vec<Frame> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (patch, seconds) = (patch.to_string_lossy(), seconds.to_string());
    let mut all = vec!["render", &patch, "-o", "render.wav", "--seconds", &seconds];
    all.extend(arguments);
    let output = run(folder.path(), &all, "");
    assert!(output.status.success(), "render: {}", said(&output));
    wav::read(&folder.path().join("render.wav"))
}

/// A running engine.
pub struct Tine {
    child: Child,
    family: Family,
    folder: TempDir,
    said: Arc<Mutex<String>>,
    /// Workers that are ordered to spin keep a whole core to themselves: one such engine at a time.
    _alone: Option<Flock<File>>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Tine {
    /// Serves `patch` on the null device, and records into `live.wav` if `arguments` say `--record live.wav`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn serve(patch: &str, arguments: &[&str]) -> Tine {
        Tine::start(patch, arguments, |command| {
            command.args(["--backend", "null"]);
        })
    }

    /// Serves `patch` on the null device with fault points, which do what `fault` orders; without the circuit breaker unless
    /// `has_breaker`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn serve_faulty(patch: &str, arguments: &[&str], fault: &str, has_breaker: bool) -> Tine {
        let binary = faulty_binary();
        let file = File::open(&binary).expect("the binary can be read");
        let alone = Flock::lock(file, FlockArg::LockExclusive).expect("a lock");
        let mut tine = Tine::start_binary(&binary, patch, arguments, |command| {
            command.args(["--backend", "null"]).env("TINE_FAULT", fault);
            if !has_breaker {
                command.env("TINE_BREAKER", "off");
            }
        });
        tine._alone = Some(alone);
        tine
    }

    /// Serves `patch` on whatever `device` chooses.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(patch: &str, arguments: &[&str], device: impl FnOnce(&mut Command)) -> Tine {
        Tine::start_binary(&binary(), patch, arguments, device)
    }

    /// The same with another binary.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_binary(binary: &Path, patch: &str, arguments: &[&str], device: impl FnOnce(&mut Command)) -> Tine {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("patch.tine"), patch).expect("write the patch");
        let family = Family::default();
        let mut command = command_of(binary, folder.path());
        command.args(["serve", "patch.tine", "--osc", "127.0.0.1:0"]).args(arguments);
        device(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = family.adopt(&mut command).spawn().expect("tine starts");
        let said = Arc::new(Mutex::new(String::new()));
        let (told, address) = std::sync::mpsc::channel();
        let errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("osc on ") {
                    let _ = told.send(address.to_owned());
                }
                *heard.lock().unwrap_or_else(PoisonError::into_inner) += &(line + "\n");
            }
        });
        let address = address.recv_timeout(PATIENCE);
        let words = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let address = address.unwrap_or_else(|_| panic!("tine said no address: {words}"));
        let address = address.parse().expect("an address");
        Tine { child, family, folder, said, _alone: None, address }
    }

    /// A client.
    pub fn osc(&self) -> Osc {
        Osc::new(self.address)
    }

    /// Its present folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has said on standard error.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All its processes.
    pub fn members(&self) -> Vec<Process> {
        self.family.members()
    }

    /// The keeper.
    ///
    /// # Panics
    /// If it has ended.
    pub fn keeper(&self) -> Process {
        let pid = self.child.id() as i32;
        self.members().into_iter().find(|process| process.pid == pid).expect("the keeper lives")
    }

    /// The keeper's child in this role: `engine` or `zygote`.
    ///
    /// # Panics
    /// If it has ended.
    pub fn role(&self, role: &str) -> Process {
        let keeper = self.child.id() as i32;
        let is_it = |process: &Process| {
            process.parent == keeper && process.arguments.get(1).is_some_and(|argument| argument == role)
        };
        self.members().into_iter().find(is_it).unwrap_or_else(|| panic!("no {role} lives: {}", self.said()))
    }

    /// All workers and spares: the zygote's children.
    pub fn workers(&self) -> Vec<Process> {
        let zygote = self.role("zygote").pid;
        self.members().into_iter().filter(|process| process.parent == zygote).collect()
    }

    /// Signals all its processes at once, as a terminal's Ctrl-C does.
    ///
    /// # Panics
    /// If there is no such group.
    pub fn signal_group(&self, signal: Signal) {
        killpg(Pid::from_raw(self.child.id() as i32), signal).expect("the group is there");
    }

    /// Waits until so many frames were played.
    ///
    /// # Panics
    /// If they never are.
    pub fn play_until(&self, frames: usize) {
        let (osc, begun) = (self.osc(), Instant::now());
        while osc.stat("frames") < frames as f64 {
            assert!(begun.elapsed() < PATIENCE + Duration::from_secs(frames as u64 / 24_000), "no sound is made");
            sleep(Duration::from_millis(100));
        }
    }

    /// Waits until its keeper has ended and nothing is left of the others. The exit code, if no signal ended it.
    ///
    /// # Panics
    /// If it hangs, or a process is left.
    pub fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("our own child") {
                Some(status) => break status,
                None => assert!(begun.elapsed() < PATIENCE * 2, "tine does not end: {}", self.said()),
            }
            sleep(Duration::from_millis(20));
        };
        self.family.assert_gone();
        status.code()
    }

    /// Ends it over OSC; it must end well.
    ///
    /// # Panics
    /// If not.
    pub fn quit(&mut self) {
        self.end();
        assert!(!self.said().contains("panicked"), "{}", self.said());
    }

    /// The same where workers were ordered to panic.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn end(&mut self) {
        self.osc().send("/quit", &[]);
        let ended = self.ended();
        assert_eq!(ended, Some(0), "{}", self.said());
    }

    /// What it has recorded into `live.wav`.
    pub fn recording(&self) -> Vec<Frame> {
        wav::read(&self.folder().join("live.wav"))
    }
}

impl Drop for Tine {
    fn drop(&mut self) {
        // TERM would do, but a test that has failed has no patience. What is left goes with the family.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
