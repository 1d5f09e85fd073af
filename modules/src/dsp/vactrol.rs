//! Vactrol: a lamp on a photoresistor. The lamp follows a voltage; the resistor sees the light at once and forgets it slowly.
//!
//! Series resistor and tuning resistor of a low-pass gate at once, so loudness and brightness are two readings of one state:
//! as part of a divider with a fixed resistor it lets through the share `open`, as the R of an RC it tunes to
//! `KNEE_HZ * open / (1 - open)`. The light rises and falls as an exponential, so the loudness falls by equal decibels, while
//! the brightness drops first and lingers then: the sound of a struck drum.
//!
//! Source: Parker & D'Angelo, "A digital model of the Buchla lowpass-gate", DAFx-13: divider, and the vactrol's 12 ms
//! up and 250 ms down, here for nine tenths of the way.

use super::decay::approach;

/// Cutoff where half of the loudness is left.
const KNEE_HZ: f32 = 500.0;

/// Seconds to open and to close, and time constants in them: ln 10.
const OPEN_S: f64 = 0.012;
const CLOSE_S: f64 = 0.25;
const CONSTANTS: f64 = std::f64::consts::LN_10;

/// The vactrols of `W` channels side by side. f64: an f32 would stall a cent before its goal.
#[derive(Clone, Copy, Debug)]
pub struct Vactrol<const W: usize> {
    /// How far each is open, 0..1; 0: not yet told, goes at once to where it is first told to.
    pub open: [f64; W],
    rise: f64,
    fall: f64,
    knee: f64,
}

impl<const W: usize> Vactrol<W> {
    /// None.
    pub const DARK: Self = Vactrol { open: [0.0; W], rise: 0.0, fall: 0.0, knee: 1.0 };

    /// At `rate_hz`.
    #[inline(always)]
    pub fn new(open: [f64; W], rate_hz: f32) -> Self {
        let per_frame = |seconds| approach(CONSTANTS / (seconds * f64::from(rate_hz)));
        let knee = f64::from(KNEE_HZ / rate_hz);
        Vactrol { open, rise: per_frame(OPEN_S), fall: per_frame(CLOSE_S), knee }
    }

    /// One frame towards `cutoff` in cycles per frame: the cutoff that it reaches, and the loudness.
    #[inline(always)]
    pub fn step(&mut self, cutoff: &[f32; W]) -> ([f32; W], [f32; W]) {
        let (mut reached, mut gain) = ([0.0; W], [0.0; W]);
        for lane in 0..W {
            let light = f64::from(cutoff[lane]);
            let target = light / (light + self.knee);
            let way = target - self.open[lane];
            let share = if way > 0.0 { self.rise } else { self.fall };
            let moved = self.open[lane] + way * share;
            let open = if self.open[lane] > 0.0 { moved } else { target };
            self.open[lane] = open;
            reached[lane] = (self.knee * open / (1.0 - open)) as f32;
            gain[lane] = open as f32;
        }
        (reached, gain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_HZ: f32 = 48_000.0;

    #[test]
    fn it_opens_in_12_ms_closes_in_250_and_rests_where_it_is_told() {
        let mut vactrol = Vactrol::<1>::new([0.0], RATE_HZ);
        let (dark, light) = ([20.0 / RATE_HZ], [20_000.0 / RATE_HZ]);
        let after = |vactrol: &mut Vactrol<1>, cutoff: &[f32; 1], frames| {
            (0..frames).fold(([0.0], [0.0]), |_, _| vactrol.step(cutoff)).1[0]
        };
        let closed = after(&mut vactrol, &dark, 1);
        assert!((closed - 20.0 / 520.0).abs() < 1e-6, "it begins where it is told to be: {closed}");
        let full = 20_000.0 / 20_500.0;
        let opened = after(&mut vactrol, &light, 576);
        assert!(((full - opened) / (full - closed) - 0.1).abs() < 1e-3, "after 12 ms: {opened}");
        let (reached, _) = (0..48_000).fold(([0.0], [0.0]), |_, _| vactrol.step(&light));
        assert!((reached[0] / light[0] - 1.0).abs() < 1e-6, "in tune at rest");
        let closing = after(&mut vactrol, &dark, 12_000);
        assert!(((closing - closed) / (full - closed) - 0.1).abs() < 1e-3, "after 250 ms: {closing}");
    }
}
