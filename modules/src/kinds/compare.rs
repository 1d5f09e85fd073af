//! Comparator: gates that say where a signal lies: above a level, below it, or within a window around it.
//!
//! The window reaches `width` / 2 to either side of `level`; at a width of 0 it is a single threshold, and nothing lies inside.
//! A gate goes on once the signal is `hyst` beyond its edge and off where the signal is back at the edge itself. So noise does
//! not make it stutter, and a signal that comes to rest on the edge turns it off. Level and width may be swept by cables:
//! two signals are compared with one of them in `level`. Edges are met to the frame.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to judge"),
} }

table! { Out: PortSpec = OUTPUTS {
    Gt: PortSpec::new("gt", Signal::Gate, "1 while in is above the window"),
    Lt: PortSpec::new("lt", Signal::Gate, "1 while in is below the window"),
    Inside: PortSpec::new("inside", Signal::Gate, "1 while in is neither; never at a width of 0"),
} }

table! { P: ParamSpec = PARAMS {
    Level: ParamSpec::linear("level", Unit::Ratio, (-16.0, 16.0), 0.0).help("the threshold: middle of the window"),
    Width: ParamSpec::linear("width", Unit::Ratio, (0.0, 16.0), 0.0).help("width of the window"),
    Hyst: ParamSpec::linear("hyst", Unit::Ratio, (0.0, 1.0), 0.01).help("how far beyond an edge a gate goes on"),
} }

/// The `compare` kind.
pub struct Compare;

/// One channel's gates, 0 or 1.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    gt: f32,
    lt: f32,
}

impl Module for Compare {
    const SPEC: KindSpec = KindSpec {
        name: "compare",
        summary: "gates where a signal is above a level, below it, or in a window around it",
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
        let input = block.input(In::Main);
        let (level, width, hyst) = (block.param(P::Level), block.param(P::Width), block.param(P::Hyst));
        let (mut gt, mut lt) = ([0.0; W], [0.0; W]);
        for channel in 0..W {
            (gt[channel], lt[channel]) = (voices[channel].gt, voices[channel].lt);
        }
        for frame in 0..block.frames {
            let (level, width, hyst) = (level.at(frame), width.at(frame), hyst.at(frame));
            let mut inside = [0.0; W];
            for channel in 0..W {
                let (above, half) = (input[frame][channel] - level[channel], 0.5 * width[channel]);
                gt[channel] = beyond(gt[channel], above - half, hyst[channel]);
                lt[channel] = beyond(lt[channel], -above - half, hyst[channel]);
                inside[channel] = if half > 0.0 { 1.0 - gt[channel].max(lt[channel]) } else { 0.0 };
            }
            block.output(Out::Gt)[frame] = gt;
            block.output(Out::Lt)[frame] = lt;
            block.output(Out::Inside)[frame] = inside;
        }
        for channel in 0..W {
            voices[channel] = Voice { gt: gt[channel], lt: lt[channel] };
        }
    }
}

/// A gate for what is `over` its edge.
#[inline(always)]
fn beyond(was: f32, over: f32, hyst: f32) -> f32 {
    let kept = if over > 0.0 { was } else { 0.0 };
    if over > hyst { 1.0 } else { kept }
}
