//! Whatever arrives is answered or counted; nothing crashes, nothing hangs.

use proptest::prelude::*;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use tine_engine::handle::QUEUE_MAX;
use tine_engine::osc::decode::{self, Malformed, decode};

use crate::client::*;
use crate::fake::*;

/// `#bundle`, timetag now, and the length of the element that follows.
fn opening(length: usize) -> Vec<u8> {
    let mut bytes = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    bytes.extend((length as u32).to_be_bytes());
    bytes
}

/// `levels` bundles in each other around a message.
fn nested(levels: usize) -> Vec<u8> {
    let inner = encode("/panic", []);
    let mut bytes = Vec::new();
    for level in (0..levels).rev() {
        bytes.extend(opening(level * 20 + inner.len()));
    }
    bytes.extend(inner);
    bytes
}

#[test]
fn nesting_is_bounded() {
    assert!(decode(&nested(decode::DEPTH_MAX)).is_ok());
    assert_eq!(decode(&nested(decode::DEPTH_MAX + 1)), Err(Malformed::TooDeep));
    // 50 kB of them made rosc overflow the stack.
    assert_eq!(decode(&nested(2500)), Err(Malformed::TooDeep));
}

#[test]
fn counts_are_bounded() {
    let many = |count: usize| {
        let message = || OscPacket::Message(OscMessage { addr: "/a".to_owned(), args: vec![] });
        let content = (0..count).map(|_| message()).collect();
        let timetag = OscTime { seconds: 0, fractional: 1 };
        rosc::encoder::encode(&OscPacket::Bundle(OscBundle { timetag, content })).unwrap()
    };
    assert_eq!(decode(&many(decode::ELEMENTS_MAX)).unwrap()[0].messages.len(), decode::ELEMENTS_MAX);
    assert_eq!(decode(&many(decode::ELEMENTS_MAX + 1)), Err(Malformed::TooManyElements));
    let args = |count| encode("/a", vec![OscType::Nil; count]);
    assert!(decode(&args(decode::ARGUMENTS_MAX)).is_ok());
    assert_eq!(decode(&args(decode::ARGUMENTS_MAX + 1)), Err(Malformed::TooManyArguments));
    assert_eq!(decode(&vec![b'/'; decode::DATAGRAM_MAX + 1]), Err(Malformed::TooLong));
    // Nested arrays would be dropped recursively.
    let mut arrays = b"/a\0\0,".to_vec();
    arrays.extend([b'['; 30_000]);
    arrays.extend([b']'; 30_000]);
    arrays.extend([0; 3]);
    assert_eq!(decode(&arrays), Err(Malformed::BadArguments));
}

#[test]
fn what_is_cut_short_or_goes_on_is_refused_on_every_level() {
    let message = encode("/set", [i(1), s("freq"), f(1.0)]);
    let bundled: Vec<u8> = opening(message.len()).into_iter().chain(message.clone()).collect();
    for whole in [message, bundled, nested(3)] {
        assert!(decode(&whole).is_ok());
        for length in 0..whole.len() {
            // A bundle without its elements is an empty bundle, and an address alone has no arguments: both are whole.
            let is_whole = length == if whole[0] == b'#' { 16 } else { 8 };
            assert_eq!(decode(&whole[..length]).is_ok(), is_whole, "{length} of {whole:?}");
        }
        for extra in 1..8 {
            let longer: Vec<u8> = whole.iter().copied().chain(std::iter::repeat_n(0, extra)).collect();
            assert!(decode(&longer).is_err(), "{extra} more");
        }
    }
    // Inside an element rosc drops what follows the message.
    let mut element = encode("/panic", []);
    element.extend([0; 4]);
    let hidden: Vec<u8> = opening(element.len()).into_iter().chain(element).collect();
    assert_eq!(decode(&hidden), Err(Malformed::Trailing));
}

