//! What runs on a sound host's real-time thread: one period from the feed to the device, in the device's sample format.
//! Never allocates, locks or logs; waits only for a device that would otherwise run ahead of time.

use std::sync::Arc;

use rtrb::Consumer;
use tine_protocol::sys::clock::{now_ns, sleep_until_ns};

use super::watch::News;
use crate::feed::Feed;

/// A sample format that devices take.
pub(super) trait Format: Copy + Default + Send + 'static {
    /// From -1..1, saturating.
    fn from_sample(sample: f32) -> Self;
}

impl Format for i16 {
    fn from_sample(sample: f32) -> i16 {
        // `as` saturates, and makes 0 of NaN.
        (sample * 32_768.0).round_ties_even() as i16
    }
}

impl Format for i32 {
    fn from_sample(sample: f32) -> i32 {
        (f64::from(sample) * 2_147_483_648.0) as i32
    }
}

/// The state of one stream's callback.
pub(super) struct Callback {
    /// Brings the feed, once, before the stream starts.
    inbox: Consumer<Feed>,
    feed: Option<Feed>,
    channels: usize,
    /// A period of floats, for a device that takes none.
    scratch: Vec<f32>,
    pace: Option<Pace>,
    news: Arc<News>,
    begun: bool,
}

impl Callback {
    pub(super) fn new(
        inbox: Consumer<Feed>,
        channels: usize,
        period: u32,
        pace: Option<Pace>,
        news: Arc<News>,
    ) -> Callback {
        let scratch = vec![0.0; period as usize * channels];
        Callback { inbox, feed: None, channels, scratch, pace, news, begun: false }
    }

    /// One period for a device that takes floats.
    pub(super) fn play(&mut self, out: &mut [f32]) {
        self.begin(out.len());
        match &mut self.feed {
            Some(feed) => feed.fill(out, self.channels),
            None => out.fill(0.0),
        }
    }

    /// One period for a device that takes whole numbers.
    pub(super) fn play_as<T: Format>(&mut self, out: &mut [T]) {
        self.begin(out.len());
        let Some(feed) = &mut self.feed else { return out.fill(T::default()) };
        for part in out.chunks_mut(self.scratch.len()) {
            let samples = &mut self.scratch[..part.len()];
            feed.fill(samples, self.channels);
            for (to, &from) in part.iter_mut().zip(samples.iter()) {
                *to = T::from_sample(from);
            }
        }
    }

    fn begin(&mut self, samples: usize) {
        let frames = (samples / self.channels) as u32;
        if !self.begun {
            self.begun = true;
            self.news.take_priority();
        }
        if self.feed.is_none() {
            self.feed = self.inbox.pop().ok();
        }
        if let Some(until_ns) = self.pace.as_mut().and_then(|pace| pace.next(now_ns(), frames)) {
            sleep_until_ns(until_ns);
        }
        self.news.beat(frames);
    }
}

/// Notices a device that takes sound as fast as it comes (ALSA's `null` and `file`, 200 times real time), and keeps time
/// for it, as nothing else does.
///
/// A card is never held: its buffer is two periods (cpal asks for that), and no card's clock is a quarter too fast.
pub(super) struct Pace {
    rate_hz: u32,
    period: u32,
    /// Start of the present second, or of the time that we keep.
    since_ns: u64,
    frames: u64,
    ours: bool,
}

impl Pace {
    pub(super) fn new(rate_hz: u32, period: u32) -> Pace {
        Pace { rate_hz, period, since_ns: 0, frames: 0, ours: false }
    }

    /// Until when to wait before the next `frames` frames are given.
    fn next(&mut self, now_ns: u64, frames: u32) -> Option<u64> {
        const SECOND_NS: u64 = 1_000_000_000;
        let passed_ns = now_ns.saturating_sub(self.since_ns);
        let passed = passed_ns.min(2 * SECOND_NS) * u64::from(self.rate_hz) / SECOND_NS;
        let due_ns =
            self.since_ns + (u128::from(self.frames) * u128::from(SECOND_NS) / u128::from(self.rate_hz)) as u64;
        let anew = if self.ours {
            // After a stall of the machine time starts anew; it is caught up after a short one, as a card would.
            now_ns.saturating_sub(due_ns) > SECOND_NS / 10
        } else {
            self.ours = self.frames > passed + passed / 4 + 6 * u64::from(self.period);
            self.ours || passed_ns > SECOND_NS
        };
        if anew {
            (self.since_ns, self.frames) = (now_ns, 0);
        }
        self.frames += u64::from(frames);
        (self.ours && !anew).then_some(due_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::feed;

    fn callback(channels: usize) -> (rtrb::Producer<Feed>, Callback) {
        let (outbox, inbox) = rtrb::RingBuffer::new(1);
        (outbox, Callback::new(inbox, channels, 256, None, Arc::default()))
    }

    #[test]
    fn whole_numbers_saturate_and_what_is_no_number_is_silence() {
        let all = [0.0, 0.5, -1.0, 1.0, 7.0, -7.0, f32::NAN];
        assert_eq!(all.map(i16::from_sample), [0, 16_384, i16::MIN, i16::MAX, i16::MAX, i16::MIN, 0]);
        assert_eq!(all.map(i32::from_sample), [0, 1 << 30, i32::MIN, i32::MAX, i32::MAX, i32::MIN, 0]);
    }

    #[test]
    fn before_its_feed_comes_a_device_hears_silence() {
        let (_outbox, mut callback) = callback(2);
        let mut floats = [1.0; 8];
        callback.play(&mut floats);
        assert_eq!(floats, [0.0; 8]);
        let mut whole = [1i16; 8];
        callback.play_as(&mut whole);
        assert_eq!(whole, [0; 8]);
    }

    #[test]
    fn a_period_longer_than_agreed_arrives_whole() {
        let (mut outbox, mut callback) = callback(3);
        let (mut sink, feed) = feed(1024);
        let sound: Vec<[f32; 2]> = (0..1000).map(|n| [n as f32 / 32_768.0, -n as f32 / 32_768.0]).collect();
        assert!(sink.push(&sound));
        assert!(outbox.push(feed).is_ok());
        let mut out = vec![7i16; 3 * 1000];
        callback.play_as(&mut out);
        for (n, frame) in out.chunks(3).enumerate() {
            assert_eq!(frame, [n as i16, -(n as i16), 0]);
        }
        assert_eq!(sink.taken().missed(), (0, 0));
    }

    #[test]
    fn a_device_that_takes_all_at_once_is_held_to_real_time() {
        let mut pace = Pace::new(48_000, 48);
        let mut now_ns = 5_000_000_000;
        let first_ns = now_ns;
        for _ in 0..10_000 {
            now_ns = pace.next(now_ns, 48).unwrap_or(now_ns + 1_000);
        }
        let took_ms = (now_ns - first_ns) / 1_000_000;
        assert!((9_980..=10_000).contains(&took_ms), "{took_ms}");
    }

    #[test]
    fn a_card_is_left_to_its_own_clock() {
        let mut pace = Pace::new(48_000, 48);
        // 1 % fast for ten minutes, two periods at once at the start and after a stall of 50 ms in each second.
        let mut now_ns = 5_000_000_000;
        for n in 0..600_000 {
            assert_eq!(pace.next(now_ns, 48), None, "period {n}");
            now_ns += match n % 1000 {
                0 | 1 => 0,
                2 => 50_000_000,
                _ => 990_000,
            };
        }
    }
}
