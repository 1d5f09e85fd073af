//! Sounds from files: what a `file` param names, ready to be read by any module.
//!
//! The engine loads a file once, has the kind [prepare](crate::Module::prepare) it, and lays the result into a store that
//! workers only read. The param's value is the number of a place in that store; 0 is none. Samples are read as the bits of
//! atomic words, because the engine may be filling another place meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};

/// Places in a store, place 0 (none) included.
pub const PLACES: usize = 1024;

/// Words that describe one place: first word of its samples, frames, channels, one number of the kind's own.
pub const PLACE_WORDS: usize = 4;

/// A file as it was read: interleaved samples, nominal -1..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Frames per second.
    pub rate_hz: u32,
    /// 1 or more.
    pub channels: usize,
    /// `channels` samples per frame.
    pub samples: Vec<f32>,
}

/// What a kind makes of a [`Recording`], to be read by [`Sound`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// 1 or more.
    pub channels: usize,
    /// Channel after channel, all of the same length.
    pub samples: Vec<f32>,
    /// Whatever the kind wants to remember beside the samples.
    pub note: u32,
}

/// Every sound there is; the words of the store.
#[derive(Clone, Copy)]
pub struct Sounds<'a>(&'a [AtomicU32]);

/// One of them.
#[derive(Clone, Copy)]
pub struct Sound<'a> {
    /// Frames per channel; at least 1.
    pub frames: usize,
    /// 1 or more.
    pub channels: usize,
    /// As [`Prepared::note`].
    pub note: u32,
    cells: &'a [AtomicU32],
}

impl<'a> Sounds<'a> {
    /// The sounds of a store; an empty one has none.
    pub fn new(words: &'a [AtomicU32]) -> Sounds<'a> {
        Sounds(words)
    }

    /// The sound at `place`, or `None` where there is none, or none that lies within the store.
    #[inline(always)]
    pub fn at(&self, place: usize) -> Option<Sound<'a>> {
        if place == 0 || place >= PLACES {
            return None;
        }
        let head = self.0.get(place * PLACE_WORDS..(place + 1) * PLACE_WORDS)?;
        // SYNC sound-place: pairs with Store::lay. The frames are stored last.
        let frames = head[1].load(Ordering::Acquire) as usize;
        let [first, channels] = [&head[0], &head[2]].map(|word| word.load(Ordering::Relaxed) as usize);
        let cells = self.0.get(first..)?.get(..frames.checked_mul(channels)?)?;
        (frames > 0 && channels > 0).then(|| Sound { frames, channels, note: head[3].load(Ordering::Relaxed), cells })
    }
}

impl Sound<'_> {
    /// Sample `frame` of `channel`; beyond the last channel the channels repeat, beyond the ends there is silence.
    #[inline(always)]
    pub fn read(&self, channel: usize, frame: usize) -> f32 {
        if frame >= self.frames {
            return 0.0;
        }
        f32::from_bits(self.cells[channel % self.channels * self.frames + frame].load(Ordering::Relaxed))
    }

    /// Copies `into.len()` samples of `channel` from `frame` on; silence past the end.
    #[inline(always)]
    pub fn copy(&self, channel: usize, frame: usize, into: &mut [f32]) {
        let start = channel % self.channels * self.frames;
        let cells = &self.cells[start..start + self.frames];
        let there = cells.len().saturating_sub(frame).min(into.len());
        let (there, past) = into.split_at_mut(there);
        for (value, cell) in there.iter_mut().zip(cells.iter().skip(frame)) {
            *value = f32::from_bits(cell.load(Ordering::Relaxed));
        }
        past.fill(0.0);
    }
}

/// Lays sounds into the words of a store, one after another.
pub struct Store {
    next_place: usize,
    next_word: usize,
}

impl Default for Store {
    fn default() -> Store {
        Store { next_place: 1, next_word: PLACES * PLACE_WORDS }
    }
}

impl Store {
    /// A store that goes on behind what was laid there already.
    pub fn after(sounds: Sounds<'_>) -> Store {
        let mut store = Store::default();
        for place in 1..PLACES {
            if let Some(sound) = sounds.at(place) {
                let first = sounds.0[place * PLACE_WORDS].load(Ordering::Relaxed) as usize;
                store.next_place = place + 1;
                store.next_word = store.next_word.max(first + sound.frames * sound.channels);
            }
        }
        store
    }

    /// Lays `sound` into `words` by `set(word, bits)`, and returns its place; `None` if a store of `words` words is full.
    /// What `set` stores for [`Sounds`] to find goes last: it is to be a release.
    pub fn lay(&mut self, sound: &Prepared, words: usize, mut set: impl FnMut(usize, u32)) -> Option<usize> {
        let channels = sound.channels.max(1);
        let frames = sound.samples.len() / channels;
        let (place, first) = (self.next_place, self.next_word);
        let end = first.checked_add(frames * channels)?;
        if place >= PLACES || end > words || frames == 0 {
            return None;
        }
        for (word, sample) in (first..end).zip(&sound.samples) {
            set(word, if sample.is_finite() { sample.to_bits() } else { 0 });
        }
        let head = place * PLACE_WORDS;
        set(head, first as u32);
        set(head + 2, channels as u32);
        set(head + 3, sound.note);
        // SYNC sound-place: pairs with Sounds::at.
        set(head + 1, frames as u32);
        (self.next_place, self.next_word) = (place + 1, end);
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(sound: &Prepared, words: usize) -> (Vec<AtomicU32>, Option<usize>) {
        let cells: Vec<AtomicU32> = (0..words).map(|_| AtomicU32::new(0)).collect();
        let place = Store::default().lay(sound, words, |word, bits| cells[word].store(bits, Ordering::Release));
        (cells, place)
    }

    #[test]
    fn what_was_laid_is_read_and_silence_follows() {
        let sound = Prepared { channels: 2, samples: vec![1.0, 2.0, 3.0, -1.0, -2.0, f32::NAN], note: 7 };
        let (cells, place) = store(&sound, 5000);
        let found = Sounds::new(&cells).at(place.unwrap()).unwrap();
        assert_eq!((found.frames, found.channels, found.note), (3, 2, 7));
        assert_eq!([0, 1, 2, 3].map(|frame| found.read(1, frame)), [-1.0, -2.0, 0.0, 0.0]);
        assert_eq!(found.read(2, 1), 2.0);
        let mut next = Store::after(Sounds::new(&cells));
        assert_eq!(next.lay(&sound, cells.len(), |_, _| {}), Some(2), "an engine that follows goes on behind it");
        let mut copied = [9.0; 4];
        found.copy(0, 1, &mut copied);
        assert_eq!(copied, [2.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn a_spoilt_store_has_no_sound_there() {
        let sound = Prepared { channels: 1, samples: vec![1.0; 8], note: 0 };
        let (cells, place) = store(&sound, 5000);
        assert!(Sounds::new(&[]).at(1).is_none() && Sounds::new(&cells).at(0).is_none());
        cells[place.unwrap() * PLACE_WORDS + 1].store(u32::MAX, Ordering::Relaxed);
        assert!(Sounds::new(&cells).at(place.unwrap()).is_none());
        assert_eq!(store(&sound, PLACES * PLACE_WORDS + 7).1, None, "a full store takes nothing");
    }
}