#[test]
fn malformed_datagrams_are_answered_and_counted_and_the_server_goes_on() {
    let rig = Rig::new();
    let client = rig.client();
    let bad: Vec<Vec<u8>> = vec![
        nested(2500),
        b"".to_vec(),
        b"/x".to_vec(),
        b"/xyz".to_vec(),
        b"abc\0".to_vec(),
        b"\xff\xff\xff\xff".to_vec(),
        b"/\xff\xff\0,\0\0\0".to_vec(),
        b"/a\0\0xyz\0".to_vec(),
        b"/a\0\0,b\0\0\xff\xff\xff\xff".to_vec(),
        b"/a\0\0,?\0\0".to_vec(),
        b"#bundle\0".to_vec(),
        opening(1 << 30),
        encode("/set", [s("a")])[..12].to_vec(),
    ];
    for bytes in &bad {
        client.send_bytes(bytes);
        client.expect_fail("", "parse");
    }
    assert_eq!(rig.stats.malformed(), bad.len() as u64);
    client.sync(1);
}

#[test]
fn an_address_without_type_tags_has_no_arguments() {
    let rig = Rig::new();
    let client = rig.client();
    client.send_bytes(b"/panic\0\0");
    client.expect("/done", [s("/panic")]);
}

#[test]
fn answers_of_other_servers_are_not_answered() {
    let rig = Rig::new();
    let client = rig.client();
    for address in ["/fail", "/done", "/late", "/synced", "/status.reply"] {
        client.send(address, [s("x"), s("y"), s("z")]);
    }
    // Two servers would otherwise answer each other for ever.
    client.sync(1);
    assert_eq!(rig.stats.malformed(), 5);
}

#[test]
fn a_full_queue_is_answered_as_busy_and_everything_is_answered_or_counted() {
    let rig = Rig::new();
    let client = rig.client();
    client.create("a");
    rig.poke(Poke::Hold);
    // The session may take one more message before it holds; the queue takes QUEUE_MAX.
    let extra = 50;
    for number in 0..(QUEUE_MAX + extra) as u64 {
        client.send("/m/a/freq", [f(100.0)]);
        // Paced by what was received, so that the system's own buffer loses none.
        until(|| rig.stats.received() >= number);
    }
    // At once, while the session still holds.
    client.expect_fail("/m/a/freq", "busy");
    rig.poke(Poke::Release);
    until(|| rig.commands().len() as u64 + rig.stats.refused_busy() == (1 + QUEUE_MAX + extra) as u64);
    for _ in 1..rig.stats.refused_busy() {
        client.expect_fail("/m/a/freq", "busy");
    }
    client.sync(1);
}

#[test]
fn too_many_lines_are_refused_as_busy_while_one_is_slow() {
    let rig = Rig::new();
    let client = rig.client();
    let count = 400;
    for number in 0..count {
        client.send("/eval", [s("wait")]);
        until(|| rig.stats.received() >= number);
    }
    // Received is not yet dealt with; what another sends after it is dealt with later.
    rig.client().sync(1);
    let busy = rig.stats.refused_busy();
    assert!(busy > 0);
    for _ in 0..busy {
        client.expect_fail("/eval", "busy");
    }
    for _ in busy..count {
        rig.gate.send(()).unwrap();
        client.expect("/done", [s("/eval"), s("did wait")]);
    }
    client.sync(1);
}

#[test]
fn a_session_that_has_ended_refuses_and_the_server_still_stops() {
    use std::sync::Arc;
    use tine_engine::handle::Handle;
    use tine_engine::osc::{OscConfig, serve};
    let rig = Rig::new();
    let client = rig.client();
    client.sync(1);
    let (handle, receiver) = Handle::new();
    drop(receiver);
    let config = OscConfig { addr: "127.0.0.1:0".parse().unwrap(), files: rig.folder.clone(), stats: Arc::default() };
    let server = serve(config, handle, interpreter(), vec![]).unwrap();
    client.socket.connect(server.local_addr()).unwrap();
    for address in ["/panic", "/list", "/quit", "/notify", "/status"] {
        client.send(address, if address == "/notify" { vec![i(1)] } else { vec![] });
        client.expect_fail(address, "busy");
    }
    client.send("/m/*/freq", [f(1.0)]);
    client.expect_fail("/m/*/freq", "busy");
}

