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
    /// Takes the next sample; tells when between the last one (0) and this one (1) the input fired, if it did.
    #[inline(always)]
    pub fn next(&mut self, sample: f32) -> Option<f64> {
        let level = if self.stage == SWING { 0.0 } else { ON };
        let is_waiting = self.stage <= SWING;
        let mut fired = None;
        if is_waiting && sample >= level {
            fired = Some(self.time_of(level, sample));
            self.stage = if sample > ON { HIGH } else { RISING };
        } else if sample < DIP {
            self.stage = SWING;
        } else if self.stage == RISING && sample > ON {
            self.stage = HIGH;
        } else if self.stage == HIGH && sample < OFF {
            self.stage = GATE;
        }
        self.recent = [sample, self.recent[0], self.recent[1]];
        fired
    }

    #[inline(never)]
    fn time_of(&self, level: f32, sample: f32) -> f64 {
        let [newest, middle, oldest] = self.recent.map(f64::from);
        let path = Cubic::new(middle - oldest, newest - middle, f64::from(sample) - newest);
        path.time_of(f64::from(level) - newest, 0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(samples: impl IntoIterator<Item = f32>) -> Vec<f64> {
        let mut sync = Sync::zeroed();
        let fired =
            samples.into_iter().enumerate().filter_map(|(frame, sample)| Some(frame as f64 + sync.next(sample)?));
        fired.collect()
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
