//! Each row of the table of addresses.

use rosc::OscType;
use tine_engine::command::*;
use tine_engine::name::Name;

use crate::client::*;
use crate::fake::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn creating_again_gives_the_same_answer_and_another_kind_exists() {
    let rig = Rig::new();
    let client = rig.client();
    for _ in 0..2 {
        client.send("/create", [s("tone"), i(1), s("level"), f(0.5)]);
        client.expect("/done", [s("/create"), s("1"), s("tone"), i(3)]);
    }
    client.send("/create", [s("dust"), s("1")]);
    assert_eq!(client.expect_fail("/create", "exists"), "explained: command 0: module 1 exists");
    client.send("/create", [s("nope"), s("2")]);
    client.expect_fail("/create", "no_kind");
    client.send("/create", [s("tone*4"), s("poly")]);
    client.expect("/done", [s("/create"), s("poly"), s("tone"), i(3)]);
    assert!(matches!(rig.commands().last(), Some(Command::Create { channels: 4, .. })));
}

#[test]
fn a_missing_or_wrong_argument_is_told_with_what_would_be_right() {
    let rig = Rig::new();
    let client = rig.client();
    client.send("/create", [s("tone")]);
    let text = client.expect_fail("/create", "parse");
    assert!(text.starts_with("/create wants s:kind id [s:param v]*"), "{text}");
    for (address, args, code) in [
        ("/create", vec![f(1.0), s("x")], "bad_type"),
        ("/create", vec![s("tone"), s("BIG")], "bad_type"),
        ("/create", vec![s("tone"), i(-1)], "bad_type"),
        ("/create", vec![s("tone*x"), i(1)], "bad_type"),
        ("/set", vec![s("1"), s("freq"), f(f32::NAN)], "bad_type"),
        ("/set", vec![s("1"), s("freq"), OscType::Nil], "bad_type"),
        ("/set", vec![s("1"), s("freq")], "parse"),
        ("/set", vec![s("1")], "parse"),
        ("/ramp", vec![s("1"), s("freq"), f(1.0), f(-1.0)], "range"),
        ("/sync", vec![f(1.5)], "bad_type"),
        ("/sync", vec![], "parse"),
        ("/pool", vec![i(1)], "parse"),
        ("/undo", vec![i(0)], "range"),
        ("/m/1/freq", vec![], "parse"),
        ("/m/A/freq", vec![f(1.0)], "bad_type"),
        ("/m/[/freq", vec![f(1.0)], "parse"),
        ("/snap/store", vec![s("x")], "unsupported"),
        ("/snap/recall", vec![s("x"), f(1.0)], "unsupported"),
        ("/creat", vec![], "not_found"),
        ("/", vec![], "not_found"),
        ("/m/1", vec![], "not_found"),
        ("/m/1/freq/x", vec![], "not_found"),
    ] {
        client.send(address, args);
        client.expect_fail(address, code);
    }
    assert_eq!(rig.commands(), []);
}

#[test]
fn numbers_of_any_type_set_params_and_success_is_silent() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("1");
    let types = [i(100), OscType::Long(101), f(102.0), OscType::Double(103.0)];
    for (number, value) in types.into_iter().enumerate() {
        let ids = [i(1), s("1"), OscType::Long(1), f(1.0)];
        client.send("/set", [ids[number].clone(), s("freq"), value]);
    }
    client.send("/m/1/level", [OscType::Bool(false)]);
    client.sync(1);
    client.send("/get", [i(1)]);
    client.expect("/set", [s("1"), s("freq"), f(103.0), s("level"), f(0.0)]);
    client.send("/set", [i(1), s("level"), OscType::Bool(true), s("freq"), f(1e9)]);
    client.expect_fail("/set", "range");
    client.send("/get", [i(1), s("level")]);
    client.expect("/set", [s("1"), s("level"), f(0.0)]);
    client.send("/get", [i(1), s("level"), s("freq")]);
    client.expect("/set", [s("1"), s("level"), f(0.0), s("freq"), f(103.0)]);
    client.send("/get", [i(1), s("level"), s("nope")]);
    client.expect_fail("/get", "no_param");
    client.send("/get", [s("nobody")]);
    client.expect_fail("/get", "not_found");
}

