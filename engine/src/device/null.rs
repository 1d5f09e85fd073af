//! A device without sound that keeps real time: what plays where there is no card, and what tests play to. Takes period
//! `k` at `start + k * period`, so it never drifts; it never waits for the one who feeds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::futex;

use super::watch::{News, Watch};
use super::{Backend, DeviceError, DeviceEvent, DeviceInfo, Opened, Playing};
use crate::feed::{Feed, SIDES};

/// A lag up to this is caught up, period by period, as a card with a buffer of this length would ask for it; a longer one
/// is a hole in the sound, after which the clock starts anew.
const CATCH_UP_NS: u64 = 100_000_000;
/// Above it no sound is made; and a period is a second at most, which bounds what it allocates.
const RATE_MAX_HZ: u32 = 768_000;

/// Opened; see [`Opened::start`].
pub struct Null {
    rate_hz: u32,
    period: u32,
}

/// The line for `tine devices`.
pub fn info() -> DeviceInfo {
    DeviceInfo {
        backend: Backend::Null,
        name: "null".to_owned(),
        about: "keeps real time without sound".to_owned(),
        is_default: true,
        rates_hz: Vec::new(),
        periods: Some((1, RATE_MAX_HZ)),
        channels: SIDES as u16,
    }
}

impl Null {
    /// Takes `period` frames at once, `rate_hz` a second.
    ///
    /// # Errors
    /// For a rate of 0 or over 768 kHz, or a period of 0 or over a second.
    pub fn new(rate_hz: u32, period: u32) -> Result<Null, DeviceError> {
        if !(1..=RATE_MAX_HZ).contains(&rate_hz) || !(1..=rate_hz).contains(&period) {
            return Err(DeviceError::Unfit {
                device: "null".to_owned(),
                asked: format!("{rate_hz} hz with a period of {period}"),
                takes: format!("1 to {RATE_MAX_HZ} hz, with a period of up to a second"),
            });
        }
        Ok(Null { rate_hz, period })
    }
}

impl Opened for Null {
    fn name(&self) -> &str {
        "null"
    }

    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn period(&self) -> u32 {
        self.period
    }

    fn start(
        self: Box<Self>,
        feed: Feed,
        tell: Box<dyn Fn(DeviceEvent) + Send + Sync>,
    ) -> Result<Box<dyn Playing>, DeviceError> {
        let refused = |e: std::io::Error| DeviceError::Host { device: "null".to_owned(), reason: e.to_string() };
        let news = Arc::new(News::default());
        let stop = Arc::new(AtomicU32::new(0));
        let watch = Watch::start(Arc::clone(&news), tell).map_err(refused)?;
        let (rate_hz, period) = (self.rate_hz, self.period);
        let thread = {
            let (news, stop) = (Arc::clone(&news), Arc::clone(&stop));
            let clock = move || keep_time(rate_hz, period, feed, &news, &stop);
            thread::Builder::new().name("device-null".to_owned()).spawn(clock).map_err(refused)?
        };
        Ok(Box::new(Running { rate_hz, period, news, stop, thread: Some(thread), _watch: watch }))
    }
}

/// When periods are due.
struct Clock {
    start_ns: u64,
    /// Periods since `start_ns`.
    count: u64,
    rate_hz: u32,
    period: u32,
}

impl Clock {
    fn due_ns(&self) -> u64 {
        // In 128 bits, from the start: neither rounding nor overflow adds up.
        let frames = u128::from(self.count) * u128::from(self.period);
        self.start_ns + (frames * 1_000_000_000 / u128::from(self.rate_hz)) as u64
    }

    /// Goes on to the next period; true if that had to start the clock anew, being too far behind `now_ns`.
    fn next(&mut self, now_ns: u64) -> bool {
        self.count += 1;
        let hole = now_ns.saturating_sub(self.due_ns()) > CATCH_UP_NS;
        if hole {
            (self.start_ns, self.count) = (now_ns, 0);
        }
        hole
    }
}

