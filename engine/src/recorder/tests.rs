//! Disks that are slow, full or slain, and what is in the file afterwards.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::mpsc;

use super::*;

const BLOCK: usize = 64;

/// Frame `n`; never silence.
fn frame(n: u64) -> [f32; SIDES] {
    [1.0 + n as f32, -1.0 - n as f32]
}

fn block(at: u64) -> Vec<[f32; SIDES]> {
    (at..at + BLOCK as u64).map(frame).collect()
}

fn read(path: &Path) -> Vec<[f32; SIDES]> {
    let mut wav = hound::WavReader::open(path).unwrap();
    let spec = wav.spec();
    assert_eq!((spec.channels, spec.bits_per_sample, spec.sample_rate), (2, 32, 48_000));
    assert_eq!(spec.sample_format, hound::SampleFormat::Float);
    let samples: Vec<f32> = wav.samples().map(Result::unwrap).collect();
    samples.chunks(SIDES).map(|frame| [frame[0], frame[1]]).collect()
}

fn silent() -> Box<dyn FnOnce(RecordError) + Send> {
    Box::new(|error| panic!("{error}"))
}

#[test]
fn what_is_given_is_in_the_file_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("take.wav");
    let (recorder, mut tap) = record(&path, 48_000, silent()).unwrap();
    let odd = [[f32::from_bits(1), -0.0], [f32::from_bits(0x7fc0_1234), f32::NEG_INFINITY], [1e30, -7.5]];
    tap.push(&odd);
    tap.push(&block(0));
    drop(tap);
    let recorded = recorder.stop();
    assert_eq!(recorded, Recorded { path: path.clone(), frames: 67, lost: 0, error: None });
    let bits = |frames: &[[f32; 2]]| frames.iter().flatten().map(|s| s.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&read(&path)), bits(&[&odd[..], &block(0)].concat()));
}

#[test]
fn a_render_that_may_wait_loses_nothing_in_a_ring_smaller_than_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("render.wav");
    let disk = Box::new(File::create(&path).unwrap());
    let (recorder, mut tap) = record_to(disk, &path, 48_000, 100, silent()).unwrap();
    let sound: Vec<_> = (0..20_000).map(frame).collect();
    assert!(tap.push_blocking(&sound));
    assert_eq!(recorder.stop().frames, 20_000);
    assert_eq!(read(&path), sound);
}

/// Writes when it is let.
struct Slow(File, mpsc::Receiver<()>);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Once the other side has gone the disk is quick.
        let _ = self.1.recv();
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Slow {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn what_a_slow_disk_cannot_take_is_silence_and_the_rest_stands_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.wav");
    let (quick, gate) = mpsc::channel();
    // The header is three writes at most.
    (0..3).for_each(|_| quick.send(()).unwrap());
    let disk = Box::new(Slow(File::create(&path).unwrap(), gate));
    let (recorder, mut tap) = record_to(disk, &path, 48_000, 4 * BLOCK, silent()).unwrap();
    let mut at = 0;
    // The writer stands still at its first flush at the latest.
    while tap.lost() < 3 * BLOCK as u64 {
        tap.push(&block(at));
        at += BLOCK as u64;
        thread::sleep(Duration::from_millis(1));
    }
    drop(quick);
    while tap.ring.occupied_len() > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    let lost = tap.lost();
    tap.push(&block(at));
    at += BLOCK as u64;
    let recorded = recorder.stop();
    assert_eq!((recorded.frames, recorded.lost, recorded.error), (at, lost, None));
    let sound = read(&path);
    assert_eq!(sound.len() as u64, at);
    assert_eq!(sound.iter().filter(|&&frame| frame == [0.0; 2]).count() as u64, lost);
    for (n, &got) in sound.iter().enumerate() {
        assert!(got == frame(n as u64) || got == [0.0; 2], "frame {n} is {got:?}");
    }
    assert_eq!(sound[sound.len() - 1], frame(at - 1));
}

/// Has room for so many bytes.
struct Full(File, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let wrote = self.0.write(&bytes[..bytes.len().min(self.1)])?;
        self.1 -= wrote;
        Ok(wrote)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_ends_the_recording_with_a_valid_file_and_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.wav");
    let disk = Box::new(Full(File::create(&path).unwrap(), 100_003));
    let (sender, told) = mpsc::channel();
    let tell = Box::new(move |error| sender.send(error).unwrap());
    let (recorder, mut tap) = record_to(disk, &path, 48_000, 4096, tell).unwrap();
    let sound: Vec<_> = (0..40_000).map(frame).collect();
    assert!(!tap.push_blocking(&sound), "the recording has ended");
    tap.push(&sound[..BLOCK]);
    let error = told.recv().unwrap();
    assert!(matches!(error, RecordError::Disk { .. }));
    assert!(!recorder.goes_on());
    let recorded = recorder.stop();
    assert_eq!(recorded.error, Some(error));
    let kept = read(&path);
    assert_eq!(kept.len() as u64, recorded.frames);
    assert!(kept.len() > 12_000, "all that reached the disk is kept, not what the last flush told of");
    assert_eq!(kept, sound[..kept.len()]);
}

#[test]
fn a_file_whose_writer_is_killed_reads_up_to_the_last_half_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.wav");
    let (recorder, mut tap) = record(&path, 48_000, silent()).unwrap();
    assert_eq!(read(&path), [] as [[f32; 2]; 0], "valid from the start");
    tap.push(&block(0));
    // As another process sees it at any moment: nothing has closed the file.
    while read(&path).len() < BLOCK {
        assert!(recorder.goes_on());
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(read(&path), block(0));
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    let Err(error) = record(Path::new("/nowhere/take.wav"), 48_000, silent()) else { panic!() };
    assert!(error.to_string().starts_with("cannot record to /nowhere/take.wav: "), "{error}");
}
