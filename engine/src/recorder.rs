//! Records what `out` gives, as 32-bit float stereo WAV. The real-time side ([`Tap`]) never waits: what a slow disk could
//! not take is silence in the file, so that its timing stays right, and is counted. One file holds 4 GiB (3 h at 48 kHz).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use ringbuf::traits::{Consumer, Observer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};
use thiserror::Error;

use crate::feed::SIDES;

mod wav;
use wav::{Disk, Wav};

/// How long the disk may stall before frames are lost.
pub const ROOM_SECONDS: usize = 4;
/// A kill loses at most this much of the end.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// How often the writer looks for frames: the tap does not wake it, as that would be a system call per block.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a caller that may block sleeps before it looks for room again.
const ROOM_EVERY: Duration = Duration::from_micros(200);

/// Why a recording did not begin, or ended by itself.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum RecordError {
    /// The file could not be made.
    #[error("cannot record to {}: {reason}", .path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// As the system says it.
        reason: String,
    },
    /// The disk took no more; the file holds what it took.
    #[error("recording ended: {reason}")]
    Disk {
        /// As the system says it.
        reason: String,
    },
    /// The file holds as much as a WAV file can.
    #[error("recording ended: a WAV file holds no more than 4 GiB")]
    Full,
}

/// What a recording came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The file.
    pub path: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// How many of these are silence, because the disk was too slow for the sound.
    pub lost: u64,
    /// Why it ended, if that was not asked for.
    pub error: Option<RecordError>,
}

/// What goes through the ring.
#[derive(Clone, Copy)]
enum Item {
    Frame([f32; SIDES]),
    /// So many frames that found no room.
    Lost(u32),
}

struct Books {
    /// No longer once the recording has ended, for whatever reason.
    open: AtomicBool,
    stop: AtomicBool,
    lost: AtomicU64,
    /// Lost frames that are not yet told through the ring.
    owed: AtomicU32,
    writer: OnceLock<Thread>,
}

/// The side that gives the sound. To end at a certain frame, stop pushing there, then call [`Recorder::stop`].
///
/// Drop it where memory may be freed: hand it back from the real-time thread.
pub struct Tap {
    ring: HeapProd<Item>,
    books: Arc<Books>,
}

/// The side that ends the recording. Dropping it ends it as well.
pub struct Recorder {
    path: PathBuf,
    books: Arc<Books>,
    thread: Option<JoinHandle<(u64, Option<RecordError>)>>,
}

/// Begins to record to `path`, replacing what is there. `tell` hears, on the writer's thread, why a recording ended
/// that nobody stopped.
///
/// # Errors
/// If the file cannot be made.
pub fn record(
    path: &Path,
    rate_hz: u32,
    tell: Box<dyn FnOnce(RecordError) + Send>,
) -> Result<(Recorder, Tap), RecordError> {
    let open = |e: std::io::Error| RecordError::Open { path: path.to_owned(), reason: e.to_string() };
    let file = std::fs::File::create(path).map_err(open)?;
    record_to(Box::new(file), path, rate_hz, ROOM_SECONDS * rate_hz as usize, tell)
}

fn record_to(
    disk: Box<dyn Disk>,
    path: &Path,
    rate_hz: u32,
    room: usize,
    tell: Box<dyn FnOnce(RecordError) + Send>,
) -> Result<(Recorder, Tap), RecordError> {
    let open = |reason: String| RecordError::Open { path: path.to_owned(), reason };
    let wav = Wav::begin(disk, path, rate_hz).map_err(|e| open(e.to_string()))?;
    let room = room.max(2);
    let (mut ring, mut frames) = HeapRb::new(room).split();
    // Touches the ring's memory now, so that no block of sound pays for a page fault.
    ring.push_iter(std::iter::repeat_n(Item::Lost(0), room));
    frames.skip(room);
    let books = Arc::new(Books {
        open: AtomicBool::new(true),
        stop: AtomicBool::new(false),
        lost: AtomicU64::new(0),
        owed: AtomicU32::new(0),
        writer: OnceLock::new(),
    });
    let thread = {
        let books = Arc::clone(&books);
        let work = move || write_all(wav, frames, &books, tell);
        thread::Builder::new().name("recorder".to_owned()).spawn(work).map_err(|e| open(e.to_string()))?
    };
    books.writer.get_or_init(|| thread.thread().clone());
    Ok((Recorder { path: path.to_owned(), books: Arc::clone(&books), thread: Some(thread) }, Tap { ring, books }))
}

