//! Spectrum: passes its signal bit for bit, and tells how bright it is and where its strongest partial lies.
//!
//! Every 1024 frames the last 4096 are looked at under Hann's window. `peak` is the frequency of the strongest line: from the ratio of
//! its two highest bins, which for a single sine under this window is exact (Grandke). `centroid` is the mean frequency, each bin
//! weighed by its level: the usual measure of brightness. Both are pitches, and go to a new value in a straight line, so they
//! drive an oscillator without steps: 85 ms after a change of the sound half of it has arrived. In silence (below -80 dBFS) they stay.
//!
//! Source: Grandke, "Interpolation algorithms for discrete Fourier transforms of weighted signals", IEEE Trans. IM 32, 1983;
//! Grey & Gordon, "Perceptual effects of spectral modifications on musical timbres", JASA 63, 1978 (centroid).

use bytemuck::{Pod, Zeroable};
use realfft::num_complex::Complex32;
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal};

use crate::dsp::stft::listen;
use crate::{Block, Module};

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the signal to look at"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the same signal"),
    Centroid: PortSpec::new("centroid", Signal::Pitch, "its mean frequency: how bright it is"),
    Peak: PortSpec::new("peak", Signal::Pitch, "the pitch of its strongest partial"),
} }

const PARAMS: &[ParamSpec] = &[];

const POINTS: usize = 4096;
const BINS: usize = POINTS / 2 + 1;

/// Frames from one look to the next.
const HOP: usize = 1024;

/// Lowest bin of a partial; those below hold the skirt of DC.
const LOWEST: usize = 2;

/// Level of the strongest bin of a sine of -80 dBFS.
const SILENT: f32 = 1e-4 * POINTS as f32 * 0.25;

const C4_HZ: f32 = 261.625_58;

/// The `spectrum` kind.
pub struct Spectrum;

/// One channel's state; what was heard is on the tape.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Centroid and peak at the look before the last, and at the last.
    from: [f32; 2],
    to: [f32; 2],
}

impl Module for Spectrum {
    const SPEC: KindSpec = KindSpec {
        name: "spectrum",
        summary: "passes a signal on unchanged, and tells its brightness and its strongest partial",
        source: "Grandke, \"Interpolation algorithms for discrete Fourier transforms of weighted signals\", 1983",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn tape_frames(_rate_hz: f32) -> usize {
        POINTS
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let input = block.input(In::Main);
        let (frames, position, ffts, rate_hz) = (block.frames, block.position(), block.ffts, block.rate_hz);
        block.output(Out::Main).copy_from_slice(input);
        for channel in 0..W {
            let voice = &mut voices[channel];
            let (mut tapes, mut outputs) = block.tapes_and_outputs(channel);
            let mut tape = tapes.ring(0);
            for frame in 0..frames {
                let within = ((position + frame as u64) % HOP as u64) as usize;
                if within == 0 {
                    voice.look(&listen::<POINTS, BINS>(&tape, frame, ffts), rate_hz);
                }
                tape.write(frame, input[frame][channel]);
                let part = within as f32 * (1.0 / HOP as f32);
                let [centroid, peak] = [0, 1].map(|k| voice.from[k] + (voice.to[k] - voice.from[k]) * part);
                outputs.of(Out::Centroid)[frame][channel] = centroid;
                outputs.of(Out::Peak)[frame][channel] = peak;
            }
        }
    }
}

impl Voice {
    #[inline(never)]
    fn look(&mut self, spectrum: &[Complex32; BINS], rate_hz: f32) {
        self.from = self.to;
        let mut levels = [0.0; BINS];
        for bin in 0..BINS {
            levels[bin] = spectrum[bin].norm_sqr().sqrt();
        }
        let (mut highest, mut sum, mut moment) = (LOWEST, 0.0, 0.0);
        for bin in LOWEST..BINS - 1 {
            let level = levels[bin];
            sum += level;
            moment += level * bin as f32;
            if level > levels[highest] {
                highest = bin;
            }
        }
        if levels[highest] < SILENT {
            return;
        }
        let pitch = |bins: f32| libm::log2f(bins * rate_hz / (POINTS as f32 * C4_HZ));
        let (below, above) = (levels[highest - 1], levels[highest + 1]);
        // Grandke: for Hann's window the line lies (2 a - 1) / (a + 1) bins from the higher of two bins with the ratio a.
        let ratio = below.max(above) / levels[highest];
        let away = (2.0 * ratio - 1.0) / (ratio + 1.0);
        let line = highest as f32 + if above > below { away } else { -away };
        let was_silent = self.to == [0.0; 2];
        self.to = [pitch(moment / sum), pitch(line)];
        if was_silent {
            self.from = self.to;
        }
    }
}
