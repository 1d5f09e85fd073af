//! All processes that a test has started, found by a mark in their environment and by parent ids, never by name: orphans too.

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tine_protocol::sys::process;

/// How long processes may take to end on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The variable that all processes of a family inherit.
const MARK: &str = "TINE_TEST_FAMILY";

/// One process, as `/proc` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// Its arguments, the name first.
    pub arguments: Vec<String>,
}

impl Process {
    fn read(pid: i32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in brackets and may hold any others.
        let mut rest = stat.rsplit_once(") ")?.1.split(' ');
        let is_dead = matches!(rest.next()?, "Z" | "X");
        let parent = rest.next()?.parse().ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let arguments = arguments.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        (!is_dead).then(|| Process { pid, parent, arguments: arguments.collect() })
    }

    /// The text of one of its files under `/proc`; empty if it has ended.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid)).unwrap_or_default()
    }

    /// The number that stands behind `word` in one of its files, as in `Pss:   12 kB`.
    ///
    /// # Panics
    /// If there is none.
    pub fn figure(&self, file: &str, word: &str) -> u64 {
        let text = self.file(file);
        let line = text.lines().find(|line| line.starts_with(word));
        let number = line.and_then(|line| line[word.len()..].split_whitespace().next());
        let number = number.and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("no {word} in /proc/{}/{file}", self.pid))
    }

    /// What its descriptors are, by number.
    pub fn descriptors(&self) -> Vec<(i32, String)> {
        let folder = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        let mut found: Vec<(i32, String)> = folder
            .filter_map(|entry| {
                let number = entry.file_name().to_str()?.parse().ok()?;
                Some((number, fs::read_link(entry.path()).ok()?.display().to_string()))
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        Process::read(self.pid).is_some_and(|now| now.arguments == self.arguments)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // It may have ended meanwhile.
        let _ = kill(Pid::from_raw(self.pid), signal);
    }
}

/// A family. What is left of it when it is dropped is killed.
pub struct Family(String);

impl Default for Family {
    fn default() -> Family {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Family(format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Family {
    /// Makes what `command` starts, and all its descendants, members. It dies with the test: a runner that ends a test for its time
    /// leaves it no chance to drop anything.
    pub fn adopt<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        process::tie(command);
        command.env(MARK, &self.0)
    }

    /// All who live, youngest last.
    pub fn members(&self) -> Vec<Process> {
        let mark = format!("{MARK}={}", self.0);
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let all: HashMap<i32, Process> = pids.filter_map(|pid| Some((pid, Process::read(pid)?))).collect();
        let is_marked = |pid: i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|word| word == mark.as_bytes())
        };
        let mut members: Vec<Process> = all.values().filter(|process| is_marked(process.pid)).cloned().collect();
        // One that hides its environment is known by its parent.
        let mut from = 0;
        while from < members.len() {
            let parent = members[from].pid;
            let children = all.values().filter(|process| process.parent == parent);
            let new: Vec<_> = children.filter(|child| !members.contains(child)).cloned().collect();
            members.extend(new);
            from += 1;
        }
        members.sort_by_key(|process| process.pid);
        members
    }

    /// Waits until none is left.
    ///
    /// # Panics
    /// If some are.
    pub fn assert_gone(&self) {
        let begun = Instant::now();
        loop {
            let left = self.members();
            if left.is_empty() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "processes are left: {left:?}");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let left = self.members();
            if left.is_empty() {
                return;
            }
            left.iter().for_each(|process| process.signal(Signal::SIGKILL));
            sleep(Duration::from_millis(10));
        }
    }
}
