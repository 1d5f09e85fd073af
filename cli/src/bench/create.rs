//! How long a module takes from `/create` until it has computed its first block, while a patch plays.

use std::time::{Duration, Instant};

use tine_modules::{CATALOGUE, Kind};
use tine_protocol::spec::Role;

use super::client::{is_done, message, text};
use super::figure::{Figure, Samples};
use super::served::Served;
use crate::config::Config;

/// What plays meanwhile: four workers of the eight.
const PATCH: &str = "create vco --id a; create vcf --id b; create vca --id c gain=0.1; create lfo --id d rate=5; \
                     connect a.saw > b > c > out; connect d > b.cutoff";

/// Kinds in turn, `rounds` in all, each destroyed again so that its worker is idle for the next.
///
/// # Errors
/// If the engine does not answer.
pub fn run(config: &Config, flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let rounds = if is_quick { 200 } else { 2000 };
    let served = Served::start(flags)?;
    let client = &served.client;
    client.eval(PATCH)?;
    client.sync()?;
    let before = client.stats()?;
    let kinds: Vec<_> = CATALOGUE.iter().filter(|kind| kind.spec.role == Role::Lane).collect();
    let creates = kinds.iter().map(|kind| message("/create", [text(kind.spec.name), text("x")]));
    let creates = creates.collect::<Result<Vec<_>, _>>()?;
    let destroy = message("/destroy", [text("x")])?;
    // Kinds with a long memory are another matter: the system provides megabytes for one.
    let has_tape = |kind: &Kind| kind.tape_frames(config.rate_hz as f32, config.block_frames as usize) > 0;
    let (mut light, mut tape, mut destroys) = (Samples::millis(), Samples::millis(), Samples::millis());
    let block_s = f64::from(config.block_frames) / f64::from(config.rate_hz);
    for round in 0..rounds {
        // An answer comes at the end of a block. A player's hand does not keep step with that, so neither do we: each create is
        // sent at another moment of the block, spread evenly by the golden ratio.
        std::thread::sleep(Duration::from_secs_f64(block_s * (round as f64 * 0.618_034).fract()));
        let number = round % kinds.len();
        let started = Instant::now();
        client.ask(&creates[number], |answer| is_done(answer, "/create"))?;
        let samples = if has_tape(kinds[number]) { &mut tape } else { &mut light };
        samples.add(started.elapsed().as_nanos() as u64);
        let started = Instant::now();
        client.ask(&destroy, |answer| is_done(answer, "/destroy"))?;
        destroys.add(started.elapsed().as_nanos() as u64);
    }
    let after = client.stats()?;
    let figure = |name: &str| after.get(name).copied();
    let since = |name: &str| figure(name).unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    // The engine's own measure. The four of the patch are among them: nothing is subtracted from a histogram.
    let own = |part: &str, says: &str| {
        let of = |figure_of: &str| figure(&format!("{part}_{figure_of}"));
        let count = of("count").unwrap_or(0.0) as u64;
        let p999 = of("p999_ms").filter(|_| rounds >= 1000);
        let name = format!("create, in the engine, all kinds: {says}");
        let (p50, p99, max) = (of("p50_ms"), of("p99_ms"), of("max_ms"));
        Figure { suite: "create", name, unit: "ms", count, p50, p99, p999, max, ..Figure::default() }
    };
    Ok(vec![
        own("create", "arrival to answer").p99_below(2.0).max_below(10.0),
        own("create_wait", "of this, until its block began"),
        own("create_block", "of this, from then until every lane had finished it"),
        own("create_unstalled", "both, where the machine did not stall").p99_below(2.0).max_below(10.0),
        light.figure("create", "create, over OSC: sent to answered").p99_below(2.0).max_below(10.0),
        tape.figure("create", "the same, kinds with a tape (delay)").p99_below(2.0).max_below(10.0),
        destroys.figure("create", "destroy, over OSC: sent to answered"),
        Figure::single("create", "late meanwhile, by our fault", "times", since("late_by_us")),
        Figure::single("create", "late meanwhile, the machine stalled", "times", since("late_by_machine")),
        Figure::single("create", "frames missed by the device meanwhile", "frames", since("missed_frames")),
    ])
}
