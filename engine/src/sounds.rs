//! The sound files that patches name: read, prepared by the kind that plays them, laid where every worker reads them.
//!
//! Runs on the session's thread. A file is read once for each kind that names it; what was laid stays until the engine and its keeper end,
//! so that an undo finds it. Workers only read (tine_modules::sounds).

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use tine_modules::sounds::Store;
use tine_modules::{Recording, Sounds};
use tine_protocol::segment::SOUNDS_BYTES;
use tine_protocol::sys::memory::{ReadMap, WriteMap};

use crate::error::PatchError;
use crate::model::{Catalogue, Model};

/// Samples of all channels that a file may have: ten minutes of stereo at 96 kHz.
const SAMPLES_MAX: u32 = 2 * 96_000 * 600;

/// Reads and lays sounds.
pub struct Library {
    area: WriteMap,
    store: Store,
    known: Vec<Known>,
    catalogue: Catalogue,
    rate_hz: f32,
    frames: usize,
}

/// A file that was laid.
struct Known {
    kind: u16,
    path: PathBuf,
    /// When it was changed last: another version of it is another sound.
    changed: Option<SystemTime>,
    place: u16,
}

impl Library {
    /// The library in the keeper's segment, with what an engine before has laid there for the modules of `model`.
    ///
    /// # Errors
    /// If the segment cannot be mapped.
    pub fn new(
        segment: &OwnedFd,
        catalogue: Catalogue,
        rate_hz: f32,
        frames: usize,
        model: &Model,
    ) -> io::Result<Library> {
        let view = ReadMap::new(segment, SOUNDS_BYTES)?;
        let store = Store::after(Sounds::new(view.words()));
        let mut known = Vec::new();
        for module in model.modules() {
            for (&param, path) in &module.files {
                let place = module.params[usize::from(param)] as u16;
                if place > 0 {
                    known.push(Known { kind: module.kind, path: path.clone(), changed: changed(path), place });
                }
            }
        }
        let area = WriteMap::new(segment, SOUNDS_BYTES)?;
        Ok(Library { area, store, known, catalogue, rate_hz, frames })
    }

    /// Where the file lies for modules of `kind`; reads it if that was not done yet.
    ///
    /// # Errors
    /// If it cannot be read, is of no use to the kind, or there is no room.
    pub fn place(&mut self, kind: u16, path: &Path) -> Result<u16, PatchError> {
        let changed = changed(path);
        let is_it = |known: &&Known| known.kind == kind && known.path == path && known.changed == changed;
        if let Some(known) = self.known.iter().find(is_it) {
            return Ok(known.place);
        }
        let wrong = |reason: String| PatchError::File { path: path.display().to_string(), reason };
        let recording = read(path).map_err(wrong)?;
        let prepared =
            self.catalogue.0[usize::from(kind)].prepare(&recording, self.rate_hz, self.frames).map_err(wrong)?;
        let area = &self.area;
        let set = |word: usize, bits| area.word(word * size_of::<u32>()).store(bits, Ordering::Release);
        let place = self.store.lay(&prepared, SOUNDS_BYTES / size_of::<u32>(), set);
        let place = place.ok_or(PatchError::Full { what: "sound files (bytes)", limit: SOUNDS_BYTES })? as u16;
        self.known.push(Known { kind, path: path.to_owned(), changed, place });
        Ok(place)
    }

    /// Reads the files of modules that come from disk; says which could not be read, and why. Those are silent.
    pub fn load(&mut self, model: &mut Model) -> Vec<PatchError> {
        let mut errors = Vec::new();
        for module in model.modules().to_vec() {
            for (&param, path) in &module.files {
                if module.params[usize::from(param)] > 0.0 {
                    continue;
                }
                match self.place(module.kind, path) {
                    Ok(place) => model.change(module.slot, |module| {
                        module.params[usize::from(param)] = place.into();
                        module.initial = module.params.clone().into();
                    }),
                    Err(error) => errors.push(error),
                }
            }
        }
        errors
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|about| about.modified()).ok()
}

/// Reads a WAV of integers or floats.
fn read(path: &Path) -> Result<Recording, String> {
    // A pipe or a device could keep us waiting for ever.
    let about = path.metadata().map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is no file".to_owned());
    }
    let mut wav = hound::WavReader::open(path).map_err(|error| format!("no WAV that can be read: {error}"))?;
    let format = wav.spec();
    if wav.len() > SAMPLES_MAX || wav.len() == 0 || format.sample_rate == 0 {
        return Err(format!("holds {} samples; 1 to {SAMPLES_MAX} can be played", wav.len()));
    }
    let samples: Result<Vec<f32>, hound::Error> = match format.sample_format {
        hound::SampleFormat::Float => wav.samples::<f32>().collect(),
        hound::SampleFormat::Int => {
            let full = (1u64 << (format.bits_per_sample - 1)) as f32;
            wav.samples::<i32>().map(|sample| sample.map(|sample| sample as f32 / full)).collect()
        }
    };
    let samples = samples.map_err(|error| format!("no WAV that can be read: {error}"))?;
    let samples = samples.into_iter().map(|sample| if sample.is_finite() { sample } else { 0.0 }).collect();
    Ok(Recording { rate_hz: format.sample_rate, channels: usize::from(format.channels), samples })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, bits: u16, sample_format: hound::SampleFormat) {
        let format = hound::WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample: bits, sample_format };
        let mut wav = hound::WavWriter::create(path, format).unwrap();
        for sample in [0.5f32, -0.5, 0.25, -1.0] {
            match sample_format {
                hound::SampleFormat::Float => wav.write_sample(sample).unwrap(),
                hound::SampleFormat::Int => {
                    wav.write_sample((f64::from(sample) * 2f64.powi(i32::from(bits) - 1)) as i32).unwrap();
                }
            }
        }
        wav.finalize().unwrap();
    }

    #[test]
    fn a_wav_of_any_format_is_read_as_the_same_samples() {
        let folder = tempfile::tempdir().unwrap();
        for (bits, sample_format) in
            [(8, hound::SampleFormat::Int), (16, hound::SampleFormat::Int), (24, hound::SampleFormat::Int)]
                .into_iter()
                .chain([(32, hound::SampleFormat::Float)])
        {
            let path = folder.path().join(format!("{bits}.wav"));
            write(&path, bits, sample_format);
            let recording = read(&path).unwrap();
            assert_eq!((recording.rate_hz, recording.channels), (44_100, 2));
            assert_eq!(recording.samples, [0.5, -0.5, 0.25, -1.0], "{bits} bits");
        }
    }

    #[test]
    fn what_is_no_wav_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        assert!(read(&path).unwrap_err().contains("No such file"));
        assert_eq!(read(folder.path()).unwrap_err(), "is no file");
        std::fs::write(&path, "RIFFnothing").unwrap();
        assert!(read(&path).unwrap_err().starts_with("no WAV"));
    }
}
