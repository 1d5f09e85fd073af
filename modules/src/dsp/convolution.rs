//! Convolution with a long impulse response, without latency: the first part directly, the rest by Fourier transforms.
//!
//! The response is cut into partitions of [`PART`] frames. The first is multiplied out sample by sample, so the sound is there at once.
//! The others act on what was heard a partition ago and longer: per partition of time, one transform of the last two partitions
//! heard, a product with every partition of the response, one transform back (overlap-save). The products for the partition to
//! come are spread over the present one, and only two transforms and two products are left to its first block.
//! The blocks' length decides where the work is done, but neither what is added nor in which order: the bits are the same.
//!
//! Spectra of what was heard lie on two rings, real parts on one and imaginary parts on the other, a bin a frame: a spectrum of
//! 512 bins is laid down while the next 512 frames pass.
//!
//! Source: Gardner, "Efficient convolution without input-output delay", JAES 43:3, 1995 (direct head); Kulp, "Digital equalization
//! using Fourier transform techniques", AES 85, 1988 (partitions that share their transforms); Garcia, AES 113, 2002.

use bytemuck::{Pod, Zeroable};
use realfft::num_complex::Complex32;

use crate::{Ffts, Sound, Tapes};

/// Frames of a partition: for a second or two, about as much work in the direct head as in the products.
pub const PART: usize = 512;

const POINTS: usize = 2 * PART;

/// Bins 0 to 511, real parts then imaginary parts; bin 512, which is real as bin 0 is, in place of the latter's imaginary part.
type Bins = [f32; 2 * PART];

/// Rings: what was heard, and real and imaginary parts of its spectra.
pub const RINGS: usize = 3;
const HEARD: usize = 0;
const REAL: usize = 1;
const IMAGINARY: usize = 2;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Convolution {
    /// Of the last two whole partitions that were heard.
    spectrum: Bins,
    /// Per side, what the partition to come will be made of, so far.
    sums: [Bins; 2],
    /// Per side, what the later partitions of the response give in the present partition.
    tails: [[f32; PART]; 2],
}

/// A response as [`Sound`] holds it: per channel the first partition in time, then the spectra of the others.
///
/// `channel` at any length; the spectra are scaled so that forward and back gives 1.
pub fn partitions(channel: &[f32]) -> Vec<f32> {
    let ffts = Ffts::plan();
    let (head, rest) = channel.split_at(channel.len().min(PART));
    let mut cells = head.to_vec();
    cells.resize(PART, 0.0);
    for part in rest.chunks(PART) {
        let mut time = [0.0; POINTS];
        for (value, &sample) in time.iter_mut().zip(part) {
            *value = sample * (1.0 / POINTS as f32);
        }
        cells.extend_from_slice(&transform(&ffts, &mut time));
    }
    cells
}

fn transform(ffts: &Ffts, time: &mut [f32; POINTS]) -> Bins {
    let mut spectrum = [Complex32::default(); PART + 1];
    ffts.forward(time, &mut spectrum, &mut [Complex32::default(); POINTS]);
    let mut bins = [0.0; 2 * PART];
    for (bin, value) in spectrum[..PART].iter().enumerate() {
        (bins[bin], bins[PART + bin]) = (value.re, value.im);
    }
    bins[PART] = spectrum[PART].re;
    bins
}

fn transform_back(ffts: &Ffts, bins: &Bins) -> [f32; POINTS] {
    let mut spectrum = [Complex32::default(); PART + 1];
    for (bin, value) in spectrum[..PART].iter_mut().enumerate() {
        *value = Complex32::new(bins[bin], bins[PART + bin]);
    }
    spectrum[PART] = Complex32::new(bins[PART], 0.0);
    let mut time = [0.0; POINTS];
    ffts.inverse(&mut spectrum, &mut time, &mut [Complex32::default(); POINTS]);
    time
}

/// Adds the product of two spectra.
fn multiply(sum: &mut Bins, heard: &Bins, response: &Bins) {
    let ends = [sum[0] + heard[0] * response[0], sum[PART] + heard[PART] * response[PART]];
    let ((sum_re, sum_im), (a_re, a_im)) = (sum.split_at_mut(PART), heard.split_at(PART));
    let (b_re, b_im) = response.split_at(PART);
    for bin in 0..PART {
        sum_re[bin] += a_re[bin] * b_re[bin] - a_im[bin] * b_im[bin];
        sum_im[bin] += a_re[bin] * b_im[bin] + a_im[bin] * b_re[bin];
    }
    [sum[0], sum[PART]] = ends;
}

