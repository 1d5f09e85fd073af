//! One WAV file that is valid whenever its writer dies: the header is renewed with each flush, and set right from the
//! file's own length where the disk refused more. Holds 4 GiB at most.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

use super::RecordError;
use crate::feed::SIDES;

/// Bytes before the first sample in the extensible header that hound writes for floats; the last four, and four at 4, hold
/// lengths (hound 3.5, write.rs; `recorder::tests` read back what is made with these).
const HEADER_BYTES: u64 = 68;
const FRAME_BYTES: u64 = (SIDES * size_of::<f32>()) as u64;
/// Lengths are 32 bits wide.
pub(super) const FRAMES_MAX: u64 = (u32::MAX as u64 - HEADER_BYTES) / FRAME_BYTES;

/// What a recording is written to.
pub(super) trait Disk: Write + Seek + Send {}
impl<T: Write + Seek + Send> Disk for T {}

/// A file that is being written.
pub(super) struct Wav {
    writer: WavWriter<BufWriter<Box<dyn Disk>>>,
    path: PathBuf,
    frames: u64,
}

impl Wav {
    /// Writes the header, valid as it is.
    pub(super) fn begin(disk: Box<dyn Disk>, path: &Path, rate_hz: u32) -> Result<Wav, hound::Error> {
        let spec = WavSpec {
            channels: SIDES as u16,
            sample_rate: rate_hz,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::new(BufWriter::with_capacity(1 << 16, disk), spec)?;
        writer.flush()?;
        Ok(Wav { writer, path: path.to_owned(), frames: 0 })
    }

    pub(super) fn push(&mut self, frame: [f32; SIDES]) -> Result<(), RecordError> {
        if self.frames == FRAMES_MAX {
            return Err(RecordError::Full);
        }
        for sample in frame {
            self.writer.write_sample(sample).map_err(refused)?;
        }
        self.frames += 1;
        Ok(())
    }

    pub(super) fn silence(&mut self, frames: u32) -> Result<(), RecordError> {
        (0..frames).try_for_each(|_| self.push([0.0; SIDES]))
    }

    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.writer.flush().map_err(refused)
    }

    /// Closes the file; after an error (`well` is false, or closing fails) makes it valid with what reached the disk.
    /// Returns the frames in it.
    pub(super) fn end(self, well: bool) -> (u64, Result<(), RecordError>) {
        let Wav { writer, path, frames } = self;
        // After an error finalize fails as well, or not: both are told by `well`, and mended by the file's length.
        let closed = writer.finalize().map_err(refused);
        if well && closed.is_ok() {
            return (frames, Ok(()));
        }
        match mend(&path) {
            Ok(frames) => (frames, closed),
            Err(e) => (0, closed.and(Err(RecordError::Disk { reason: e.to_string() }))),
        }
    }
}

/// Makes the header say what the file holds, in whole frames.
fn mend(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let frames = (file.metadata()?.len().saturating_sub(HEADER_BYTES) / FRAME_BYTES).min(FRAMES_MAX);
    let data_bytes = frames * FRAME_BYTES;
    file.set_len(HEADER_BYTES + data_bytes)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&((HEADER_BYTES - 8 + data_bytes) as u32).to_le_bytes())?;
    file.seek(SeekFrom::Start(HEADER_BYTES - 4))?;
    file.write_all(&(data_bytes as u32).to_le_bytes())?;
    Ok(frames)
}

fn refused(e: hound::Error) -> RecordError {
    RecordError::Disk { reason: e.to_string() }
}
