//! Slew limiter: follows its input no faster than told. Portamento, lag, a simple envelope from a gate.
//!
//! It moves in straight lines: `rise` and `fall` are the seconds that a way of 1.0 takes, which is one octave of a
//! pitch or the full height of an envelope. What moves slower passes unchanged. The level is f64: at a minute per
//! 1.0 a step is as small as an f32's last bit.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::{Block, Module, Param};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to follow"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "in, its speed limited"),
} }

const SECONDS: (f32, f32) = (0.0001, 60.0);

table! { P: ParamSpec = PARAMS {
    Rise: ParamSpec::exponential("rise", Unit::Seconds, SECONDS, 0.1).smooth(20.0).help("time to rise by 1.0 (an octave of pitch)"),
    Fall: ParamSpec::exponential("fall", Unit::Seconds, SECONDS, 0.1).smooth(20.0).help("time to fall by 1.0 (an octave of pitch)"),
} }

/// The `slew` kind.
pub struct Slew;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Voice {
    level: f64,
}

impl Module for Slew {
    const SPEC: KindSpec = KindSpec {
        name: "slew",
        summary: "follows a signal no faster than rise and fall allow: portamento, lag",
        source: "",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let rise = Steps::new(block.param(P::Rise), block.rate_hz);
        let fall = Steps::new(block.param(P::Fall), block.rate_hz);
        let input = block.input(In::Main);
        let mut level = [0.0; W];
        for channel in 0..W {
            level[channel] = voices[channel].level;
        }
        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            let (rise, fall) = (rise.at(frame), fall.at(frame));
            let input = input[frame];
            for channel in 0..W {
                let target = f64::from(input[channel]);
                let (up, down) = (rise[channel], fall[channel]);
                let way = target - level[channel];
                level[channel] = if way > up {
                    level[channel] + up
                } else if way < -down {
                    level[channel] - down
                } else {
                    target
                };
                out[channel] = level[channel] as f32;
            }
        }
        for channel in 0..W {
            voices[channel] = Voice { level: level[channel] };
        }
    }
}

/// The way of one frame, for a param that is seconds per 1.0: divided once where the param rests.
struct Steps<'a, const W: usize> {
    constant: Option<f64>,
    seconds: Param<'a, W>,
    period_s: f64,
}

impl<'a, const W: usize> Steps<'a, W> {
    #[inline(always)]
    fn new(seconds: Param<'a, W>, rate_hz: f32) -> Self {
        let period_s = 1.0 / f64::from(rate_hz);
        Steps { constant: seconds.constant().map(|seconds| period_s / f64::from(seconds)), seconds, period_s }
    }

    #[inline(always)]
    fn at(&self, frame: usize) -> [f64; W] {
        match self.constant {
            Some(step) => [step; W],
            None => self.seconds.at(frame).map(|seconds| self.period_s / f64::from(seconds)),
        }
    }
}
