//! Plays to one device for some seconds, or until it is lost, and prints what happened as JSON.
//!
//! `device-probe list`, or `device-probe play BACKEND NAME RATE PERIOD SECONDS`, where NAME `-` is the default.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tine_engine::device::{self, Backend, DeviceEvent, Wish};
use tine_engine::feed::feed;
use tine_protocol::sys::clock::now_ns;
use tine_tests::probe::{PLAYED, Report};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let report = match args[..] {
        ["list"] => return println!("{}", serde_json::to_string(&device::list()).expect("plain data")),
        ["play", backend, name, rate_hz, period, seconds] => {
            let wish = Wish {
                is_heard: false,
                backend: match backend {
                    "auto" => Backend::Auto,
                    "alsa" => Backend::Alsa,
                    "jack" => Backend::Jack,
                    _ => Backend::Null,
                },
                device: (name != "-").then(|| name.to_owned()),
                rate_hz: rate_hz.parse().expect("a rate"),
                period: period.parse().expect("a period"),
            };
            play(&wish, seconds.parse().expect("seconds"))
        }
        _ => panic!("device-probe list | play BACKEND NAME RATE PERIOD SECONDS"),
    };
    println!("{}", serde_json::to_string(&report).expect("plain data"));
}

fn play(wish: &Wish, seconds: f64) -> Report {
    let failed = |e: device::DeviceError| Report { error: Some(e.to_string()), ..Report::default() };
    let opening = match device::open(wish) {
        Ok(opening) => opening,
        Err(e) => return failed(e),
    };
    let opened = opening.device;
    let (name, rate_hz, period) = (opened.name().to_owned(), opened.rate_hz(), opened.period());
    // A tenth of a second ahead, so that a stall of the machine is not taken for a fault of the device.
    let (mut sink, feed) = feed(rate_hz as usize / 10 + period as usize * 4);
    let block = vec![PLAYED; period as usize];
    while sink.push(&block) {}
    let taken = Arc::clone(sink.taken());
    let lost = Arc::new(Mutex::new(None));
    let tell = {
        let lost = Arc::clone(&lost);
        Box::new(move |event| {
            if let DeviceEvent::Lost(reason) = event {
                *lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
            }
        })
    };
    let playing = match opened.start(feed, tell) {
        Ok(playing) => playing,
        Err(e) => return failed(e),
    };
    let begun = Instant::now();
    let (mut first_ns, mut seen) = (0, taken.periods());
    let is_lost = || lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
    while begun.elapsed() < Duration::from_secs_f64(seconds) && is_lost().is_none() {
        taken.wait(seen, Some(now_ns() + 50_000_000));
        seen = taken.periods();
        if first_ns == 0 {
            first_ns = taken.moment().at_ns;
        }
        while sink.push(&block) {}
    }
    let (moment, missed, periods) = (taken.moment(), taken.missed().0, u64::from(taken.periods()));
    let (real_time, host_xruns) = (playing.real_time(), playing.host_xruns());
    drop(playing);
    Report {
        error: None,
        name,
        note: opening.note,
        rate_hz,
        period,
        asked: moment.frames + missed,
        missed,
        periods,
        seconds: (moment.at_ns - first_ns) as f64 / 1e9,
        real_time,
        host_xruns,
        lost: is_lost(),
    }
}