fn keep_time(rate_hz: u32, period: u32, mut feed: Feed, news: &News, stop: &AtomicU32) {
    news.take_priority();
    let mut sound = vec![0.0; period as usize * SIDES];
    let mut clock = Clock { start_ns: now_ns(), count: 0, rate_hz, period };
    loop {
        // The stop word rather than a sleep: dropping a device with a long period does not wait for it.
        while now_ns() < clock.due_ns() && stop.load(Ordering::Acquire) == 0 {
            futex::wait(stop, 0, Some(clock.due_ns()));
        }
        if stop.load(Ordering::Acquire) != 0 {
            return;
        }
        feed.fill(&mut sound, SIDES);
        news.beat(period);
        if clock.next(now_ns()) {
            news.xrun();
        }
    }
}

struct Running {
    rate_hz: u32,
    period: u32,
    news: Arc<News>,
    stop: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
    _watch: Watch,
}

impl Playing for Running {
    fn name(&self) -> &str {
        "null"
    }

    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn period(&self) -> u32 {
        self.period
    }

    fn real_time(&self) -> Option<bool> {
        self.news.real_time()
    }

    fn host_xruns(&self) -> u64 {
        self.news.xruns()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(1, Ordering::Release);
        futex::wake_all(&self.stop);
        if let Some(thread) = self.thread.take() {
            // Bounded by one fill of one period: nothing in the loop waits for anything but the stop word.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::feed;

    fn clock() -> Clock {
        Clock { start_ns: 5_000, count: 0, rate_hz: 44_100, period: 64 }
    }

    #[test]
    fn a_million_periods_end_on_the_frame() {
        let mut clock = clock();
        for _ in 0..44_100 * 10 {
            assert!(!clock.next(0));
        }
        assert_eq!(clock.due_ns(), 5_000 + 640 * 1_000_000_000);
    }

    #[test]
    fn a_short_stall_is_caught_up_and_a_long_one_starts_the_clock_anew() {
        let mut clock = clock();
        let short = clock.due_ns() + CATCH_UP_NS;
        assert!(!clock.next(short));
        assert!(clock.due_ns() < short, "the missed periods are due at once");
        let long = clock.due_ns() + 2 * CATCH_UP_NS;
        assert!(clock.next(long));
        assert_eq!(clock.due_ns(), long);
    }

    #[test]
    fn it_takes_what_it_is_given_at_real_time_and_stops_when_dropped() {
        let (mut sink, feed) = feed(96_000);
        assert!(sink.push(&vec![[0.5, -0.5]; 96_000]));
        let taken = Arc::clone(sink.taken());
        let device = Box::new(Null::new(48_000, 64).unwrap()).start(feed, Box::new(|_| {})).unwrap();
        let started_ns = now_ns();
        let mut seen = taken.periods();
        while now_ns() - started_ns < 1_000_000_000 {
            taken.wait(seen, Some(started_ns + 1_000_000_000));
            seen = taken.periods();
        }
        let moment = taken.moment();
        let rate_hz = moment.frames as f64 * 1e9 / (moment.at_ns - started_ns) as f64;
        // Holes of a machine that stalls make it slower, never faster.
        assert!(rate_hz < 48_000.0 * 1.05, "{rate_hz}");
        if device.host_xruns() == 0 {
            assert!(rate_hz > 48_000.0 * 0.85, "{rate_hz}");
        }
        assert!(device.real_time().is_some());
        drop(device);
        let periods = taken.periods();
        thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(taken.periods(), periods, "nothing is taken after the drop");
    }

    #[test]
    fn a_period_of_nothing_is_refused() {
        assert!(matches!(Null::new(48_000, 0), Err(DeviceError::Unfit { .. })));
        assert!(matches!(Null::new(0, 64), Err(DeviceError::Unfit { .. })));
    }
}
