//! Comb filter: a delay of one cycle that feeds itself, so that a note and its harmonics ring in whatever passes.
//!
//! A resonator for drums and noise, a flanger when `freq` moves. `feedback` above 0 rings at all harmonics of `freq`;
//! below 0 at the odd ones of half of it: hollow, an octave lower. `damp` takes the high ones out first. In tune within a
//! cent up to 5 kHz ([`crate::dsp::tuned`]). The loop passes a soft limit that leaves -1..1 untouched, so even ±1 rings for
//! ever and stays finite; what enters it has no DC, which would ring too.
//!
//! Source: Jaffe & Smith, CMJ 7:2, 1983; J. O. Smith, Physical Audio Signal Processing, 2010, "Feedback Comb Filters".

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::dc::DcBlock;
use crate::dsp::head::{Head, soft_limit};
use crate::dsp::math::exp2;
use crate::dsp::tuned;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "what makes it ring"),
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the signal, and what rings"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (tuned::LOWEST_HZ, 10_000.0), 261.6256)
        .help("what it rings at, at pitch 0: one over the delay"),
    Feedback: ParamSpec::linear("feedback", Unit::Ratio, (-1.0, 1.0), 0.8).smooth(20.0)
        .help("how long it rings; below 0 hollow, an octave lower; at 1 and -1 for ever"),
    Damp: ParamSpec::linear("damp", Unit::Ratio, (0.0, 1.0), 0.1).smooth(20.0)
        .help("how much sooner high harmonics die away"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 1.0).smooth(20.0).help("0: only the signal; 1: only the comb"),
} }

/// The `comb` kind.
pub struct Comb;

/// One channel's state; the sound is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    head: Head,
    mean: f64,
}

impl Module for Comb {
    const SPEC: KindSpec = KindSpec {
        name: "comb",
        summary: "comb filter, tuned: resonator, flanger",
        source: "Jaffe & Smith, CMJ 7:2, 1983",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn tape_frames(rate_hz: f32) -> usize {
        tuned::tape_frames(rate_hz)
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let (input, pitch) = (block.input(In::Main), block.input(In::Pitch));
        let (freq, feedback) = (block.param(P::Freq), block.param(P::Feedback));
        let (damp, mix) = (block.param(P::Damp), block.param(P::Mix));
        let (rate_hz, motion) = (block.rate_hz, tuned::motion(block.rate_hz));
        for lane in 0..W {
            let Voice { mut head, mean } = voices[lane];
            let mut dc = DcBlock::<1>::load(rate_hz, |_| mean);
            let (mut tape, out) = block.tape_and_output(lane, Out::Main);
            for (frame, out) in out.iter_mut().enumerate() {
                let (dry, mix) = (input[frame][lane], mix.at(frame)[lane]);
                let brightness = 1.0 - damp.at(frame)[lane];
                head.aim(tuned::period(freq.at(frame)[lane] * exp2(pitch[frame][lane]), rate_hz), &motion);
                let rung = head.hear(
                    &motion,
                    #[inline(always)]
                    |delay| tuned::read(&tape, frame, delay, brightness),
                );
                let wet = dc.step([dry])[0] + soft_limit(feedback.at(frame)[lane] * rung);
                tape.write(frame, wet);
                out[lane] = dry * (1.0 - mix) + wet * mix;
            }
            voices[lane] = Voice { head, mean: dc.store(0) };
        }
    }
}
