//! Operator: one sine whose phase another signal moves. Two of them, one patched into the other's `pm`, are FM as the
//! Yamaha DX7 does it; six are a DX7.
//!
//! `pm` is added to the phase, not to the frequency, so a modulator with DC or a slow envelope never detunes. `pm_depth` is
//! Chowning's index: the swing of the phase in radians for a `pm` of 1 (a DX7's operators reach 4 pi = 12.57). `ratio` is what
//! the DX7 calls coarse and fine. `feedback` moves the phase by the operator's own output, with its level, as there: 1 is
//! the DX7's 7, a swing of pi. What is fed back is the mean of the last two samples. A single one hunts, that is, it flips
//! from frame to frame, from a swing of 1 on; the mean of two holds to 2, at 0.64, and roughens into noise above. From a
//! swing of 1 on the wave leans over and jumps, which leaves some DC, as it does in the original.
//! Nothing is late, so operators in a chain stay in phase but for a block's own delay. Side bands beyond half the rate fold,
//! as they do in every FM instrument: an index needs 2 (index + 1) times the modulator's frequency of room (Carson).
//!
//! Source: Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation", JAES 21:7, 1973;
//! Tomisawa, US patent 4,249,447, 1981 (feedback, and the mean of two).

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::math::exp2;
use crate::dsp::wave::sine_of_turns;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
    Pm: PortSpec::new("pm", Signal::Audio, "moves the phase; pm_depth scales it"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the sine, times level"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (0.01, 20_000.0), 261.6256).smooth(5.0)
        .help("frequency at pitch 0 and ratio 1"),
    Ratio: ParamSpec::exponential("ratio", Unit::Ratio, (0.125, 64.0), 1.0).smooth(5.0)
        .help("times the frequency: whole numbers give harmonics"),
    Level: ParamSpec::linear("level", Unit::Gain, (0.0, 4.0), 1.0).smooth(5.0)
        .help("amplitude; where out goes to another operator's pm, how much it modulates"),
    Feedback: ParamSpec::linear("feedback", Unit::Ratio, (-1.0, 1.0), 0.0).smooth(5.0)
        .help("how much the operator modulates itself: 0.5 is close to a saw, from 0.64 on it roughens, 1 is noise"),
    PmDepth: ParamSpec::linear("pm_depth", Unit::Ratio, (-16.0, 16.0), 1.0).smooth(20.0)
        .help("index of modulation: radians of phase for a pm of 1; 12.57 is a DX7 at its most"),
} }

/// Fastest movement, in cycles per frame: what is meant to be faster stays just below half the rate.
const RISE_MAX: f64 = 0.499;

/// Cycles per radian.
const TURNS: f64 = 1.0 / std::f64::consts::TAU;

/// Cycles of the phase for a mean of 1 at full feedback: pi radians.
const FEEDBACK: f64 = 0.5;

/// The `op` kind.
pub struct Op;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// 0..1, modulation aside. Its rounding, 1e-16 a frame, is a millionth of a cycle in a week.
    phase: f64,
    /// The last two samples that went out, newest first.
    recent: [f32; 2],
}

impl Module for Op {
    const SPEC: KindSpec = KindSpec {
        name: "op",
        summary: "sine operator: phase modulation and feedback, for FM as the DX7 does it",
        source: "Chowning, JAES 21:7, 1973; Tomisawa, US patent 4,249,447",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (pitch, pm) = (block.input(In::Pitch), block.input(In::Pm));
        let is_modulated = block.is_patched(In::Pm);
        let (freq, ratio) = (block.param(P::Freq), block.param(P::Ratio));
        let (level, feedback, depth) = (block.param(P::Level), block.param(P::Feedback), block.param(P::PmDepth));
        let is_tuned = block.is_patched(In::Pitch) || freq.constant().is_none() || ratio.constant().is_none();
        let is_fed_back = feedback.constant() != Some(0.0);
        let period_s = 1.0 / f64::from(block.rate_hz);
        let rise_in = |frame: usize| {
            let (freq, ratio, pitch) = (freq.at(frame), ratio.at(frame), pitch[frame]);
            let mut rise = [0.0; W];
            for lane in 0..W {
                let hz = f64::from(freq[lane]) * f64::from(ratio[lane]) * f64::from(exp2(pitch[lane]));
                rise[lane] = (hz * period_s).min(RISE_MAX);
            }
            rise
        };
        let (mut phase, mut newest, mut before) = ([0.0; W], [0.0; W], [0.0; W]);
        for lane in 0..W {
            phase[lane] = voices[lane].phase;
            [newest[lane], before[lane]] = voices[lane].recent;
        }
        let mut rise = rise_in(0);

        for (frame, out) in block.output(Out::Main).iter_mut().enumerate() {
            if is_tuned {
                rise = rise_in(frame);
            }
            let level = level.at(frame);
            let mut turns = phase;
            if is_modulated {
                let depth = depth.at(frame);
                for lane in 0..W {
                    turns[lane] += f64::from(pm[frame][lane]) * (f64::from(depth[lane]) * TURNS);
                }
            }
            if is_fed_back {
                let feedback = feedback.at(frame);
                for lane in 0..W {
                    let mean = 0.5 * (newest[lane] + before[lane]);
                    turns[lane] += f64::from(feedback[lane] * mean) * FEEDBACK;
                }
            }
            before = newest;
            for lane in 0..W {
                newest[lane] = level[lane] * sine_of_turns(turns[lane]);
                let next = phase[lane] + rise[lane];
                phase[lane] = if next >= 1.0 { next - 1.0 } else { next };
            }
            *out = newest;
        }

        for lane in 0..W {
            voices[lane] = Voice { phase: phase[lane], recent: [newest[lane], before[lane]] };
        }
    }
}