fn argument() -> impl Strategy<Value = OscType> {
    prop_oneof![
        any::<i32>().prop_map(OscType::Int),
        any::<i64>().prop_map(OscType::Long),
        any::<f32>().prop_map(OscType::Float),
        any::<f64>().prop_map(OscType::Double),
        any::<bool>().prop_map(OscType::Bool),
        "[a-z0-9/*{}]{0,9}".prop_map(OscType::String),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(OscType::Blob),
        Just(OscType::Nil),
    ]
}

fn packet() -> impl Strategy<Value = OscPacket> {
    let address = prop_oneof!["/[a-z]{1,6}", "/m/[a-z*?]{1,4}/[a-z{},]{1,5}", Just("/set".to_owned())];
    let message = (address, prop::collection::vec(argument(), 0..6))
        .prop_map(|(addr, args)| OscPacket::Message(OscMessage { addr, args }));
    message.prop_recursive(4, 24, 5, |inner| {
        (any::<u32>(), any::<u32>(), prop::collection::vec(inner, 0..5)).prop_map(|(seconds, fractional, content)| {
            OscPacket::Bundle(OscBundle { timetag: OscTime { seconds, fractional }, content })
        })
    })
}

fn messages(packet: &OscPacket) -> usize {
    match packet {
        OscPacket::Message(_) => 1,
        OscPacket::Bundle(bundle) => bundle.content.iter().map(messages).sum(),
    }
}

proptest! {
    // PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_are_decoded_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0..4) {
        let head: &[u8] = [&b""[..], b"/a\0\0,", b"#bundle\0", b"/m/a/freq\0\0\0,f\0\0"][head as usize];
        bytes.splice(0..0, head.iter().copied());
        let _ = decode(&bytes);
    }

    #[test]
    fn good_packets_keep_all_their_messages_and_spoiled_ones_do_no_harm(
        packet in packet(),
        spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = rosc::encoder::encode(&packet).unwrap();
        let groups = decode(&bytes).expect("what rosc writes is good");
        prop_assert_eq!(groups.iter().map(|group| group.messages.len()).sum::<usize>(), messages(&packet));
        for (index, byte) in spoils {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = decode(&bytes);
    }
}

#[test]
fn spoiled_datagrams_never_stop_the_server() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};
    let rig = Rig::new();
    let client = rig.client();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRunner::deterministic().rng().clone());
    for number in 0..200 {
        let packet = packet().new_tree(&mut runner).unwrap().current();
        let mut bytes = rosc::encoder::encode(&packet).unwrap();
        if number % 2 == 1 {
            let index = number * 7 % bytes.len();
            bytes[index] = bytes[index].wrapping_add(number as u8);
        }
        client.send_bytes(&bytes);
        until(|| rig.stats.received() > number as u64);
    }
    // Another client: this one has answers to read.
    rig.client().sync(1);
}

#[test]
fn a_server_that_listens_everywhere_serves_and_stops() {
    use std::sync::Arc;
    use tine_engine::handle::Handle;
    use tine_engine::osc::{OscConfig, serve};
    let rig = Rig::new();
    let client = rig.client();
    let (handle, _messages) = Handle::new();
    let config = OscConfig { addr: "0.0.0.0:0".parse().unwrap(), files: rig.folder.clone(), stats: Arc::default() };
    let server = serve(config, handle, interpreter(), vec![&TONE]).unwrap();
    client.socket.connect(("127.0.0.1", server.local_addr().port())).unwrap();
    client.send("/kinds", []);
    client.expect("/kinds.reply", [s("tone"), s("a test tone")]);
    client.expect("/done", [s("/kinds"), i(1)]);
}
