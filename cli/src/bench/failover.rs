//! How long a lane stands still when its worker is killed: from SIGKILL until a spare has finished the lane's block.
//!
//! All on one clock, the machine's monotonic one: we note when we kill, the supervisor when it notices the death, and the lane's new worker
//! when it has finished all that was due; the supervisor believes it if that can be, and gives up after 20 ms. How long the kernel takes until the process
//! is gone (its pidfd) is measured beside it.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rosc::OscType;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::{process, sched};

use super::client::{Client, Worker};
use super::figure::{Figure, Samples};
use super::served::Served;
use crate::config::Config;

/// Where a stall of the machine is beside a death, from 5 ms before it was noticed on, the time is the machine's.
const UNSTALLED: &str = "both, where the machine did not stall";

/// The figure that is drawn.
pub const WHOLE: &str = "kill to block finished";

/// The same for the engine.
const ENGINE: &str = "engine killed: death seen to the device playing again";

/// Engines that are killed: the keeper gives up with the next.
const ENGINES: u32 = 5;

/// What plays: a chain, so that each lane waits for the one before.
const CHAIN: [&str; 8] = ["vco", "vcf", "vca", "slew", "delay", "vca", "vcf", "vca"];

/// The engine's words for what happens to blocks and workers: name in `stats`, how it is called here, and its unit.
const COUNTS: [(&str, &str, &str); 7] = [
    ("late_blocks", "late blocks meanwhile", "blocks"),
    ("late_by_us", "late meanwhile, by our fault", "times"),
    ("late_by_machine", "late meanwhile, the machine stalled", "times"),
    ("machine_stalls", "stalls of the machine meanwhile", "stalls"),
    ("worker_deaths", "workers that died", "workers"),
    ("worker_deaths_early", "of these, known before the process was gone", "workers"),
    ("cold_starts", "deaths without a spare, in no figure above", "deaths"),
];

/// The longest that a pool takes to be full again, even on a loaded machine.
const FULL_WAIT: Duration = Duration::from_secs(10);

/// How often the pool is looked at meanwhile.
const FULL_LOOK: Duration = Duration::from_millis(5);

/// A new spare's start is over, and what was late because of it is counted.
const SETTLE: Duration = Duration::from_millis(30);

/// The longest that the kernel takes to end a process.
const DEATH_WAIT_NS: u64 = 3_000_000_000;

/// Workers killed one after another, each once the pool is full again.
///
/// # Errors
/// If the engine does not answer, or a worker does not die.
pub fn run(config: &Config, flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let rounds = if is_quick { 20 } else { 300 };
    let own = [format!("--workers={}", CHAIN.len()), "--placement=isolate".to_owned()];
    let others = flags.iter().filter(|flag| !flag.contains("workers=") && !flag.contains("placement="));
    let served = Served::start(&others.cloned().chain(own).collect::<Vec<_>>())?;
    let client = &served.client;
    client.eval(&patch())?;
    client.sync()?;
    // One listens, the other asks: events would be lost among answers.
    let listener = client.another()?;
    listener.done("/notify", [OscType::Int(1)])?;
    let before = client.stats()?;
    let [mut gone, mut noticed, mut recovery, mut whole, mut unstalled] = std::array::from_fn(|_| Samples::micros());
    let block_s = f64::from(config.block_frames) / f64::from(config.rate_hz);
    for round in 0..rounds {
        let workers = full_pool(client, usize::from(config.spares))?;
        let seat = round % CHAIN.len();
        let worker = workers.iter().find(|worker| worker.seat == seat as i32).ok_or("a full pool has an empty seat")?;
        // Death keeps no step with the blocks: moments are spread evenly over one, by the golden ratio.
        std::thread::sleep(SETTLE + Duration::from_secs_f64(block_s * (round as f64 * 0.618_034).fract()));
        // On a thread of its own, as its priority would go over to the processes that are started after it.
        let killed = std::thread::scope(|scope| scope.spawn(|| kill(worker)).join());
        let (killed_ns, gone_ns) = killed.map_err(|_| "the thread that kills ended early")??;
        // Without a spare the lane had to wait for a fork, which is counted and told without a time.
        if has_recovered(&listener, worker.seat)? {
            let stats = client.stats()?;
            let moment_us = |name: &str| stats.get(name).map_or(0, |us| *us as u64);
            let (killed_us, noticed_us) = (killed_ns / 1000, moment_us("death_noticed_at_us"));
            let recovered_us = moment_us("death_recovered_at_us");
            gone.add(gone_ns);
            noticed.add(1000 * since(killed_us, noticed_us));
            recovery.add(1000 * since(noticed_us, recovered_us));
            whole.add(1000 * since(killed_us, recovered_us));
            if stats.get("death_stalled_us") == Some(&0.0) {
                unstalled.add(1000 * since(killed_us, recovered_us));
            }
        }
    }
    std::thread::sleep(SETTLE);
    let after = client.stats()?;
    let gaps = kill_engines(&served)?;
    let more = |name: &str| after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    let mut figures = vec![
        noticed.figure("failover", "kill to death noticed"),
        recovery.figure("failover", "death noticed to block finished"),
        whole.figure("failover", WHOLE).p99_below(1000.0),
        unstalled.figure("failover", UNSTALLED).p99_below(1000.0),
        gone.figure("failover", "kill to process gone, beside this"),
    ];
    figures.push(gaps.figure("failover", ENGINE).p99_below(500.0));
    figures.extend(COUNTS.map(|(stat, name, unit)| Figure::single("failover", name, unit, more(stat))));
    Ok(figures)
}

