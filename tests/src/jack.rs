//! A JACK server of one's own: real, paced, without a card. Each has a unique name, and ends with its owner.

use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a server may take to start or to end on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `jackd` with the dummy driver.
pub struct Jack {
    server: Child,
    name: String,
    rate_hz: u32,
    period: u32,
}

impl Jack {
    /// Starts one and waits until clients can connect.
    ///
    /// # Panics
    /// If there is no `jackd`, or it does not start.
    pub fn start(rate_hz: u32, period: u32) -> Jack {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tine-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut jack = Jack { server: serve(&name, rate_hz, period), name, rate_hz, period };
        jack.wait_until_open();
        jack
    }

    /// Ends the server by SIGKILL, as it would die of a fault.
    ///
    /// # Panics
    /// If it is not there.
    pub fn die(&mut self) {
        self.server.kill().expect("the server is ours");
        self.server.wait().expect("it ends");
        self.sweep();
    }

    /// Starts one with the same name, rate and period, after [`Jack::die`].
    ///
    /// # Panics
    /// As [`Jack::start`].
    pub fn rise(&mut self) {
        self.server = serve(&self.name, self.rate_hz, self.period);
        self.wait_until_open();
    }

    fn wait_until_open(&mut self) {
        let begun = Instant::now();
        while !self.command("jack_lsp").output().is_ok_and(|output| output.status.success()) {
            let ended = self.server.try_wait().expect("wait for jackd");
            assert!(ended.is_none(), "jackd ended at once ({ended:?}); is it installed? ./check installs it");
            assert!(begun.elapsed() < PATIENCE, "jackd takes no clients");
            sleep(Duration::from_millis(50));
        }
    }

    /// A command whose JACK server is this one.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.give_to(&mut command);
        command
    }

    /// Makes this the JACK server of `command`.
    pub fn give_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("JACK_DEFAULT_SERVER", &self.name)
    }

    /// Ports of this server whose name holds `part`.
    pub fn ports(&self, part: &str) -> Vec<String> {
        let Output { stdout, .. } = self.command("jack_lsp").output().expect("jack_lsp");
        String::from_utf8_lossy(&stdout).lines().filter(|port| port.contains(part)).map(str::to_owned).collect()
    }

    /// Ends the server while others play to it.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let pid = Pid::from_raw(self.server.id() as i32);
        // TERM first: jackd then removes what it put into /dev/shm.
        if self.server.try_wait().is_ok_and(|ended| ended.is_none()) && kill(pid, Signal::SIGTERM).is_ok() {
            let begun = Instant::now();
            while self.server.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < PATIENCE {
                sleep(Duration::from_millis(10));
            }
        }
        // Nothing is left to do about a server that even KILL does not end.
        let _ = self.server.kill();
        let _ = self.server.wait();
        self.sweep();
    }

    /// A server that dies before its clients leaves their semaphores behind.
    fn sweep(&self) {
        for file in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().contains(&format!("_{}_", self.name)) {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}

impl Drop for Jack {
    fn drop(&mut self) {
        self.end();
    }
}

fn serve(name: &str, rate_hz: u32, period: u32) -> Child {
    // setpriv: a test runner that is killed takes its servers along. It execs, so the pid is jackd's own.
    Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "jackd", "-n", name, "-r", "-d", "dummy"])
        .args(["-r", &rate_hz.to_string(), "-p", &period.to_string()])
        .env("JACK_NO_AUDIO_RESERVATION", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test needs setpriv and jackd: ./check installs them")
}
