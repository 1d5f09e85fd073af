//! The models, sample by sample, at whatever rate they run.

use super::setting::{Mix, Setting};
use crate::dsp::ladder::{self, Ladder};
use crate::dsp::svf::{self, Gains, Svf};

/// Negative damping of the svf at full resonance, and what the energy adds to it: the oscillation settles where the two are
/// equal, at an amplitude of 1, within some 20 / (pi cutoff 0.05) seconds from silence.
const UNDAMPING: f32 = 0.05;

/// Feedback of the ladder at full resonance; it oscillates from 4 on.
const FEEDBACK_MAX: f32 = 4.5;

/// Level at the ladder's tanh for a level of 1 at the input: small enough to be clean (-50 dB of third harmonic).
const LADDER_LEVEL: f32 = 0.25;

/// Resonance from which the svf's damping heeds its energy; below it is linear.
pub(super) const LIMITED_FROM: f32 = 0.5;

/// What starts an oscillation out of silence, where a circuit has its noise: -120 dB, only while the filter would oscillate and
/// its state is far below this: a kick must neither hold the state at rest nor lock on to the oscillation that it began.
const KICK: f32 = 1e-6;

/// A model of a filter, `W` channels side by side.
pub(super) trait Core<const W: usize> {
    /// Heeds cutoff (cycles per sample of its own rate) and resonance.
    fn tune(&mut self, cutoff: [f32; W], res: [f32; W]);

    /// What enters with a frame of `input`: a kick, where it should sing and is silent.
    fn enter(&self, input: [f32; W]) -> [f32; W];

    /// One sample.
    fn step(&mut self, input: [f32; W]) -> [f32; W];
}

/// The svf: one stage, or two where it is `STEEP`, of which the second resonates. Where it does not `LIMIT`, no resonance is above
/// [`LIMITED_FROM`]; the numbers are the same.
pub(super) struct SvfCore<const W: usize, const STEEP: bool, const LIMITS: bool> {
    pub stages: [Svf<W>; 2],
    /// Energy of the second stage two samples ago, and one: what the limiter heeds may be that late, as it hardly moves, and the
    /// division for the coefficients need not wait for the sample before.
    pub energies: [[f32; W]; 2],
    damping: [f32; 2],
    mixes: [Mix; 2],
    first: Gains<W>,
    tuning: svf::Tuning<W>,
    second: Gains<W>,
}

impl<const W: usize, const STEEP: bool, const LIMITS: bool> SvfCore<W, STEEP, LIMITS> {
    #[inline(always)]
    pub fn new(stages: [Svf<W>; 2], energies: [[f32; W]; 2], setting: Setting) -> Self {
        let damping = setting.damping();
        let tuning = svf::Tuning::new([0.0; W], [1.0; W], [0.0; W]);
        let gains = tuning.gains([0.0; W]);
        let mixes = damping.map(|damping| setting.mix(damping));
        SvfCore { stages, energies, damping, mixes, first: gains, tuning, second: gains }
    }
}

impl<const W: usize, const STEEP: bool, const LIMITS: bool> Core<W> for SvfCore<W, STEEP, LIMITS> {
    #[inline(always)]
    fn tune(&mut self, cutoff: [f32; W], res: [f32; W]) {
        let [first, second] = self.damping;
        if STEEP {
            self.first = svf::Tuning::new(cutoff, [first; W], [0.0; W]).gains([0.0; W]);
        }
        let (mut damping, mut limit) = ([0.0; W], [0.0; W]);
        for lane in 0..W {
            damping[lane] = second - (second + UNDAMPING) * res[lane];
            let near = ((res[lane] - LIMITED_FROM) * (1.0 / (1.0 - LIMITED_FROM))).max(0.0);
            limit[lane] = UNDAMPING * near * near;
        }
        self.tuning = svf::Tuning::new(cutoff, damping, limit);
        if !LIMITS {
            self.second = self.tuning.gains([0.0; W]);
        }
    }

    #[inline(always)]
    fn enter(&self, mut input: [f32; W]) -> [f32; W] {
        if LIMITS {
            for lane in 0..W {
                let is_silent = self.energies[0][lane] < 0.01 * KICK * KICK;
                let kick = if is_silent && self.tuning.damping[lane] < 0.0 { KICK } else { 0.0 };
                input[lane] += kick;
            }
        }
        input
    }

