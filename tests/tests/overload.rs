//! More than anybody can work off: refused at once and counted, and not heard.

use std::time::{Duration, Instant};

use rosc::OscPacket;
use tine_tests::osc::{Osc, message};
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, STEADY, Tine, render};
use tine_tests::wav::{assert_same, difference};

/// Messages of one kind, as fast as the loopback takes them.
const FLOOD: usize = 100_000;

/// Sends `packet` over and over; returns how many a second.
fn flood(osc: &Osc, packet: &[u8]) -> f64 {
    let begun = Instant::now();
    osc.raw_times(packet, FLOOD);
    FLOOD as f64 / begun.elapsed().as_secs_f64()
}

/// What arrived, and what the kernel dropped because it came too fast.
fn counted(osc: &Osc) -> f64 {
    osc.stat("osc_received") + osc.stat("osc_dropped")
}

#[test]
fn a_flood_is_counted_to_the_last_message_and_not_heard() {
    assert!((0..3).any(|_| is_flooded_unheard()), "the machine stands still again and again");
}

/// False if the sound differs where the machine stood still.
fn is_flooded_unheard() -> bool {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve(PLAYING, &arguments);
    tine.play_until(4_800);
    let (flooding, asking) = (tine.osc(), tine.osc());
    // Nothing of it changes the sound: a value that is set already, a module and a cable that are there, a question, nonsense.
    let floods = [
        message("/set", &[&"5", &"gain", &0.3f32]),
        message("/create", &[&"vca", &"5"]),
        message("/connect", &[&"5", &"", &"out", &"left"]),
        message("/get", &[&"5"]),
        message("/nothing/of/ours", &[]),
    ];
    let before = counted(&asking);
    let mut sent = 0;
    for message in floods {
        let address = message.addr.clone();
        let rate = flood(&flooding, &rosc::encoder::encode(&OscPacket::Message(message)).unwrap());
        sent += FLOOD;
        // Whoever asks again gets an answer in the end, though the flood goes before.
        let begun = Instant::now();
        asking.sync();
        println!("{address}: {rate:.0} a second; an answer after {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    while counted(&asking) - before < sent as f64 {
        assert!(begun.elapsed() < PATIENCE, "{} of {sent} are accounted for", counted(&asking) - before);
        std::thread::sleep(Duration::from_millis(50));
    }
    let names =
        ["osc_received", "osc_dropped", "osc_refused_busy", "osc_replies_lost", "refused_busy_count", "late_blocks"];
    println!("{}", names.map(|name| format!("{name} {}", asking.stat(name))).join(", "));
    let frames = asking.stat("frames") as usize;
    tine.play_until(frames + 4_800);
    let is_machines = asking.stat("late_by_us") == 0.0 && asking.stat("late_by_machine") > 0.0;
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    if is_machines && difference(&rendered, &recorded).is_some() {
        return false;
    }
    assert_same("under a flood", &recorded, &rendered, 9_600);
    true
}