#[test]
fn params_fractions_ramps_and_notes_reach_the_session() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.send("/n/a/freq", [f(1.0)]);
    client.send("/ramp", [s("a"), s("freq"), i(50), f(0.5)]);
    client.send("/m/a/note", [f(0.25), f(0.75)]);
    client.send("/m/a/note", [f(0.25)]);
    client.send("/m/a/gate", [i(1)]);
    client.send("/m/a/trig", []);
    client.send("/m/a/trig", [f(0.0)]);
    client.send("/m/a/freq", [s("440hz")]);
    client.expect_fail("/m/a/freq", "bad_type");
    client.sync(2);
    let pitch = || Value::Number(0.25, Measure::Plain);
    let expected = [
        Command::SetFraction { module: name("a"), param: "freq".to_owned(), fraction: 1.0 },
        Command::Set {
            module: name("a"),
            param: "freq".to_owned(),
            value: Value::Number(50.0, Measure::Plain),
            ramp_s: Some(0.5),
        },
        Command::Note { id: name("a"), pitch: pitch(), velocity: 0.75 },
        Command::Note { id: name("a"), pitch: pitch(), velocity: 1.0 },
        Command::Gate { id: name("a"), level: 1.0 },
        Command::Trigger { id: name("a") },
    ];
    assert_eq!(rig.commands()[1..], expected);
}

#[test]
fn cables_are_made_listed_and_removed() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.create("b");
    client.send("/connect", [s("a"), s(""), s("b"), s("in"), f(0.5)]);
    client.expect("/done", [s("/connect"), i(1)]);
    client.send("/connect", [s("b"), s(""), s("a"), s("")]);
    client.expect("/done", [s("/connect"), i(1)]);
    client.send("/connect", [s("a"), s(""), s("nobody"), s("")]);
    client.expect_fail("/connect", "not_found");
    client.send("/cables", []);
    let ab = [s("a"), s("out"), s("b"), s("in"), f(0.5), OscType::Bool(false)];
    client.expect("/cables.reply", ab);
    client.expect("/cables.reply", [s("b"), s("out"), s("a"), s("in"), f(1.0), OscType::Bool(false)]);
    client.expect("/done", [s("/cables"), i(2)]);
    client.send("/cables", [s("c*")]);
    client.expect("/done", [s("/cables"), i(0)]);
    client.send("/disconnect", [s("a"), s(""), s("b"), s(""), f(0.5)]);
    client.expect("/done", [s("/disconnect"), i(1)]);
    client.send("/disconnect", [s("b")]);
    client.expect("/done", [s("/disconnect"), i(1)]);
    client.send("/destroy", [s("a"), s("nobody")]);
    client.expect("/done", [s("/destroy"), i(1)]);
    client.send("/destroy", [s("a")]);
    client.expect("/done", [s("/destroy"), i(0)]);
}

#[test]
fn what_there_is_comes_in_rows_and_then_their_number() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.send("/list", []);
    client.expect("/list.reply", [s("a"), s("tone"), i(3)]);
    client.expect("/done", [s("/list"), i(1)]);
    client.send("/list", [s("b*")]);
    client.expect("/done", [s("/list"), i(0)]);
    client.send("/kinds", [s("t*")]);
    client.expect("/kinds.reply", [s("tone"), s("a test tone")]);
    client.expect("/done", [s("/kinds"), i(1)]);
    client.send("/info", [s("a")]);
    client.expect("/info.reply", [s("a"), s("module"), s("tone"), i(3), i(1), OscType::Bool(false)]);
    client.expect("/info.reply", [s("a"), s("param"), s("freq"), f(440.0), f(20.0), f(20_000.0), s("hz")]);
    client.expect("/info.reply", [s("a"), s("param"), s("level"), f(1.0), f(0.0), f(1.0), s("")]);
    client.expect("/info.reply", [s("a"), s("input"), s("in")]);
    client.expect("/info.reply", [s("a"), s("output"), s("out")]);
    client.expect("/done", [s("/info"), i(5)]);
    client.send("/pool", []);
    client.expect("/pool.reply", [i(3), i(77), s("busy"), i(1), i(1), f(0.25)]);
    client.expect("/done", [s("/pool"), i(1)]);
    client.send("/stats", []);
    client.expect("/stats.reply", [s("sample_rate_hz"), f(48_000.0)]);
    client.expect("/done", [s("/stats"), i(1)]);
}

#[test]
fn status_and_version_are_as_scsynth_says_them() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.send("/status", []);
    let rate = || OscType::Double(48_000.0);
    client.expect("/status.reply", [i(1), i(1), i(1), i(1), i(2), f(25.0), f(25.0), rate(), rate()]);
    client.send("/version", []);
    let (address, args) = client.receive();
    assert_eq!((address.as_str(), &args[0], args.len()), ("/version.reply", &s("tine"), 6));
}

