//! A thousand modules come and go beside one that plays.

use std::thread::sleep;
use std::time::{Duration, Instant};

use tine_tests::osc::Osc;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{PATIENCE, Tine, render};
use tine_tests::wav::{assert_same, difference};

const KINDS: [&str; 6] = ["vco", "vcf*4", "delay", "adsr", "noise", "mix"];

/// Memory and descriptors of everybody: proportional set sizes, shared memory of the engine, descriptors.
fn cost(tine: &Tine) -> [u64; 3] {
    let members = tine.members();
    let pss = members.iter().map(|process| process.figure("smaps_rollup", "Pss:")).sum();
    let shared = tine.role("engine").figure("status", "RssShmem:");
    [pss, shared, members.iter().map(|process| process.descriptors().len() as u64).sum()]
}

fn come_and_go(osc: &Osc, round: usize) {
    let kind = KINDS[round % KINDS.len()];
    osc.done("/create", &[&kind, &"guest"]);
    if KINDS[round % KINDS.len()] != "noise" {
        let input = match kind {
            "adsr" => "gate",
            "mix" => "in3",
            "vco" => "fm",
            _ => "",
        };
        osc.done("/connect", &[&"1", &"saw", &"guest", &input]);
    }
    osc.done("/destroy", &[&"guest"]);
}

/// With few workers, guests share a lane with what plays. False if the sound differs where the machine stood still for longer than the lead can
/// hide.
fn a_thousand_come_and_go(workers: &str) -> bool {
    let arguments = ["--workers", workers, "--block", "128", "--lead", "16", "--period", "256", "--record", "live.wav"];
    let mut tine = Tine::serve(PLAYING, &arguments);
    let osc = tine.osc();
    // Both times some rounds after a kind with a tape, whose memory is given back once it has faded.
    (0..198).for_each(|round| come_and_go(&osc, round));
    let early = cost(&tine);
    (198..1002).for_each(|round| come_and_go(&osc, round));
    // The last tape may still be fading; what leaks does not go by itself.
    let is_level = |late: &[u64; 3]| late[0] < early[0] + 2048 && late[1] < early[1] + 1024 && late[2] == early[2];
    let begun = Instant::now();
    let mut late = cost(&tine);
    while !is_level(&late) && begun.elapsed() < PATIENCE / 6 {
        sleep(Duration::from_millis(100));
        late = cost(&tine);
    }
    println!("{workers} workers: pss kB, shared kB, descriptors: {early:?} after 198, {late:?} after 1002");
    let frames = osc.stat("frames") as usize;
    let [deaths, late_by_us, late_by_machine] =
        ["worker_deaths", "late_by_us", "late_by_machine"].map(|name| osc.stat(name));
    println!("create p50 {} ms, p99 {} ms", osc.stat("create_p50_ms"), osc.stat("create_p99_ms"));
    assert_eq!(osc.stat("create_count"), 1002.0);
    assert_eq!(deaths, 0.0);
    tine.quit();
    let seconds = frames as f64 / 48_000.0;
    let rendered = render(PLAYING, seconds, &["--block", "128"]);
    let recorded = tine.recording();
    if late_by_us == 0.0 && late_by_machine > 0.0 && difference(&rendered, &recorded).is_some() {
        println!("late {late_by_machine} times by the machine's fault");
        return false;
    }
    assert_same(&format!("{workers} workers, late {late_by_us} times"), &rendered, &recorded, frames - 4_800);
    assert!(is_level(&late), "memory, shared memory or descriptors grow: {early:?}, then {late:?}");
    true
}

fn eventually(workers: &str) {
    assert!((0..3).any(|_| a_thousand_come_and_go(workers)), "the machine stands still again and again");
}

#[test]
fn a_thousand_creates_and_destroys_leave_sound_memory_and_descriptors_alone() {
    eventually("8");
}

#[test]
fn guests_in_the_same_worker_leave_the_sound_alone() {
    eventually("2");
}
