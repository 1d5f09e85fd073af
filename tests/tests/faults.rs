//! Every kind dies, hangs and stops in every phase of its work, and nobody hears it.
//!
//! Two twins of the kind are fed the same and change together: one on worker 0, which is ordered to fail in every way one after the other,
//! the other on worker 1, which is not. Left is the one, right the other: both sides must stay the same, bit for bit.

mod benches;

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use tine_tests::osc::{Argument, Osc, message, text};
use tine_tests::tine::{PATIENCE, STEADY, Tine, render};
use tine_tests::wav::{Frame, assert_same, peak};

use benches::{BENCHES, Bench};

const FAULTS: [&str; 7] = ["kill", "segv", "abort", "panic", "exit", "stop", "loop"];

/// Where in a block, and beside what.
const POINTS: [(&str, &str); 9] = [
    ("read", ""),
    ("process", ""),
    ("commit", ""),
    ("committed", ""),
    ("between", ""),
    ("attach", ""),
    ("commit", "flip"),
    ("process", "fade"),
    ("read", "event"),
];

impl Bench {
    fn patch(&self) -> String {
        let mut patch = "create vco --id tone freq=97 --worker 2\n\
                         create lfo --id sweep rate=1.7hz --worker 3\n\
                         create lfo --id clock shape=square rate=23hz --worker 4\n"
            .to_owned();
        for (twin, worker, side) in [("a", 0, "left"), ("b", 1, "right")] {
            let Bench { kind, create, output, .. } = self;
            // Randomness begins with the id at birth: both are born with the same.
            patch += &format!("create {kind} --id twin --worker {worker} {create}\nrename twin {twin}\n");
            patch += &format!("connect {twin}.{output} > out.{side} --gain 0.3\n");
            for (from, input) in self.cables {
                patch += &format!("connect {from} > {twin}.{input}\n");
            }
        }
        patch
    }

    /// Moves a param of both twins, or plugs a cable of both in or out, in one request.
    fn change(&self, osc: &Osc, round: usize) {
        let (param, low, high) = self.param;
        let mut messages = Vec::new();
        for twin in ["a", "b"] {
            if round.is_multiple_of(2) && !param.is_empty() {
                let value = if round.is_multiple_of(4) { low } else { high };
                messages.push(message("/set", &[&twin, &param, &value]));
            } else {
                let (from, input) = self.plug;
                let verb = if round % 4 < 2 { "/connect" } else { "/disconnect" };
                let gain = 0.25f32;
                let mut arguments: Vec<&dyn Argument> = vec![&from, &"", &twin, &input];
                if verb == "/connect" {
                    arguments.push(&gain);
                }
                messages.push(message(verb, &arguments));
            }
        }
        osc.bundle(SystemTime::now() + Duration::from_millis(5), messages);
    }

    /// The orders for worker 0: one for each of its generations.
    fn orders(&self, faults: &[&str]) -> Vec<String> {
        let mut orders = Vec::new();
        for fault in faults {
            for (phase, when) in POINTS {
                let is_possible = when != "event" || !self.param.0.is_empty();
                if !is_possible {
                    continue;
                }
                let generation = orders.len() + 1;
                // Between cycles and at an attach no module is at work.
                let kind = if matches!(phase, "between" | "attach") { "" } else { self.kind };
                // It attaches at once when its predecessor dies.
                let block = if phase == "attach" { 0 } else { 40 + 8 * generation };
                orders.push(format!(
                    "lane=0,kind={kind},phase={phase},fault={fault},when={when},block={block},generation={generation}"
                ));
            }
        }
        orders
    }

