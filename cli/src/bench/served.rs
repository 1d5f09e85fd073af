//! An engine as a user starts it: this binary again, `tine serve` without a sound card. Gone, with all its workers, when dropped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tine_protocol::sys::process;

use super::client::Client;

/// The longest that a start takes, even on a loaded machine.
const START_WAIT: Duration = Duration::from_secs(30);

/// How long an engine may take to end by itself.
const END_WAIT: Duration = Duration::from_secs(3);

/// What the engine says once its address is known.
const OSC_ON: &str = "osc on ";

/// What the engine logs once every seat has a worker.
const READY: &str = "workers ready";

/// A running engine.
pub struct Served {
    /// Speaks to it.
    pub client: Client,
    /// From its start until the pool was ready.
    pub ready_after: Duration,
    /// From its start until it listened.
    pub osc_after: Duration,
    keeper: Child,
    reader: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts an engine with `flags`, and waits until it listens.
    ///
    /// # Errors
    /// If it does not come up; the message is its own.
    pub fn start(flags: &[String]) -> Result<Served, String> {
        let mut command = Command::new("/proc/self/exe");
        command.arg("serve").args(flags).args(["--backend", "null", "--osc", "127.0.0.1:0", "--log", "info"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Nothing is left behind, even if we are killed.
        process::tie(&mut command);
        let started = Instant::now();
        let mut keeper = command.spawn().map_err(|error| format!("tine cannot be started: {error}"))?;
        let (sender, lines) = channel();
        let stderr = keeper.stderr.take().ok_or("no standard error")?;
        let read = move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // Read to the end, whoever still listens: a full pipe would stop the engine.
                let _ = sender.send((line, Instant::now()));
            }
        };
        let reader = std::thread::Builder::new().spawn(read).map_err(|error| error.to_string())?;
        let come_up = await_address(&lines, started);
        let (address, ready, osc) = match come_up {
            Ok(come_up) => come_up,
            Err(error) => {
                end(&mut keeper, Some(reader));
                return Err(error);
            }
        };
        let client = Client::new(address)?;
        Ok(Served { client, ready_after: ready - started, osc_after: osc - started, keeper, reader: Some(reader) })
    }
}

impl Served {
    /// Kills the engine, and nothing else: its keeper lives.
    ///
    /// # Errors
    /// If it cannot be found.
    pub fn kill_engine(&self) -> Result<(), String> {
        let keeper = self.keeper.id();
        let read = |path: String| std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"));
        for child in read(format!("/proc/{keeper}/task/{keeper}/children"))?.split_whitespace() {
            // One that ended meanwhile is not the engine.
            let arguments = read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if arguments.split('\0').nth(1) == Some("engine") {
                let pid = child.parse().map_err(|_| format!("{child} is no process"))?;
                let pidfd = process::watch(pid).map_err(|error| format!("engine {pid}: {error}"))?;
                process::kill(&pidfd);
                return Ok(());
            }
        }
        Err("no engine is there to be killed".to_owned())
    }
}

/// The engine's address, when its pool was ready, and when it listened.
fn await_address(
    lines: &Receiver<(String, Instant)>,
    started: Instant,
) -> Result<(SocketAddr, Instant, Instant), String> {
    let mut ready = None;
    let mut said = String::new();
    loop {
        let left = (started + START_WAIT).saturating_duration_since(Instant::now());
        let Ok((line, at)) = lines.recv_timeout(left) else {
            return Err(format!(
                "tine serve did not come up{}",
                if said.is_empty() { said } else { format!(": {said}") }
            ));
        };
        if line.ends_with(READY) {
            ready = Some(at);
        } else if let Some(address) = line.strip_prefix(OSC_ON) {
            let address = address.parse().map_err(|_| format!("tine serve listens on {address}?"))?;
            return Ok((address, ready.ok_or("tine serve does not say when its workers are ready")?, at));
        } else {
            said = line;
        }
    }
}

fn end(keeper: &mut Child, reader: Option<JoinHandle<()>>) {
    let until = Instant::now() + END_WAIT;
    while Instant::now() < until && matches!(keeper.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(2));
    }
    // Whoever does not end by itself is killed; its engine, zygote and workers die with it.
    let _ = keeper.kill();
    let _ = keeper.wait();
    // Its standard error is at its end now: one thread is left of us, as a fork needs.
    let _ = reader.map(JoinHandle::join);
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that is gone already needs no telling.
        let _ = self.client.done("/quit", []);
        end(&mut self.keeper, self.reader.take());
    }
}
