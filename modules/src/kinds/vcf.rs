//! Voltage-controlled filter: a clean state-variable filter or a saturating transistor ladder, low, band, high pass or
//! notch, 12 or 24 dB per octave.
//!
//! Both models are in tune to a fraction of a cent and oscillate at full resonance. `svf` is linear up to a level of 1 at its input
//! and bends softly above; its 24 dB are two stages with Butterworth's Qs, of which the second resonates.
//! `ladder` runs at twice the rate, saturates in its loop, and its modes are sums of its taps.
//! Every change of mode, model or slope fades over 5 ms, between weights, not between filters.
//!
//! Source: Zavalishin, The Art of VA Filter Design; Välimäki & Huovilainen, CMJ 30:2, 2006; see [`crate::dsp::svf`],
//! [`crate::dsp::ladder`], [`crate::dsp::halfband`].

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::math::exp2;
use crate::dsp::{halfband, ladder, svf};
use crate::{Block, Module, Param};

mod cells;
use cells::Cells;

table! { In: PortSpec = INPUTS {
    Main: PortSpec::new("in", Signal::Audio, "the sound to filter"),
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to cutoff"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the filtered sound"),
} }

table! { P: ParamSpec = PARAMS {
    Cutoff: ParamSpec::exponential("cutoff", Unit::Hertz, (10.0, 20_000.0), 1_000.0).smooth(5.0)
        .help("corner or centre frequency"),
    Res: ParamSpec::linear("res", Unit::Ratio, (0.0, 1.0), 0.0).smooth(5.0)
        .help("resonance; near 1 the filter sings by itself"),
    Drive: ParamSpec::linear("drive", Unit::Gain, (0.0, 16.0), 1.0).smooth(5.0)
        .help("gain before the saturation: 1 is clean up to a level of 1 (ladder: nearly so), more distorts"),
    Mode: ParamSpec::choice("mode", &["lp", "bp", "hp", "notch"])
        .help("what passes: low, band, high, or all but a notch"),
    Model: ParamSpec::choice("model", &["svf", "ladder"])
        .help("svf: clean; ladder: warm, saturates, loses bass as res rises"),
    Slope: ParamSpec::choice("slope", &["12", "24"])
        .help("dB per octave"),
} }

/// Frames that are prepared at once.
const CHUNK: usize = 64;

/// Seconds of a fade between weights: below it a change of mode clicks.
const FADE_S: f32 = 0.005;

/// Cutoff in cycles per frame: from 0.05 Hz at 48 kHz to just below half the rate, where the tangent is 32.
const CUTOFF_RANGE: (f32, f32) = (1e-6, 0.49);

/// Damping without resonance of the only stage, and of the two of a fourth order: Butterworth's (Oppenheim & Schafer, B.1).
const DAMPING_12: f32 = std::f32::consts::SQRT_2;
const DAMPING_24: [f32; 2] = [1.847_759_1, 0.765_366_85];

/// Negative damping at full resonance, and what the energy adds to it: the oscillation settles where the two are equal, at
/// an amplitude of 1, within some 20 / (pi cutoff 0.05) seconds from silence.
const UNDAMPING: f32 = 0.05;

/// Feedback of the ladder at full resonance; it oscillates from 4 on.
const FEEDBACK_MAX: f32 = 4.5;

/// Level at the ladder's tanh for a level of 1 at the input: small enough to be clean (-50 dB of third harmonic).
const LADDER_LEVEL: f32 = 0.25;

/// What starts an oscillation out of silence, where a circuit has its noise: -120 dB, only while the filter would oscillate and
/// its state is far below this: a kick must neither hold the state at rest nor lock on to the oscillation that it began.
const KICK: f32 = 1e-6;

/// Shares in the output, per channel. Fades go between two sets of them.
#[derive(Clone, Copy)]
struct Weights<const W: usize>([[f32; W]; Weights::<1>::COUNT]);

impl<const W: usize> Weights<W> {
    const LOW: usize = 0;
    const BAND: usize = 1;
    const HIGH: usize = 2;
    /// Share of the second stage of the svf.
    const STEEP: usize = 3;
    /// Share of the ladder against the svf.
    const LADDER: usize = 4;
    const TAPS: usize = 5;
    const COUNT: usize = Self::TAPS + ladder::TAPS;

