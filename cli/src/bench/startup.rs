//! How long it takes from exec until eight workers are ready, and what they cost while they have nothing to do.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::client::Worker;
use super::figure::{Figure, Samples};
use super::served::Served;

/// Workers, as on the smallest machine.
const WORKERS: &str = "--workers=8";

/// Starts and ends engines one after another.
///
/// # Errors
/// If one does not come up.
pub fn run(flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let rounds = if is_quick { 5 } else { 30 };
    let flags: Vec<String> =
        flags.iter().filter(|flag| !flag.contains("workers=")).cloned().chain([WORKERS.to_owned()]).collect();
    let (mut ready, mut osc) = (Samples::millis(), Samples::millis());
    let mut own = [("zygote: warm-up", "warm_up_ms"), ("engine: supervisor started to pool ready", "pool_ready_ms")]
        .map(|(name, stat)| (name, stat, Samples::millis()));
    let mut phases: BTreeMap<String, Samples> = BTreeMap::new();
    let (mut private, mut wakes) = (Samples::whole("kB"), Samples::whole("wake-ups"));
    for round in 0..rounds {
        let served = Served::start(&flags)?;
        ready.add(served.ready_after.as_nanos() as u64);
        osc.add(served.osc_after.as_nanos() as u64);
        let stats = served.client.stats()?;
        for (_, stat, samples) in &mut own {
            samples.add((stats.get(*stat).copied().unwrap_or(0.0) * 1e6) as u64);
        }
        for (name, value) in &stats {
            let Some(phase) = name.strip_prefix("start_").and_then(|name| name.strip_suffix("_max_ms")) else {
                continue;
            };
            phases.entry(phase.to_owned()).or_insert_with(Samples::millis).add((value * 1e6) as u64);
        }
        if round + 1 == rounds {
            idle(&served, if is_quick { 1 } else { 2 }, &mut private, &mut wakes)?;
        }
    }
    let mut figures = vec![
        ready.figure("startup", "exec to pool ready").max_below(100.0),
        osc.figure("startup", "exec to listening on OSC"),
    ];
    figures.extend(own.iter().map(|(name, _, samples)| samples.figure("startup", *name)));
    figures.extend(
        phases.iter().map(|(phase, samples)| samples.figure("startup", format!("slowest worker's phase: {phase}"))),
    );
    figures.push(private.figure("startup", "private memory of an idle worker").max_below(1024.0));
    let seconds = if is_quick { "1 s" } else { "2 s" };
    figures.push(wakes.figure("startup", format!("wake-ups of an idle worker in {seconds}")).max_below(1.0));
    Ok(figures)
}

/// Memory and wake-ups of workers without modules, over some seconds.
fn idle(served: &Served, seconds: u64, private: &mut Samples, wakes: &mut Samples) -> Result<(), String> {
    // What was forked last settles.
    std::thread::sleep(Duration::from_millis(300));
    let workers = served.client.pool()?;
    let idle: Vec<&Worker> = workers.iter().filter(|worker| matches!(&worker.state[..], "idle" | "spare")).collect();
    let before: Vec<Option<u64>> = idle.iter().map(|worker| switches(worker.pid)).collect();
    std::thread::sleep(Duration::from_secs(seconds));
    for (worker, before) in idle.iter().zip(before) {
        if let (Some(before), Some(after)) = (before, switches(worker.pid)) {
            wakes.add(after - before);
        }
        if let Some(kilobytes) = number(&format!("/proc/{}/smaps_rollup", worker.pid), "Private_Dirty:") {
            private.add(kilobytes);
        }
    }
    Ok(())
}

/// How often a process went to sleep or was sent to: each wake-up is followed by one of them.
fn switches(pid: u32) -> Option<u64> {
    let path = format!("/proc/{pid}/status");
    Some(number(&path, "voluntary_ctxt_switches:")? + number(&path, "nonvoluntary_ctxt_switches:")?)
}

/// The number behind `name` in a file of lines.
fn number(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
