//! Recordings, compared bit for bit.

use std::path::Path;

/// One frame: left and right, as bits, so that equal means identical.
pub type Frame = [u32; 2];

/// The frames of a 32-bit float stereo WAV.
///
/// # Panics
/// If it is none.
pub fn read(path: &Path) -> Vec<Frame> {
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let spec = wav.spec();
    assert_eq!((spec.channels, spec.bits_per_sample, spec.sample_format), (2, 32, hound::SampleFormat::Float));
    let bits: Vec<u32> = wav.samples::<f32>().map(|sample| sample.expect("a whole sample").to_bits()).collect();
    let (frames, rest) = bits.as_chunks::<2>();
    assert!(rest.is_empty(), "half a frame at the end");
    frames.to_vec()
}

/// One side as numbers.
pub fn left(frames: &[Frame]) -> Vec<f32> {
    frames.iter().map(|frame| f32::from_bits(frame[0])).collect()
}

/// The loudest sample.
pub fn peak(frames: &[Frame]) -> f32 {
    frames.iter().flatten().map(|&bits| f32::from_bits(bits).abs()).fold(0.0, f32::max)
}

/// How many frames differ, and the first that does. What only one of them holds is not looked at.
pub fn difference(one: &[Frame], other: &[Frame]) -> Option<(usize, usize)> {
    let mut wrong = one.iter().zip(other).enumerate().filter(|(_, (one, other))| one != other);
    let first = wrong.next()?.0;
    Some((wrong.count() + 1, first))
}

/// Both are the same, bit for bit, as far as the shorter goes, which is at least `frames`.
///
/// # Panics
/// If not; `what` says of what.
pub fn assert_same(what: &str, one: &[Frame], other: &[Frame], frames: usize) {
    assert!(one.len() >= frames && other.len() >= frames, "{what}: only {} and {} frames", one.len(), other.len());
    if let Some((count, first)) = difference(one, other) {
        let show = |frames: &[Frame]| frames[first].map(f32::from_bits);
        let (one, other) = (show(one), show(other));
        panic!("{what}: {count} frames differ, the first is {first}: {one:?}, {other:?}");
    }
}
