//! Wavetable oscillator: a row of single cycles, and a position that moves through them while they sound.
//!
//! Six banks of eight cycles come with it: `saw`, `square` and `pulse` open from dull to bright (the pulse from wide to narrow),
//! `vocal` sings u to i, `organ` pulls its drawbars, `bell` strikes harder. `file` takes its place: a WAV cut into cycles of 2048
//! samples, as Serum and its kin write them, 64 of them at most, evenly spread; a file shorter than that is one cycle.
//! `position` may move at audio rate. Cycles and pitches blend without a step; another table fades in over 10 ms.
//! Mip-maps and spline: [`crate::dsp::cycles`]. No latency.
//!
//! Source: Bristow-Johnson, "Wavetable Synthesis 101", AES 101st Convention, 1996; Niemitalo, 2001.

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::banks::BANKS;
use crate::dsp::cycles::{CYCLE_SAMPLES, Cycles, Levels, MOVING, Maker, STEADY, read};
use crate::dsp::math::exp2;
use crate::dsp::switch::{self, Switch, blend};
use crate::{Block, Module, Prepared, Recording, Sound, Sounds, Tables};

table! { In: PortSpec = INPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
    Fm: PortSpec::new("fm", Signal::Audio, "linear frequency modulation, through zero; fm_depth scales it"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the cycle at position, over and over"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (0.01, 20_000.0), 261.6256).smooth(5.0)
        .help("frequency at pitch 0"),
    Table: ParamSpec::choice("table", BANKS).help("which cycles; a file takes their place"),
    Position: ParamSpec::linear("position", Unit::Ratio, (0.0, 1.0), 0.0).smooth(5.0)
        .help("where in the table: 0 is its first cycle, 1 its last"),
    FmDepth: ParamSpec::linear("fm_depth", Unit::Ratio, (-16.0, 16.0), 1.0).smooth(5.0)
        .help("deviation for an fm signal of 1, in times the frequency"),
    File: ParamSpec::file("file").help("a sound file cut into cycles of 2048 samples"),
} }

/// Samples of a cycle in a file.
const FILE_CYCLE: usize = 2_048;

/// Shortest file that is a cycle.
const FILE_SHORTEST: usize = 8;

/// Most cycles that are kept of a file: 4.3 MB.
const FILE_CYCLES: usize = 64;

/// Fastest movement, in cycles per frame: what is meant to be faster stays just below half the rate.
const RISE_MAX: f32 = 0.499;

/// Frames that are computed at once.
const CHUNK: usize = 64;

/// The `wavetable` kind.
pub struct Wavetable;

/// One channel's state.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// 2^64 is one cycle.
    phase: u64,
    /// What plays: a bank, or, beyond the banks, a place of the store.
    source: Switch,
    /// How far the levels' fades have opened for frequency modulation, 0..1.
    opened: f32,
}

