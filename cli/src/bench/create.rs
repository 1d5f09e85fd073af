//! How long a module takes from `/create` until it has computed its first block, while a patch plays.

use std::time::Instant;

use tine_modules::CATALOGUE;
use tine_protocol::spec::Role;

use super::client::{is_done, message, text};
use super::figure::{Figure, Samples};
use super::served::Served;

/// What plays meanwhile: four workers of the eight.
const PATCH: &str = "create vco --id a; create vcf --id b; create vca --id c gain=0.1; create lfo --id d rate=5; \
                     connect a.saw > b > c > out; connect d > b.cutoff";

/// The engine's own measure of these creates: name in `stats`, and how it is called here.
const OWN: [&str; 4] = ["create_p50_ms", "create_p99_ms", "create_p999_ms", "create_max_ms"];

/// Kinds in turn, `rounds` in all, each destroyed again so that its worker is idle for the next.
///
/// # Errors
/// If the engine does not answer.
pub fn run(flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let rounds = if is_quick { 200 } else { 2000 };
    let served = Served::start(flags)?;
    let client = &served.client;
    client.eval(PATCH)?;
    client.sync()?;
    let before = client.stats()?;
    let kinds = CATALOGUE.iter().filter(|kind| kind.spec.role == Role::Lane);
    let creates =
        kinds.map(|kind| message("/create", [text(kind.spec.name), text("x")])).collect::<Result<Vec<_>, _>>()?;
    let destroy = message("/destroy", [text("x")])?;
    let (mut create_times, mut destroy_times) = (Samples::millis(), Samples::millis());
    for create in creates.iter().cycle().take(rounds) {
        let started = Instant::now();
        client.ask(create, |answer| is_done(answer, "/create"))?;
        create_times.add(started.elapsed().as_nanos() as u64);
        let started = Instant::now();
        client.ask(&destroy, |answer| is_done(answer, "/destroy"))?;
        destroy_times.add(started.elapsed().as_nanos() as u64);
    }
    let after = client.stats()?;
    let figure = |name: &str| after.get(name).copied();
    let since = |name: &str| figure(name).unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
    let [p50, p99, p999, max] = OWN.map(figure);
    // The four of the patch are among them: nothing is subtracted from a histogram.
    let count = figure("create_count").unwrap_or(0.0) as u64;
    let name = "create, in the engine: arrival to first block".to_owned();
    let own = Figure { suite: "create", name, unit: "ms", count, p50, p99, p999, max, ..Figure::default() };
    Ok(vec![
        own.p99_below(2.0).max_below(10.0),
        create_times.figure("create", "create, over OSC: sent to answered").p99_below(2.0).max_below(10.0),
        destroy_times.figure("create", "destroy, over OSC: sent to answered"),
        Figure::single("create", "blocks late meanwhile", "blocks", since("late_blocks")),
        Figure::single("create", "frames missed by the device meanwhile", "frames", since("missed_frames")),
    ])
}