    /// The weights of the next frame, or of all frames to come if nothing fades.
    #[inline(always)]
    fn next(voices: &mut [Voice; W], fade_frames: u32, is_fading: bool) -> Self {
        let mut rows = [[0.0; W]; WEIGHTS];
        if !is_fading && voices.iter().all(|voice| voice.setting == voices[0].setting) {
            for (row, weight) in rows.iter_mut().zip(voices[0].weights(fade_frames)) {
                *row = [weight; W];
            }
            return Weights(rows);
        }
        for (lane, voice) in voices.iter_mut().enumerate() {
            voice.left = voice.left.saturating_sub(1);
            for (row, weight) in rows.iter_mut().zip(voice.weights(fade_frames)) {
                row[lane] = weight;
            }
        }
        Weights(rows)
    }

    #[inline(always)]
    fn any(&self, weight: usize, is: impl Fn(f32) -> bool) -> bool {
        self.0[weight].iter().any(|&value| is(value))
    }

    #[inline(always)]
    fn taps(&self) -> [[f32; W]; ladder::TAPS] {
        let mut taps = [[0.0; W]; ladder::TAPS];
        taps.copy_from_slice(&self.0[Self::TAPS..]);
        taps
    }
}

/// Number of weights.
const WEIGHTS: usize = Weights::<1>::COUNT;

/// The weights of a setting: `mode + 4 * model + 8 * slope`.
#[inline(always)]
fn weights_of(setting: u32) -> [f32; WEIGHTS] {
    let (mode, is_ladder, is_steep) = (setting % 4, setting / 4 % 2, setting / 8 % 2);
    let bands = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]][mode as usize];
    // With G = 1 / (1 + s) a low pass is G^n, a high pass (1 - G)^n, a band pass (2 G (1 - G))^(n / 2), a notch
    // (1 - 2 G + 2 G^2)^(n / 2): powers of G are the taps.
    let taps = match (mode, is_steep) {
        (0, 0) => [0.0, 0.0, 1.0, 0.0, 0.0],
        (0, _) => [0.0, 0.0, 0.0, 0.0, 1.0],
        (1, 0) => [0.0, 2.0, -2.0, 0.0, 0.0],
        (1, _) => [0.0, 0.0, 4.0, -8.0, 4.0],
        (2, 0) => [1.0, -2.0, 1.0, 0.0, 0.0],
        (2, _) => [1.0, -4.0, 6.0, -4.0, 1.0],
        (_, 0) => [1.0, -2.0, 2.0, 0.0, 0.0],
        (_, _) => [1.0, -4.0, 8.0, -8.0, 4.0],
    };
    let mut weights = [0.0; WEIGHTS];
    weights[..3].copy_from_slice(&bands);
    weights[Weights::<1>::STEEP] = is_steep as f32;
    weights[Weights::<1>::LADDER] = is_ladder as f32;
    for (weight, tap) in weights[Weights::<1>::TAPS..].iter_mut().zip(taps) {
        *weight = tap / LADDER_LEVEL;
    }
    weights
}

/// State of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// Per stage of the svf: band, low.
    svf: [[f32; 2]; 2],
    ladder: [f32; 4],
    /// Up even, up odd, down even, down odd.
    halfbands: [[f32; halfband::MEMORY]; 4],
    /// Where the fade of the weights began.
    from: [f32; WEIGHTS],
    /// Frames of it that are left.
    left: u32,
    /// The setting that it goes to; plus one, so that 0 is none.
    setting: u32,
}

impl Voice {
    /// Begins a fade if the setting is another than it was.
    #[inline(always)]
    fn set(&mut self, setting: u32, fade_frames: u32) {
        if self.setting != setting + 1 {
            if self.setting != 0 {
                self.from = self.weights(fade_frames);
                self.left = fade_frames;
            }
            self.setting = setting + 1;
        }
    }

    /// The weights as they stand: a cubic ease between two sets, so that the fade has no corners.
    #[inline(always)]
    fn weights(&self, fade_frames: u32) -> [f32; WEIGHTS] {
        let to = weights_of(self.setting - 1);
        if self.left == 0 {
            return to;
        }
        let part = self.left as f32 / fade_frames as f32;
        let share = part * part * (3.0 - 2.0 * part);
        let mut weights = to;
        for (weight, from) in weights.iter_mut().zip(&self.from) {
            *weight += share * (from - *weight);
        }
        weights
    }
}

/// Cutoff (cycles per frame), resonance and driven input over one chunk. Where cutoff and resonance do not move, only their
/// first row counts.
struct Chunk<const W: usize> {
    frames: usize,
    is_even: bool,
    input: [[f32; W]; CHUNK],
    cutoff: [[f32; W]; CHUNK],
    res: [[f32; W]; CHUNK],
}

