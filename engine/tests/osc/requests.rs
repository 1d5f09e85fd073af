//! `/req`: done once, however often it is sent.

use std::sync::atomic::Ordering;

use crate::client::*;
use crate::fake::*;

#[test]
fn a_repeated_request_gets_the_same_answer_and_is_done_once() {
    let rig = Rig::new();
    let client = rig.client();
    for _ in 0..3 {
        client.send("/req", [i(7), s("/undo"), i(2)]);
        client.expect("/done", [s("/undo"), i(2), i(7)]);
    }
    assert_eq!(rig.commands().len(), 1);
    client.send("/req", [i(8), s("/undo"), i(2)]);
    client.expect("/done", [s("/undo"), i(2), i(8)]);
    let other = rig.client();
    other.send("/req", [i(7), s("/undo")]);
    other.expect("/done", [s("/undo"), i(1), i(7)]);
    assert_eq!(rig.commands().len(), 3, "tokens are the sender's own");
}

#[test]
fn answers_of_many_rows_refusals_and_silent_commands_carry_the_token_too() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    for _ in 0..2 {
        client.send("/req", [i(1), s("/list")]);
        client.expect("/list.reply", [s("a"), s("tone"), i(3), i(1)]);
        client.expect("/done", [s("/list"), i(1), i(1)]);
        client.send("/req", [i(2), s("/m/a/freq"), f(50.0)]);
        client.expect("/done", [s("/m/a/freq"), i(2)]);
        client.send("/req", [i(3), s("/m/a/nope"), f(50.0)]);
        let (address, args) = client.receive();
        assert_eq!((address.as_str(), &args[2..]), ("/fail", &[s("no_param"), i(3)][..]));
        client.send("/req", [i(4), s("/nonsense")]);
        client.expect_fail("/nonsense", "not_found");
        client.send("/req", [i(5), s("/sync"), i(9)]);
        client.expect("/synced", [i(9), i(5)]);
    }
    assert_eq!(numbers(&rig.commands()).len(), 1);
    client.send("/req", [i(6), s("/req"), i(7), s("/panic")]);
    client.expect_fail("/req", "parse");
    client.send("/req", [s("/panic")]);
    client.expect_fail("/req", "parse");
}

#[test]
fn a_repeat_while_the_first_is_under_way_is_not_done_again() {
    let rig = Rig::new();
    let client = rig.client();
    for _ in 0..5 {
        client.send("/req", [i(1), s("/eval"), s("wait")]);
    }
    // Another client's answer shows that all repeats were received.
    until(|| rig.stats.received() == 5);
    rig.gate.send(()).unwrap();
    client.expect("/done", [s("/eval"), s("did wait"), i(1)]);
    client.sync(1);
    assert_eq!(rig.evals.load(Ordering::SeqCst), 1);
}

#[test]
fn a_request_that_was_forgotten_may_be_made_again() {
    let rig = Rig::new();
    let client = rig.client();
    let bundle = [("/req", vec![i(1), s("/panic")])];
    client.send_bundle(u32::MAX, &bundle);
    client.sync(1);
    rig.poke(Poke::Forget);
    // The session drops what it forgot at some moment; then the token is free again.
    until(|| {
        client.send_bundle(0, &bundle);
        client.send("/sync", [i(2)]);
        let (address, _) = client.receive();
        let is_done = address == "/done";
        if is_done {
            client.expect("/synced", [i(2)]);
        }
        is_done
    });
    assert_eq!(rig.commands().len(), 1);
}