#[test]
fn history_panic_schedule_and_quit_are_done() {
    let rig = Rig::new();
    let client = rig.client();
    client.send("/undo", [i(2)]);
    client.expect("/done", [s("/undo"), i(2)]);
    client.send("/redo", []);
    client.expect_fail("/redo", "not_found");
    for address in ["/panic", "/clearSched", "/quit"] {
        client.send(address, []);
        client.expect("/done", [s(address)]);
    }
    assert_eq!(rig.commands(), [Command::Undo(2), Command::Panic]);
    assert_eq!(*rig.controls.lock().unwrap(), [Control::ClearSchedule, Control::Quit]);
}

#[test]
fn files_stay_inside_the_folder() {
    let rig = Rig::new();
    let client = rig.client();
    std::os::unix::fs::symlink("/etc", rig.folder.join("etc")).unwrap();
    for address in ["/save", "/load", "/run"] {
        client.send(address, [s("x.tine")]);
        client.expect("/done", [s(address)]);
        for path in ["/etc/passwd", "../x", "etc/passwd", ""] {
            client.send(address, [s(path)]);
            client.expect_fail(address, "io");
        }
    }
    client.send("/record/start", [s("take.wav")]);
    client.expect("/done", [s("/record/start"), s("take.wav")]);
    client.send("/record/start", [s("../take.wav")]);
    client.expect_fail("/record/start", "io");
    client.send("/record/stop", []);
    client.expect("/done", [s("/record/stop"), s("take.wav")]);
    let x = rig.folder.join("x.tine");
    assert_eq!(*rig.files.lock().unwrap(), [("save", x.clone()), ("load", x.clone()), ("run", x)]);
    let record = Control::RecordStart(rig.folder.join("take.wav"));
    assert_eq!(*rig.controls.lock().unwrap(), [record, Control::RecordStop]);
}

#[test]
fn lines_are_carried_out_and_a_panic_in_one_harms_no_other() {
    let rig = Rig::new();
    let client = rig.client();
    client.send("/eval", [s("hello")]);
    client.expect("/done", [s("/eval"), s("did hello")]);
    client.send("/eval", [s("wrong")]);
    assert_eq!(client.expect_fail("/eval", "parse"), "no such word");
    client.send("/eval", [s("panic now")]);
    client.expect_fail("/eval", "io");
    client.send("/eval", [s("again")]);
    client.expect("/done", [s("/eval"), s("did again")]);
}

#[test]
fn a_slow_line_keeps_its_senders_order_and_holds_up_nobody_else() {
    let rig = Rig::new();
    let (client, other) = (rig.client(), rig.client());
    client.create("a");
    client.send("/eval", [s("wait")]);
    client.send("/eval", [s("freq 100")]);
    client.send("/m/a/freq", [f(200.0)]);
    client.send("/sync", [i(5)]);
    other.sync(1);
    other.send("/get", [s("a"), s("freq")]);
    other.expect("/set", [s("a"), s("freq"), f(440.0)]);
    rig.gate.send(()).unwrap();
    client.expect("/done", [s("/eval"), s("did wait")]);
    client.expect("/done", [s("/eval"), s("did freq 100")]);
    client.expect("/synced", [i(5)]);
    client.send("/get", [s("a"), s("freq")]);
    client.expect("/set", [s("a"), s("freq"), f(200.0)]);
}

#[test]
fn address_patterns_set_all_that_match_at_once() {
    let rig = Rig::new();
    let client = rig.client();
    for id in ["vcf", "vcf1", "vcf22", "other"] {
        client.create(id);
    }
    client.send("/create", [s("dust"), s("vcf3")]);
    client.expect("/done", [s("/create"), s("vcf3"), s("dust"), i(3)]);
    client.send("/m/vcf*/freq", [f(1000.0)]);
    client.send("/m/{vcf1,other}/lev*", [f(0.25)]);
    client.send("/m/vcf*/gate", [i(1)]);
    client.sync(1);
    let requests: Vec<Vec<Command>> = rig.log.lock().unwrap().iter().map(|r| r.commands.clone()).collect();
    assert_eq!(requests.len(), 5 + 3, "each pattern is one request");
    let keys = |commands: &[Command]| {
        let mut keys: Vec<String> = numbers(commands).into_keys().map(|(id, param)| id + "." + &param).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&requests[5]), ["vcf.freq", "vcf1.freq", "vcf22.freq"]);
    assert_eq!(keys(&requests[6]), ["other.level", "vcf1.level"]);
    assert_eq!(requests[7].len(), 3, "the kind without a gate is left out");
    client.send("/m/x*/freq", [f(1000.0)]);
    client.expect_fail("/m/x*/freq", "not_found");
    client.send("/n/vcf*/*", [s("word")]);
    client.expect_fail("/n/vcf*/*", "bad_type");
}
