//! What the sound device hears, on its way to the patch.
//!
//! The device side never waits, allocates or logs. It hears a period at once, and the conductor takes a block at a time and a little ahead of the device:
//! a cushion of a period and a block lies between them. Where it runs dry there is silence until it is filled again; what
//! it cannot hold is dropped. Both are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::feed::SIDES;

/// Frames that were lost on the way.
#[derive(Default)]
pub struct Lost(AtomicU64);

impl Lost {
    /// How many so far.
    pub fn frames(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The device's side.
pub struct Mouth {
    ring: Producer<[f32; SIDES]>,
    lost: Arc<Lost>,
}

/// The conductor's side.
pub struct Ear {
    ring: Consumer<[f32; SIDES]>,
    lost: Arc<Lost>,
    cushion: usize,
    is_filled: bool,
}

/// A way for a device that hears `period` frames at once, into blocks of `frames`.
pub fn ear(period: usize, frames: usize, lost: &Arc<Lost>) -> (Mouth, Ear) {
    let cushion = period + frames;
    let (producer, consumer) = RingBuffer::new(2 * cushion);
    let ear = Ear { ring: consumer, lost: Arc::clone(lost), cushion, is_filled: false };
    (Mouth { ring: producer, lost: Arc::clone(lost) }, ear)
}

impl Mouth {
    /// Takes what a device heard, interleaved with `channels` channels: the first two, or one twice. Real-time safe.
    pub fn hear(&mut self, samples: &[f32], channels: usize) {
        for frame in samples.chunks_exact(channels.max(1)) {
            let sides = match frame {
                [mono] => [*mono; SIDES],
                [left, right, ..] => [*left, *right],
                [] => [0.0; SIDES],
            };
            if self.ring.push(sides.map(tine_modules::dsp::math::scrub)).is_err() {
                self.lost.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Mouth {
    /// The same for a device that hears whole numbers of `unit` each; `floats` is work space for a period.
    pub fn hear_as<T: Copy + Into<f64>>(&mut self, samples: &[T], channels: usize, floats: &mut [f32], unit: f64) {
        for part in samples.chunks(floats.len().max(1)) {
            let floats = &mut floats[..part.len()];
            for (float, &sample) in floats.iter_mut().zip(part) {
                *float = (sample.into() * unit) as f32;
            }
            self.hear(floats, channels);
        }
    }
}

impl Ear {
    /// The next block. False, and silence, while the cushion is not filled. Real-time safe.
    pub fn take(&mut self, block: &mut [[f32; SIDES]]) -> bool {
        let there = self.ring.slots();
        // Full, it would drop what comes: then the oldest frames go, down to the cushion.
        if there == 2 * self.cushion {
            self.skip(self.cushion);
        }
        self.is_filled = if self.is_filled { there >= block.len() } else { there >= self.cushion };
        if !self.is_filled {
            block.fill([0.0; SIDES]);
            return false;
        }
        for frame in block {
            *frame = self.ring.pop().unwrap_or_default();
        }
        true
    }

    fn skip(&mut self, frames: usize) {
        if let Ok(chunk) = self.ring.read_chunk(frames) {
            chunk.commit_all();
            self.lost.0.fetch_add(frames as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_arrives_in_order_behind_its_cushion() {
        let lost = Arc::new(Lost::default());
        let (mut mouth, mut ear) = ear(128, 64, &lost);
        let mut heard = Vec::new();
        let mut block = [[9.0; 2]; 64];
        let mut next = 0.0;
        for _ in 0..50 {
            // Small enough to be sound.
            let period: Vec<f32> = (0..256).map(|sample| (next + (sample / 2) as f32) / 8192.0).collect();
            next += 128.0;
            mouth.hear(&period, 2);
            for _ in 0..2 {
                if ear.take(&mut block) {
                    heard.extend(block.map(|frame| frame[0]));
                }
            }
        }
        assert_eq!(lost.frames(), 0);
        assert!(heard.len() > 45 * 128);
        assert!(heard.iter().enumerate().all(|(frame, &sample)| sample == frame as f32 / 8192.0));
    }

    #[test]
    fn what_nobody_takes_is_dropped_and_counted_and_a_dry_cushion_is_filled_again() {
        let lost = Arc::new(Lost::default());
        let (mut mouth, mut ear) = ear(64, 64, &lost);
        mouth.hear(&[0.5; 300], 1);
        assert_eq!(lost.frames(), 300 - 256);
        let mut block = [[0.0; 2]; 64];
        assert!(ear.take(&mut block) && ear.take(&mut block));
        assert_eq!(block[0], [0.5, 0.5], "a mono device is heard on both sides");
        assert!(!ear.take(&mut block), "dry");
        assert_eq!(block, [[0.0; 2]; 64]);
        mouth.hear(&[0.5; 64], 1);
        assert!(!ear.take(&mut block), "not yet filled");
        mouth.hear(&[0.5; 64], 1);
        assert!(ear.take(&mut block));
    }
}
