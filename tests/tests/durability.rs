//! A session on disk: whatever ends the engine, it comes back as of the last command that was answered.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rosc::{OscMessage, OscPacket, OscType};
use tempfile::TempDir;
use tine_tests::family::Process;
use tine_tests::osc::{Osc, message, number, text};
use tine_tests::patches::EVERYTHING;
use tine_tests::tine::{PATIENCE, Tine, binary, run, said};

/// Where sessions are kept, for one test.
struct State(TempDir);

impl State {
    fn new() -> State {
        State(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("tine/sessions/live")
    }

    fn serve(&self, patch: &str, arguments: &[&str]) -> Tine {
        self.serve_binary(&binary(), patch, arguments)
    }

    fn serve_binary(&self, binary: &Path, patch: &str, arguments: &[&str]) -> Tine {
        let arguments = [&["--session", "live"], arguments].concat();
        Tine::start_binary(binary, patch, &arguments, |command| {
            command.args(["--backend", "null"]).env("XDG_STATE_HOME", self.0.path());
        })
    }

    /// The newest file of a sort.
    fn newest(&self, sort: &str) -> PathBuf {
        let names = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let generation = |name: &str| name.strip_prefix(sort)?.strip_prefix('-')?.parse::<u64>().ok();
        let newest = names.filter_map(|name| generation(&name)).max().unwrap();
        self.folder().join(format!("{sort}-{newest}"))
    }
}

/// Everything that a player can see of the patch: the saved file, all rows of `list` and of `cables`.
fn patch(tine: &Tine) -> (String, Vec<OscMessage>) {
    let osc = tine.osc();
    osc.done("/save", &[&"seen.tine"]);
    let rows = [osc.ask("/list", &[]), osc.ask("/cables", &[])].concat();
    (fs::read_to_string(tine.folder().join("seen.tine")).unwrap(), rows)
}

/// Ends all its processes at once, as a loss of power does.
fn kill(mut tine: Tine) {
    tine.keeper().signal(Signal::SIGKILL);
    assert_eq!(tine.ended(), None, "it was ended by a signal");
}

/// Changes of every kind, each answered.
fn change(osc: &Osc) {
    osc.done("/create", &[&"vco", &"new", &"freq", &123.4f32, &"shape", &"tri"]);
    for line in [
        "create vca*3",
        "create delay --id d2 --worker 5; connect d2 > filter > d2 --gain 0.25",
        "set echo.time 333ms --ramp 10s; set amp.gain -7db",
        "rename hiss wind; bypass filter on",
        "destroy sweep; disconnect lead.sine > partner.fm",
        "dup lead",
        "undo 2",
        "redo",
        "note lead c3; gate env off; trig hold",
    ] {
        osc.done("/eval", &[&line]);
    }
    osc.send("/n/lead/pw", &[&0.75f32]);
    osc.sync();
}

fn assert_resumed(tine: &Tine, before: &(String, Vec<OscMessage>)) {
    assert_eq!(patch(tine), *before);
    let modules = before.0.lines().filter(|line| line.starts_with("create ")).count();
    let cables = before.0.lines().filter(|line| line.starts_with("connect ")).count();
    let line = format!("session live: {modules} modules, {cables} cables (as of the last command)");
    assert!(tine.said().contains(&line), "no {line:?}: {}", tine.said());
}

#[test]
fn a_session_that_was_killed_comes_back_as_it_was() {
    let state = State::new();
    let tine = state.serve(EVERYTHING, &[]);
    assert!(tine.said().contains("session live: new"), "{}", tine.said());
    change(&tine.osc());
    let before = patch(&tine);
    assert!(before.0.contains("create vco --id new freq=123.4 shape=tri") && before.0.contains("--id wind"));
    assert!(tine.osc().stat("journal_records") >= 10.0);
    assert_eq!(tine.osc().stat("journal_errors"), 0.0);
    kill(tine);
    // Its file is not applied again, nor is anything undone that was done before.
    let tine = state.serve(EVERYTHING, &[]);
    assert_resumed(&tine, &before);
    assert!(tine.said().contains("session live is resumed: patch.tine not applied"), "{}", tine.said());
    tine.osc().refused("/undo", &[]);
    tine.osc().done("/eval", &[&"set amp.gain 0.5; create noise"]);
    let before = patch(&tine);
    kill(tine);
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    tine.quit();
    // After an orderly end too, and where there are fewer workers: then modules lie elsewhere.
    let mut tine = state.serve("", &["--workers", "2"]);
    assert_eq!(patch(&tine).0, before.0);
    tine.play_until(4_800);
    tine.quit();
}

#[test]
fn a_session_whose_engine_is_killed_is_kept_by_the_one_that_follows() {
    let state = State::new();
    let tine = state.serve(EVERYTHING, &[]);
    for death in 1..=2 {
        tine.osc().done("/eval", &[&format!("create vco --id before{death}; set amp.gain 0.{death}")]);
        let before = patch(&tine);
        tine.role("engine").signal(Signal::SIGKILL);
        assert_eq!(tine.osc().stat("engine_restarts"), f64::from(death));
        assert_eq!(patch(&tine), before);
        tine.osc().done("/eval", &[&format!("create vcf --id after{death}; connect before{death} > after{death}")]);
    }
    let before = patch(&tine);
    assert_eq!(tine.osc().stat("journal_errors"), 0.0);
    kill(tine);
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    tine.quit();
}

/// Sends values that only grow, some ahead of their answers, until the engine is gone. The last one answered, and the last one sent.
fn flood(osc: &Osc, module: &str, answered: &AtomicU32) -> (i32, i32) {
    let (mut sent, mut heard) = (0, 0);
    let token = 1 << 20;
    loop {
        while sent < heard + 16 {
            sent += 1;
            let set = message("/req", &[&(token + sent), &"/set", &module, &"freq", &(100.0 + sent as f32)]);
            osc.packet(&OscPacket::Message(set));
        }
        match osc.receive(Duration::from_secs(2)) {
            Some(answer) if answer.addr == "/done" => {
                let Some(OscType::Int(last)) = answer.args.last() else { panic!("{answer:?}") };
                // In the order in which they were sent, as the session is.
                assert_eq!(*last, token + heard + 1);
                heard += 1;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Some(other) => panic!("{other:?}"),
            None => return (heard, sent),
        }
    }
}

#[test]
fn after_a_kill_in_a_flood_every_answered_value_is_there() {
    let state = State::new();
    let mut tine = state.serve("create vco --id a\ncreate vco --id b\ncreate vco --id c\n", &[]);
    for _ in 0..3 {
        let answered = AtomicU32::new(0);
        let ends: Vec<(&str, (i32, i32))> = std::thread::scope(|scope| {
            let floods = ["a", "b", "c"].map(|module| {
                let (osc, answered) = (tine.osc(), &answered);
                (module, scope.spawn(move || flood(&osc, module, answered)))
            });
            let begun = Instant::now();
            while answered.load(Ordering::Relaxed) < 600 {
                assert!(begun.elapsed() < PATIENCE, "{answered:?} answers");
                sleep(Duration::from_millis(1));
            }
            tine.keeper().signal(Signal::SIGKILL);
            floods.map(|(module, flood)| (module, flood.join().unwrap())).into()
        });
        assert_eq!(tine.ended(), None);
        tine = state.serve("", &[]);
        assert!(tine.said().contains("session live: 3 modules"), "{}", tine.said());
        for (module, (answered, sent)) in ends {
            let rows = tine.osc().ask("/get", &[&module, &"freq"]);
            let value = number(rows[0].args.last().unwrap()) - 100.0;
            let (low, high) = (f64::from(answered), f64::from(sent));
            assert!((low..=high).contains(&value), "{module}: {value}; {answered} answered, {sent} sent");
        }
    }
    tine.quit();
}

#[test]
fn a_torn_tail_is_cut_and_a_spoilt_snapshot_set_aside() {
    let state = State::new();
    let tine = state.serve(EVERYTHING, &[]);
    change(&tine.osc());
    let before = patch(&tine);
    tine.osc().done("/create", &[&"noise", &"last"]);
    kill(tine);
    // The power was lost while the last record was written.
    let journal = state.newest("journal");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    let tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    assert!(tine.said().contains("bytes at its end were not whole and were cut"), "{}", tine.said());
    tine.osc().done("/create", &[&"noise", &"after"]);
    let before = patch(&tine);
    kill(tine);
    // A bit of the newest snapshot is wrong: the one before it and both journals lead to the same patch.
    let snapshot = state.newest("snapshot");
    let mut bytes = fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&snapshot, &bytes).unwrap();
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    assert!(tine.said().contains("it is kept as snapshot.corrupt-1"), "{}", tine.said());
    assert_eq!(fs::read(state.folder().join("snapshot.corrupt-1")).unwrap(), bytes);
    tine.quit();
}

#[test]
fn a_spoilt_record_and_what_follows_it_do_not_count_and_are_kept_aside() {
    let state = State::new();
    let tine = state.serve("create vco --id 1\n", &[]);
    let osc = tine.osc();
    osc.done("/create", &[&"vcf", &"kept"]);
    osc.done("/create", &[&"vca", &"spoilt"]);
    osc.done("/create", &[&"noise", &"beyond"]);
    kill(tine);
    let journal = state.newest("journal");
    let text = fs::read_to_string(&journal).unwrap().replace("spoilt", "spoiled");
    fs::write(&journal, &text).unwrap();
    let mut tine = state.serve("", &[]);
    assert!(tine.said().contains("session live: 2 modules, 0 cables (as far as it can be read)"), "{}", tine.said());
    assert!(
        tine.said().contains("record 2: its checksum is wrong; it is kept as journal.corrupt-1"),
        "{}",
        tine.said()
    );
    assert_eq!(fs::read_to_string(state.folder().join("journal.corrupt-1")).unwrap(), text);
    tine.quit();
}

#[test]
fn two_engines_cannot_use_one_session() {
    let state = State::new();
    let mut tine = state.serve("", &[]);
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(".local/state/tine/sessions");
    fs::create_dir_all(&home).unwrap();
    std::os::unix::fs::symlink(state.folder(), home.join("live")).unwrap();
    let output = run(folder.path(), &["serve", "--backend", "null", "--osc", "off", "--session", "live"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("another engine uses this session") && said.lines().count() == 1, "{said}");
    tine.quit();
}

#[test]
fn a_folder_that_cannot_be_used_is_told_once_and_tried_again_while_it_plays_on() {
    let state = State::new();
    fs::create_dir_all(state.folder().parent().unwrap()).unwrap();
    fs::write(state.folder(), "in the way").unwrap();
    let tine = state.serve("create vco --id 1\n", &[]);
    let osc = tine.osc();
    osc.done("/notify", &[&1]);
    osc.done("/create", &[&"vcf", &"2"]);
    tine.play_until(4_800);
    assert!(tine.said().contains("session live cannot be opened: "), "{}", tine.said());
    assert_eq!(tine.said().matches("the session is not kept: ").count(), 1, "{}", tine.said());
    assert!(osc.stat("journal_errors") >= 1.0);
    assert_eq!(osc.stat("journal_records"), 0.0);
    fs::remove_file(state.folder()).unwrap();
    assert_eq!(text(&osc.hear("/session").args[0]), "the session is kept again, as it stands");
    let before = patch(&tine);
    kill(tine);
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    tine.quit();
}

/// Whether files of `process` may grow.
fn let_files_grow(process: &Process, may_they: bool) {
    let limit = if may_they { "--fsize=unlimited:" } else { "--fsize=0:" };
    let status = Command::new("prlimit").args(["--pid", &process.pid.to_string(), limit]).status().unwrap();
    assert!(status.success());
}

/// A limit of file sizes refuses every write to every file, as a full disk does.
#[test]
fn a_disk_that_takes_no_more_is_told_and_the_sound_plays_on() {
    let state = State::new();
    let tine = state.serve("create vco --id 1\nconnect 1 > out\n", &["--record", "live.wav"]);
    let osc = tine.osc();
    let folder = |name: &str| tine.folder().join(name);
    osc.done("/save", &[&"kept.tine"]);
    let kept = fs::read_to_string(folder("kept.tine")).unwrap();
    tine.play_until(4_800);

    let engine = tine.role("engine");
    let_files_grow(&engine, false);
    let (error, _) = osc.refused("/save", &[&"kept.tine"]);
    assert!(error.contains("File too large"), "{error}");
    assert_eq!(fs::read_to_string(folder("kept.tine")).unwrap(), kept, "the old file is as it was");
    // It is played and answered, and told that it is not kept.
    osc.done("/create", &[&"vcf", &"2"]);
    let begun = Instant::now();
    while osc.stat("journal_errors") < 1.0 || !tine.said().contains("recording ended: File too large") {
        assert!(begun.elapsed() < PATIENCE, "{}", tine.said());
        sleep(Duration::from_millis(50));
    }
    assert!(tine.said().contains("the session is not kept: "), "{}", tine.said());
    tine.play_until(osc.stat("frames") as usize + 48_000);
    assert_eq!((osc.stat("worker_deaths"), osc.stat("engine_restarts")), (0.0, 0.0));

    let_files_grow(&engine, true);
    osc.done("/save", &[&"kept.tine"]);
    assert!(fs::read_to_string(folder("kept.tine")).unwrap().contains("create vcf --id 2"));
    let begun = Instant::now();
    while !tine.said().contains("the session is kept again") {
        assert!(begun.elapsed() < PATIENCE, "{}", tine.said());
        sleep(Duration::from_millis(50));
    }
    osc.done("/record/start", &[&"other.wav"]);
    let before = patch(&tine);
    kill(tine);
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    tine.quit();
}

#[test]
fn a_session_in_a_folder_that_cannot_be_written_is_resumed_and_plays_on() {
    let state = State::new();
    let mut tine = state.serve("create vco --id 1\ncreate vcf --id 2\n", &[]);
    let before = patch(&tine);
    tine.quit();
    // Root may write anywhere, unless it gives up that right.
    let weak = state.0.path().join("weak");
    let drop = "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search";
    let is_root = nix::unistd::geteuid().is_root();
    let how = if is_root { drop } else { "env" };
    fs::write(&weak, format!("#!/bin/sh\nexec {how} {} \"$@\"\n", binary().display())).unwrap();
    fs::set_permissions(&weak, fs::Permissions::from_mode(0o755)).unwrap();
    if !Command::new(&weak).arg("--version").output().unwrap().status.success() {
        println!("not tried: root cannot give up its rights here");
        return;
    }
    fs::set_permissions(state.folder(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut tine = state.serve_binary(&weak, "", &[]);
    assert_resumed(&tine, &before);
    tine.osc().done("/create", &[&"vca", &"3"]);
    tine.play_until(4_800);
    assert!(tine.said().contains("the session is not kept: Permission denied"), "{}", tine.said());
    assert!(tine.osc().stat("journal_errors") >= 1.0);
    tine.quit();
    fs::set_permissions(state.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut tine = state.serve("", &[]);
    assert_resumed(&tine, &before);
    tine.quit();
}
