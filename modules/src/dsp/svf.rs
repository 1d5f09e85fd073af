//! State-variable filter without a delay in its loop: low, band and high pass of second order at once, in tune up to half
//! the rate, and stable however fast the cutoff moves.
//!
//! Two trapezoidal integrators, solved for their new states, so that only four operations lie between one frame's states and
//! the next's. The states keep their energy under any change of the cutoff, so only the damping k decides whether the filter
//! rings up or down. Full resonance makes k slightly negative, and damping that grows with the energy s1^2 + s2^2 holds the
//! oscillation: for a sine at the cutoff that energy does not move, hence neither distortion nor detuning.
//!
//! Source: Zavalishin, The Art of VA Filter Design, 4.1-4.4; Simper, "Solving the continuous SVF equations using trapezoidal
//! integration", Cytomic 2013. The limiter after the van der Pol oscillator, with energy in place of the square.

use super::math::tan_pi;

/// State of one stage, `W` channels side by side.
#[derive(Clone, Copy, Debug)]
pub struct Svf<const W: usize> {
    /// The integrators: band, low.
    pub states: [[f32; W]; 2],
}

/// What a stage needs to know about its tuning in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Tuning<const W: usize> {
    /// tan(pi f) of the cutoff f in cycles per frame, the integrators' gain g, as a ratio: above and below the line.
    above: [f32; W],
    below: [f32; W],
    /// Damping k: 1 / Q.
    pub damping: [f32; W],
    /// How much of the energy is added to the damping.
    pub limit: [f32; W],
}

/// Coefficients of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Gains<const W: usize> {
    /// 2 g / (1 + g (g + k)): from one state into the other.
    cross: [f32; W],
    /// The same times g + k: what band loses of itself.
    fall: [f32; W],
    /// The same times g: what low takes of input and itself.
    pull: [f32; W],
    /// k.
    damping: [f32; W],
}

/// What a frame gives.
#[derive(Clone, Copy, Debug)]
pub struct Bands<const W: usize> {
    /// Low pass.
    pub low: [f32; W],
    /// Band pass, Q at the cutoff.
    pub band: [f32; W],
    /// High pass.
    pub high: [f32; W],
}

impl<const W: usize> Tuning<W> {
    /// For a cutoff in cycles per frame, below one half.
    #[inline(always)]
    pub fn new(cutoff: [f32; W], damping: [f32; W], limit: [f32; W]) -> Self {
        let (mut above, mut below) = ([0.0; W], [0.0; W]);
        for lane in 0..W {
            (above[lane], below[lane]) = tan_pi(cutoff[lane]);
        }
        Tuning { above, below, damping, limit }
    }

    /// With the damping that an `energy` calls for. One division.
    #[inline(always)]
    pub fn gains(&self, energy: [f32; W]) -> Gains<W> {
        let mut gains = Gains { cross: [0.0; W], fall: [0.0; W], pull: [0.0; W], damping: [0.0; W] };
        for lane in 0..W {
            let (above, below) = (self.above[lane], self.below[lane]);
            let damping = self.damping[lane] + self.limit[lane] * energy[lane];
            let sum = above + damping * below;
            let share = 2.0 * above / (below * below + above * sum);
            gains.cross[lane] = share * below;
            gains.fall[lane] = share * sum;
            gains.pull[lane] = share * above;
            gains.damping[lane] = damping;
        }
        gains
    }
}

impl<const W: usize> Gains<W> {
    /// Damping k, the energy's part included.
    #[inline(always)]
    pub fn damping(&self) -> &[f32; W] {
        &self.damping
    }
}

impl<const W: usize> Svf<W> {
    /// At rest.
    pub const SILENT: Self = Svf { states: [[0.0; W]; 2] };

    /// One frame.
    #[inline(always)]
    pub fn step(&mut self, input: [f32; W], gains: &Gains<W>) -> Bands<W> {
        let mut bands = Bands { low: [0.0; W], band: [0.0; W], high: [0.0; W] };
        for lane in 0..W {
            let (s1, s2) = (self.states[0][lane], self.states[1][lane]);
            let gap = input[lane] - s2;
            // Increments instead of new states (Zavalishin's 2 v): at 20 Hz a rounded 1 - 2 g k would detune.
            let new1 = s1 + (gains.cross[lane] * gap - gains.fall[lane] * s1);
            let new2 = s2 + (gains.cross[lane] * s1 + gains.pull[lane] * gap);
            (self.states[0][lane], self.states[1][lane]) = (new1, new2);
            // A trapezoidal integrator gives the mean of its old and new state.
            let (band, low) = (0.5 * (s1 + new1), 0.5 * (s2 + new2));
            bands.low[lane] = low;
            bands.band[lane] = band;
            bands.high[lane] = input[lane] - low - gains.damping[lane] * band;
        }
        bands
    }
}

impl<const W: usize> Bands<W> {
    /// Energy of what leaves the integrators: at rest for a sine at the cutoff.
    #[inline(always)]
    pub fn energy(&self) -> [f32; W] {
        let mut energy = [0.0; W];
        for lane in 0..W {
            energy[lane] = self.band[lane] * self.band[lane] + self.low[lane] * self.low[lane];
        }
        energy
    }
}