    /// Plays the twins until every order has been carried out. False if they differ where the machine stood still for longer than the lead
    /// can hide.
    fn play(&self, faults: &[&str]) -> bool {
        let orders = self.orders(faults);
        let mut arguments = vec!["--record", "live.wav"];
        arguments.extend(STEADY);
        let mut tine = Tine::serve_faulty(&self.patch(), &arguments, &orders.join(";"), false);
        let osc = tine.osc();
        let (mut round, mut reached, mut since) = (0, 0, Instant::now());
        while reached <= orders.len() {
            self.change(&osc, round);
            round += 1;
            sleep(Duration::from_millis(40));
            let generation = osc.generation(0);
            if generation > reached {
                (reached, since) = (generation, Instant::now());
            }
            let stuck = || format!("{}: stuck at {}; {}", self.kind, orders[generation - 1], tine.said());
            assert!(since.elapsed() < PATIENCE / 6, "{}", stuck());
        }
        let frames = osc.stat("frames") as usize;
        let deaths = osc.stat("worker_deaths");
        let longest_ms = osc.stat("machine_stall_max_ms");
        let is_machines = osc.stat("late_by_us") == 0.0 && osc.stat("late_by_machine") > 0.0;
        let figures =
            ["worker_hangs", "cold_starts", "recovery_max_ms", "late_blocks", "machine_stalls", "machine_stall_max_ms"];
        let figures = figures.map(|name| format!("{name} {}", osc.stat(name))).join(", ");
        tine.play_until(frames + 9_600);
        tine.end();
        let recorded = tine.recording();
        println!("{}: {deaths} deaths, {figures}", self.kind);
        assert!(deaths >= orders.len() as f64);
        assert!(peak(&recorded) > 0.01, "{}: silent", self.kind);
        if let Some(at) = recorded.iter().position(|[left, right]| left != right) {
            let wrong = recorded.iter().filter(|[left, right]| left != right).count();
            let [left, right] = recorded[at].map(f32::from_bits);
            let what =
                format!("{}: {wrong} frames differ, the first is {at} (block {}): {left} {right}", self.kind, at / 256);
            assert!(longest_ms > LONG_STALL_MS || is_machines, "{what}");
            println!("{what}; the machine stood still for up to {longest_ms} ms");
            return false;
        }
        true
    }
}

/// A stall of the machine that, with a hang and its recovery, is more than the lead can hide.
const LONG_STALL_MS: f64 = 20.0;

fn play(kind: &str) {
    let bench = BENCHES.iter().find(|bench| bench.kind == kind).expect("it is there");
    assert!((0..5).any(|_| bench.play(&FAULTS)), "the machine stands still again and again");
}

#[test]
fn a_filter_dies_in_every_way_and_nobody_hears_it() {
    play("vcf");
}

/// The other kinds, some seconds each.
mod every_kind_dies_in_every_way {
    macro_rules! kinds {
        ($($kind:ident)*) => { $(
            #[test]
            #[ignore = "some minutes for all: ./check --long"]
            fn $kind() {
                super::play(stringify!($kind));
            }
        )* };
    }
    kinds! {
        vco vca lfo adsr noise mix sh slew delay scope
        keys split merge pan scale compare logic quantize follow clock divide seq euclid random op fold drive ring wavetable pluck comb limiter comp meter reverb chorus shift freeze spectrum sampler conv
    }
}

/// Plays `tone`, and after a while a filter on worker 0, which is ordered to fail, on the left, and its twin on worker 1 on the right. Returns
/// the recording, and the longest stall of the machine in ms.
fn twins_born_late(arguments: &[&str], fault: &str) -> (Vec<Frame>, f64) {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--record", "live.wav"]).collect();
    let mut tine = Tine::serve_faulty("create vco --id tone freq=97 --worker 2\n", &arguments, fault, false);
    let osc = tine.osc();
    tine.play_until(24_000);
    let mut messages: Vec<_> = ["a", "b"].map(|twin| message("/create", &[&"vcf", &twin])).into();
    for (twin, side) in [("a", "left"), ("b", "right")] {
        messages.push(message("/connect", &[&"tone", &"", &twin, &""]));
        messages.push(message("/connect", &[&twin, &"", &"out", &side, &0.3f32]));
    }
    osc.bundle(SystemTime::now() + Duration::from_millis(5), messages);
    let begun = Instant::now();
    while osc.stat("worker_deaths") < 1.0 {
        assert!(begun.elapsed() < PATIENCE, "{fault}: nobody died; {}", tine.said());
        sleep(Duration::from_millis(20));
    }
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 48_000);
    let stall_ms = osc.stat("machine_stall_max_ms");
    tine.end();
    let recorded = tine.recording();
    assert!(peak(&recorded) > 0.01, "{fault}: silent");
    (recorded, stall_ms)
}

