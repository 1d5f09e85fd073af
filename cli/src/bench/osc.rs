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
    let served = Served::start(flags)?;
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
    let best = flood(client, Duration::from_millis(if is_quick { 250 } else { 1000 }))?;
    figures.push(Figure::single("osc", "/m/c/gain taken in effect, none refused", "messages/s", best));
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

/// The most messages a second of all windows, each followed by a `/sync`, in which none was lost or refused.
fn flood(client: &Client, span: Duration) -> Result<f64, String> {
    let sets = (0..16).map(|round| message("/m/c/gain", [level(round)])).collect::<Result<Vec<_>, _>>()?;
    let count = |name: &str| client.stats().map(|stats| stats.get(name).copied().unwrap_or(0.0));
    let mut best = 0.0f64;
    for window in WINDOWS {
        let (received, refused) = (count("osc_received")?, count("osc_refused_busy")?);
        let started = Instant::now();
        let (mut sent, mut syncs) = (0u64, 0u64);
        while started.elapsed() < span {
            for round in 0..window {
                client.send(&sets[round as usize % sets.len()])?;
            }
            // A refusal answers it too; that is seen in the counts.
            if client.sync().is_err() {
                break;
            }
            (sent, syncs) = (sent + window, syncs + 1);
        }
        let seconds = started.elapsed().as_secs_f64();
        std::thread::sleep(Duration::from_millis(20));
        let arrived = count("osc_received")? - received;
        // Two questions for the counts lie between the two readings.
        let is_whole = arrived >= (sent + syncs) as f64 && count("osc_refused_busy")? == refused;
        if !is_whole {
            break;
        }
        best = best.max(sent as f64 / seconds);
    }
    Ok(best)
}
