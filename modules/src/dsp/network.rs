//! A room: sixteen delay lines that feed each other through a Hadamard matrix, and lose sound at the rate that is asked for.
//!
//! The matrix is orthogonal: it spreads the sound of each line over all lines and neither adds to it nor takes from it, so the
//! lines' own losses alone set the decay. A line of m frames loses 60 dB * m / T60 a pass, at all lengths alike, hence no mode
//! outlives the others. One pole in each line damps the highs, tuned so that at the corner the tail lasts half as long.
//! The lengths sway by slow sines, each line at its own rate, so that no mode stays in place long enough to be heard as a ring.
//!
//! Source: Jot & Chaigne, "Digital delay networks for designing artificial reverberators", AES 90, 1991 (absorbing filters);
//! Rocchesso & Smith, "Circulant and elliptic feedback delay networks", IEEE Trans. SAP 5:1, 1997 (orthogonal matrices);
//! Dattorro, "Effect design 1", JAES 45:9, 1997 (swaying lines).

use bytemuck::{Pod, Zeroable};

use super::interpolate::{NEAR, lagrange6};
use super::math::SIGNAL_MAX;
use super::wave;
use crate::Tapes;

/// Delay lines, each on its own ring.
pub const LINES: usize = 16;

/// Frames for which losses and lengths are moved along straight lines.
pub const PIECE: usize = 16;

/// Lengths of the lines in a room of size 1: primes of frames at 48 kHz, spread evenly over the octaves from 27 to 132 ms.
/// Together 1.06 s: a mode per hertz, so that a tail of some seconds has no gaps between its modes.
const LENGTHS_S: [f64; LINES] =
    lengths([1277, 1423, 1637, 1723, 1987, 2237, 2383, 2621, 2957, 3389, 3733, 4021, 4561, 5153, 5623, 6353]);

/// The longest of them, with all that sways.
pub const LONGEST_S: f32 = 0.133 + SWAY_S as f32;

/// How far a line sways to either side, at most.
const SWAY_S: f64 = 0.0005;

/// Rates of the sways: 0.31 to 1.06 Hz, none a simple ratio of another. Pitch bends by up to 5 cents.
fn sway_hz(line: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    0.31 + 0.75 * libm::fmod(GOLDEN * (line * 5 % LINES) as f64, 1.0)
}

/// Rows of the matrix by which the left and right signals enter, and by which they leave: orthogonal to one another.
const ENTER: [usize; 2] = [3, 12];
const LEAVE: [usize; 2] = [5, 10];

const fn lengths(frames: [u32; LINES]) -> [f64; LINES] {
    let mut seconds = [0.0; LINES];
    let mut line = 0;
    while line < LINES {
        seconds[line] = frames[line] as f64 / 48_000.0;
        line += 1;
    }
    seconds
}

/// Row of the Hadamard matrix (Sylvester's): 1 or -1 over 4, the root of [`LINES`].
const fn row(number: usize) -> [f32; LINES] {
    let mut row = [0.0; LINES];
    let mut line = 0;
    while line < LINES {
        row[line] = if (line & number).count_ones().is_multiple_of(2) { 0.25 } else { -0.25 };
        line += 1;
    }
    row
}

/// What a player asks of the room.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Wish {
    /// Lengths against those of a room of size 1.
    pub size: f32,
    /// Seconds in which low and middle pitches fall by 60 dB.
    pub decay_s: f32,
    /// Where they fall twice as fast.
    pub damp_hz: f32,
}

/// The room's state; the sound in it is on the lines' rings.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Network {
    /// What `goals` were computed for.
    wish: Wish,
    /// 1 once there are coefficients.
    is_set: u32,
    /// Per line: gain and pole of its loss as they are, and as they are to be.
    losses: [[f32; LINES]; 2],
    goals: [[f32; LINES]; 2],
    /// What the poles remember.
    lows: [f32; LINES],
    /// Lengths in frames, in units of 2^-32.
    delays: [i64; LINES],
    /// Of the sways.
    phases: [u32; LINES],
}

impl Network {
    /// Sends `frames` (at most [`PIECE`]) of left and right through the room: `sides` is what enters, and then what is heard.
    /// `start` is the frame within the block. Lengths move from where they are to those of `wish`, swaying by `sway` of the most.
    #[inline(always)]
    pub fn run(
        &mut self,
        tapes: &mut Tapes<'_>,
        start: usize,
        sides: &mut [[f32; 2]],
        wish: Wish,
        sway: f32,
        rate_hz: f32,
    ) {
        let frames = sides.len();
        let slopes = self.aim(wish, sway, f64::from(rate_hz), frames);
        let steps = self.turn(frames);
        for (frame, side) in sides.iter_mut().enumerate() {
            let heard = self.read(tapes, start + frame);
            let mut mixed = hadamard(heard);
            let inputs = *side;
            *side = [dot(&const { row(LEAVE[0]) }, &heard), dot(&const { row(LEAVE[1]) }, &heard)];
            for line in 0..LINES {
                let input = const { row(ENTER[0]) }[line] * inputs[0] + const { row(ENTER[1]) }[line] * inputs[1];
                // Far beyond music: a bound for ever, whatever is done to the lengths.
                mixed[line] = (mixed[line] + input).clamp(-SIGNAL_MAX, SIGNAL_MAX);
            }
            for line in 0..LINES {
                tapes.write(line, start + frame, mixed[line]);
            }
            for line in 0..LINES {
                self.delays[line] += slopes[line];
                self.losses[0][line] += steps[0][line];
                self.losses[1][line] += steps[1][line];
            }
        }
    }