    #[inline(always)]
    fn step(&mut self, input: [f32; W]) -> [f32; W] {
        let mut value = [0.0; W];
        for lane in 0..W {
            value[lane] = soften(input[lane]);
        }
        if STEEP {
            let bands = self.stages[0].step(value, &self.first);
            value = self.mixes[0].of(&value, &bands, self.first.damping());
        }
        let gains = if LIMITS { self.tuning.gains(self.energies[0]) } else { self.second };
        let bands = self.stages[1].step(value, &gains);
        if LIMITS {
            let energy = bands.energy();
            for lane in 0..W {
                // Where there is no limit there is no memory of the energy, whether or not a neighbour has one.
                let is_limited = self.tuning.limit[lane] > 0.0;
                self.energies[0][lane] = if is_limited { self.energies[1][lane] } else { 0.0 };
                self.energies[1][lane] = if is_limited { energy[lane] } else { 0.0 };
            }
        }
        self.mixes[1].of(&value, &bands, gains.damping())
    }
}

impl Mix {
    #[inline(always)]
    fn of<const W: usize>(&self, input: &[f32; W], bands: &svf::Bands<W>, damping: &[f32; W]) -> [f32; W] {
        let mut sum = [0.0; W];
        for lane in 0..W {
            let band = self.band + self.damped * damping[lane];
            sum[lane] = self.input * input[lane] + self.low * bands.low[lane] + band * bands.band[lane];
        }
        sum
    }
}

/// The ladder, solved with `STEPS` steps of Newton.
pub(super) struct LadderCore<const W: usize, const STEPS: usize> {
    pub ladder: Ladder<W>,
    taps: [f32; ladder::TAPS],
    tuning: ladder::Tuning<W>,
    feedback: [f32; W],
}

impl<const W: usize, const STEPS: usize> LadderCore<W, STEPS> {
    #[inline(always)]
    pub fn new(ladder: Ladder<W>, setting: Setting) -> Self {
        let taps = setting.tap_shares().map(|share| share * (1.0 / LADDER_LEVEL));
        LadderCore { ladder, taps, tuning: ladder::Tuning::new([0.0; W], [0.0; W]), feedback: [0.0; W] }
    }
}

impl<const W: usize, const STEPS: usize> Core<W> for LadderCore<W, STEPS> {
    #[inline(always)]
    fn tune(&mut self, cutoff: [f32; W], res: [f32; W]) {
        for lane in 0..W {
            self.feedback[lane] = FEEDBACK_MAX * res[lane];
        }
        self.tuning = ladder::Tuning::new(cutoff, self.feedback);
    }

    #[inline(always)]
    fn enter(&self, mut input: [f32; W]) -> [f32; W] {
        for lane in 0..W {
            let (first, last) = (self.ladder.states[0][lane], self.ladder.states[3][lane]);
            // The two are 135 degrees apart, so that their sum does not pass through zero once it sings.
            let is_silent = first.abs() + last.abs() < 1e-6 * KICK;
            let kick = if is_silent && self.feedback[lane] > 4.0 { KICK } else { 0.0 };
            input[lane] = LADDER_LEVEL * input[lane] + kick;
        }
        input
    }

    #[inline(always)]
    fn step(&mut self, input: [f32; W]) -> [f32; W] {
        self.ladder.step::<STEPS>(input, &self.tuning, &self.taps)
    }
}

/// Linear to a level of 1, then ever flatter towards 3: 1 + 2 h with h = 1 - 1 / (1 + t + t^2 + t^3 + t^4) = t - t^5 + ...
///
/// The bend begins with its fifth derivative: driven by 20 dB it aliases 46 dB less at twice the rate than one that begins with
/// its second, 2 - 1/x.
#[inline(always)]
fn soften(x: f32) -> f32 {
    let size = x.abs();
    let t = 0.5 * (size - 1.0).max(0.0);
    let sum = 1.0 + t * (1.0 + t * (1.0 + t * (1.0 + t)));
    (size.min(1.0) + (2.0 - 2.0 / sum)).copysign(x)
}
