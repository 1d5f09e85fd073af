//! The four shapes of an oscillator as functions of its phase, and where they jump or bend.
//!
//! Phase is a `u32`: 2^32 is one cycle, and adding wraps by itself. All shapes begin a cycle at phase 0: sine and triangle
//! at 0 and rising, the pulse going high, the saw at its bottom. Every value here is naive; [`super::residual`] makes
//! the edges band-limited.

use std::f32::consts::PI;
use std::f64::consts::TAU;

/// A shape; the number is the choice of `shape`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Wave {
    /// Rises from -1 to 1.
    Saw,
    /// High, then low, without its mean: a narrow pulse is tall.
    Pulse,
    /// Corners at a quarter and three quarters of the cycle.
    Tri,
    /// No edges, unless it is synced.
    Sine,
}

impl Wave {
    /// All, by number.
    pub const ALL: [Wave; 4] = [Wave::Saw, Wave::Pulse, Wave::Tri, Wave::Sine];
}

/// One whole cycle.
pub const CYCLE: f64 = 4_294_967_296.0;

/// A quarter of a cycle, where the triangle turns down.
pub const QUARTER: u32 = 0x4000_0000;

/// Three quarters, where it turns up.
pub const THREE_QUARTERS: u32 = 0xC000_0000;

/// The phase as a signal of -1..1 that is 0 at phase 0 and jumps, naively, half a cycle away from it.
#[inline(always)]
pub fn bare(phase: u32) -> f32 {
    phase as i32 as f32 * (1.0 / 2_147_483_648.0)
}

/// -1 at phase 0, up to 1.
#[inline(always)]
pub fn saw(phase: u32) -> f32 {
    (phase ^ 0x8000_0000) as i32 as f32 * (1.0 / 2_147_483_648.0)
}

/// The pulse is 1 while phase < width and else -1, less its mean of 2 * width - 1: the difference of two saws.
#[inline(always)]
pub fn pulse(phase: u32, width: u32) -> f32 {
    // A width never reaches half of the integers' sign, once halved: the conversion is a signed one, which SIMD has.
    let low = -((width >> 1) as i32 as f32) * (1.0 / 1_073_741_824.0);
    if phase < width { 2.0 + low } else { low }
}

/// 0 at phase 0, 1 at a quarter, -1 at three quarters.
#[inline(always)]
pub fn tri(phase: u32) -> f32 {
    (phase.wrapping_add(QUARTER) as i32 as f32).abs() * (1.0 / 1_073_741_824.0) - 1.0
}

/// sin(2 pi phase).
#[inline(always)]
pub fn sine(phase: u32) -> f32 {
    let turn = phase as i32;
    // The second half of each half turn mirrors the first: sin(pi - x) = sin(x).
    let is_far = turn.wrapping_add(QUARTER as i32) < 0;
    let folded = if is_far { i32::MIN.wrapping_sub(turn) } else { turn };
    sin_pi(folded as f32 * (1.0 / 2_147_483_648.0))
}

/// sin(2 pi turns), for a phase that a signal moves by any number of whole turns.
#[inline(always)]
pub fn sine_of_turns(turns: f64) -> f32 {
    // Adding 1.5 * 2^52 leaves the nearest whole number in the significand.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let part = turns - ((turns + ROUND) - ROUND);
    let folded = if part.abs() > 0.25 { 0.5f64.copysign(part) - part } else { part };
    sin_pi(2.0 * folded as f32)
}

/// sin(pi x) for `x` of -1/2..=1/2: error below 8e-9 before rounding, -147 dB of noise after it (minimax of degree 9, by
/// weighted least squares).
#[inline(always)]
pub fn sin_pi(x: f32) -> f32 {
    let z = x * x;
    x * (PI + z * (-5.167_714 + z * (2.550_125 + z * (-0.598_512_6 + z * 0.078_012_3))))
}

/// What a sync does to a wave: each is a jump, at the time of the sync.
#[derive(Clone, Copy, Debug, Default)]
pub struct Break {
    /// Jump of the value.
    pub step: f64,
    /// Of the slope, per frame.
    pub ramp: f64,
    /// Of the curvature, per frame and frame.
    pub bow: f64,
}

/// How the phase moves just before a sync.
#[derive(Clone, Copy, Debug)]
pub struct Motion {
    /// Where the phase stands, in cycles.
    pub phase: f64,
    /// The phase less the pulse width.
    pub lag: f64,
    /// The pulse width.
    pub width: f64,
    /// Cycles per frame.
    pub rise: f64,
    /// Change of that per frame.
    pub bend: f64,
}

