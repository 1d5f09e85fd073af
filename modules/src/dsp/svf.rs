//! State-variable filter without a delay in its loop: low, band and high pass of second order at once, in tune up to half
//! the rate, and stable however fast the cutoff moves.
//!
//! Two trapezoidal integrators, solved for their outputs. The states keep their energy under any change of the cutoff, so
//! only the damping k decides whether the filter rings up or down. Full resonance makes k slightly negative, and damping
//! that grows with the energy s1^2 + s2^2 holds the oscillation: for a sine at the cutoff that energy does not move,
//! hence neither distortion nor detuning.
//!
//! Source: Zavalishin, The Art of VA Filter Design, 4.1-4.4; Simper, "Solving the continuous SVF equations using trapezoidal
//! integration", Cytomic 2013. The limiter after the van der Pol oscillator, with energy in place of the square.

use super::math::sin_cos_pi;

/// State of one stage, `W` channels side by side.
#[derive(Clone, Copy, Debug)]
pub struct Svf<const W: usize> {
    /// The integrators: band, low.
    pub states: [[f32; W]; 2],
}

/// What a stage needs to know about its tuning in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Tuning<const W: usize> {
    /// sin(pi f) and cos(pi f) of the cutoff f in cycles per frame: their ratio is the integrators' gain g.
    pub sin: [f32; W],
    /// See `sin`.
    pub cos: [f32; W],
    /// Damping: 1 / Q.
    pub damping: [f32; W],
    /// How much of the energy is added to the damping.
    pub limit: [f32; W],
}

/// Coefficients of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Gains<const W: usize> {
    /// g = tan(pi f).
    g: [f32; W],
    /// g + k.
    sum: [f32; W],
    /// 1 / (1 + g (g + k)).
    high: [f32; W],
}

/// The three outputs of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Bands<const W: usize> {
    /// Low pass.
    pub low: [f32; W],
    /// Band pass, Q at the cutoff.
    pub band: [f32; W],
    /// High pass.
    pub high: [f32; W],
}

impl<const W: usize> Bands<W> {
    /// Their weighted sum.
    #[inline(always)]
    pub fn mix(&self, low: &[f32; W], band: &[f32; W], high: &[f32; W]) -> [f32; W] {
        let mut sum = [0.0; W];
        for lane in 0..W {
            sum[lane] = low[lane] * self.low[lane] + band[lane] * self.band[lane] + high[lane] * self.high[lane];
        }
        sum
    }
}

impl<const W: usize> Tuning<W> {
    /// Sine and cosine for a cutoff in cycles per frame, below one half.
    #[inline(always)]
    pub fn new(cutoff: [f32; W], damping: [f32; W], limit: [f32; W]) -> Self {
        let (mut sin, mut cos) = ([0.0; W], [0.0; W]);
        for lane in 0..W {
            (sin[lane], cos[lane]) = sin_cos_pi(cutoff[lane]);
        }
        Tuning { sin, cos, damping, limit }
    }

    /// With the damping that an `energy` calls for. One division: g and the high gain share their denominator.
    #[inline(always)]
    pub fn gains(&self, energy: [f32; W]) -> Gains<W> {
        let (mut g, mut sum, mut high) = ([0.0; W], [0.0; W], [0.0; W]);
        for lane in 0..W {
            let (sin, cos) = (self.sin[lane], self.cos[lane]);
            // The outputs are the means of old and new states, and so smaller than these by cos(pi f).
            let damping = self.damping[lane] + self.limit[lane] * (energy[lane] * (cos * cos));
            let square = cos * cos + sin * (sin + damping * cos);
            let share = 1.0 / (cos * square);
            g[lane] = sin * square * share;
            high[lane] = cos * cos * cos * share;
            sum[lane] = g[lane] + damping;
        }
        Gains { g, sum, high }
    }
}

impl<const W: usize> Svf<W> {
    /// Energy of the states.
    #[inline(always)]
    pub fn energy(&self) -> [f32; W] {
        let mut energy = [0.0; W];
        for lane in 0..W {
            let (band, low) = (self.states[0][lane], self.states[1][lane]);
            energy[lane] = band * band + low * low;
        }
        energy
    }

    /// One frame.
    #[inline(always)]
    pub fn step(&mut self, input: [f32; W], gains: &Gains<W>) -> Bands<W> {
        let mut bands = Bands { low: [0.0; W], band: [0.0; W], high: [0.0; W] };
        for lane in 0..W {
            let (s1, s2) = (self.states[0][lane], self.states[1][lane]);
            let g = gains.g[lane];
            // Increments instead of new states (Zavalishin's v): at 20 Hz a rounded 1 - 2 g k would detune.
            let high = gains.high[lane] * (input[lane] - s2 - gains.sum[lane] * s1);
            let rise = g * high;
            let band = s1 + rise;
            let climb = g * band;
            self.states[0][lane] = band + rise;
            let low = s2 + climb;
            self.states[1][lane] = low + climb;
            bands.low[lane] = low;
            bands.band[lane] = band;
            bands.high[lane] = high;
        }
        bands
    }
}
