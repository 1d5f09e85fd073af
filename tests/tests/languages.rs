//! The same patch, made by whoever may make one: at the REPL, from a pipe, over OSC from programs that are not ours.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rexpect::session::{PtySession, spawn_command};
use tine_tests::family::Family;
use tine_tests::tine::{PATIENCE, Tine, command, run, said};

/// What all of them build. `0.25` is a value that each of them can write exactly.
const SCRIPT: &str = "\
create vco --id 1 freq=110
create vca --id amp gain=0.5
connect 1.saw > amp > out
set amp.gain 0.25
save built.tine
";

const SAVED: &str = "\
# tine 1
create vco --id 1 freq=110
create vca --id amp gain=0.25
connect 1.saw > amp.in
connect amp.out > out.left
connect amp.out > out.right
";

fn saved(folder: &Path) -> String {
    let (file, begun) = (folder.join("built.tine"), Instant::now());
    while !file.exists() {
        assert!(begun.elapsed() < PATIENCE, "nothing was saved");
        sleep(Duration::from_millis(20));
    }
    fs::read_to_string(file).unwrap()
}

/// Switches the terminal's bracketed paste on: what the line editor says first at each prompt.
const PROMPT: &str = "\x1b[?2004h";

/// A REPL on a terminal of its own, and its processes.
fn terminal(folder: &Path, family: &Family) -> PtySession {
    let mut command = command(folder);
    family.adopt(command.args(["--backend", "null", "--osc", "off"]));
    spawn_command(command, Some(PATIENCE.as_millis() as u64)).unwrap()
}

fn type_line(repl: &mut PtySession, line: &str, answer: &str) {
    repl.send_line(line).unwrap();
    repl.exp_regex(answer).unwrap_or_else(|error| panic!("{line}: {error}"));
}

#[test]
fn a_patch_made_at_the_terminal_is_the_patch_that_is_saved() {
    let (folder, family) = (tempfile::tempdir().unwrap(), Family::default());
    let mut repl = terminal(folder.path(), &family);
    type_line(&mut repl, "create vco --id 1 freq=110", r"vco 1 on worker \d+ \([0-9.]+ ms\)");
    type_line(&mut repl, "create vca --id amp gain=0.5", r"vca amp on worker \d+");
    type_line(&mut repl, "connect 1.saw > amp > out", "3 cables");
    type_line(&mut repl, "set amp.gain 0.25", r"gain[ =]+0\.25");
    type_line(&mut repl, "list", r"1 +vco +\d+ +freq 110 hz");
    type_line(&mut repl, "save built.tine", "saved built.tine");
    type_line(&mut repl, "quit", "");
    repl.exp_eof().unwrap();
    family.assert_gone();
    assert_eq!(saved(folder.path()), SAVED);
}

#[test]
fn the_terminal_completes_words_and_neither_errors_nor_ctrl_c_end_it() {
    let (folder, family) = (tempfile::tempdir().unwrap(), Family::default());
    let mut repl = terminal(folder.path(), &family);
    type_line(&mut repl, "create vco --id 1 freq=c3", "vco 1 on worker");
    type_line(&mut repl, "connect vfo1 > out", r#"error: no module "vfo1""#);
    repl.exp_string("nothing changed").unwrap();
    // A kind, by its first letters; several fit, so the second Tab shows them.
    repl.send("create vc\t\t").unwrap();
    repl.flush().unwrap();
    for kind in ["vco", "vcf", "vca"] {
        repl.exp_string(kind).unwrap();
    }
    // Ctrl-C clears the line: what is typed at the next prompt stands alone.
    repl.send_control('c').unwrap();
    repl.exp_string(PROMPT).unwrap();
    // A live module's param.
    repl.send("set 1.fr\t").unwrap();
    repl.flush().unwrap();
    repl.exp_string("1.freq").unwrap();
    type_line(&mut repl, " 220", r"freq[ =]+220");
    // At an empty prompt, several times, as impatient people do.
    repl.exp_string(PROMPT).unwrap();
    for _ in 0..3 {
        repl.send_control('c').unwrap();
        repl.exp_string(PROMPT).unwrap();
    }
    type_line(&mut repl, "get 1.freq", r"1\.freq = 220 hz");
    type_line(&mut repl, "quit", "");
    repl.exp_eof().unwrap();
    family.assert_gone();
    let history = fs::read_to_string(folder.path().join(".local/state/tine/history")).unwrap();
    assert!(history.contains("connect vfo1 > out"), "{history}");
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let (folder, family) = (tempfile::tempdir().unwrap(), Family::default());
    let mut repl = terminal(folder.path(), &family);
    type_line(&mut repl, "create vco --id 1", "vco 1 on worker");
    repl.send("set 1.freq 220\nget 1.freq\nset 1.freq 330\nget 1.freq\n").unwrap();
    repl.flush().unwrap();
    repl.exp_regex(r"1\.freq = 220 hz").unwrap();
    repl.exp_regex(r"1\.freq = 330 hz").unwrap();
    type_line(&mut repl, "quit", "");
    repl.exp_eof().unwrap();
    family.assert_gone();
}

#[test]
fn a_script_from_a_pipe_makes_the_same_patch() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--backend", "null", "--osc", "off"], SCRIPT);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(saved(folder.path()), SAVED);
}

#[test]
fn oscsend_makes_the_same_patch() {
    let mut tine = Tine::serve("", &[]);
    let port = tine.address.port().to_string();
    for arguments in [
        &["/create", "sisf", "vco", "1", "freq", "110"][..],
        &["/create", "sssf", "vca", "amp", "gain", "0.5"],
        &["/connect", "isss", "1", "saw", "amp", ""],
        &["/connect", "ssss", "amp", "", "out", ""],
        &["/m/amp/gain", "f", "0.25"],
    ] {
        let sent = Command::new("oscsend").args(["127.0.0.1", &port]).args(arguments).status();
        assert!(sent.expect("this test needs oscsend: ./check installs liblo-tools").success());
    }
    tine.osc().sync();
    assert!(Command::new("oscsend").args(["127.0.0.1", &port, "/save", "s", "built.tine"]).status().unwrap().success());
    assert_eq!(saved(tine.folder()), SAVED);
    tine.quit();
}

#[test]
fn python_osc_makes_the_same_patch() {
    const PROGRAM: &str = "\
import sys
from pythonosc.udp_client import SimpleUDPClient
tine = SimpleUDPClient('127.0.0.1', int(sys.argv[1]))
tine.send_message('/create', ['vco', 1, 'freq', 110])
tine.send_message('/create', ['vca', 'amp', 'gain', 0.5])
tine.send_message('/connect', [1, 'saw', 'amp', 'in'])
tine.send_message('/connect', ['amp', 'out', 'out', ''])
tine.send_message('/set', ['amp', 'gain', 0.25])
tine.send_message('/save', 'built.tine')
";
    let mut tine = Tine::serve("", &[]);
    let python = std::env::var("TINE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let port = tine.address.port().to_string();
    let sent = Command::new(&python).args(["-c", PROGRAM, &port]).stdin(Stdio::null()).status();
    let sent = sent.unwrap_or_else(|error| panic!("{python}: {error}"));
    assert!(sent.success(), "this test needs python-osc: ./check installs it and sets TINE_PYTHON");
    assert_eq!(saved(tine.folder()), SAVED);
    tine.quit();
}
