//! What the language accepts, what it refuses, and how it says so.

use proptest::prelude::*;
use tine_engine::command::{Measure, PortRef, Value};
use tine_engine::name::Name;

use super::*;

fn id(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn one(line: &str) -> Statement {
    let mut statements = parse_line(line, Mode::Script).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(statements.len(), 1, "{line}");
    statements.remove(0)
}

fn command(line: &str) -> Command {
    match one(line) {
        Statement::Patch(mut commands, When::Now) if commands.len() == 1 => commands.remove(0),
        other => panic!("{line}: {other:?}"),
    }
}

fn refused(line: &str) -> ParseError {
    parse_line(line, Mode::Script).expect_err(line)
}

#[test]
fn create_takes_channels_flags_and_params_in_any_order() {
    let Command::Create { kind, channels, id: given, placement, params, .. } =
        command("create vca*4 --worker 3 gain=-6db --id 1 --with out")
    else {
        panic!()
    };
    assert_eq!((kind.as_str(), channels, given), ("vca", 4, Some(id("1"))));
    assert_eq!((placement.with, placement.worker), (Some(id("out")), Some(3)));
    assert_eq!(params, [("gain".to_owned(), Value::Number(-6.0, Measure::Decibels))]);
}

#[test]
fn a_path_of_cables_is_one_command() {
    let port = |module: &str, port: Option<&str>| PortRef { module: id(module), port: port.map(str::to_owned) };
    let path = vec![port("1", Some("saw")), port("2", None), port("out", Some("left"))];
    assert_eq!(command("connect 1.saw > 2>out.left --gain 50%"), Command::Connect { path, gain: 0.5 });
    assert_eq!(command("disconnect a"), Command::Disconnect { from: port("a", None), to: None });
}

#[test]
fn set_takes_several_params_a_ramp_and_a_moment() {
    let Statement::Patch(commands, when) = one("set --at +2s 1.freq c#3 2.gain 0.5 --ramp 50ms") else { panic!() };
    assert_eq!(when, When::After(2.0));
    assert_eq!(commands.len(), 2);
    assert!(commands.iter().all(|command| matches!(command, Command::Set { ramp_s: Some(0.05), .. })));
}

#[test]
fn semicolons_separate_and_a_comment_ends() {
    let statements = parse_line(" note 1 c4 0.5; ; gate 1 off ;trig 1 # play; quit", Mode::Script).unwrap();
    assert_eq!(statements.len(), 3);
    assert_eq!(parse_line("  # nothing", Mode::Script), Ok(vec![]));
}

#[test]
fn every_verb_parses_the_example_of_its_own_usage() {
    let examples = [
        "create vca",
        "connect a > b",
        "disconnect a",
        "set a.gain 1",
        "get a.gain",
        "info a",
        "list v*",
        "modules vca",
        "destroy a b",
        "rename a b",
        "dup a",
        "bypass a on",
        "reset a",
        "note a c4",
        "gate a off",
        "trig a",
        "save x",
        "load x",
        "run x",
        "undo 2",
        "redo",
        "record off",
        "pool",
        "stats",
        "meters",
        "scope a.out",
        "devices",
        "bpm 128 --at bar",
        "panic",
        "restart 3",
        "history 3",
        "help set",
        "quit",
    ];
    for example in examples {
        one(example);
    }
    for verb in VERBS {
        let word = verb.usage.split(' ').next().unwrap();
        assert_eq!(word, verb.word);
        let is_tried = examples.iter().any(|example| example.split(' ').next() == Some(verb.word));
        let is_later = parse_line(verb.word, Mode::Script).is_err_and(|error| error.code == "unsupported");
        assert!(is_tried != is_later, "{}", verb.word);
        for flag in verb.flags {
            assert!(verb.usage.contains(flag), "{}: {flag}", verb.word);
        }
    }
}

#[test]
fn abbreviations_work_only_while_typing_and_only_if_unique() {
    assert!(parse_line("cr vca", Mode::Interactive).is_ok());
    assert!(parse_line("disc a", Mode::Interactive).is_ok());
    assert!(parse_line("dis a", Mode::Interactive).is_ok());
    let error = parse_line("re", Mode::Interactive).unwrap_err();
    assert!(error.message.contains("rename, reset, redo"), "{error}");
    assert_eq!(refused("cr vca").message, "no command \"cr\"; a script writes commands out: \"create\"");
}

#[test]
fn an_error_points_at_its_word_and_says_what_would_be_right() {
    for (line, at, code, says) in [
        ("craete vca", 0, "parse", "no command \"craete\"; did you mean \"create\"?"),
        ("xyzzy", 0, "parse", "no command \"xyzzy\"; \"help\" lists them"),
        ("create vcq", 7, "no_kind", "no kind \"vcq\"; did you mean"),
        ("create vca*17", 11, "range", "channels are 1 to 16, not \"17\""),
        ("create vca --di 1", 11, "parse", "create has no flag \"--di\"; did you mean \"--id\"?"),
        ("create vca --id", 11, "parse", "--id needs a value"),
        ("create vca --id 1 --id 2", 18, "parse", "--id is given twice"),
        ("create vca --id VCA", 16, "parse", "\"VCA\" is no id"),
        ("create vca gain 1", 11, "parse", "\"gain\" is not PARAM=VALUE"),
        ("create vca gain=1herz", 16, "parse", "no unit \"herz\"; there are hz khz s ms db %"),
        ("connect 1", 0, "parse", "a cable needs two ends"),
        ("connect 1 > > 2", 12, "parse", "ID[.PORT] is missing before >"),
        ("connect 1 >", 11, "parse", "ID[.PORT] is missing"),
        ("connect 1 > 2 --gain 3hz", 21, "bad_type", "--gain takes a number, % or db"),
        ("set 1.freq", 10, "parse", "a value is missing"),
        ("set freq 1", 4, "parse", "\"freq\" names no param"),
        ("set 1.freq=440", 4, "parse", "write \"1.freq 440\""),
        ("set 1.freq 1 --ramp 3hz", 20, "bad_type", "--ramp takes a time"),
        ("set 1.freq 1 --ramp -3s", 20, "range", "outside 0s..3600s"),
        ("set 1.freq 1 --at noon", 18, "parse", "--at takes beat, bar or a time from now"),
        ("bpm fast", 4, "bad_type", "a tempo is a number of beats per minute"),
        ("set 1.freq 1 --at 2s", 18, "parse", "+2s"),
        ("gate 1 up", 7, "parse", "neither on nor off"),
        ("note 1 c4 2", 10, "range", "velocity 2 is outside 0..1"),
        ("note 1 20ms", 7, "bad_type", "a pitch is"),
        ("pool now", 5, "parse", "\"now\" is one word too many; usage: pool"),
        ("pool --json", 5, "parse", "pool has no flags"),
        ("a; snap x", 0, "parse", "no command \"a\""),
        ("pool; snap x", 6, "unsupported", "unsupported: snap comes later"),
        ("undo 0", 5, "parse", "\"0\" is no count"),
    ] {
        let error = refused(line);
        assert_eq!((error.at, error.code), (at, code), "{line}: {error}");
        assert!(error.message.contains(says), "{line}: {error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic_and_every_refusal_has_a_message(line in ".{0,80}") {
        for mode in [Mode::Script, Mode::Interactive] {
            if let Err(error) = parse_line(&line, mode) {
                prop_assert!(!error.message.is_empty());
                prop_assert!(error.at <= line.len());
            }
        }
    }

    #[test]
    fn nor_does_a_text_that_looks_like_the_language(
        verb in 0..VERBS.len(),
        rest in r#"( |;|>|#|\.|"|=|\*|/|%|--id|--gain|--at|--ramp|\+|-|[0-9]{1,3}|vca|out|gain|c#3|20ms|é){0,12}"#,
    ) {
        let line = format!("{} {rest}", VERBS[verb].word);
        if let Err(error) = parse_line(&line, Mode::Script) {
            prop_assert!(!error.message.is_empty());
            prop_assert!(error.at <= line.len());
        }
    }
}
