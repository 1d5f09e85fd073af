//! Transistor ladder: four one-pole stages in a loop, with one saturation at the loop's input.
//!
//! Zero delay: the sample that leaves the fourth stage is part of the equation for the one that enters the first, and Newton
//! solves it. With the one tanh outside the stages the poles stay where they were tuned however hard it is driven; a tanh in
//! every stage detunes by up to 128 cents (SOUND.md).
//! Run at twice the rate, because tanh makes harmonics. Other responses than the low pass are sums of the taps.
//!
//! Source: Zavalishin, The Art of VA Filter Design, 5.1-5.5 (ladder, zero-delay feedback) and 6.3 (Newton);
//! Välimäki & Huovilainen, "Oscillator and Filter Algorithms for Virtual Analog Synthesis", CMJ 30:2, 2006 (taps).

use super::math::{sin_cos_pi, tanh};

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
    /// Instantaneous gain of a stage: g / (1 + g), g = tan(pi f).
    gain: [f32; W],
    /// Feedback; 4 oscillates.
    feedback: [f32; W],
}

impl<const W: usize> Tuning<W> {
    /// For a cutoff in cycles per sample, at the rate of [`Ladder::step`].
    #[inline(always)]
    pub fn new(cutoff: [f32; W], feedback: [f32; W]) -> Self {
        let mut gain = [0.0; W];
        for lane in 0..W {
            let (sin, cos) = sin_cos_pi(cutoff[lane]);
            gain[lane] = sin / (sin + cos);
        }
        Tuning { gain, feedback }
    }
}

impl<const W: usize> Ladder<W> {
    /// One sample: the sum of the taps by `weights`.
    #[inline(always)]
    pub fn step(&mut self, input: [f32; W], tuning: &Tuning<W>, weights: &[[f32; W]; TAPS]) -> [f32; W] {
        let mut output = [0.0; W];
        for lane in 0..W {
            let (gain, feedback) = (tuning.gain[lane], tuning.feedback[lane]);
            let (s1, s2) = (self.states[0][lane], self.states[1][lane]);
            let (s3, s4) = (self.states[2][lane], self.states[3][lane]);
            // What the fourth stage gives if nothing enters, and how much of what enters it passes at once.
            let rest = (1.0 - gain) * (s4 + gain * (s3 + gain * (s2 + gain * s1)));
            let square = gain * gain;
            let pass = feedback * square * square;
            // v + pass * tanh(v) = drive. Two steps of Newton from the solution without tanh; the second
            // is good enough to be applied to tanh(v) itself (|its correction| < 0.01, so the error is below 1e-4 of it).
            let drive = input[lane] - feedback * rest;
            let mut v = drive / (1.0 + pass);
            let mut u = tanh(v);
            let mut slope = 1.0 - u * u;
            v -= (v + pass * u - drive) / (1.0 + pass * slope);
            u = tanh(v);
            slope = 1.0 - u * u;
            u -= slope * (v + pass * u - drive) / (1.0 + pass * slope);
            let mut sum = weights[0][lane] * u;
            let mut value = u;
            for stage in 0..4 {
                let state = self.states[stage][lane];
                let rise = gain * (value - state);
                value = state + rise;
                self.states[stage][lane] = value + rise;
                sum += weights[stage + 1][lane] * value;
            }
            output[lane] = sum;
        }
        output
    }
}
