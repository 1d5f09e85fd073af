//! Voltage-controlled oscillator: saw, pulse, triangle and sine from one phase, without audible aliasing.
//!
//! A naive wave plus a band-limited residual at every edge ([`crate::dsp::residual`]). What sets the quality under
//! modulation is the time of each edge within its frame ([`crate::dsp::course`]). A channel whose pitch, width and
//! sync rest takes a path that does nothing per frame but the naive wave ([`crate::dsp::steady`]).
//! All outputs but `phase` are 16 frames late, or 8, so that the residuals may begin before their edges.
//!
//! Hard sync starts the cycle again; soft sync sends the phase back the way that it came, as the triangle cores of modular synthesizers
//! do, so its spectrum is softer by 6 dB an octave: no wave jumps, they only turn.
//!
//! Source: Brandt, "Hard Sync Without Aliasing", ICMC 2001; Esqueda, Välimäki, Bilbao, "Rounding Corners with BLAMP",
//! DAFx-16; soft sync after the VCO of VCV Fundamental; targets and measurements: SOUND.md.

use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::random::Random;
use crate::dsp::residual::TAPS;
use crate::dsp::steady::{CHUNK, Steady};
use crate::dsp::wave::Wave;
use crate::{Block, Module, Param};

mod controls;
mod moves;
mod shapes;
mod unison;
mod voice;

use controls::Controls;
use moves::Moves;
use shapes::Fades;
pub use voice::Voice;
use voice::{Choices, Motion};

table! { In: PortSpec = INPUTS {
    Pitch: PortSpec::new("pitch", Signal::Pitch, "adds octaves to freq"),
    Fm: PortSpec::new("fm", Signal::Audio, "linear frequency modulation, through zero; fm_depth scales it"),
    Sync: PortSpec::new("sync", Signal::Trigger, "a rise through 0, or a gate, syncs the cycle at that very moment, as sync_mode says"),
    Xfm: PortSpec::new("xfm", Signal::Audio, "exponential frequency modulation; xfm_depth scales it"),
} }

table! { Out: PortSpec = OUTPUTS {
    Main: PortSpec::new("out", Signal::Audio, "the shape that the shape param names"),
    Saw: PortSpec::new("saw", Signal::Audio, "rising saw"),
    Pulse: PortSpec::new("pulse", Signal::Audio, "pulse of width pw, without DC"),
    Tri: PortSpec::new("tri", Signal::Audio, "triangle"),
    Sine: PortSpec::new("sine", Signal::Audio, "sine"),
    Phase: PortSpec::new("phase", Signal::Bipolar, "bare phase, rising through 0 where a cycle begins: the exact source for a sync input"),
    Sub: PortSpec::new("sub", Signal::Audio, "square one or two octaves below"),
    Left: PortSpec::new("left", Signal::Audio, "out at its place in the stereo field, at 1 / sqrt(voices): see voices and spread"),
    Right: PortSpec::new("right", Signal::Audio, "the other side of left"),
} }

table! { P: ParamSpec = PARAMS {
    Freq: ParamSpec::exponential("freq", Unit::Hertz, (0.01, 20_000.0), 261.6256).smooth(5.0)
        .help("frequency at pitch 0"),
    Shape: ParamSpec::choice("shape", &["saw", "pulse", "tri", "sine"])
        .help("what out gives; a change fades over 5 ms"),
    Pw: ParamSpec::linear("pw", Unit::Cycles, (0.01, 0.99), 0.5).smooth(5.0)
        .help("part of a cycle for which the pulse is high"),
    FmDepth: ParamSpec::linear("fm_depth", Unit::Ratio, (-16.0, 16.0), 1.0).smooth(5.0)
        .help("deviation for an fm signal of 1, in times the frequency: 1 swings between 0 and twice the frequency"),
    XfmDepth: ParamSpec::linear("xfm_depth", Unit::Octaves, (-8.0, 8.0), 1.0).smooth(5.0)
        .help("octaves for an xfm signal of 1"),
    SyncMode: ParamSpec::choice("sync_mode", &["hard", "soft"])
        .help("hard starts the cycle again, soft sends it back the way that it came"),
    Sub: ParamSpec::count("sub", (1, 2), 1)
        .help("octaves from out down to the sub output; a change waits until both begin a cycle"),
    Latency: ParamSpec::choice("latency", &["best", "low"])
        .help("best: 16 frames late, alias below -130 dB; low: 8 frames, -105 dB"),
    Voices: ParamSpec::count("voices", (1, 16), 1)
        .help("channels that sound one note together: of a vco*8 with 4 voices, the first four are a note, the next four another"),
    Detune: ParamSpec::linear("detune", Unit::Cents, (0.0, 100.0), 10.0).smooth(5.0)
        .help("how far the outermost voices of a note are out of tune, one up, one down; the others lie evenly between"),
    Spread: ParamSpec::linear("spread", Unit::Ratio, (0.0, 1.0), 0.0).smooth(5.0)
        .help("how far left and right spread the voices of a note, or the channels where a note has one voice; 0: all in the middle"),
} }

/// Waves that exist.
const WAVES: usize = 4;

/// The output of each.
const WAVE_OUTS: [(Wave, Out); WAVES] =
    [(Wave::Saw, Out::Saw), (Wave::Pulse, Out::Pulse), (Wave::Tri, Out::Tri), (Wave::Sine, Out::Sine)];

/// Fastest movement, in cycles per frame: what is meant to be faster stays just below half the rate.
const RISE_MAX: f32 = 0.499;

