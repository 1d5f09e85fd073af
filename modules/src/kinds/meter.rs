//! Meter: passes a sound on and says how loud it is, as signals that can be patched: peak and RMS, linear, 1 for full scale.
//!
//! `peak` follows the rectified sound: up with `attack`, down with `decay`, which at its default is a Type I peak programme meter's
//! (20 dB in 1.7 s). `rms` is the root of the mean square, averaged exponentially over `window`: a sine of 1 reads
//! 0.707, and is there to 99 % after 4.6 windows (VU: 300 ms).
//!
//! Source: IEC 60268-10 (peak programme level meters), IEC 60268-17 (VU).

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::decay::Approach;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to measure"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the same sound, bit for bit"),
    Peak: PortSpec::new("peak", Signal::Unipolar, "its peak"),
    Rms: PortSpec::new("rms", Signal::Unipolar, "its root mean square"),
} }

table! { P: ParamSpec = PARAMS {
    Attack: ParamSpec::exponential("attack", Unit::Seconds, (0.00001, 1.0), 0.001).smooth(20.0)
        .help("time in which peak rises nine tenths of the way"),
    Decay: ParamSpec::exponential("decay", Unit::Seconds, (0.001, 20.0), 1.7).smooth(20.0)
        .help("time in which peak falls by 20 dB"),
    Window: ParamSpec::exponential("window", Unit::Seconds, (0.001, 10.0), 0.065).smooth(20.0)
        .help("time constant of the mean in rms"),
} }

/// Time constants in nine tenths, which are 20 dB too: ln(10).
const TENTH_CONSTANTS: f64 = std::f64::consts::LN_10;

/// The `meter` kind.
pub struct Meter;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    peak: f64,
    /// Mean square.
    power: f64,
}

impl Module for Meter {
    const SPEC: KindSpec = KindSpec {
        name: "meter",
        summary: "passes a sound on and gives its peak and RMS as signals",
        source: "IEC 60268-10, IEC 60268-17",
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
        let attack = Approach::new(block.param(P::Attack), TENTH_CONSTANTS, block.rate_hz);
        let decay = Approach::new(block.param(P::Decay), TENTH_CONSTANTS, block.rate_hz);
        let window = Approach::new(block.param(P::Window), 1.0, block.rate_hz);
        block.output(Out::Main).copy_from_slice(input);
        if block.is_wanted(Out::Peak) {
            let mut peak = [0.0; W];
            for lane in 0..W {
                peak[lane] = voices[lane].peak;
            }
            for (frame, out) in block.output(Out::Peak).iter_mut().enumerate() {
                let (attack, decay) = (attack.at(frame), decay.at(frame));
                for lane in 0..W {
                    let now = f64::from(input[frame][lane].abs());
                    let fallen = peak[lane] - decay[lane] * peak[lane];
                    peak[lane] = if now > fallen { fallen + attack[lane] * (now - fallen) } else { fallen };
                    out[lane] = peak[lane] as f32;
                }
            }
            for lane in 0..W {
                voices[lane].peak = peak[lane];
            }
        }
        if block.is_wanted(Out::Rms) {
            let mut power = [0.0; W];
            for lane in 0..W {
                power[lane] = voices[lane].power;
            }
            for (frame, out) in block.output(Out::Rms).iter_mut().enumerate() {
                let window = window.at(frame);
                for lane in 0..W {
                    let now = f64::from(input[frame][lane]);
                    power[lane] += window[lane] * (now * now - power[lane]);
                    out[lane] = power[lane].sqrt() as f32;
                }
            }
            for lane in 0..W {
                voices[lane].power = power[lane];
            }
        }
    }
}
