//! The last frames of one signal, for eyes: the conductor writes, anybody reads. The writer never waits, and overwrites
//! what is oldest whether it was read or not.
//!
//! Not `ringbuf`: its overwriting push needs the whole ring to itself, so a reader would have to lock the conductor out.
//! Here a reader that was overtaken notices, and leaves out what it may have read torn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// The frames, as bits, and how many were ever written.
struct History {
    frames: Box<[AtomicU32]>,
    /// Frames begun, then frames done: the cells between the two are being written.
    begun: AtomicU64,
    done: AtomicU64,
}

/// The conductor's side.
pub struct Probe(Arc<History>);

/// The reader's side; any number of clones.
#[derive(Clone)]
pub struct Scope(Arc<History>);

/// A history of the last `frames` frames (rounded up to a power of two).
pub fn scope(frames: usize) -> (Probe, Scope) {
    let cells = frames.max(1).next_power_of_two();
    let frames = (0..cells).map(|_| AtomicU32::new(0)).collect();
    let history = Arc::new(History { frames, begun: AtomicU64::new(0), done: AtomicU64::new(0) });
    (Probe(Arc::clone(&history)), Scope(history))
}

impl History {
    fn cell(&self, frame: u64) -> &AtomicU32 {
        &self.frames[frame as usize & (self.frames.len() - 1)]
    }
}

impl Probe {
    /// Adds a block. Real-time safe.
    pub fn push(&mut self, block: &[f32]) {
        let history = &*self.0;
        let done = history.done.load(Ordering::Relaxed);
        let end = done + block.len() as u64;
        history.begun.store(end, Ordering::Relaxed);
        // SYNC scope-begun: pairs with Scope::read. Who reads a cell written below sees `begun` as stored above.
        fence(Ordering::Release);
        for (frame, sample) in (done..end).zip(block) {
            history.cell(frame).store(sample.to_bits(), Ordering::Relaxed);
        }
        // SYNC scope-done: pairs with Scope::read.
        history.done.store(end, Ordering::Release);
    }
}

impl Scope {
    /// Puts the last frames into `out`, oldest first, replacing what is there; returns the number of the frame after them.
    ///
    /// There are at most as many as asked of [`scope`], and less by what was overwritten meanwhile.
    pub fn read(&self, out: &mut Vec<f32>) -> u64 {
        let history = &*self.0;
        let cells = history.frames.len() as u64;
        // SYNC scope-done: what is done can be read.
        let done = history.done.load(Ordering::Acquire);
        let first = done.saturating_sub(cells);
        out.clear();
        out.extend((first..done).map(|frame| f32::from_bits(history.cell(frame).load(Ordering::Relaxed))));
        // SYNC scope-begun: a cell that was overwritten while we read belongs to a block begun by now.
        fence(Ordering::Acquire);
        let begun = history.begun.load(Ordering::Relaxed);
        let torn = begun.saturating_sub(cells).saturating_sub(first).min(done - first);
        out.drain(..torn as usize);
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_frames_are_read_oldest_first() {
        let (mut probe, scope) = scope(4);
        let mut seen = vec![9.0];
        assert_eq!(scope.read(&mut seen), 0);
        assert!(seen.is_empty());
        probe.push(&[1.0, 2.0]);
        probe.push(&[3.0, 4.0, 5.0]);
        assert_eq!(scope.read(&mut seen), 5);
        assert_eq!(seen, [2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn a_reader_that_is_overtaken_sees_no_torn_history() {
        const FRAMES: u64 = 1 << 20;
        let (mut probe, scope) = scope(256);
        std::thread::scope(|threads| {
            threads.spawn(move || {
                for at in (0..FRAMES).step_by(32) {
                    let block: Vec<f32> = (at..at + 32).map(|n| n as f32).collect();
                    probe.push(&block);
                }
            });
            let mut seen = Vec::new();
            loop {
                let end = scope.read(&mut seen);
                let first = end - seen.len() as u64;
                for (n, &sample) in seen.iter().enumerate() {
                    assert_eq!(sample, (first + n as u64) as f32);
                }
                if end == FRAMES {
                    break;
                }
            }
        });
    }
}
