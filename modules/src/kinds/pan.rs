//! Pan: a place between the loudspeakers.
//!
//! Equal power: left and right are the cosine and the sine of one angle, so that a sound is as loud everywhere; in the middle
//! each side has -3 dB, at an end the other side has exactly nothing. `spread` lays the channels of a poly module out from
//! left to right, evenly, around `pan`: at 1 the first is as far left and the last as far right as there is room.
//! Source: Griesinger, "Stereo and surround panning in practice", AES 112, 2002.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::math::sin_cos_pi;
use crate::module::Stateless;
use crate::{Block, Module, Param};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to place"),
} }

table! { Out: PortSpec = OUTPUTS {
    Left: PortSpec::new("left", Signal::Audio, "for the left loudspeaker"),
    Right: PortSpec::new("right", Signal::Audio, "for the right loudspeaker"),
} }

table! { P: ParamSpec = PARAMS {
    Pan: ParamSpec::linear("pan", Unit::Ratio, (-1.0, 1.0), 0.0).smooth(5.0).help("-1: left; 0: the middle; 1: right"),
    Spread: ParamSpec::linear("spread", Unit::Ratio, (-1.0, 1.0), 0.0).smooth(5.0)
        .help("how far the channels of a poly module lie apart; below zero the first is at the right"),
} }

/// The `pan` kind.
pub struct Pan;

impl Module for Pan {
    const SPEC: KindSpec = KindSpec {
        name: "pan",
        summary: "places a sound between left and right at equal power; spreads poly channels over the field",
        source: "sine and cosine law; Griesinger, \"Stereo and surround panning in practice\", AES 112, 2002",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Stateless;

    #[inline(always)]
    fn process<const W: usize>(_voices: &mut [Stateless; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let (pan, spread) = (block.param(P::Pan), block.param(P::Spread));
        let mut shares = [0.0; W];
        for lane in 0..W {
            shares[lane] = share(block.first_channel + lane, block.channels);
        }
        let mut gains = gains(pan.at(0), spread.at(0), &shares);
        let is_moving = matches!((pan, spread), (Param::Varying(_), _) | (_, Param::Varying(_)));
        for frame in 0..block.frames {
            if is_moving {
                gains = self::gains(pan.at(frame), spread.at(frame), &shares);
            }
            for (side, gain) in [Out::Left, Out::Right].into_iter().zip(&gains) {
                let out = &mut block.output(side)[frame];
                for lane in 0..W {
                    out[lane] = input[frame][lane] * gain[lane];
                }
            }
        }
    }
}

/// Where in the field a channel lies by its number: -1 for the first, 1 for the last, 0 for one alone.
fn share(channel: usize, channels: usize) -> f32 {
    match channels.checked_sub(1) {
        None | Some(0) => 0.0,
        Some(last) => (2.0 * channel as f32 / last as f32 - 1.0).min(1.0),
    }
}

/// Gains of left and right.
#[inline(always)]
fn gains<const W: usize>(pan: [f32; W], spread: [f32; W], shares: &[f32; W]) -> [[f32; W]; 2] {
    let mut gains = [[0.0; W]; 2];
    for lane in 0..W {
        let place = (pan[lane] + spread[lane] * shares[lane]).clamp(-1.0, 1.0);
        let (sin, cos) = sin_cos_pi(0.25 + 0.25 * place);
        (gains[0][lane], gains[1][lane]) = (cos, sin);
    }
    gains
}
