//! When a sync input says "start again", to a small part of a frame.
//!
//! Two kinds of source drive a sync input: oscillators, which swing around 0, and gates, which rest at 0 and go to 1. Either is
//! read with hysteresis: after a dip below -0.25 the next rise through 0 counts; after 0.5 and back below 0.25 the next rise
//! through 0.5 (INTERFACE, gates). So an edge that rings fires once.

use bytemuck::{Pod, Zeroable};

use super::cubic::Cubic;

/// State of one sync input.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Sync {
    /// The last three samples, newest first.
    recent: [f32; 3],
    /// What is waited for: one of the constants below.
    stage: u32,
}

/// Waits for 0.5.
const GATE: u32 = 0;
/// Waits for 0.
const SWING: u32 = 1;
/// Fired at 0 and waits until the input is clearly high.
const RISING: u32 = 2;
/// Waits until a gate ends.
const HIGH: u32 = 3;

const ON: f32 = 0.5;
const OFF: f32 = 0.25;
const DIP: f32 = -0.25;

impl Sync {
    /// Takes the next samples of `W` channels. Tells `each` channel and frame that fires, and when between the frame before (0)
    /// and this one (1).
    #[inline(always)]
    pub fn next<const W: usize>(syncs: &mut [Sync; W], rows: &[[f32; W]], mut each: impl FnMut(usize, usize, f64)) {
        let mut stages = [GATE; W];
        for lane in 0..W {
            stages[lane] = syncs[lane].stage;
        }
        for (frame, row) in rows.iter().enumerate() {
            // Without branches, side by side: most frames of most channels fire nothing.
            let mut fired = [0u32; W];
            let mut is_any = 0;
            for lane in 0..W {
                let (sample, stage) = (row[lane], stages[lane]);
                let level = if stage == SWING { 0.0 } else { ON };
                let is_fired = (stage <= SWING) & (sample >= level);
                let is_high = (sample > ON) & (is_fired | (stage == RISING));
                let mut next = if (stage == HIGH) & (sample < OFF) { GATE } else { stage };
                next = if sample < DIP { SWING } else { next };
                next = if is_fired { RISING } else { next };
                stages[lane] = if is_high { HIGH } else { next };
                // The level that it listened for, in passing.
                fired[lane] = if is_fired { 1 + stage } else { 0 };
                is_any |= fired[lane];
            }
            if is_any != 0 {
                for lane in 0..W {
                    if fired[lane] != 0 {
                        let level = if fired[lane] == 1 + SWING { 0.0 } else { ON };
                        each(lane, frame, Sync::time_of(level, row[lane], syncs[lane].before(rows, lane, frame)));
                    }
                }
            }
        }
        for lane in 0..W {
            syncs[lane] = Sync { recent: syncs[lane].before(rows, lane, rows.len()), stage: stages[lane] };
        }
    }

    /// The three samples before `frame`, newest first.
    #[inline(always)]
    fn before<const W: usize>(&self, rows: &[[f32; W]], lane: usize, frame: usize) -> [f32; 3] {
        let mut samples = [0.0; 3];
        for (age, sample) in samples.iter_mut().enumerate() {
            *sample = if age < frame { rows[frame - 1 - age][lane] } else { self.recent[age - frame] };
        }
        samples
    }

    #[inline(never)]
    fn time_of(level: f32, sample: f32, [newest, middle, oldest]: [f32; 3]) -> f64 {
        let path = Cubic::through([oldest, middle, newest, sample]);
        path.time_of(f64::from(level) - f64::from(newest), 0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(samples: impl IntoIterator<Item = f32>) -> Vec<f64> {
        let rows: Vec<[f32; 1]> = samples.into_iter().map(|sample| [sample]).collect();
        let mut fired = Vec::new();
        let mut syncs = [Sync::zeroed()];
        // In blocks of odd lengths, so that paths cross from one to the next.
        for (block, rows) in rows.chunks(7).enumerate() {
            Sync::next(&mut syncs, rows, |_, frame, time| fired.push((7 * block + frame) as f64 + time));
        }
        fired
    }

    #[test]
    fn a_swing_fires_at_its_zero_to_a_millionth_of_a_frame() {
        let period = 436.36;
        let heard =
            times((0..2_000).map(|frame| libm::sin(std::f64::consts::TAU * (f64::from(frame) + 0.3) / period) as f32));
        // The first rise comes from rest, where nothing dipped yet; it counts as a gate.
        for (cycle, time) in heard.iter().enumerate().skip(1) {
            assert!((time - 1.0 - (cycle as f64 * period - 0.3)).abs() < 1e-5, "{heard:?}");
        }
        assert_eq!(heard.len(), 5);
    }

    #[test]
    fn a_gate_fires_once_and_ringing_does_not_fire_again() {
        assert_eq!(times([0.0, 0.0, 1.0, 1.0, 0.6, 0.3, 0.6, 0.0, 0.1, -0.1, 0.1, 1.0]).len(), 2);
        assert_eq!(times([-1.0, -1.1, -0.9, 0.1, -0.1, 0.2, -0.05, 0.1, -1.0, 0.2]).len(), 2);
    }
}
