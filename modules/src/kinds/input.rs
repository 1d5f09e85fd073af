//! In: what the sound device hears, a microphone or an instrument, as a module.
//!
//! Left and right as they come, each through its gain; `out` is half of both. A mono device is heard on both sides; where
//! nothing is plugged in there is silence. Every channel of a poly `in` hears the same.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::module::Stateless;
use crate::{Block, Module};

const INPUTS: &[PortSpec] = &[];

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "half of left and right together"),
    Left: PortSpec::new("left", Signal::Audio, "the device's first input"),
    Right: PortSpec::new("right", Signal::Audio, "its second"),
} }

const GAIN: (f32, f32) = (0.0, 16.0);

table! { P: ParamSpec = PARAMS {
    Left: ParamSpec::linear("gain_left", Unit::Gain, GAIN, 1.0).smooth(5.0).help("linear gain of left"),
    Right: ParamSpec::linear("gain_right", Unit::Gain, GAIN, 1.0).smooth(5.0).help("linear gain of right"),
} }

/// The `in` kind.
pub struct Input;

impl Module for Input {
    const SPEC: KindSpec = KindSpec {
        name: "in",
        summary: "what the sound device hears: microphone, instrument, line",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Stateless;

    #[inline(always)]
    fn process<const W: usize>(_voices: &mut [Stateless; W], block: &mut Block<'_, W>) {
        let heard = block.heard();
        let gains = [block.param(P::Left), block.param(P::Right)];
        let frames = block.frames;
        let (_, mut outputs) = block.tapes_and_outputs(0);
        for frame in 0..frames {
            let gains = gains.map(|gain| gain.at(frame));
            for channel in 0..W {
                let [left, right] = [0, 1].map(|side| heard[frame][side] * gains[side][channel]);
                outputs.of(Out::Left)[frame][channel] = left;
                outputs.of(Out::Right)[frame][channel] = right;
                outputs.of(Out::Main)[frame][channel] = 0.5 * (left + right);
            }
        }
    }
}
