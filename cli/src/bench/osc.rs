//! What a message costs: answers, changes that are in effect, and how many a second are taken.

use std::time::{Duration, Instant};

use rosc::OscType;

use super::client::{Client, is_done, message, text};
use super::figure::{Figure, Samples};
use super::served::Served;

const PATCH: &str = "create vco --id a; create vca --id c gain=0.1; connect a > c > out";

/// Messages on their way at once, tried one after another.
const WINDOWS: [u64; 4] = [16, 64, 256, 1024];

/// Round trips, one at a time, and a flood.
///
/// # Errors
/// If the engine does not answer.
pub fn run(flags: &[String], is_quick: bool) -> Result<Vec<Figure>, String> {
    let rounds = if is_quick { 300 } else { 3000 };
    let mut served = Served::start(flags)?;
    let client = &served.client;
    client.eval(PATCH)?;
    client.sync()?;

    let mut figures = vec![
        timed(rounds, |_| client.sync())?.figure("osc", "/sync: sent to /synced"),
        timed(rounds, |round| {
            client.send(&message("/m/c/gain", [level(round)])?)?;
            client.sync()
        })?
        .figure("osc", "/m/c/gain, then /sync: sent to in effect"),
        timed(rounds, |round| {
            let token = OscType::Int(round as i32);
            let set = message("/req", [token.clone(), text("/m/c/gain"), level(round)])?;
            client.ask(&set, |answer| is_done(answer, "/m/c/gain") && answer.args.last() == Some(&token)).map(drop)
        })?
        .figure("osc", "/req of /m/c/gain: sent to /done"),
    ];
    let flood = flood(&mut served.client, Duration::from_millis(if is_quick { 250 } else { 1000 }))?;
    figures.push(Figure::single("osc", "/m/c/gain in bursts, none lost or refused", "messages/s", flood.rate));
    figures.push(Figure::single(
        "osc",
        "largest burst taken whole (of 16 64 256 1024)",
        "messages",
        flood.burst as f64,
    ));
    Ok(figures)
}

/// A value that changes from message to message.
fn level(round: usize) -> OscType {
    OscType::Float(0.1 + (round % 16) as f32 / 64.0)
}

fn timed(rounds: usize, mut each: impl FnMut(usize) -> Result<(), String>) -> Result<Samples, String> {
    let mut samples = Samples::micros();
    for round in 0..rounds {
        let started = Instant::now();
        each(round)?;
        samples.add(started.elapsed().as_nanos() as u64);
    }
    Ok(samples)
}

/// What a flood came to.
struct Flood {
    /// The most messages a second that were all taken.
    rate: f64,
    /// The largest burst that was taken whole.
    burst: u64,
}

/// Bursts of messages, each followed by a `/sync`, larger and larger until one is lost or refused.
fn flood(client: &mut Client, span: Duration) -> Result<Flood, String> {
    let sets = (0..16).map(|round| message("/m/c/gain", [level(round)])).collect::<Result<Vec<_>, _>>()?;
    let mut flood = Flood { rate: 0.0, burst: 0 };
    client.patience(Duration::from_millis(300));
    for window in WINDOWS {
        let before = counts(client)?;
        let started = Instant::now();
        let (mut sent, mut syncs, mut is_whole) = (0, 0, true);
        while is_whole && started.elapsed() < span {
            for round in 0..window {
                client.send(&sets[round as usize % sets.len()])?;
            }
            // A refusal of a message answers it too.
            is_whole = client.sync().is_ok();
            (sent, syncs) = (sent + window, syncs + 1);
        }
        let seconds = started.elapsed().as_secs_f64();
        // What is still on its way belongs to this window.
        std::thread::sleep(Duration::from_millis(20));
        let after = counts(client)?;
        is_whole &= after.received - before.received >= (sent + syncs) as f64 && after.refused == before.refused;
        if !is_whole {
            break;
        }
        flood = Flood { rate: flood.rate.max(sent as f64 / seconds), burst: window };
    }
    Ok(flood)
}

struct Counts {
    received: f64,
    refused: f64,
}

fn counts(client: &Client) -> Result<Counts, String> {
    let stats = client.stats()?;
    let of = |name: &str| stats.get(name).copied().ok_or_else(|| format!("the engine does not count {name}"));
    Ok(Counts { received: of("osc_received")?, refused: of("osc_refused_busy")? })
}