/// Kills the engine itself, again and again, as often as the keeper lets one follow; the engines' own measures.
fn kill_engines(served: &Served) -> Result<Samples, String> {
    let mut gaps = Samples::millis();
    for death in 1..=ENGINES {
        served.kill_engine()?;
        let begun = Instant::now();
        loop {
            // While nobody is there, nobody answers.
            let stats = served.client.stats().unwrap_or_default();
            if stats.get("engine_restarts") == Some(&f64::from(death)) {
                gaps.add(stats.get("engine_gap_ms").map_or(0, |ms| (ms * 1e6) as u64));
                break;
            }
            if begun.elapsed() > FULL_WAIT {
                return Err("no engine follows on the one that was killed".to_owned());
            }
        }
    }
    Ok(gaps)
}

/// The chain in the REPL's words.
fn patch() -> String {
    let creates = CHAIN.iter().enumerate().map(|(number, kind)| format!("create {kind} --id m{number}; "));
    let path: Vec<String> = (0..CHAIN.len()).map(|number| format!("m{number}")).collect();
    format!("{}connect {} > out", creates.collect::<String>(), path.join(" > "))
}

/// Waits until every seat has a worker and every spare is warm.
fn full_pool(client: &Client, spares: usize) -> Result<Vec<Worker>, String> {
    let until = Instant::now() + FULL_WAIT;
    loop {
        let workers = client.pool()?;
        let count = |states: &[&str]| workers.iter().filter(|worker| states.contains(&worker.state.as_str())).count();
        if count(&["busy", "idle"]) == CHAIN.len() && count(&["spare"]) == spares {
            return Ok(workers);
        }
        if Instant::now() > until {
            return Err(format!("the pool is not full again: {workers:?}"));
        }
        std::thread::sleep(FULL_LOOK);
    }
}

/// Moments are told modulo this many microseconds.
const MOMENT_US: u64 = 10_000_000;

/// From one moment to another, in microseconds.
fn since(from_us: u64, to_us: u64) -> u64 {
    (to_us + MOMENT_US - from_us % MOMENT_US) % MOMENT_US
}

/// Kills a worker; returns when, and how long until the kernel says that it is gone.
fn kill(worker: &Worker) -> Result<(u64, u64), String> {
    // The supervisor waits for the same word at this priority. Without the right to it our own wait for a core is measured too.
    let _ = sched::set_fifo(0, sched::priority::SUPERVISOR);
    let pidfd = process::watch(worker.pid).map_err(|error| format!("worker {}: {error}", worker.seat))?;
    let killed_ns = now_ns();
    process::kill(&pidfd);
    match process::wait_list(&[pidfd.as_fd()], Some(DEATH_WAIT_NS))[..] {
        [true] => Ok((killed_ns, now_ns() - killed_ns)),
        _ => Err(format!("worker {} does not die", worker.seat)),
    }
}

/// Waits until a worker's lane has caught up; false if there was no spare.
fn has_recovered(listener: &Client, seat: i32) -> Result<bool, String> {
    let is_ours = |args: &[OscType]| args.first() == Some(&OscType::Int(seat));
    let events = listener.hear(|event| event.addr == "/worker.restored" && is_ours(&event.args))?;
    match events.last().and_then(|event| event.args.get(1)) {
        Some(OscType::Float(ms)) => Ok(*ms > 0.0),
        _ => Err("/worker.restored comes without a time".to_owned()),
    }
}
