//! Convolution: plays a signal through a recorded room, cabinet or anything else that was once struck and recorded.
//!
//! `file` is the impulse response, mono or stereo, up to 5 s (what is longer is cut off). It is brought to the engine's rate and
//! scaled to an energy of 1, so that noise comes out as loud as it goes in. Nothing is late: see
//! [`convolution`](crate::dsp::convolution). Without a file the signal passes. Another file fades the old room out, and comes in when it has
//! heard enough: 20 to 40 ms of the dry signal in between.
//!
//! A response of 2 s costs 0.6 us a frame, in stereo 1.0, one of 5 s in stereo 2.2: 3, 5 and 10 % of a core at 48 kHz.
//!
//! Source: Gardner, "Efficient convolution without input-output delay", JAES 43:3, 1995.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::convolution::{Convolution, PART, RINGS, partitions};
use crate::dsp::resample;
use crate::dsp::switch::fade_frames;
use crate::{Block, Module, Prepared, Recording};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "half of left and right together"),
    Left: PortSpec::new("left", Signal::Audio, "by the file's first channel"),
    Right: PortSpec::new("right", Signal::Audio, "by its second; of a mono file by the first"),
} }

const LONGEST_S: f32 = 5.0;

table! { P: ParamSpec = PARAMS {
    File: ParamSpec::file("file").help("the impulse response"),
    Gain: ParamSpec::linear("gain", Unit::Gain, (0.0, 8.0), 1.0).smooth(5.0).help("level of the response"),
    Mix: ParamSpec::linear("mix", Unit::Ratio, (0.0, 1.0), 1.0).smooth(20.0).help("0: only the signal; 1: only the response"),
} }

/// The `conv` kind.
pub struct Conv;

/// One channel's state; what it heard is on the tapes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    convolution: Convolution,
    /// Place of the response that is heard; 0: none.
    place: u32,
    /// Frames of the fade-in that have passed; falls while another response waits.
    open: u32,
    /// Starts of partitions until the response is whole.
    wait: u32,
    /// 1 once it has met a response, or the lack of one.
    is_set: u32,
}

impl Module for Conv {
    const SPEC: KindSpec = KindSpec {
        name: "conv",
        summary: "convolution: a recorded room, cabinet or other impulse response, without latency",
        source: "Gardner, \"Efficient convolution without input-output delay\", JAES 43:3, 1995",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    const TAPES: usize = RINGS;

    fn tape_frames(rate_hz: f32) -> usize {
        (LONGEST_S * rate_hz) as usize + 2 * PART
    }

    fn prepare(recording: &Recording, rate_hz: f32, _frames: usize) -> Result<Prepared, String> {
        let mut channels = resample::channels(recording, rate_hz)?;
        channels.truncate(2);
        let energy = |channel: &Vec<f32>| channel.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>();
        let energy = channels.iter().map(energy).fold(0.0, f64::max);
        if energy == 0.0 {
            return Err("this file is silent: nothing can sound through it".to_owned());
        }
        let scale = (1.0 / libm::sqrt(energy)) as f32;
        let mut prepared = Prepared { channels: channels.len(), ..Prepared::default() };
        for mut channel in channels {
            channel.truncate((LONGEST_S * rate_hz) as usize);
            channel.iter_mut().for_each(|sample| *sample *= scale);
            prepared.samples.extend(partitions(&channel));
        }
        Ok(prepared)
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let (gain, mix) = (block.param(P::Gain), block.param(P::Mix));
        let files = block.param(P::File).at(block.frames - 1);
        let (frames, position, ffts, sounds) = (block.frames, block.position(), block.ffts, block.sounds);
        let fade = fade_frames(block.rate_hz);
        for channel in 0..W {
            let (mut tapes, mut outputs) = block.tapes_and_outputs(channel);
            let voice = &mut voices[channel];
            let wanted = if sounds.at(files[channel] as usize).is_some() { files[channel] as u32 } else { 0 };
            let mut start = 0;
            while start < frames {
                let length = PART.min(frames - start);
                let at = position + start as u64;
                voice.meet(wanted, at);
                let mut dry = [0.0; PART];
                for (frame, dry) in dry[..length].iter_mut().enumerate() {
                    *dry = input[start + frame][channel];
                }
                let dry = &dry[..length];
                let mut wet = [[0.0; PART]; 2];
                let response = sounds.at(voice.place as usize);
                voice.convolution.run(&mut tapes, (start, at), dry, &mut wet, response.as_ref(), ffts);
                for (frame, dry) in dry.iter().enumerate() {
                    let share = voice.share(wanted, fade) * mix.at(start + frame)[channel];
                    let gain = gain.at(start + frame)[channel];
                    let [left, right] = [0, 1].map(|side| dry * (1.0 - share) + gain * wet[side][frame] * share);
                    outputs.of(Out::Left)[start + frame][channel] = left;
                    outputs.of(Out::Right)[start + frame][channel] = right;
                    outputs.of(Out::Main)[start + frame][channel] = 0.5 * (left + right);
                }
                start += length;
            }
        }
    }
}

impl Voice {
    /// Takes up the response that is wanted, where the old one is silent and a partition starts.
    fn meet(&mut self, wanted: u32, position: u64) {
        if !position.is_multiple_of(PART as u64) {
            return;
        }
        self.wait = self.wait.saturating_sub(1);
        if self.is_set == 0 {
            // Nothing was heard yet, so nothing is missing.
            (self.place, self.open, self.is_set) = (wanted, u32::MAX, 1);
        } else if self.place != wanted && (self.open == 0 || self.place == 0) {
            (self.place, self.open, self.wait) = (wanted, 0, 1);
            self.convolution.restart();
        }
    }

    /// Share of the response in the next frame.
    #[inline(always)]
    fn share(&mut self, wanted: u32, fade: u32) -> f32 {
        let is_opening = self.place == wanted && self.wait == 0;
        self.open =
            if is_opening { self.open.saturating_add(1).min(fade) } else { self.open.min(fade).saturating_sub(1) };
        if self.place == 0 {
            return 0.0;
        }
        let part = self.open as f32 / fade.max(1) as f32;
        part * part * (3.0 - 2.0 * part)
    }
}
