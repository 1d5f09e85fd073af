//! Compressor: turns down what is loud, so that the rest can come up.
//!
//! Feed-forward, in decibels throughout. The level of `key`, or of `in` where nothing is patched there, goes through a static curve
//! (`threshold`, `ratio`, a quadratic `knee`); the reduction that it asks for through a decoupled, smooth peak detector, which
//! keeps what it is told during attacks and lets go by `release` only. Times are time constants: 63 % of the way. Where it asks for no
//! reduction and `makeup` is 0 dB the sound passes bit for bit, without delay.
//!
//! Source: Giannoulis, Massberg & Reiss, "Digital Dynamic Range Compressor Design - A Tutorial and Analysis", JAES 60:6,
//! 2012: the gain computer with a soft knee, the smooth decoupled detector, and where it stands.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::Approach;
use crate::dsp::log::{DB_PER_OCTAVE, OCTAVES_PER_DB, log2};
use crate::dsp::math::exp2;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to compress"),
    Key: PortSpec::new("key", Signal::Audio, "what decides in its place: a kick drum, for ducking"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the compressed sound"),
    Gain: PortSpec::new("gain", Signal::Unipolar, "the gain that it has, makeup aside: 1 at rest, 0.5 at -6 dB"),
} }

table! { P: ParamSpec = PARAMS {
    Threshold: ParamSpec::linear("threshold", Unit::Decibels, (-60.0, 0.0), -18.0).smooth(20.0)
        .help("level above which it compresses"),
    Ratio: ParamSpec::exponential("ratio", Unit::Ratio, (1.0, 100.0), 4.0).smooth(20.0)
        .help("dB in for one dB out, above the threshold"),
    Knee: ParamSpec::linear("knee", Unit::Decibels, (0.0, 24.0), 6.0).smooth(20.0)
        .help("dB around the threshold in which the ratio sets in"),
    Attack: ParamSpec::exponential("attack", Unit::Seconds, (0.0001, 1.0), 0.01).smooth(50.0)
        .help("time constant with which it turns down"),
    Release: ParamSpec::exponential("release", Unit::Seconds, (0.005, 5.0), 0.1).smooth(50.0)
        .help("time constant with which it comes back"),
    Makeup: ParamSpec::linear("makeup", Unit::Decibels, (-24.0, 36.0), 0.0).smooth(20.0)
        .help("gain after all"),
} }

/// What counts as silence: -120 dB.
const SILENCE: f32 = 1e-6;

/// Narrowest knee, in dB: below it the quadratic would divide by nothing.
const NARROW_DB: f32 = 1e-3;

/// The `comp` kind.
pub struct Comp;

/// One channel's state, in dB of reduction. f64: a release of seconds moves by less than an f32's last bit.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// What was asked for, less what was released since.
    asked: f64,
    /// What there is.
    given: f64,
}

impl Module for Comp {
    const SPEC: KindSpec = KindSpec {
        name: "comp",
        summary: "compressor with knee and side chain",
        source: "Giannoulis, Massberg & Reiss, JAES 60:6, 2012",
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
        let key = if block.is_patched(In::Key) { block.input(In::Key) } else { input };
        let (threshold, ratio, knee) = (block.param(P::Threshold), block.param(P::Ratio), block.param(P::Knee));
        let attack = Approach::new(block.param(P::Attack), 1.0, block.rate_hz);
        let release = Approach::new(block.param(P::Release), 1.0, block.rate_hz);
        let makeup = block.param(P::Makeup);
        let are_wanted = [block.is_wanted(Out::Main), block.is_wanted(Out::Gain)];
        let (mut asked, mut given) = ([0.0; W], [0.0; W]);
        for lane in 0..W {
            (asked[lane], given[lane]) = (voices[lane].asked, voices[lane].given);
        }
        for frame in 0..block.frames {
            let (threshold, ratio, knee) = (threshold.at(frame), ratio.at(frame), knee.at(frame));
            let (attack, release, makeup) = (attack.at(frame), release.at(frame), makeup.at(frame));
            let (mut gain, mut out) = ([0.0; W], [0.0; W]);
            for lane in 0..W {
                let level_db = log2(key[frame][lane].abs().max(SILENCE)) * DB_PER_OCTAVE;
                let wanted = f64::from(reduction_db(level_db - threshold[lane], ratio[lane], knee[lane]));
                asked[lane] = wanted.max(asked[lane] + release[lane] * (wanted - asked[lane]));
                given[lane] += attack[lane] * (asked[lane] - given[lane]);
                gain[lane] = exp2(-(given[lane] as f32) * OCTAVES_PER_DB);
                out[lane] = input[frame][lane] * (gain[lane] * exp2(makeup[lane] * OCTAVES_PER_DB));
            }
            if are_wanted[0] {
                block.output(Out::Main)[frame] = out;
            }
            if are_wanted[1] {
                block.output(Out::Gain)[frame] = gain;
            }
        }
        for lane in 0..W {
            voices[lane] = Voice { asked: asked[lane], given: given[lane] };
        }
    }
}

/// By how much a level `over_db` above the threshold is turned down. Giannoulis et al., the gain computer, less the level itself.
#[inline(always)]
fn reduction_db(over_db: f32, ratio: f32, knee_db: f32) -> f32 {
    let knee = knee_db.max(NARROW_DB);
    // The parabola meets both straight lines at its ends, with their slopes.
    let inside = (over_db + 0.5 * knee).max(0.0).min(knee);
    let beyond = (over_db - 0.5 * knee).max(0.0);
    (1.0 - 1.0 / ratio) * (inside * inside / (2.0 * knee) + beyond)
}
