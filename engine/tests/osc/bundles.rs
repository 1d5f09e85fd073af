//! Bundles take effect whole, at their time, or not at all.

use std::time::{Duration, UNIX_EPOCH};

use rosc::{OscBundle, OscMessage, OscPacket, OscTime};
use tine_engine::command::{Command, When};

use crate::client::*;
use crate::fake::*;

/// 2100-01-01 does not fit OSC's era; this is 2030.
const LATER: u32 = 2_208_988_800 + 1_893_456_000;

#[test]
fn a_bundle_is_one_request() {
    let rig = Rig::new();
    let client = rig.client();
    client.send_bundle(
        0,
        &[
            ("/create", vec![s("tone"), s("a")]),
            ("/create", vec![s("tone"), s("b")]),
            ("/connect", vec![s("a"), s(""), s("b"), s("")]),
            ("/m/a/freq", vec![f(99.0)]),
        ],
    );
    client.expect("/done", [s("/create"), s("a"), s("tone"), i(3)]);
    client.expect("/done", [s("/create"), s("b"), s("tone"), i(3)]);
    client.expect("/done", [s("/connect"), i(1)]);
    client.sync(1);
    let log = rig.log.lock().unwrap();
    assert_eq!((log.len(), log[0].commands.len(), log[0].when), (1, 4, When::Now));
}

#[test]
fn a_wrong_message_undoes_its_bundle_and_is_the_one_that_is_named() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.send_bundle(
        0,
        &[
            ("/create", vec![s("tone"), s("b")]),
            ("/m/a/freq", vec![f(99.0)]),
            ("/set", vec![s("a"), s("freq"), f(98.0), s("level"), f(7.0)]),
            ("/list", vec![]),
        ],
    );
    let text = client.expect_fail("/set", "range");
    assert!(text.starts_with("explained: command 1:"), "counted within its own message: {text}");
    assert_eq!(client.expect_fail("/create", "range"), "not done: /set of the same bundle was refused");
    client.expect_fail("/list", "range");
    client.send_bundle(0, &[("/create", vec![s("tone"), s("c")]), ("/nonsense", vec![])]);
    client.expect_fail("/create", "not_found");
    client.expect_fail("/nonsense", "not_found");
    client.sync(1);
    client.send("/list", []);
    client.expect("/list.reply", [s("a"), s("tone"), i(3)]);
    client.expect("/done", [s("/list"), i(1)]);
    client.send("/get", [s("a"), s("freq")]);
    client.expect("/set", [s("a"), s("freq"), f(440.0)]);
}

#[test]
fn questions_of_a_bundle_are_answered_when_it_is_in_effect() {
    let rig = Rig::new();
    let client = rig.client();
    client.send_bundle(
        0,
        &[
            ("/list", vec![]),
            ("/create", vec![s("tone"), s("a")]),
            ("/eval", vec![s("freq 100")]),
            ("/sync", vec![i(4)]),
        ],
    );
    client.expect("/done", [s("/create"), s("a"), s("tone"), i(3)]);
    client.expect("/list.reply", [s("a"), s("tone"), i(3)]);
    client.expect("/done", [s("/list"), i(1)]);
    client.expect("/done", [s("/eval"), s("did freq 100")]);
    client.expect("/synced", [i(4)]);
}

#[test]
fn a_timed_bundle_waits_for_its_time_and_a_late_one_says_so() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    client.send_bundle(LATER, &[("/m/a/freq", vec![f(99.0)]), ("/sync", vec![i(8)])]);
    client.sync(1);
    assert_eq!(rig.log.lock().unwrap().len(), 1, "it is not yet in effect");
    rig.poke(Poke::Elapse(0.0));
    client.expect("/synced", [i(8)]);
    let when = UNIX_EPOCH + Duration::from_secs(u64::from(LATER - 2_208_988_800));
    assert_eq!(rig.log.lock().unwrap()[1].when, When::At(when), "to within OSC's fraction");
    client.send_bundle(LATER, &[("/destroy", vec![s("a")])]);
    client.sync(2);
    rig.poke(Poke::Elapse(0.5));
    client.expect("/late", [f(0.5)]);
    client.expect("/done", [s("/destroy"), i(1)]);
}

#[test]
fn a_time_before_1970_is_late_and_no_panic() {
    let rig = Rig::new();
    let client = rig.client();
    client.send_bundle(2, &[("/panic", vec![])]);
    client.sync(1);
    rig.poke(Poke::Elapse(9.0));
    client.expect("/late", [f(9.0)]);
    client.expect("/done", [s("/panic")]);
    assert_eq!(rig.log.lock().unwrap()[0].when, When::At(UNIX_EPOCH));
}

#[test]
fn files_and_lines_cannot_be_timed() {
    let rig = Rig::new();
    let client = rig.client();
    client.send_bundle(LATER, &[("/eval", vec![s("hello")]), ("/panic", vec![])]);
    client.expect_fail("/panic", "unsupported");
    client.expect_fail("/eval", "unsupported");
    client.sync(1);
    assert_eq!(rig.commands(), []);
}

#[test]
fn nested_bundles_keep_their_own_time_and_share_it_where_it_is_the_same() {
    let rig = Rig::new();
    let client = rig.client();
    let message = |address: &str| OscPacket::Message(OscMessage { addr: address.to_owned(), args: vec![] });
    let bundle =
        |seconds, content| OscPacket::Bundle(OscBundle { timetag: OscTime { seconds, fractional: 1 }, content });
    let packet = bundle(
        0,
        vec![
            message("/panic"),
            bundle(LATER, vec![message("/undo")]),
            bundle(0, vec![bundle(0, vec![message("/undo")])]),
            message("/panic"),
            bundle(0, vec![]),
        ],
    );
    client.send_bytes(&rosc::encoder::encode(&packet).unwrap());
    client.expect("/done", [s("/panic")]);
    client.expect("/done", [s("/undo"), i(1)]);
    client.expect("/done", [s("/panic")]);
    client.sync(1);
    assert_eq!(rig.commands(), [Command::Panic, Command::Undo(1), Command::Panic]);
    assert_eq!(rig.log.lock().unwrap().len(), 1);
    rig.poke(Poke::Elapse(0.0));
    client.expect("/done", [s("/undo"), i(1)]);
}