/// Whether `holds` finds nothing wrong, at the first time that the machine did not stand still for too long.
fn eventually(arguments: &[&str], fault: &str, holds: impl Fn(&[Frame]) -> Result<(), String>) {
    for _ in 0..5 {
        let (recorded, stall_ms) = twins_born_late(arguments, fault);
        match holds(&recorded) {
            Ok(()) => return,
            Err(wrong) => assert!(stall_ms > LONG_STALL_MS, "{fault}: {wrong}"),
        }
    }
    panic!("the machine stands still again and again");
}

/// The blocks in which the sides differ, first and last.
fn differing(recorded: &[Frame], block: usize) -> Option<(usize, usize)> {
    let mut blocks = recorded.chunks(block).enumerate().filter(|(_, frames)| frames.iter().any(|[a, b]| a != b));
    let first = blocks.next()?.0;
    Some((first, blocks.next_back().map_or(first, |(last, _)| last)))
}

#[test]
fn a_death_in_the_first_block_of_a_lane_that_had_rested_is_not_heard() {
    for phase in ["read", "process", "commit", "committed"] {
        let fault = format!("lane=0,kind=vcf,phase={phase},fault=kill");
        eventually(&STEADY, &fault, |recorded| match differing(recorded, 256) {
            None => Ok(()),
            Some(blocks) => Err(format!("blocks {blocks:?} differ")),
        });
    }
}

/// With no slack to hide it, a hang is heard; in the blocks that were missed, and no longer.
#[test]
fn a_hang_at_the_shortest_lead_spoils_the_blocks_that_it_missed_and_nothing_after_them() {
    // Not an endless loop: its twin shares the core, and would be as late.
    let fault = "lane=0,kind=vcf,phase=process,fault=stop,block=200";
    eventually(&["--block", "256", "--period", "256", "--lead", "1"], fault, |recorded| {
        match differing(recorded, 256) {
            // Three blocks until it is killed, one for what comes after, and the fade back in.
            Some((first, last)) if first >= 200 && last - first <= 8 => Ok(()),
            blocks => Err(format!("blocks {blocks:?} differ")),
        }
    });
}

/// Left goes through a filter that kills its worker in every block; right through an amplifier beside it, on the same worker.
const POISONED: &str = "\
create vco --id tone freq=97 --worker 0
create vco --id other freq=131 --worker 2
create vcf --id bad cutoff=500 --worker 1
create vca --id good gain=0.5 --worker 1
connect tone.saw > bad --gain 0.5
connect bad > out.left --gain 0.5
connect other.tri > good
connect good > out.right
";

