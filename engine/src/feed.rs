//! The last step to the ear: the conductor's blocks wait here until the device takes them.
//!
//! The device side never waits, allocates or logs. Where a frame is missing it gives silence and counts it. What it
//! took, and when, is what the conductor keeps time by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::futex;

/// Channels that `out` gives.
pub const SIDES: usize = 2;

/// What the device has taken, as the conductor sees it.
#[derive(Default)]
pub struct Taken {
    /// Frames taken out of the ring since the start.
    frames: AtomicU64,
    /// When the last period was taken, on the monotonic clock.
    at_ns: AtomicU64,
    /// Frames that the device needed and did not get.
    missed: AtomicU64,
    /// Periods with at least one such frame.
    xruns: AtomicU64,
    /// Changes with every period; the conductor waits on it.
    periods: AtomicU32,
}

/// One moment of [`Taken`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Frames taken so far.
    pub frames: u64,
    /// When the last of them were taken; 0 before the first.
    pub at_ns: u64,
}

/// The conductor's side.
pub struct Sink {
    ring: Producer<f32>,
    taken: Arc<Taken>,
}

/// The device's side.
pub struct Feed {
    ring: Consumer<f32>,
    taken: Arc<Taken>,
}

/// A ring that holds `frames` frames.
pub fn feed(frames: usize) -> (Sink, Feed) {
    let (producer, consumer) = RingBuffer::new(frames * SIDES);
    let taken = Arc::new(Taken::default());
    (Sink { ring: producer, taken: Arc::clone(&taken) }, Feed { ring: consumer, taken })
}

impl Sink {
    /// Frames for which there is room.
    pub fn room(&self) -> usize {
        self.ring.slots() / SIDES
    }

    /// Hands over a block, sample by sample left and right. Returns false, and hands over nothing, without room.
    pub fn push(&mut self, block: &[[f32; SIDES]]) -> bool {
        let Ok(chunk) = self.ring.write_chunk_uninit(block.len() * SIDES) else { return false };
        chunk.fill_from_iter(block.iter().flatten().copied());
        true
    }

    /// The books of this feed.
    pub fn taken(&self) -> &Arc<Taken> {
        &self.taken
    }
}

impl Taken {
    /// What has been taken, and when.
    pub fn moment(&self) -> Moment {
        // SYNC feed-taken: pairs with Feed::fill. The time is written before the frames: a reader that falls between the
        // two sees frames that are one period old, which is early by less than a period and mends itself at the next look.
        let frames = self.frames.load(Ordering::Acquire);
        Moment { frames, at_ns: self.at_ns.load(Ordering::Relaxed) }
    }

    /// Frames missed, and periods in which any was.
    pub fn missed(&self) -> (u64, u64) {
        (self.missed.load(Ordering::Relaxed), self.xruns.load(Ordering::Relaxed))
    }

    /// The word that changes with every period.
    pub fn periods(&self) -> u32 {
        self.periods.load(Ordering::Acquire)
    }

    /// Sleeps until a period after `seen` is taken, or until `deadline_ns`.
    pub fn wait(&self, seen: u32, deadline_ns: Option<u64>) -> futex::Wake {
        futex::wait(&self.periods, seen, deadline_ns)
    }

    /// Wakes a conductor that waits for a period.
    pub fn nudge(&self) {
        self.periods.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.periods);
    }
}

impl Feed {
    /// Fills `out`, interleaved with `channels` channels, with the next frames. Real-time safe.
    ///
    /// The first two channels are left and right; one channel gets their mean; further ones get silence. Frames that are
    /// not there in time are silence, and are counted.
    pub fn fill(&mut self, out: &mut [f32], channels: usize) {
        let wanted = out.len() / channels;
        let got = wanted.min(self.ring.slots() / SIDES);
        out.fill(0.0);
        if let Ok(chunk) = self.ring.read_chunk(got * SIDES) {
            let mut samples = chunk.into_iter();
            for frame in out.chunks_exact_mut(channels).take(got) {
                let (Some(left), Some(right)) = (samples.next(), samples.next()) else { break };
                match frame {
                    [mono] => *mono = 0.5 * (left + right),
                    [first, second, ..] => (*first, *second) = (left, right),
                    [] => {}
                }
            }
        }
        let taken = &*self.taken;
        taken.at_ns.store(now_ns(), Ordering::Relaxed);
        // SYNC feed-taken: pairs with Taken::moment.
        taken.frames.fetch_add(got as u64, Ordering::Release);
        if got < wanted {
            taken.missed.fetch_add((wanted - got) as u64, Ordering::Relaxed);
            taken.xruns.fetch_add(1, Ordering::Relaxed);
        }
        taken.nudge();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_silence_and_counted() {
        let (mut sink, mut feed) = feed(8);
        assert!(sink.push(&[[1.0, 2.0]; 6]));
        assert!(!sink.push(&[[1.0, 2.0]; 3]), "no room: nothing is handed over");
        let mut out = [9.0; 16];
        feed.fill(&mut out, 2);
        assert_eq!(out[..4], [1.0, 2.0, 1.0, 2.0]);
        assert_eq!(out[12..], [0.0; 4]);
        assert_eq!(sink.taken().missed(), (2, 1));
        assert_eq!(sink.taken().moment().frames, 6);
    }

    #[test]
    fn a_mono_device_hears_the_mean_and_a_wide_one_its_first_two() {
        let (mut sink, mut feed) = feed(8);
        sink.push(&[[1.0, 2.0]; 2]);
        let mut mono = [0.0; 1];
        feed.fill(&mut mono, 1);
        assert_eq!(mono, [1.5]);
        let mut quad = [9.0; 4];
        feed.fill(&mut quad, 4);
        assert_eq!(quad, [1.0, 2.0, 0.0, 0.0]);
    }
}
