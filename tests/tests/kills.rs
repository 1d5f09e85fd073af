//! Workers are killed under a playing patch.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tine_tests::patches::PLAYING;
use tine_tests::tine::{STEADY, Tine, render};
use tine_tests::wav::{assert_same, difference};

/// Kills workers of a patch that plays; returns how many frames of its recording are not those of its render.
fn kill_workers(rounds: usize, timing: &[&str]) -> usize {
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(timing);
    let mut tine = Tine::serve(PLAYING, &arguments);
    tine.play_until(4_800);
    let osc = tine.osc();
    for round in 0..rounds {
        osc.wait_for_a_full_pool();
        // Five of ten have modules: a stride of 3 visits them all, and the others.
        let pool = osc.pool();
        let (_, pid, ..) = pool[round * 3 % pool.len()];
        assert!(pid > 0, "a full pool has no empty seat: {pool:?}");
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        sleep(Duration::from_millis(150));
    }
    osc.wait_for_a_full_pool();
    assert!(osc.stat("worker_deaths") > 0.0);
    let frames = osc.stat("frames") as usize;
    let figures = ["worker_deaths", "warm_hits", "cold_starts", "late_blocks", "recovery_p50_ms", "recovery_max_ms"];
    let figures: Vec<String> = figures.iter().map(|name| format!("{name} {}", osc.stat(name))).collect();
    tine.play_until(frames + 4_800);
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &timing[..2]);
    let wrong = difference(&rendered, &recorded);
    println!("{rounds} kills with {timing:?}: {}; frames that differ, and the first: {wrong:?}", figures.join(", "));
    wrong.map_or(0, |(count, _)| count)
}

#[test]
fn killed_workers_come_back_and_the_sound_does_not_change() {
    assert_eq!(kill_workers(20, &STEADY), 0);
}

#[test]
fn a_pool_under_fire_is_full_again_with_little_lead() {
    // Not asserted: on a machine whose stalls are longer than 4 blocks, those are heard.
    kill_workers(20, &["--block", "64", "--lead", "4"]);
}

#[test]
#[ignore = "takes two minutes: ./check --long"]
fn a_kill_every_50_ms_for_minutes_changes_no_sample() {
    assert!((0..3).any(|_| storm()), "the machine stands still again and again");
}

/// False if the sound differs where the machine stood still for longer than the lead can hide, and nobody else made a block late.
fn storm() -> bool {
    const KILLS: usize = 2_400;
    let mut arguments = vec!["--record", "live.wav"];
    arguments.extend(STEADY);
    let mut tine = Tine::serve(PLAYING, &arguments);
    tine.play_until(4_800);
    let osc = tine.osc();
    let before = (tine.role("engine").descriptors().len(), resident_kb(&tine));
    let mut random = 1u32;
    for _ in 0..KILLS {
        let pool = osc.pool();
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (_, pid, ..) = pool[(random >> 16) as usize % pool.len()];
        if pid > 0 {
            // It may have just died of the kill before, and nobody has its number yet.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        sleep(Duration::from_millis(50));
    }
    let begun = Instant::now();
    osc.wait_for_a_full_pool();
    println!("full again after {:?}", begun.elapsed());
    let after = (tine.role("engine").descriptors().len(), resident_kb(&tine));
    let names = [
        "worker_deaths",
        "spare_deaths",
        "warm_hits",
        "cold_starts",
        "recovery_p50_ms",
        "recovery_p99_ms",
        "late_by_us",
        "late_by_machine",
        "machine_stall_max_ms",
    ];
    println!("{}", names.map(|name| format!("{name} {}", osc.stat(name))).join(", "));
    println!("descriptors and resident kB of the engine: {before:?}, then {after:?}");
    let is_machines = osc.stat("late_by_us") == 0.0 && osc.stat("late_by_machine") > 0.0;
    assert!(after.0 <= before.0 + 2, "descriptors leak");
    assert!(after.1 < before.1 + 8_192, "memory leaks");
    tine.quit();
    let recorded = tine.recording();
    let rendered = render(PLAYING, recorded.len() as f64 / 48_000.0, &STEADY[..2]);
    if is_machines && let Some((count, first)) = difference(&recorded, &rendered) {
        println!("{count} frames differ, the first is {first}");
        return false;
    }
    assert_same("under fire", &recorded, &rendered, 100 * 48_000);
    true
}

fn resident_kb(tine: &Tine) -> u64 {
    tine.role("engine").figure("status", "VmRSS:")
}
