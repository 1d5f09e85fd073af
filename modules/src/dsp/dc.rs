//! Takes the mean out of a sound, as the capacitor at a circuit's output does.

use crate::dsp::decay::approach;

/// Where a tone loses 3 dB. At 20 Hz it loses 0.1 dB.
const CORNER_HZ: f64 = 3.0;

/// High pass of first order for `W` channels: the signal less its running mean. The mean is f64: what an f32 rounds away at
/// 1/2500 of its level per frame would be DC again.
pub struct DcBlock<const W: usize> {
    mean: [f64; W],
    share: f64,
}

impl<const W: usize> DcBlock<W> {
    /// Takes the means out of the voices' states.
    #[inline(always)]
    pub fn load(rate_hz: f32, of: impl Fn(usize) -> f64) -> Self {
        let mut mean = [0.0; W];
        for lane in 0..W {
            mean[lane] = of(lane);
        }
        DcBlock { mean, share: approach(std::f64::consts::TAU * CORNER_HZ / f64::from(rate_hz)) }
    }

    /// The mean of a channel, to put back.
    #[inline(always)]
    pub fn store(&self, lane: usize) -> f64 {
        self.mean[lane]
    }

    /// One frame.
    #[inline(always)]
    pub fn step(&mut self, input: [f32; W]) -> [f32; W] {
        let mut output = [0.0; W];
        for lane in 0..W {
            let way = f64::from(input[lane]) - self.mean[lane];
            self.mean[lane] += self.share * way;
            output[lane] = way as f32;
        }
        output
    }
}