/// Partition `part` (1 or more) of the response, as a spectrum.
fn partition(response: &Sound<'_>, side: usize, part: usize) -> Bins {
    let mut bins = [0.0; 2 * PART];
    response.copy(side, PART + (part - 1) * 2 * PART, &mut bins);
    bins
}

impl Convolution {
    /// Forgets what another response gave. The new one is whole from the second start of a partition on.
    pub fn restart(&mut self) {
        (self.sums, self.tails) = ([[0.0; 2 * PART]; 2], [[0.0; PART]; 2]);
    }

    /// Hears `input` from frame `start` of the block on, `position` frames after the reset, and adds what `response` makes of it
    /// to `sides`. `input` does not cross a partition: its length is a power of two up to [`PART`], and divides `position`.
    #[inline(never)]
    pub fn run(
        &mut self,
        tapes: &mut Tapes<'_>,
        (start, position): (usize, u64),
        input: &[f32],
        sides: &mut [[f32; PART]; 2],
        response: Option<&Sound<'_>>,
        ffts: &Ffts,
    ) {
        let (frames, within) = (input.len(), (position % PART as u64) as usize);
        let sides_used = response.map_or(0, |response| response.channels.min(2));
        let parts = response.map_or(0, |response| (response.frames.saturating_sub(PART)) / (2 * PART));
        if within == 0 {
            let mut time = [0.0; POINTS];
            tapes.ring(HEARD).copy(start, POINTS, &mut time);
            self.spectrum = transform(ffts, &mut time);
            for side in 0..sides_used {
                self.begin(side, parts, response, ffts);
            }
        }
        for frame in 0..frames {
            let bin = (within + frame) % PART;
            tapes.write(HEARD, start + frame, input[frame]);
            tapes.write(REAL, start + frame, self.spectrum[bin]);
            tapes.write(IMAGINARY, start + frame, self.spectrum[PART + bin]);
        }
        let Some(response) = response else { return };
        // This stretch's share of the products for the partition to come. The newest two are made at its start.
        let (step, steps) = (within / frames, PART / frames);
        let waiting = parts.saturating_sub(2);
        for part in 3 + waiting * step / steps..3 + waiting * (step + 1) / steps {
            let mut heard = [0.0; 2 * PART];
            let (real, imaginary) = heard.split_at_mut(PART);
            let delay = within + (part - 2) * PART;
            tapes.ring(REAL).copy(start, delay, real);
            tapes.ring(IMAGINARY).copy(start, delay, imaginary);
            for side in 0..sides_used {
                multiply(&mut self.sums[side], &heard, &partition(response, side, part));
            }
        }
        let mut past = [0.0; POINTS];
        tapes.ring(HEARD).copy(start, PART, &mut past[..PART + frames]);
        for side in 0..sides_used {
            let mut head = [0.0; PART];
            response.copy(side, 0, &mut head);
            head.reverse();
            for frame in 0..frames {
                let direct = dot(&head, &past[frame + 1..frame + 1 + PART]);
                sides[side][frame] += direct + self.tails[side][(within + frame) % PART];
            }
        }
        if sides_used == 1 {
            sides[1] = sides[0];
        }
    }

    /// At the start of a partition: finishes its sum, and begins the next one's.
    fn begin(&mut self, side: usize, parts: usize, response: Option<&Sound<'_>>, ffts: &Ffts) {
        let Some(response) = response.filter(|_| parts > 0) else { return };
        multiply(&mut self.sums[side], &self.spectrum, &partition(response, side, 1));
        let time = transform_back(ffts, &self.sums[side]);
        self.tails[side].copy_from_slice(&time[PART..]);
        self.sums[side] = [0.0; 2 * PART];
        if parts > 1 {
            multiply(&mut self.sums[side], &self.spectrum, &partition(response, side, 2));
        }
    }
}

/// Sum of products, in eight sums side by side that are added up at the end.
fn dot(a: &[f32; PART], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}