/// The `vcf` kind.
pub struct Vcf;

impl Module for Vcf {
    const SPEC: KindSpec = KindSpec {
        name: "vcf",
        summary: "filter: state-variable or ladder, resonant, in tune",
        source: "Zavalishin, The Art of VA Filter Design; Välimäki & Huovilainen, CMJ 30:2, 2006",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade_frames = (FADE_S * block.rate_hz) as u32;
        let (mode, model, slope) = (block.choice(P::Mode), block.choice(P::Model), block.choice(P::Slope));
        for lane in 0..W {
            voices[lane].set((mode[lane] + 4 * model[lane] + 8 * slope[lane]) as u32, fade_frames);
        }
        let pitch = block.input(In::Pitch);
        let is_even = rests(&block.param(P::Cutoff)) && rests(&block.param(P::Res)) && rests(&Param::Varying(pitch));
        let mut cells = Cells::load(voices);
        let mut chunk =
            Chunk { frames: 0, is_even, input: [[0.0; W]; CHUNK], cutoff: [[0.0; W]; CHUNK], res: [[0.0; W]; CHUNK] };
        let mut start = 0;
        while start < block.frames {
            // While weights move, chunks are one frame long: the loops below know only weights at rest.
            let is_fading = voices.iter().any(|voice| voice.left > 0);
            chunk.frames = if is_fading { 1 } else { CHUNK.min(block.frames - start) };
            chunk.fill(block, start);
            let weights = Weights::next(voices, fade_frames, is_fading);
            cells.run(&chunk, &weights, &mut block.output(Out::Main)[start..start + chunk.frames]);
            cells.rest(&weights);
            start += chunk.frames;
        }
        cells.store(voices);
    }
}

/// Whether a param is the same in every frame, channel by channel.
#[inline(always)]
fn rests<const W: usize>(param: &Param<'_, W>) -> bool {
    match param {
        Param::Constant(_) => true,
        Param::Varying(rows) => rows.iter().all(|row| row == &rows[0]),
    }
}

impl<const W: usize> Chunk<W> {
    #[inline(always)]
    fn fill(&mut self, block: &Block<'_, W>, start: usize) {
        let (input, pitch) = (block.input(In::Main), block.input(In::Pitch));
        let (cutoff, res, drive) = (block.param(P::Cutoff), block.param(P::Res), block.param(P::Drive));
        let frame_s = 1.0 / block.rate_hz;
        for index in 0..self.frames {
            let drive = drive.at(start + index);
            for lane in 0..W {
                self.input[index][lane] = input[start + index][lane] * drive[lane];
            }
        }
        for index in 0..if self.is_even { 1 } else { self.frames } {
            let hz = cutoff.at(start + index);
            for lane in 0..W {
                let cutoff = hz[lane] * exp2(pitch[start + index][lane]) * frame_s;
                self.cutoff[index][lane] = cutoff.clamp(CUTOFF_RANGE.0, CUTOFF_RANGE.1);
            }
            self.res[index] = res.at(start + index);
        }
    }

    /// The row of cutoff and resonance that holds in `frame`.
    #[inline(always)]
    fn row(&self, frame: usize) -> ([f32; W], [f32; W]) {
        let row = if self.is_even { 0 } else { frame };
        (self.cutoff[row], self.res[row])
    }

    #[inline(always)]
    fn svf_tuning<const RESONATES: bool>(&self, frame: usize, base: &[f32; W]) -> svf::Tuning<W> {
        let (cutoff, res) = self.row(frame);
        let (mut damping, mut limit) = (*base, [0.0; W]);
        if RESONATES {
            for lane in 0..W {
                damping[lane] = base[lane] - (base[lane] + UNDAMPING) * res[lane];
                // From half resonance on, so that the filter stays linear below.
                let near = (2.0 * res[lane] - 1.0).max(0.0);
                limit[lane] = UNDAMPING * near * near;
            }
        }
        svf::Tuning::new(cutoff, damping, limit)
    }

    #[inline(always)]
    fn ladder_tuning(&self, frame: usize) -> ladder::Tuning<W> {
        let (mut cutoff, mut feedback) = self.row(frame);
        for lane in 0..W {
            cutoff[lane] *= 0.5;
            feedback[lane] *= FEEDBACK_MAX;
        }
        ladder::Tuning::new(cutoff, feedback)
    }
}
