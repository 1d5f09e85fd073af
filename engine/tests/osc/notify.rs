//! Subscribers hear what others do, at most sixty times a second per param, and never lose the last value.

use rosc::OscType;
use tine_engine::answer::Notice;
use tine_engine::name::Name;

use crate::client::*;
use crate::fake::*;

#[track_caller]
fn subscribe(client: &Client, number: i32) {
    client.send("/notify", [i(1)]);
    client.expect("/done", [s("/notify"), i(number)]);
}

#[test]
fn changes_are_echoed_to_others_and_not_to_their_maker() {
    let rig = Rig::new();
    let (maker, other) = (rig.client(), rig.client());
    subscribe(&maker, 1);
    subscribe(&other, 2);
    maker.create("a");
    other.expect("/m.add", [s("a"), s("tone")]);
    maker.send("/m/a/freq", [f(100.0)]);
    other.expect("/m/a/freq", [f(100.0)]);
    maker.send("/connect", [s("a"), s(""), s("a"), s("")]);
    maker.expect("/done", [s("/connect"), i(1)]);
    other.expect("/c.add", [s("a"), s("out"), s("a"), s("in"), f(1.0)]);
    maker.send("/disconnect", [s("a")]);
    maker.expect("/done", [s("/disconnect"), i(1)]);
    other.expect("/c.remove", [s("a"), s("out"), s("a"), s("in")]);
    // What the other does is the first thing that its maker hears: nothing of its own came before.
    other.send("/destroy", [s("a")]);
    other.expect("/done", [s("/destroy"), i(1)]);
    maker.expect("/m.remove", [s("a")]);
}

#[test]
fn what_happens_to_the_engine_is_told() {
    let rig = Rig::new();
    let client = rig.client();
    subscribe(&client, 1);
    let name = |text: &str| Name::new(text).unwrap();
    for (notice, address, args) in [
        (
            Notice::WorkerLost(3, "killed".to_owned(), vec![name("a"), name("b")]),
            "/worker.lost",
            vec![i(3), s("killed"), s("a b")],
        ),
        (Notice::WorkerRestored(3, 0.5), "/worker.restored", vec![i(3), f(0.5)]),
        (Notice::ModuleFault(name("a"), "NaN".to_owned()), "/module.fault", vec![s("a"), s("NaN")]),
        (Notice::Xrun(Some(name("a")), 1.5), "/xrun", vec![s("a"), f(1.5)]),
        (Notice::Xrun(None, 1.5), "/xrun", vec![s(""), f(1.5)]),
        (Notice::Device("null".to_owned()), "/device", vec![s("null")]),
    ] {
        rig.poke(Poke::Tell(notice));
        client.expect(address, args);
    }
}

#[test]
fn a_flood_of_changes_is_merged_and_its_last_value_arrives() {
    let rig = Rig::new();
    let (maker, other) = (rig.client(), rig.client());
    maker.create("a");
    subscribe(&other, 1);
    const COUNT: i32 = 2000;
    for number in 1..=COUNT {
        maker.send("/m/a/freq", [i(100 + number)]);
        if number % 100 == 0 {
            maker.sync(number);
        }
    }
    let (mut count, mut last) = (0, 0.0);
    while last < (100 + COUNT) as f32 {
        let (address, args) = other.receive();
        let [OscType::Float(value)] = args[..] else { panic!("{args:?}") };
        assert_eq!(address, "/m/a/freq");
        assert!(value > last, "echoes are in order");
        (count, last) = (count + 1, value);
    }
    assert_eq!(count + rig.stats.echoes_merged(), COUNT as u64, "each is sent or counted");
}

#[test]
fn a_module_that_goes_is_told_after_its_last_value() {
    let rig = Rig::new();
    let other = rig.client();
    subscribe(&other, 1);
    let id = Name::new("a").unwrap();
    for value in [1.0, 2.0, 3.0] {
        rig.poke(Poke::Tell(Notice::ParamSet(id.clone(), "freq", value)));
    }
    rig.poke(Poke::Tell(Notice::ModuleRemoved(id)));
    let mut last = None;
    loop {
        let (address, args) = other.receive();
        if address == "/m.remove" {
            break;
        }
        last = Some(args);
    }
    assert_eq!(last, Some(vec![f(3.0)]));
}

#[test]
fn events_may_go_to_another_address_and_stop_when_asked() {
    let rig = Rig::new();
    let (asker, screen) = (rig.client(), rig.client());
    let port = i32::from(screen.socket.local_addr().unwrap().port());
    for _ in 0..2 {
        asker.send("/notify", [i(1), s("127.0.0.1"), i(port)]);
        asker.expect("/done", [s("/notify"), i(1)]);
    }
    rig.poke(Poke::Tell(Notice::Device("one".to_owned())));
    screen.expect("/device", [s("one")]);
    asker.send("/notify", [i(0), s("localhost"), i(port)]);
    asker.expect("/done", [s("/notify"), i(1)]);
    asker.send("/notify", [i(0)]);
    asker.expect("/done", [s("/notify"), i(-1)]);
    subscribe(&screen, 2);
    rig.poke(Poke::Tell(Notice::Device("two".to_owned())));
    screen.expect("/device", [s("two")]);
    for (host, port, code) in [
        ("8.8.8.8", 9, "range"),
        ("224.0.0.1", 9, "range"),
        ("255.255.255.255", 9, "range"),
        ("0.0.0.0", 9, "range"),
        ("::1", 9, "range"),
        ("example.org", 9, "bad_type"),
        ("127.0.0.1", 0, "range"),
        ("127.0.0.1", 65_536, "range"),
    ] {
        asker.send("/notify", [i(1), s(host), i(port)]);
        asker.expect_fail("/notify", code);
    }
}

#[test]
fn subscribers_that_vanish_disturb_nobody_and_make_room() {
    let rig = Rig::new();
    // All are there before the first one goes: a port that is free again would be given to the next, as a renewal.
    let clients: Vec<_> = (1..=64).map(|_| rig.client()).collect();
    for (number, client) in (1..).zip(&clients) {
        subscribe(client, number);
    }
    drop(clients);
    let (client, last) = (rig.client(), rig.client());
    subscribe(&client, 65);
    subscribe(&last, 66);
    for number in 0..50 {
        rig.poke(Poke::Tell(Notice::Device(number.to_string())));
        client.expect("/device", [s(&number.to_string())]);
        last.expect("/device", [s(&number.to_string())]);
    }
    client.sync(1);
}
