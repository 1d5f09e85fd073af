//! Twice the rate and back: half-band filters from two chains of first-order all-passes.
//!
//! Elliptic, a few multiplications for two samples; their delay of a few frames varies with frequency.
//! [`STEEP`] stands next to the sound's own rate, [`GENTLE`] between twice and four times, where nothing is near the edge.
//! Source: Valenzuela & Constantinides, "Digital signal processing schemes for efficient interpolation and decimation",
//! IEE Proc. 130, 1983; coefficients by the closed form of de Soras, HIIR.

/// A half-band filter: the coefficients of the chains that give its even and its odd samples.
#[derive(Clone, Copy, Debug)]
pub struct HalfBand<const STAGES: usize> {
    even: [f32; STAGES],
    odd: [f32; STAGES],
}

/// Flat to 0.195 of the higher rate (18.7 kHz at 96 kHz), -108 dB from 0.305 (29.3 kHz), so that nothing which folds below
/// 16 kHz is heard. 6 coefficients, transition 0.11.
pub const STEEP: HalfBand<3> =
    HalfBand { even: [0.036_682_513, 0.288_362_92, 0.659_964_14], odd: [0.139_006_88, 0.465_478_1, 0.876_508_1] };

/// -124 dB from 0.385 of the higher rate (73.9 kHz at 192 kHz): what it lets fold lies above 22 kHz. 4 coefficients,
/// transition 0.27.
pub const GENTLE: HalfBand<2> = HalfBand { even: [0.040_341_224, 0.382_821_6], odd: [0.163_791_93, 0.738_750_1] };

/// What a chain remembers: the last input of every stage, and the last output of the last.
#[derive(Clone, Copy, Debug)]
pub struct Chain<const W: usize, const STAGES: usize> {
    /// Per stage.
    pub inputs: [[f32; W]; STAGES],
    /// Of the last stage.
    pub output: [f32; W],
}

impl<const W: usize, const STAGES: usize> Chain<W, STAGES> {
    /// At rest.
    pub const SILENT: Self = Chain { inputs: [[0.0; W]; STAGES], output: [0.0; W] };

    #[inline(always)]
    fn step(&mut self, input: [f32; W], coefficients: &[f32; STAGES]) -> [f32; W] {
        let mut value = input;
        for stage in 0..STAGES {
            // A stage's last output is the last input of the next.
            let last = if stage + 1 < STAGES { self.inputs[stage + 1] } else { self.output };
            for lane in 0..W {
                let output = coefficients[stage] * (value[lane] - last[lane]) + self.inputs[stage][lane];
                self.inputs[stage][lane] = value[lane];
                value[lane] = output;
            }
        }
        self.output = value;
        value
    }
}

impl<const STAGES: usize> HalfBand<STAGES> {
    /// Two samples for one.
    #[inline(always)]
    pub fn up<const W: usize>(&self, chains: &mut [Chain<W, STAGES>; 2], input: [f32; W]) -> [[f32; W]; 2] {
        let [even, odd] = chains;
        [even.step(input, &self.even), odd.step(input, &self.odd)]
    }

    /// One sample for two.
    #[inline(always)]
    pub fn down<const W: usize>(&self, chains: &mut [Chain<W, STAGES>; 2], input: [[f32; W]; 2]) -> [f32; W] {
        let [even, odd] = chains;
        let (late, early) = (even.step(input[1], &self.even), odd.step(input[0], &self.odd));
        let mut output = [0.0; W];
        for lane in 0..W {
            output[lane] = 0.5 * (late[lane] + early[lane]);
        }
        output
    }
}
