//! What a filter is: the combinations of its choices, and the sums that each takes of its bands or taps.

use crate::dsp::ladder::TAPS;

/// Models.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    Svf,
    Ladder,
    Gate,
}

/// Everything about a filter that does not move while it plays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Setting {
    pub model: Model,
    mode: usize,
    /// 24 dB per octave.
    pub is_steep: bool,
    /// Steps of the model in a frame, as a power of two.
    pub rate_log2: usize,
}

/// Shares of input, low and band, and of damping times band, in what a stage of the svf gives. High is the input without low and
/// without damping times band.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    pub input: f32,
    pub low: f32,
    pub band: f32,
    pub damped: f32,
}

/// Per mode: lp bp hp notch peak allpass. The band pass is to be multiplied by the damping without resonance: 0 dB there.
const MIXES: [Mix; 6] = [
    mix(0.0, 1.0, 0.0, 0.0),
    mix(0.0, 0.0, 1.0, 0.0),
    mix(1.0, -1.0, 0.0, -1.0),
    mix(1.0, 0.0, 0.0, -1.0),
    // low - high, flat at a Q of 1/2 (Simper).
    mix(-1.0, 2.0, 0.0, 1.0),
    // The notch less its band once more.
    mix(1.0, 0.0, 0.0, -2.0),
];

const fn mix(input: f32, low: f32, band: f32, damped: f32) -> Mix {
    Mix { input, low, band, damped }
}

/// Shares of the ladder's taps, per mode, for 12 and 24 dB.
///
/// With G = 1 / (1 + s) a low pass is G^n, a high pass (1 - G)^n, a band pass (2 G (1 - G))^(n / 2), a notch
/// (1 - 2 G + 2 G^2)^(n / 2), an all-pass (1 - 2 G)^n: powers of G are the taps. A peak is (2 G - 1)^(n / 2): flat like an
/// all-pass, until resonance raises it at the cutoff.
const TAP_SHARES: [[[f32; TAPS]; 2]; 6] = [
    [[0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]],
    [[0.0, 2.0, -2.0, 0.0, 0.0], [0.0, 0.0, 4.0, -8.0, 4.0]],
    [[1.0, -2.0, 1.0, 0.0, 0.0], [1.0, -4.0, 6.0, -4.0, 1.0]],
    [[1.0, -2.0, 2.0, 0.0, 0.0], [1.0, -4.0, 8.0, -8.0, 4.0]],
    [[-1.0, 2.0, 0.0, 0.0, 0.0], [1.0, -4.0, 4.0, 0.0, 0.0]],
    [[1.0, -4.0, 4.0, 0.0, 0.0], [1.0, -8.0, 24.0, -32.0, 16.0]],
];

/// Damping without resonance of the only stage of the svf, and of the two of a fourth order: Butterworth's (Oppenheim & Schafer,
/// B.1).
const BUTTERWORTH_12: f32 = std::f32::consts::SQRT_2;
const BUTTERWORTH_24: [f32; 2] = [1.847_759_1, 0.765_366_85];

/// Of a gate's stages: two equal RC.
const GATE: f32 = 2.0;

impl Setting {
    /// From the choices of the player, and how many steps a frame takes.
    #[inline(always)]
    pub fn new(mode: usize, model: usize, slope: usize, rate_log2: usize) -> Setting {
        let model = [Model::Svf, Model::Ladder, Model::Gate][model.min(2)];
        Setting { model, mode: mode.min(MIXES.len() - 1), is_steep: slope == 1, rate_log2: rate_log2.min(2) }
    }

    /// Numbers all settings, from 1 on: 0 is what a switch says that has not met any.
    #[inline(always)]
    pub fn number(self) -> usize {
        1 + ((self.rate_log2 * 2 + usize::from(self.is_steep)) * 3 + self.model as usize) * MIXES.len() + self.mode
    }

    /// The inverse of [`Setting::number`].
    #[inline(always)]
    pub fn numbered(number: usize) -> Setting {
        let number = number.saturating_sub(1);
        let (rest, mode) = (number / MIXES.len(), number % MIXES.len());
        Setting::new(mode, rest % 3, rest / 3 % 2, rest / 6)
    }

    /// Whether the states of a filter in `other` mean the same here.
    #[inline(always)]
    pub fn is_akin(self, other: Setting) -> bool {
        (self.model == Model::Ladder) == (other.model == Model::Ladder)
    }

    /// Damping of the svf's two stages without resonance; the second is the one that resonates, and the only one at 12 dB.
    #[inline(always)]
    pub fn damping(self) -> [f32; 2] {
        match (self.model, self.is_steep) {
            (Model::Gate, _) => [GATE; 2],
            (_, true) => BUTTERWORTH_24,
            (_, false) => [BUTTERWORTH_12; 2],
        }
    }

    /// What the svf's stage whose damping without resonance is `damping` gives.
    #[inline(always)]
    pub fn mix(self, damping: f32) -> Mix {
        let mix = MIXES[self.mode];
        Mix { band: mix.band * damping, ..mix }
    }

    /// What the ladder gives of its taps.
    #[inline(always)]
    pub fn tap_shares(self) -> [f32; TAPS] {
        TAP_SHARES[self.mode][usize::from(self.is_steep)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_comes_back_from_its_number() {
        for number in 1..=3 * 2 * 3 * MIXES.len() {
            assert_eq!(Setting::numbered(number).number(), number);
        }
    }
}
