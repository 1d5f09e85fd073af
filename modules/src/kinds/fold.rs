//! Wavefolder: what grows too tall is folded back, again and again, so that a plain wave becomes bright: the West Coast's
//! answer to the filter.
//!
//! `gain` is how hard the sound is driven into the folds; up to 1 a sound of ±1 just reaches the first crest. `symmetry` moves it
//! off the middle, which brings in even harmonics. `stages` is how often it can be folded: beyond the last crest it
//! clips; between whole numbers the last fold is partial. Three curves: `sine`, smooth; `tri`, straight folds with
//! corners; `buchla`, the five folding cells of the Buchla 259 Complex Wave Generator, whose crests are uneven.
//! A capacitor takes the DC out. Four times the rate and antiderivative antialiasing: [`crate::dsp::shaper`].
//!
//! Source: Esqueda, Pöntynen, Välimäki & Parker, "Virtual analog Buchla 259 wavefolder", DAFx-17 (its cells);
//! Parker, Zavalishin & Le Bivic, DAFx-16.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::curves::{self, Piece, held, pieces, straight};
use crate::dsp::dc::DcBlock;
use crate::dsp::shaper::{self, CHUNK, Shaper, TIMES};
use crate::dsp::switch::{self, Switch, blend};
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to fold"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the folded sound, -1..1, without DC"),
} }

table! { P: ParamSpec = PARAMS {
    Gain: ParamSpec::linear("gain", Unit::Gain, (0.0, 16.0), 1.0).smooth(20.0)
        .help("how hard the sound is driven into the folds: at 3 a sound of 1 is folded once"),
    Symmetry: ParamSpec::linear("symmetry", Unit::Ratio, (-1.0, 1.0), 0.0).smooth(5.0)
        .help("moves the sound off the middle of the folds: even harmonics"),
    Stages: ParamSpec::linear("stages", Unit::Ratio, (1.0, 6.0), 6.0).smooth(20.0)
        .help("how often it can be folded before it clips"),
    Curve: ParamSpec::choice("curve", &["sine", "tri", "buchla"])
        .help("sine: smooth; tri: with corners; buchla: as the 259"),
} }

const SINE: usize = 0;
const TRI: usize = 1;

/// Straight folds of equal height.
const TRI_PIECES: [Piece; 13] = pieces([1.0, 3.0, 5.0, 7.0, 9.0, 11.0], [1.0, -1.0, 1.0, -1.0, 1.0, -1.0], 1.0);

/// The 259: cell k adds `weight (slope v - offset sign(v))` beyond `|v| = offset / slope`, to 5 v. Here v is counted in the first
/// corner, 0.6 V, and the sum in the first crest, 3 V. Esqueda et al.
const BUCHLA_PIECES: [Piece; 11] = {
    // In the order of their corners: cells 1, 4, 2, 5, 3.
    const CELLS: [(f32, f32, f32); 5] = [
        (-12.0, 0.8333, 0.5),
        (17.647, 0.5743, 1.0338),
        (-27.777, 0.3768, 1.1281),
        (36.363, 0.2673, 1.0907),
        (-21.428, 0.2829, 1.5446),
    ];
    let (mut corners, mut slopes) = ([0.0; 5], [0.0; 6]);
    slopes[0] = 1.0;
    let mut cell = 0;
    while cell < 5 {
        let (weight, slope, offset) = CELLS[cell];
        corners[cell] = offset / slope / 0.6;
        slopes[cell + 1] = slopes[cell] + weight * slope * (0.6 / 3.0);
        cell += 1;
    }
    pieces(corners, [slopes[0], slopes[1], slopes[2], slopes[3], slopes[4]], slopes[5])
};

/// The `fold` kind.
pub struct Fold;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    mean: f64,
    shaper: shaper::Memory,
    curve: Switch,
}

