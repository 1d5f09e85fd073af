//! What one sender sends takes effect, and is answered, in the order in which it was sent.

use tine_tests::osc::{message, number, text};
use tine_tests::tine::Tine;

#[test]
fn a_question_does_not_overtake_what_was_sent_before_it() {
    let mut tine = Tine::serve("", &["--lead", "4"]);
    let osc = tine.osc();
    for round in 0..50 {
        let gain = round as f32 / 64.0;
        // New modules change plans, which the next requests wait for.
        osc.send("/create", &[&"vca", &"one"]);
        osc.send("/create", &[&"vca", &"two"]);
        osc.send("/connect", &[&"one", &"", &"two", &""]);
        osc.send("/set", &[&"two", &"gain", &gain]);
        let answer = osc.ask("/get", &[&"two", &"gain"]);
        let said = answer.last().map(|row| (row.addr.as_str(), number(&row.args[2]) as f32));
        assert_eq!(said, Some(("/set", gain)), "round {round}: {answer:?}");
        osc.send("/destroy", &[&"one", &"two"]);
        let left = osc.ask("/list", &[&"*o*"]);
        let left: Vec<&str> = left.iter().map(|row| text(&row.args[0])).collect();
        assert_eq!(left, ["out", "/list"], "round {round}");
    }
    tine.quit();
}

#[test]
fn synced_means_in_effect() {
    let mut tine = Tine::serve("", &["--lead", "4"]);
    let (osc, other) = (tine.osc(), tine.osc());
    for round in 0..50 {
        let ids: Vec<String> = (0..5).map(|index| format!("m{round}-{index}")).collect();
        for id in &ids {
            osc.packet(&rosc::OscPacket::Message(message("/create", &[&"vca", id])));
        }
        osc.sync();
        let listed = other.ask("/list", &[&format!("m{round}-*")]);
        assert_eq!(listed.len(), ids.len() + 1, "round {round}");
        ids.iter().for_each(|id| osc.send("/destroy", &[id]));
    }
    tine.quit();
}
