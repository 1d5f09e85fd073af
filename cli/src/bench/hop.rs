//! What it costs that modules are processes: one hop by itself, and whole cycles of chains in the engine.

use std::time::Duration;

use tine_protocol::sys::sched;

use super::figure::Figure;
use super::passing::{Passing, SPIN};
use super::served::Served;
use crate::config::Config;

/// Modules in a chain, each in a worker of its own.
const CHAINS: [usize; 4] = [1, 2, 4, 8];

/// Hops first, while nothing else of ours runs; then the chains.
///
/// # Errors
/// If a process cannot be started or does not answer.
pub fn run(config: &Config, flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let cores = sched::cores();
    let first = cores.first().copied().unwrap_or(0);
    let passing = Passing {
        cores: [first, first],
        spins: 0,
        blocks: if is_quick { 300 } else { 3000 },
        rate_hz: config.rate_hz,
        frames: config.block_frames as usize,
    };
    let mut figures = vec![
        passing.measure_alone()?.figure("hop", "no hop: both modules in one process"),
        passing.measure()?.figure("hop", "one hop, same core, sleeping"),
    ];
    if let Some(&second) = cores.get(1) {
        let apart = Passing { cores: [first, second], ..passing };
        figures.push(apart.measure()?.figure("hop", "one hop, other core, sleeping"));
        figures.push(Passing { spins: SPIN, ..apart }.measure()?.figure("hop", "one hop, other core, spinning"));
    }
    let span = Duration::from_millis(if is_quick { 700 } else { 5000 });
    for length in CHAINS {
        figures.push(chain(flags, length, None, span)?);
    }
    if cores.len() > 1 {
        figures.push(chain(flags, 8, Some(&cores[..2]), span)?);
    }
    Ok(figures)
}

/// Cycles of a chain of vca that plays; spread over `cores` in turn, or placed as the engine does it.
fn chain(flags: &[String], length: usize, cores: Option<&[u16]>, span: Duration) -> Result<Figure, String> {
    let served = Served::start(flags)?;
    let client = &served.client;
    let creates: Vec<String> = (0..length).map(|number| format!("create vca --id m{number}")).collect();
    let path: Vec<String> = (0..length).map(|number| format!("m{number}")).collect();
    client.eval(&format!("{}; connect {} > out", creates.join("; "), path.join(" > ")))?;
    client.sync()?;
    if let Some(cores) = cores {
        let workers = client.pool()?;
        for (index, worker) in workers.iter().filter(|worker| worker.state == "busy").enumerate() {
            sched::bind(worker.pid, &[cores[index % cores.len()]])
                .map_err(|error| format!("binding a worker: {error}"))?;
        }
    }
    std::thread::sleep(span);
    let stats = client.stats()?;
    let of = |name: &str| stats.get(name).copied();
    let modules = if length == 1 { "module" } else { "modules" };
    let place = if cores.is_some() { "each hop across cores" } else { "as placed" };
    let count = of("cycle_count").unwrap_or(0.0) as u64;
    Ok(Figure {
        suite: "hop",
        name: format!("cycle, chain of {length} {modules}, {place}"),
        unit: "us",
        count,
        p50: of("cycle_p50_us"),
        p99: of("cycle_p99_us"),
        // A quantile of fewer samples is only the largest by another name.
        p999: of("cycle_p999_us").filter(|_| count >= 1000),
        max: of("cycle_max_us"),
        ..Figure::default()
    })
}
