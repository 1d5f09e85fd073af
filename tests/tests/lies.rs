//! Workers that live on and lie: what they spoil is their own modules' sound, for as long as it takes to find out.

use std::thread::sleep;
use std::time::{Duration, Instant};

use tine_tests::osc::{Osc, number, text};
use tine_tests::tine::{PATIENCE, STEADY, Tine, render};
use tine_tests::wav::Frame;

/// Left comes from a worker that lies, by way of another that hears it; right from two that have nothing to do with either. Left is so low that
/// the +60 dB of what may come from there stays below full scale: the limiter of `out` would lower both sides.
const PATCH: &str = "\
create vco --id tone freq=97 --worker 0
create vcf --id bad cutoff=500 --worker 1
create vcf --id good cutoff=700 --worker 2
create vca --id after gain=1 --worker 3
connect tone.saw > bad --gain 0.5
connect tone.saw > good --gain 0.5
connect bad > after
connect after > out.left --gain 0.0005
connect good > out.right --gain 0.5
";

/// What worker 1 does, from one incarnation to the next.
const LIES: [(&str, &str); 6] = [
    ("ahead", "between"),
    ("behind", "between"),
    ("flap", "between"),
    ("withhold", "commit"),
    // From what is read here a state is computed and sealed, which is not noticed: only what is written after the seal is. So this comes first.
    ("garbage", "read"),
    ("garbage", "commit"),
];

fn order((fault, phase): (&str, &str), block: usize, generation: usize) -> String {
    let kind = if phase == "between" { "" } else { "vcf" };
    format!("lane=1,kind={kind},phase={phase},fault={fault},block={block},generation={generation}")
}

/// Changes the patch on the worker that lies, once more; every request is answered.
fn change(osc: &Osc, round: usize) {
    osc.done("/set", &[&"bad", &"res", &(0.1 * (round % 3) as f32)]);
    osc.done("/eval", &[&format!("create vca --id more{round} --worker 1")]);
    osc.done("/eval", &[&format!("connect bad > more{round} > out.left --gain 0.0001")]);
    osc.done("/destroy", &[&format!("more{round}")]);
    osc.sync();
}

fn side(frames: &[Frame], side: usize) -> impl Iterator<Item = f32> + '_ {
    frames.iter().map(move |frame| f32::from_bits(frame[side]))
}

#[test]
fn a_worker_that_lies_is_found_out_and_nobody_else_is_harmed() {
    // A third of a second each: the blocks that a lie has cost are made up for.
    let orders: Vec<String> =
        (1..).zip(LIES).map(|(incarnation, lie)| order(lie, 60 * incarnation, incarnation)).collect();
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve_faulty(PATCH, &arguments, &orders.join(";"), false);
    // One listens, the other asks: an answer that is waited for passes events by.
    let (osc, listener) = (tine.osc(), tine.osc());
    listener.done("/notify", &[&1]);
    let begun = Instant::now();
    let mut lost = Vec::new();
    let mut hear = |patience_ms| {
        while let Some(event) = listener.receive(Duration::from_millis(patience_ms)) {
            if event.addr == "/worker.lost" {
                lost.push((number(&event.args[0]), text(&event.args[1]).to_owned()));
            }
        }
    };
    for round in 0.. {
        change(&osc, round);
        if osc.generation(1) > LIES.len() {
            break;
        }
        hear(1);
        assert!(begun.elapsed() < PATIENCE, "generation {}: {}", osc.generation(1), tine.said());
    }
    osc.wait_for_a_full_pool();
    osc.done("/set", &[&"bad", &"res", &0.5f32]);
    hear(500);
    println!("{lost:?}, {} late blocks", osc.stat("late_blocks"));
    assert_eq!(lost.len(), LIES.len(), "one death for each lie, and none beside: {lost:?}");
    assert!(
        lost.iter().all(|(worker, cause)| *worker == 1.0 && (cause.contains("hung") || cause.contains("cannot be")))
    );
    assert_eq!(lost[0].1, "it said what cannot be");
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 24_000);
    tine.quit();
    let recorded = tine.recording();
    let patch = PATCH.replace("cutoff=500", "cutoff=500 res=0.5");
    let rendered = render(&patch, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    let wrong = recorded.iter().zip(&rendered).position(|(live, still)| live[1] != still[1]);
    assert_eq!(wrong, None, "another worker's sound changed");
    // A filter soon forgets what was done to it.
    let end = recorded.len() - 4_800;
    let apart = side(&recorded[end..], 0).zip(side(&rendered[end..], 0)).map(|(live, still)| (live - still).abs());
    let (apart, peak) = (apart.fold(0.0, f32::max), side(&recorded[end..], 0).fold(0.0, f32::max));
    assert!(apart < 1e-7 && peak > 1e-5, "the next worker does not play on: {apart}, {peak}");
}

#[test]
fn a_seat_whose_every_worker_lies_keeps_nobody_waiting() {
    for lie in LIES {
        let mut tine = Tine::serve_faulty(PATCH, &STEADY, &order(lie, 60, 0), true);
        let osc = tine.osc();
        let begun = Instant::now();
        while osc.stat("worker_lies") + osc.stat("worker_hangs") < 3.0 {
            assert!(begun.elapsed() < PATIENCE, "{lie:?}: {}", tine.said());
            sleep(Duration::from_millis(5));
        }
        (0..10).for_each(|round| change(&osc, round));
        println!("{lie:?}: {} lies, {} hangs", osc.stat("worker_lies"), osc.stat("worker_hangs"));
        tine.quit();
    }
}