impl Tap {
    /// Gives the next block. Real-time safe: without room the block is lost whole, and counted.
    pub fn push(&mut self, block: &[[f32; SIDES]]) {
        if !self.books.open.load(Ordering::Relaxed) {
            return;
        }
        let owed = self.books.owed.load(Ordering::Relaxed);
        if self.ring.vacant_len() <= block.len() {
            let len = block.len() as u32;
            // Bounded by the file's own limit long before it saturates.
            self.books.owed.store(owed.saturating_add(len), Ordering::Release);
            self.books.lost.fetch_add(u64::from(len), Ordering::Relaxed);
            return;
        }
        if owed > 0 && self.ring.try_push(Item::Lost(owed)).is_ok() {
            self.books.owed.store(0, Ordering::Release);
        }
        self.ring.push_iter(block.iter().copied().map(Item::Frame));
    }

    /// Gives the next frames, however many, and waits for the disk where it must: for renders, which lose nothing.
    /// Returns false once the recording has ended.
    pub fn push_blocking(&mut self, frames: &[[f32; SIDES]]) -> bool {
        let part = (self.ring.capacity().get() / 2).max(1);
        for block in frames.chunks(part) {
            while self.ring.vacant_len() <= block.len() {
                if !self.books.open.load(Ordering::Relaxed) {
                    return false;
                }
                self.books.writer.get().inspect(|writer| writer.unpark());
                thread::sleep(ROOM_EVERY);
            }
            self.push(block);
        }
        self.books.open.load(Ordering::Relaxed)
    }

    /// Frames lost so far.
    pub fn lost(&self) -> u64 {
        self.books.lost.load(Ordering::Relaxed)
    }
}

impl Recorder {
    /// Ends the recording after everything that was pushed before this call.
    pub fn stop(mut self) -> Recorded {
        self.end().unwrap_or_else(|| Recorded { path: self.path.clone(), frames: 0, lost: 0, error: None })
    }

    /// False once the recording has ended by itself; [`Recorder::stop`] tells why.
    pub fn goes_on(&self) -> bool {
        self.books.open.load(Ordering::Relaxed)
    }

    fn end(&mut self) -> Option<Recorded> {
        let thread = self.thread.take()?;
        // SYNC record-stop: pairs with write_all, which looks once more into the ring after it has seen this.
        self.books.stop.store(true, Ordering::Release);
        thread.thread().unpark();
        let (frames, error) = thread.join().unwrap_or_else(|_| {
            let reason = "the thread that writes panicked".to_owned();
            (0, Some(RecordError::Disk { reason }))
        });
        let lost = self.books.lost.load(Ordering::Relaxed);
        Some(Recorded { path: self.path.clone(), frames, lost, error })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

/// The writer's thread: from the ring to the file until it is stopped or the disk refuses.
fn write_all(
    mut wav: Wav,
    mut ring: HeapCons<Item>,
    books: &Books,
    tell: Box<dyn FnOnce(RecordError) + Send>,
) -> (u64, Option<RecordError>) {
    let outcome = drain(&mut wav, &mut ring, books);
    books.open.store(false, Ordering::Relaxed);
    let (frames, closed) = wav.end(outcome.is_ok());
    let error = outcome.and(closed).err();
    if let Some(error) = &error {
        tell(error.clone());
    }
    (frames, error)
}

fn drain(wav: &mut Wav, ring: &mut HeapCons<Item>, books: &Books) -> Result<(), RecordError> {
    let mut items = [Item::Lost(0); 512];
    let mut flushed = Instant::now();
    loop {
        // SYNC record-stop: read before the ring, so that all that was pushed before the stop is seen.
        let stop = books.stop.load(Ordering::Acquire);
        let count = ring.pop_slice(&mut items);
        for item in &items[..count] {
            match *item {
                Item::Frame(frame) => wav.push(frame)?,
                Item::Lost(frames) => wav.silence(frames)?,
            }
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            wav.flush()?;
            flushed = Instant::now();
        }
        if count == 0 && stop {
            return wav.silence(books.owed.load(Ordering::Acquire));
        }
        if count == 0 {
            thread::park_timeout(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests;