impl Module for Fold {
    const SPEC: KindSpec = KindSpec {
        name: "fold",
        summary: "wavefolder: sine, triangle or Buchla 259, without audible aliasing",
        source: "Esqueda et al., Virtual analog Buchla 259 wavefolder, DAFx-17",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade = switch::fade_frames(block.rate_hz);
        let choices = block.choice(P::Curve);
        for lane in 0..W {
            voices[lane].curve.meet(choices[lane], fade);
        }
        let common = switch::common::<W>(
            #[inline(always)]
            |lane| voices[lane].curve,
        );
        let mut shaper = Shaper::<W>::load(
            #[inline(always)]
            |lane| voices[lane].shaper,
        );
        let mut dc = DcBlock::<W>::load(
            block.rate_hz,
            #[inline(always)]
            |lane| voices[lane].mean,
        );
        let input = block.input(In::Main);
        let (gain, symmetry, stages) = (block.param(P::Gain), block.param(P::Symmetry), block.param(P::Stages));

        for (index, out) in block.output(Out::Main).chunks_mut(CHUNK).enumerate() {
            let start = index * CHUNK;
            let mut limits = [[0.0; W]; CHUNK];
            for (frame, (row, limit)) in out.iter_mut().zip(&mut limits).enumerate() {
                let (gain, symmetry) = (gain.at(start + frame), symmetry.at(start + frame));
                let (stages, input) = (stages.at(start + frame), input[start + frame]);
                for lane in 0..W {
                    row[lane] = input[lane] * gain[lane] + symmetry[lane];
                    limit[lane] = 1.0 + 2.0 * stages[lane];
                }
            }
            shaper.run(
                out,
                #[inline(always)]
                |ways, means| match common {
                    Some(curve) => fold_all(curve, ways, means, &limits),
                    None => {
                        for lane in 0..W {
                            let turn = voices[lane].curve;
                            for (row, mean) in means.iter_mut().enumerate() {
                                let (from, to) = (ways[row][lane], ways[row + 1][lane]);
                                let limit = limits[row / TIMES][lane];
                                let [old, new] = turn.choices().map(|curve| fold(curve, from, to, limit));
                                mean[lane] = blend(old, new, turn.share(start + row / TIMES, fade));
                            }
                        }
                    }
                },
            );
            for row in out.iter_mut() {
                *row = dc.step(*row);
            }
        }

        for lane in 0..W {
            let voice = &mut voices[lane];
            (voice.shaper, voice.mean) = (shaper.store(lane), dc.store(lane));
            voice.curve.advance(block.frames);
        }
    }
}

#[inline(always)]
fn tri(a: f32, b: f32) -> f32 {
    straight(a, b, &TRI_PIECES)
}

#[inline(always)]
fn buchla(a: f32, b: f32) -> f32 {
    straight(a, b, &BUCHLA_PIECES)
}

/// The mean of a folder on the way from `a` to `b`, clipped beyond ±`limit`.
#[inline(always)]
fn fold(curve: usize, a: f32, b: f32, limit: f32) -> f32 {
    match curve {
        SINE => held(a, b, limit, curves::quarter_sine(limit), curves::sine),
        TRI => held(a, b, limit, tri(limit, limit), tri),
        _ => held(a, b, limit, buchla(limit, limit), buchla),
    }
}

/// The means of one folder for all rows and lanes.
#[inline(always)]
fn fold_all<const W: usize>(curve: usize, ways: &[[f32; W]], means: &mut [[f32; W]], limits: &[[f32; W]; CHUNK]) {
    macro_rules! each {
        ($height:expr, $mean:path) => {
            for (frame, (means, limit)) in means.chunks_exact_mut(TIMES).zip(limits).enumerate() {
                let mut height = [0.0; W];
                for lane in 0..W {
                    height[lane] = $height(limit[lane]);
                }
                let ways = &ways[frame * TIMES..];
                for (row, mean) in means.iter_mut().enumerate() {
                    for lane in 0..W {
                        let (from, to) = (ways[row][lane], ways[row + 1][lane]);
                        mean[lane] = held(from, to, limit[lane], height[lane], $mean);
                    }
                }
            }
        };
    }
    match curve {
        SINE => each!(curves::quarter_sine, curves::sine),
        TRI => each!(|limit| tri(limit, limit), tri),
        _ => each!(|limit| buchla(limit, limit), buchla),
    }
}