#[test]
fn a_module_that_kills_is_passed_by_and_its_lane_mate_plays_on() {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let order = "lane=1,kind=vcf,phase=process,fault=segv,block=100,generation=0";
    let mut tine = Tine::serve_faulty(POISONED, &arguments, order, true);
    let osc = tine.osc();
    osc.done("/notify", &[&1]);
    let faults: Vec<String> = (0..3).map(|_| text(&osc.hear("/module.fault").args[1]).to_owned()).collect();
    assert!(faults[0].contains("passed by") && faults[0].contains(" 1 s"), "{faults:?}");
    assert_eq!(faults[1], "is tried again");
    assert!(faults[2].contains("passed by") && faults[2].contains(" 2 s"), "{faults:?}");
    assert_eq!(osc.stat("quarantines"), 2.0);
    let frames = osc.stat("frames") as usize;
    let deaths = osc.stat("worker_deaths");
    tine.play_until(frames + 9_600);
    assert_eq!(osc.stat("worker_deaths"), deaths, "it is not run");
    tine.end();
    let recorded = tine.recording();
    let rendered = render(POISONED, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    let wrong = recorded.iter().zip(&rendered).position(|(live, still)| live[1] != still[1]);
    assert_eq!(wrong, None, "the lane mate's sound changed");
    // What is passed by is heard: a filter lets its input through.
    assert!(
        peak(&recorded[frames..]) > 0.1 && recorded[frames..].iter().any(|[left, _]| f32::from_bits(*left).abs() > 0.1)
    );
}

/// What a worker may not do, whatever its modules' code does.
const FORBIDDEN: [&str; 7] = ["open", "socket", "exec", "ptrace", "signal", "fork", "memory"];

#[test]
fn what_a_worker_may_not_do_ends_it_and_nothing_else() {
    let orders: Vec<String> = (1..)
        .zip(FORBIDDEN)
        .map(|(generation, fault)| {
            let block = 40 + 20 * generation;
            format!("lane=1,kind=vcf,phase=commit,fault={fault},block={block},generation={generation}")
        })
        .collect();
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve_faulty(POISONED, &arguments, &orders.join(";"), false);
    // One listens, the other asks: an answer that is waited for passes events by.
    let (osc, listener) = (tine.osc(), tine.osc());
    listener.done("/notify", &[&1]);
    let begun = Instant::now();
    while osc.generation(1) <= FORBIDDEN.len() {
        assert!(begun.elapsed() < PATIENCE, "{}", tine.said());
        sleep(Duration::from_millis(20));
    }
    let mut ends = 0;
    while let Some(event) = listener.receive(Duration::from_millis(500)) {
        if event.addr == "/worker.lost" {
            assert_eq!(text(&event.args[1]), "SIGSYS", "{}", tine.said());
            ends += 1;
        }
    }
    assert_eq!(ends, FORBIDDEN.len());
    assert!(!tine.said().contains("allowed"), "{}", tine.said());
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 4_800);
    tine.end();
    let recorded = tine.recording();
    let rendered = render(POISONED, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    assert_same("a worker that does what it may not", &recorded, &rendered, 9_600);
}

/// Left comes from a lane that is scribbled over, right from another. Left is so low that the +60 dB of what is scribbled stays below full
/// scale: the limiter of `out` would lower both sides.
const SCRIBBLED: &str = "\
create vco --id tone freq=97 --worker 0
create vcf --id bad cutoff=500 --worker 1
create vcf --id good cutoff=700 --worker 2
connect tone.saw > bad --gain 0.5
connect tone.saw > good --gain 0.5
connect bad > out.left --gain 0.0005
connect good > out.right --gain 0.5
";

#[test]
fn a_worker_that_scribbles_over_its_lane_spoils_nothing_else() {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let order = "lane=1,kind=vcf,phase=commit,fault=scribble,block=100,generation=1";
    let mut tine = Tine::serve_faulty(SCRIBBLED, &arguments, order, true);
    let (osc, listener) = (tine.osc(), tine.osc());
    listener.done("/notify", &[&1]);
    osc.done("/set", &[&"bad", &"cutoff", &2000.0f32]);
    let fault = listener.hear("/module.fault");
    assert!(text(&fault.args[0]) == "bad" && text(&fault.args[1]).contains("spoilt"), "{fault:?}");
    let frames = osc.stat("frames") as usize;
    tine.play_until(frames + 24_000);
    tine.end();
    let recorded = tine.recording();
    let rendered = render(&SCRIBBLED.replace("500", "2000"), recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    let wrong = recorded.iter().zip(&rendered).position(|(live, still)| live[1] != still[1]);
    assert_eq!(wrong, None, "another lane's sound changed");
    // It began anew with its params as they were set, and a filter soon forgets how it began.
    let apart = |(live, still): (&[u32; 2], &[u32; 2])| (f32::from_bits(live[0]) - f32::from_bits(still[0])).abs();
    let last = recorded.len() - 4_800..recorded.len();
    let apart = recorded[last.clone()].iter().zip(&rendered[last]).map(apart).fold(0.0, f32::max);
    assert!(apart < 1e-7, "{apart}");
}