impl Break {
    /// Hard sync: from where the wave is to its beginning.
    #[inline(never)]
    pub fn reset(wave: Wave, at: Motion) -> Break {
        let phase = at.phase - at.phase.floor();
        match wave {
            Wave::Saw => Break { step: -2.0 * phase, ..Break::default() },
            Wave::Pulse => {
                let lag = at.lag - at.lag.floor();
                Break { step: 2.0 * (1.0 - at.width) - 2.0 * (lag - phase), ..Break::default() }
            }
            Wave::Tri => {
                if at.is_tri_falling() {
                    Break { step: 4.0 * phase - 2.0, ramp: 8.0 * at.rise, bow: 8.0 * at.bend }
                } else {
                    Break { step: if phase < 0.5 { -4.0 * phase } else { 4.0 - 4.0 * phase }, ..Break::default() }
                }
            }
            Wave::Sine => {
                let (sin, cos) = libm::sincos(TAU * phase);
                let speed = TAU * at.rise;
                Break { step: -sin, ramp: speed * (1.0 - cos), bow: TAU * at.bend * (1.0 - cos) + speed * speed * sin }
            }
        }
    }

    /// Soft sync: the phase goes back the way that it came. Nothing jumps; every slope turns round.
    #[inline(never)]
    pub fn turn(wave: Wave, at: Motion) -> Break {
        let slope = match wave {
            Wave::Saw => 2.0,
            Wave::Pulse => 0.0,
            Wave::Tri if at.is_tri_falling() => -4.0,
            Wave::Tri => 4.0,
            Wave::Sine => TAU * libm::cos(TAU * at.phase),
        };
        Break { step: 0.0, ramp: -2.0 * slope * at.rise, bow: -2.0 * slope * at.bend }
    }
}

impl Motion {
    fn is_tri_falling(&self) -> bool {
        (self.phase - 0.25).floor() != (self.phase - 0.75).floor()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_exact_to_rounding_everywhere() {
        let mut power = 0.0;
        for step in 0..100_000u32 {
            let phase = step.wrapping_mul(42_949 * 7 + 1);
            let error = f64::from(sine(phase)) - libm::sin(TAU * f64::from(phase) / CYCLE);
            assert!(error.abs() < 2.5e-7, "at {phase}: {error}");
            power += error * error / 100_000.0;
        }
        // A sine of 1 has a power of 1/2.
        assert!(10.0 * libm::log10(power / 0.5) < -143.0, "{} dB", 10.0 * libm::log10(power / 0.5));
    }

    #[test]
    fn turns_count_alike_near_and_far_from_zero() {
        for step in 0..100_000u32 {
            let turns = f64::from(step) * 0.123_456_7 - 6_000.0;
            let exact = libm::sin(TAU * (turns - libm::round(turns)));
            assert!((f64::from(sine_of_turns(turns)) - exact).abs() < 2.5e-7, "at {turns}");
        }
    }

    #[test]
    fn all_shapes_begin_where_they_should_and_have_no_mean() {
        assert_eq!((saw(0), tri(0), sine(0)), (-1.0, 0.0, 0.0));
        assert_eq!((tri(QUARTER), tri(THREE_QUARTERS)), (1.0, -1.0));
        assert_eq!((pulse(0, 0x8000_0000), pulse(0x8000_0000, 0x8000_0000)), (1.0, -1.0));
        let width = 0x2000_0000;
        assert_eq!(0.125 * pulse(0, width) + 0.875 * pulse(width, width), 0.0);
    }

    #[test]
    fn a_reset_takes_every_shape_from_where_it_was_to_its_beginning() {
        for step in 1..64u32 {
            let phase = step << 26;
            let (at, width) = (f64::from(phase) / CYCLE, 0.3);
            for (wave, value, start) in [
                (Wave::Saw, saw(phase), saw(0)),
                (Wave::Pulse, pulse(phase, (width * CYCLE) as u32), pulse(0, (width * CYCLE) as u32)),
                (Wave::Tri, tri(phase), tri(0)),
                (Wave::Sine, sine(phase), sine(0)),
            ] {
                let motion = Motion { phase: at, lag: at - width, width, rise: 0.01, bend: 0.0 };
                let jump = Break::reset(wave, motion).step as f32;
                assert!((value + jump - start).abs() < 2e-7, "{wave:?} at {at}");
            }
        }
    }
}
