//! Transistor ladder: four one-pole stages in a loop, with one saturation at the loop's input.
//!
//! Zero delay: the sample that leaves the fourth stage is part of the equation for the one that enters the first, and Newton
//! solves it. With the one tanh outside the stages the poles stay where they were tuned however hard it is driven; a tanh in
//! every stage detunes by up to 128 cents (SOUND.md). Other responses than the low pass are sums of the taps.
//!
//! Everything that the next sample waits for is short: the feedback is one sum over the states, a step of Newton is one
//! division, and the new states follow from its solution in parallel.
//!
//! Source: Zavalishin, The Art of VA Filter Design, 5.1-5.5 (ladder, zero-delay feedback) and 6.3 (Newton);
//! Välimäki & Huovilainen, "Oscillator and Filter Algorithms for Virtual Analog Synthesis", CMJ 30:2, 2006 (taps).

use super::math::{tan_pi, tanh_ratio};

/// Taps: the loop's input after the tanh, then the four stages.
pub const TAPS: usize = 5;

/// The states of the four stages.
#[derive(Clone, Copy, Debug)]
pub struct Ladder<const W: usize> {
    /// One per stage.
    pub states: [[f32; W]; 4],
}

/// Coefficients of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Tuning<const W: usize> {
    /// Instantaneous gain of one to four stages: powers of g / (1 + g), g = tan(pi f).
    gains: [[f32; W]; 4],
    /// How much of each state comes back to the input when nothing enters.
    feedback: [[f32; W]; 4],
    /// How much of what enters comes back at once.
    pass: [f32; W],
    /// 1 / (1 + pass): the solution where tanh is a straight line.
    share: [f32; W],
}

impl<const W: usize> Tuning<W> {
    /// For a cutoff in cycles per sample, at the rate of [`Ladder::step`], and a feedback, of which 4 oscillates.
    #[inline(always)]
    pub fn new(cutoff: [f32; W], feedback: [f32; W]) -> Self {
        let zero = [[0.0; W]; 4];
        let mut tuning = Tuning { gains: zero, feedback: zero, pass: [0.0; W], share: [0.0; W] };
        for lane in 0..W {
            let (above, below) = tan_pi(cutoff[lane]);
            let whole = 1.0 / (above + below);
            let gain = above * whole;
            let square = gain * gain;
            let gains = [gain, square, square * gain, square * square];
            let last = feedback[lane] * (below * whole);
            let back = [gains[2] * last, gains[1] * last, gain * last, last];
            for stage in 0..4 {
                tuning.gains[stage][lane] = gains[stage];
                tuning.feedback[stage][lane] = back[stage];
            }
            tuning.pass[lane] = feedback[lane] * gains[3];
            tuning.share[lane] = 1.0 / (1.0 + tuning.pass[lane]);
        }
        tuning
    }
}

impl<const W: usize> Ladder<W> {
    /// At rest.
    pub const SILENT: Self = Ladder { states: [[0.0; W]; 4] };

    /// One sample: the sum of the taps by `weights`. Newton takes `STEPS` steps: 2 at the sound's own rate, 1 above, where `pass`
    /// is at most 0.3 and the first guess so near that one leaves an error below 3e-4 of the saturation's own bend.
    #[inline(always)]
    pub fn step<const STEPS: usize>(&mut self, input: [f32; W], tuning: &Tuning<W>, weights: &[f32; TAPS]) -> [f32; W] {
        let mut output = [0.0; W];
        for lane in 0..W {
            let gain = tuning.gains[0][lane];
            let states = [self.states[0][lane], self.states[1][lane], self.states[2][lane], self.states[3][lane]];
            let back = (tuning.feedback[0][lane] * states[0] + tuning.feedback[1][lane] * states[1])
                + (tuning.feedback[2][lane] * states[2] + tuning.feedback[3][lane] * states[3]);
            let drive = input[lane] - back;
            let entering = saturate::<STEPS>(drive, tuning.pass[lane], tuning.share[lane]);
            // How far a stage moves if nothing enters the loop, then with what enters. Increments instead of new states: a rounded
            // 1 - gain would detune at 20 Hz, and a state is rounded once (-143 dB at four times the rate; twice and thrice: -139).
            let mut before = 0.0;
            let mut sum = weights[0] * entering;
            for stage in 0..4 {
                let state = states[stage];
                let rest = gain * (before - state);
                before = state + rest;
                let rise = rest + tuning.gains[stage][lane] * entering;
                self.states[stage][lane] = state + (rise + rise);
                sum += weights[stage + 1] * (state + rise);
            }
            output[lane] = sum;
        }
        output
    }
}

/// tanh(v) for the v with v + pass * tanh(v) = drive.
///
/// With tanh(v) as a ratio a step of Newton needs one division. The last step goes straight to tanh(v): tanh's slope there
/// times what it would add to v.
#[inline(always)]
fn saturate<const STEPS: usize>(drive: f32, pass: f32, share: f32) -> f32 {
    let mut v = drive * share;
    for _ in 1..STEPS {
        let (above, below) = tanh_ratio(v);
        let (square, fall) = (below * below, below * below - above * above);
        v -= ((v - drive) * below + pass * above) * below / (square + pass * fall);
    }
    let (above, below) = tanh_ratio(v);
    // Not below zero by rounding: far out, `off` would make much of it.
    let (square, fall) = (below * below, (below * below - above * above).max(0.0));
    let slope = square + pass * fall;
    let off = (v - drive) * below + pass * above;
    (above * slope - fall * off) / (below * slope)
}