    /// The lines' ends, their losses taken.
    #[inline(always)]
    fn read(&mut self, tapes: &mut Tapes<'_>, frame: usize) -> [f32; LINES] {
        let mut weights = [[0.0; 6]; LINES];
        for line in 0..LINES {
            weights[line] = lagrange6((self.delays[line] as u32 >> 8) as f32 * (1.0 / 16_777_216.0));
        }
        let mut heard = [0.0; LINES];
        for line in 0..LINES {
            let whole = (self.delays[line] >> 32) as usize;
            let cells: [f32; 6] = tapes.ring(line).neighbours(frame, whole - NEAR);
            heard[line] = dot(&weights[line], &cells);
        }
        for line in 0..LINES {
            self.lows[line] = self.losses[1][line] * self.lows[line] + self.losses[0][line] * heard[line];
        }
        self.lows
    }

    /// How far each length goes per frame to reach `wish` and its sway in `frames`.
    fn aim(&mut self, wish: Wish, sway: f32, rate_hz: f64, frames: usize) -> [i64; LINES] {
        const ONE: f64 = 4_294_967_296.0;
        let mut slopes = [0; LINES];
        for line in 0..LINES {
            let step = sway_hz(line) / rate_hz * ONE * frames as f64;
            self.phases[line] = self.phases[line].wrapping_add(step as u32);
            // A quarter of a golden cycle from line to line: the sways begin apart.
            let phase = self.phases[line].wrapping_add((line as u32).wrapping_mul(0x9e37_79b9));
            let way_s = f64::from(wish.size) * LENGTHS_S[line] + SWAY_S * f64::from(sway * wave::sine(phase));
            let delay = ((way_s * rate_hz).max((NEAR + 2) as f64) * ONE) as i64;
            if self.is_set == 0 {
                self.delays[line] = delay;
            }
            slopes[line] = (delay - self.delays[line]) / frames as i64;
        }
        if wish != self.wish {
            self.wish = wish;
            self.goals = losses(wish, rate_hz);
        }
        if self.is_set == 0 {
            (self.losses, self.is_set) = (self.goals, 1);
        }
        slopes
    }

    /// How far each coefficient goes per frame: a part of the way to its goal per piece, 10 ms or so in all.
    fn turn(&self, frames: usize) -> [[f32; LINES]; 2] {
        let share = 0.03 / frames as f32;
        let mut steps = [[0.0; LINES]; 2];
        for part in 0..2 {
            for line in 0..LINES {
                steps[part][line] = (self.goals[part][line] - self.losses[part][line]) * share;
            }
        }
        steps
    }
}

/// Gain g (1 - p) and pole p of each line's loss, g (1 - p) / (1 - p / z).
///
/// g loses 60 dB in T60. At the corner w the pole is to take as much again, |(1 - p) / (1 - p e^-iw)| = g, which is a quadratic
/// equation for p: p^2 - 2 b p + 1 = 0 with b = (1 - g^2 cos w) / (1 - g^2).
fn losses(wish: Wish, rate_hz: f64) -> [[f32; LINES]; 2] {
    let corner = (f64::from(wish.damp_hz) / rate_hz).min(0.49) * std::f64::consts::TAU;
    let mut losses = [[0.0; LINES]; 2];
    for line in 0..LINES {
        let passes = f64::from(wish.decay_s) / (f64::from(wish.size) * LENGTHS_S[line]);
        // -6.9 is ln 0.001.
        let gain = libm::exp(-6.907_755_278_982_137 / passes);
        let square = gain * gain;
        let b = (1.0 - square * libm::cos(corner)) / (1.0 - square);
        let pole = b - libm::sqrt(b * b - 1.0);
        losses[0][line] = (gain * (1.0 - pole)) as f32;
        losses[1][line] = pole as f32;
    }
    losses
}

/// The product with the Hadamard matrix, by sums and differences of pairs (fast Walsh-Hadamard transform).
#[inline(always)]
fn hadamard(mut lines: [f32; LINES]) -> [f32; LINES] {
    let mut half = LINES / 2;
    while half > 0 {
        let before = lines;
        for line in 0..LINES {
            let pair = line ^ half;
            lines[line] = if line & half == 0 { before[line] + before[pair] } else { before[pair] - before[line] };
        }
        half /= 2;
    }
    for line in &mut lines {
        *line *= 0.25;
    }
    lines
}

#[inline(always)]
fn dot<const N: usize>(a: &[f32; N], b: &[f32; N]) -> f32 {
    let mut sum = 0.0;
    for k in 0..N {
        sum += a[k] * b[k];
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_keeps_the_energy_and_its_rows_are_those_of_the_transform() {
        for line in 0..LINES {
            let mut unit = [0.0; LINES];
            unit[line] = 1.0;
            assert_eq!(hadamard(unit), row(line));
            assert_eq!(hadamard(hadamard(unit)), unit);
        }
    }

    #[test]
    fn at_the_corner_a_line_loses_twice_as_much() {
        let wish = Wish { size: 1.0, decay_s: 3.0, damp_hz: 4_000.0 };
        let losses = losses(wish, 48_000.0);
        for line in 0..LINES {
            let (gain, pole) = (f64::from(losses[0][line]), f64::from(losses[1][line]));
            let angle = std::f64::consts::TAU * 4_000.0 / 48_000.0;
            let at = gain / libm::hypot(1.0 - pole * libm::cos(angle), pole * libm::sin(angle));
            let rest = gain / (1.0 - pole);
            let db = |x: f64| 20.0 * libm::log10(x) * 3.0 / LENGTHS_S[line];
            assert!((db(rest) + 60.0).abs() < 0.01 && (db(at) + 120.0).abs() < 0.02, "line {line}");
        }
    }
}