impl Module for Wavetable {
    const SPEC: KindSpec = KindSpec {
        name: "wavetable",
        summary: "oscillator that morphs through single cycles: six banks, or a file",
        source: "Niemitalo, Polynomial Interpolators for High-Quality Resampling of Oversampled Audio, 2001",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    fn prepare(recording: &Recording, _rate_hz: f32, _frames: usize) -> Result<Prepared, String> {
        let cycles = cut(recording)?;
        let mut samples = vec![0.0; cycles.len() * CYCLE_SAMPLES];
        let mut maker = Maker::default();
        for (cycle, into) in cycles.iter().zip(samples.chunks_exact_mut(CYCLE_SAMPLES)) {
            let spectrum = maker.analyse(cycle);
            maker.make(&spectrum, into);
        }
        Ok(Prepared { channels: 1, samples, note: cycles.len() as u32 })
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade = switch::fade_frames(block.rate_hz);
        let (tables, sounds) = (block.tables, block.sounds);
        let (choices, places) = (block.choice(P::Table), block.choice(P::File));
        let (pitch, fm) = (block.input(In::Pitch), block.input(In::Fm));
        let (freq, position, depth) = (block.param(P::Freq), block.param(P::Position), block.param(P::FmDepth));
        let is_fm = block.is_patched(In::Fm) && depth.constant() != Some(0.0);
        let opening = if is_fm { 1.0 } else { -1.0 } / fade as f32;
        let frame_s = 1.0 / block.rate_hz;
        for lane in 0..W {
            let is_file = sounds.at(places[lane]).is_some();
            voices[lane].source.meet(if is_file { BANKS.len() + places[lane] } else { choices[lane] }, fade);
        }

        for (index, out) in block.output(Out::Main).chunks_mut(CHUNK).enumerate() {
            let start = index * CHUNK;
            let mut rises = [[0.0; W]; CHUNK];
            for (frame, rise) in rises[..out.len()].iter_mut().enumerate() {
                let (freq, pitch) = (freq.at(start + frame), pitch[start + frame]);
                for lane in 0..W {
                    rise[lane] = freq[lane] * exp2(pitch[lane]) * frame_s;
                }
                if is_fm {
                    let (depth, fm) = (depth.at(start + frame), fm[start + frame]);
                    for lane in 0..W {
                        rise[lane] *= 1.0 + depth[lane] * fm[lane];
                    }
                }
            }
            for lane in 0..W {
                let voice = &mut voices[lane];
                let mut course = Course { rises: [0.0; CHUNK], positions: [0.0; CHUNK], fades: [STEADY; CHUNK] };
                for frame in 0..out.len() {
                    course.rises[frame] = rises[frame][lane].clamp(-RISE_MAX, RISE_MAX);
                    course.positions[frame] = position.at(start + frame)[lane];
                    voice.opened = (voice.opened + opening).clamp(0.0, 1.0);
                    course.fades[frame] = STEADY + (MOVING - STEADY) * voice.opened;
                }
                let [from, to] = voice.source.choices().map(
                    #[inline(always)]
                    |source| Source::at(source, tables, sounds),
                );
                let mut new = [0.0; CHUNK];
                let after = match &to {
                    Source::Bank(bank) => play(bank, voice.phase, &course, &mut new[..out.len()]),
                    _ => to.play_apart(voice.phase, &course, &mut new[..out.len()]),
                };
                if voice.source.settled().is_none() {
                    let mut old = [0.0; CHUNK];
                    from.play_apart(voice.phase, &course, &mut old[..out.len()]);
                    for frame in 0..out.len() {
                        new[frame] = blend(old[frame], new[frame], voice.source.share(start + frame, fade));
                    }
                }
                voice.phase = after;
                for (row, value) in out.iter_mut().zip(new.iter()) {
                    row[lane] = *value;
                }
            }
        }
        for voice in voices.iter_mut() {
            voice.source.advance(block.frames);
        }
    }
}

/// How one channel moves through a chunk: cycles per frame, position, and where its levels fade.
struct Course {
    rises: [f32; CHUNK],
    positions: [f32; CHUNK],
    fades: [f32; CHUNK],
}

/// Where cycles are kept.
enum Source<'a> {
    Bank(&'a [f32]),
    File(Sound<'a>),
    None,
}

impl<'a> Source<'a> {
    #[inline(always)]
    fn at(source: usize, tables: &'a Tables, sounds: Sounds<'a>) -> Source<'a> {
        match source.checked_sub(BANKS.len()) {
            None => Source::Bank(tables.banks.of(source)),
            Some(place) => sounds.at(place).map_or(Source::None, Source::File),
        }
    }

    /// Plays a chunk from `phase` on; returns the phase after it. For what is not the common case: compiled once, not per width
    /// and SIMD level.
    #[inline(never)]
    fn play_apart(&self, phase: u64, course: &Course, heard: &mut [f32]) -> u64 {
        match self {
            Source::Bank(bank) => play(bank, phase, course, heard),
            Source::File(sound) => play(sound, phase, course, heard),
            Source::None => phase,
        }
    }
}

impl Cycles for Sound<'_> {
    #[inline(always)]
    fn count(&self) -> usize {
        self.frames / CYCLE_SAMPLES
    }

    #[inline(always)]
    fn taps(&self, at: usize) -> [f32; 8] {
        let mut taps = [0.0; 8];
        self.copy(0, at, &mut taps);
        taps
    }
}

/// Plays a chunk of one channel: its reads have nothing in common with its neighbours'.
#[inline(always)]
fn play(cycles: &impl Cycles, mut phase: u64, course: &Course, heard: &mut [f32]) -> u64 {
    // 2^64 itself; a rise stays below half of it.
    const CYCLE: f64 = 18_446_744_073_709_551_616.0;
    let (mut rise, mut fade) = (f32::NAN, STEADY);
    let (mut step, mut levels) = (0, Levels::at(0.0, STEADY));
    for (frame, value) in heard.iter_mut().enumerate().take(CHUNK) {
        if course.rises[frame] != rise || course.fades[frame] != fade {
            (rise, fade) = (course.rises[frame], course.fades[frame]);
            step = (f64::from(rise) * CYCLE) as i64;
            levels = Levels::at(rise, fade);
        }
        *value = read(cycles, phase, course.positions[frame], levels);
        phase = phase.wrapping_add(step as u64);
    }
    phase
}

/// The cycles of a recording, its channels mixed.
fn cut(recording: &Recording) -> Result<Vec<Vec<f64>>, String> {
    let channels = recording.channels.max(1);
    let mono: Vec<f64> = recording
        .samples
        .chunks_exact(channels)
        .map(|frame| {
            let sum: f64 = frame.iter().filter(|sample| sample.is_finite()).map(|&sample| f64::from(sample)).sum();
            sum / channels as f64
        })
        .collect();
    if mono.len() < FILE_SHORTEST {
        return Err(format!("a wavetable needs {FILE_SHORTEST} frames or more; this file has {}", mono.len()));
    }
    if mono.len() < FILE_CYCLE {
        return Ok(vec![mono]);
    }
    let there = mono.len() / FILE_CYCLE;
    let kept = there.min(FILE_CYCLES);
    // Evenly from the first to the last.
    let pick = |index: usize| if kept == 1 { 0 } else { index * (there - 1) / (kept - 1) };
    Ok((0..kept).map(|index| mono[pick(index) * FILE_CYCLE..][..FILE_CYCLE].to_vec()).collect())
}