/// The `vco` kind.
pub struct Vco;

impl Module for Vco {
    const SPEC: KindSpec = KindSpec {
        name: "vco",
        summary: "oscillator: saw, pulse, triangle, sine; FM linear through zero and exponential, sync, sub-octave, unison",
        source: "Brandt, Hard Sync Without Aliasing, ICMC 2001; Esqueda et al., Rounding Corners with BLAMP, DAFx-16",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: Some("voices") },
    };

    type Voice = Voice;

    fn reset(voice: &mut Voice, channel: usize, seed: u64, _rate_hz: f32) {
        voice.seed(Random::new(seed, channel).bipolar());
    }

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let tables = block.tables;
        let fades = Fades::new(block.rate_hz);
        let controls = Controls::new(block, fades.switch);
        let choices = choose(block);
        let spread = block.param(P::Spread);
        let is_stereo = block.is_wanted(Out::Left) || block.is_wanted(Out::Right);
        let is_main_wanted = block.is_wanted(Out::Main) || is_stereo;
        let mut steady = [None; W];
        for lane in 0..W {
            let voice = &mut voices[lane];
            voice.seating.meet(choices[lane].voices, block.first_channel + lane, block.channels, fades.switch);
            voice.begin(choices[lane], controls.pw.at(0)[lane], fades);
            steady[lane] = controls.steady(voice, lane);
        }

        let is_any_moving = steady.iter().any(Option::is_none);
        let mut moves = is_any_moving.then(Moves::<W>::new);
        let mut canvas = [0.0; CHUNK + TAPS];
        for start in (0..block.frames).step_by(CHUNK) {
            let frames = CHUNK.min(block.frames - start);
            let rows = start..start + frames;
            if let Some(moves) = &mut moves {
                moves.gather(voices, &controls, start, frames);
            }
            for lane in 0..W {
                let (voice, chosen) = (&mut voices[lane], choices[lane]);
                let motion = match (steady[lane], &mut moves) {
                    (None, Some(moves)) => {
                        Motion::Moving(moves.plot(voice, &controls, lane, start, frames, chosen.is_soft))
                    }
                    (steady, _) => Motion::Steady(Steady { phase: voice.phase_48(), ..steady.unwrap_or_default() }),
                };
                let mut main = [0.0; CHUNK];
                for (wave, out) in WAVE_OUTS {
                    let is_mixed = is_main_wanted && voice.shapes.plays(wave, chosen.shape);
                    if !is_mixed && !block.is_wanted(out) {
                        voice.skip(wave as usize);
                        continue;
                    }
                    voice.draw(wave, &motion, frames, tables, fades, &mut canvas);
                    if is_mixed {
                        voice.shapes.mix(wave, chosen.shape, fades, &canvas, &mut main);
                    }
                    if block.is_wanted(out) {
                        write(&mut block.output(out)[rows.clone()], lane, &canvas);
                    }
                }
                if is_main_wanted {
                    voice.shapes.advance(chosen.shape, frames as u32, fades);
                }
                if block.is_wanted(Out::Main) {
                    write(&mut block.output(Out::Main)[rows.clone()], lane, &main);
                }
                if is_stereo {
                    place(voice, lane, start, spread, fades, &main[..frames], block);
                }
                if block.is_wanted(Out::Sub) {
                    voice.draw_sub(chosen.sub, &motion, frames, tables, fades, &mut canvas);
                    write(&mut block.output(Out::Sub)[rows.clone()], lane, &canvas);
                } else {
                    voice.skip_sub();
                }
                if block.is_wanted(Out::Phase) {
                    let mut phases = [0.0; CHUNK];
                    motion.phases(&mut phases[..frames]);
                    write(&mut block.output(Out::Phase)[rows.clone()], lane, &phases);
                }
                voice.advance(&motion, frames);
            }
        }
    }
}

/// What the player chose for each channel.
#[inline(always)]
fn choose<const W: usize>(block: &Block<'_, W>) -> [Choices; W] {
    let (shapes, modes, subs) = (block.choice(P::Shape), block.choice(P::SyncMode), block.choice(P::Sub));
    let (latencies, members) = (block.choice(P::Latency), block.choice(P::Voices));
    let mut choices = [Choices::default(); W];
    for lane in 0..W {
        choices[lane] = Choices {
            shape: shapes[lane],
            is_soft: modes[lane] == 1,
            sub: subs[lane] as u32,
            latency: latencies[lane],
            voices: members[lane],
        };
    }
    choices
}

/// Writes one channel of left and right.
#[inline(always)]
fn place<const W: usize>(
    voice: &Voice,
    lane: usize,
    start: usize,
    spread: Param<'_, W>,
    fades: Fades,
    main: &[f32],
    block: &mut Block<'_, W>,
) {
    let resting = spread.constant().and_then(|spread| voice.seating.resting_gains(spread));
    for (side, out) in [Out::Left, Out::Right].into_iter().enumerate() {
        if !block.is_wanted(out) {
            continue;
        }
        for (frame, (row, value)) in block.output(out)[start..].iter_mut().zip(main).enumerate() {
            let gains = match resting {
                Some(gains) => gains,
                None => voice.seating.gains(frame, fades.switch, spread.at(start + frame)[lane]),
            };
            row[lane] = value * gains[side];
        }
    }
}

/// Writes one channel of an output.
#[inline(always)]
fn write<const W: usize>(rows: &mut [[f32; W]], lane: usize, values: &[f32]) {
    for (row, value) in rows.iter_mut().zip(values) {
        row[lane] = *value;
    }
}
