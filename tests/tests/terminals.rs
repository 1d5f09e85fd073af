//! A terminal that vanishes takes only the typing with it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tine_tests::family::{Family, Process};
use tine_tests::osc::Osc;
use tine_tests::tine::{PATIENCE, binary, run};

/// Reads from a terminal until it shows `what`; all that it showed.
fn read_until(terminal: &mut File, what: &str) -> String {
    let (mut shown, begun) = (String::new(), Instant::now());
    let mut bytes = [0; 4096];
    while !shown.contains(what) {
        assert!(begun.elapsed() < PATIENCE, "{what:?} is never shown: {shown}");
        let count = terminal.read(&mut bytes).expect("the terminal can be read");
        shown += &String::from_utf8_lossy(&bytes[..count]);
    }
    shown
}

#[test]
fn the_sound_outlives_its_terminal_and_connect_comes_back() {
    let (folder, family) = (tempfile::tempdir().unwrap(), Family::default());
    let pty = nix::pty::openpty(None, None).expect("a terminal");
    let stream = || pty.slave.try_clone().expect("a descriptor");
    // `setsid` becomes tine itself, as the leader of a session whose terminal this is: as in a window of its own.
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(binary()).args(["--backend", "null", "--osc", "127.0.0.1:0"]);
    command.current_dir(folder.path()).env("HOME", folder.path()).env("TERM", "xterm").env("NO_COLOR", "1");
    family.adopt(command.stdin(stream()).stdout(stream()).stderr(stream()));
    let mut child = command.spawn().expect("this test needs setsid of util-linux");
    drop(command);
    let (mut terminal, slave): (File, OwnedFd) = (pty.master.into(), pty.slave);
    drop(slave);
    let shown = read_until(&mut terminal, "\x1b[?2004h");
    let address = shown.split("osc on ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let address: SocketAddr = address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{shown}"));
    terminal.write_all(b"create vco --id 1; connect 1 > out\r").unwrap();
    read_until(&mut terminal, "vco 1 on worker");
    // In the middle of a line.
    terminal.write_all(b"create vc").unwrap();
    drop(terminal);

    let osc = Osc::new(address);
    let goes_on = |osc: &Osc| {
        let (frames, begun) = (osc.stat("frames"), Instant::now());
        while osc.stat("frames") < frames + 4_800.0 {
            assert!(begun.elapsed() < PATIENCE, "the sound stands still");
            sleep(Duration::from_millis(20));
        }
    };
    goes_on(&osc);
    let list = run(folder.path(), &["connect", &address.to_string()], "create vcf --id 2\nlist\n");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("vco") && list.contains("vcf"), "{list}");
    // And the engine that follows on a dead one needs no terminal either.
    let is_engine = |process: &Process| process.arguments.get(1).is_some_and(|argument| argument == "engine");
    family.members().into_iter().find(is_engine).expect("an engine").signal(Signal::SIGKILL);
    assert_eq!(osc.stat("engine_restarts"), 1.0);
    goes_on(&osc);
    assert_eq!(osc.stat("modules"), 3.0);
    osc.send("/quit", &[]);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    family.assert_gone();
}
