//! Voltage-controlled filter: a clean state-variable filter, a saturating transistor ladder or a low-pass gate; low, band or high
//! pass, notch, peak or all-pass; 12 or 24 dB per octave.
//!
//! All are in tune to a fraction of a cent and oscillate at full resonance. `svf` is linear up to a level of 1 at its input
//! and bends softly above; its 24 dB are two stages with Butterworth's Qs, of which the second resonates. `ladder` saturates in its
//! loop, and its modes are sums of its taps; as its resonance takes from all of them, its `peak` and `allpass` are flat
//! without resonance and peaks with it. `lpg` is the svf behind a vactrol: `cutoff` lights the lamp, and loudness and
//! brightness open together in 12 ms and close in a quarter of a second. A gate into `cutoff` strikes it:
//! `vcf model=lpg cutoff=20` and 9 octaves of gate make a bongo of whatever is heard.
//!
//! `quality` is how many times the rate the model runs at, because what saturates makes harmonics. The svf and the gate, linear up to
//! a level of 1, heed 2x only while `drive` is above 1: at the default they cost what a linear filter costs.
//! Every change of a choice fades over 10 ms, from one filter to the other.
//!
//! Source: Zavalishin, The Art of VA Filter Design; Välimäki & Huovilainen, CMJ 30:2, 2006; Parker & D'Angelo, "A digital model of
//! the Buchla lowpass-gate", DAFx-13; see [`crate::dsp::svf`], [`crate::dsp::ladder`], [`crate::dsp::vactrol`],
//! [`crate::dsp::halfband`].

use bytemuck::{Pod, Zeroable};
use tine_protocol::spec::{KindSpec, Notes, ParamSpec, PortSpec, Role, Signal, Unit};

use crate::dsp::switch::{self, Switch};
use crate::dsp::vactrol::Vactrol;
use crate::runner::GROUP_MAX;
use crate::{Block, Module, Param};

mod cells;
mod chunk;
mod cores;
mod setting;
use cells::{Cells, Filter};
use chunk::{CHUNK, Chunk};
use setting::{Model, Setting};

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
    Mode: ParamSpec::choice("mode", &["lp", "bp", "hp", "notch", "peak", "allpass"])
        .help("what passes: low, band, high, all but a notch, all with a peak, all but turned in phase"),
    Model: ParamSpec::choice("model", &["svf", "ladder", "lpg"])
        .help("svf: clean; ladder: warm, saturates, loses bass as res rises; lpg: low-pass gate, plucked through cutoff"),
    Slope: ParamSpec::choice("slope", &["12", "24"])
        .help("dB per octave"),
    Quality: ParamSpec::choice_of("quality", &["1x", "2x", "4x"], 1)
        .help("oversampling of what saturates; at 2x svf and lpg take part while drive is above 1"),
} }

/// Seconds for which a drive above 1 keeps the svf oversampled: a tremolo of the drive must not switch to and fro.
const DRIVEN_S: f32 = 0.5;

/// Of a voice's filters: the one that fades out, and the one that is heard or fades in.
const FROM: usize = 0;
const TO: usize = 1;

/// State of one channel.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Voice {
    /// The gate's vactrol; 0 while it is not used.
    open: f64,
    /// Between numbers of settings.
    switch: Switch,
    /// Frames for which the drive still counts as above 1.
    driven: u32,
    filters: [Filter; 2],
}

impl Voice {
    /// Heeds the player's choices. The new filter goes on with the old one's states where they mean the same: at another rate they
    /// nearly do, so that what sings does not fall silent. Half-bands begin anew.
    #[inline(always)]
    fn meet(&mut self, setting: Setting, fade_frames: u32) {
        let before = self.switch.settled();
        self.switch.meet(setting.number(), fade_frames);
        if let (Some(before), None) = (before, self.switch.settled()) {
            self.filters[FROM] = self.filters[TO];
            let before = Setting::numbered(before);
            if !setting.is_akin(before) {
                self.filters[TO] = Filter::zeroed();
            } else if setting.rate_log2 != before.rate_log2 {
                self.filters[TO].rest_half_bands();
            }
        }
    }

    /// Which of its filters plays `setting`.
    #[inline(always)]
    fn slot(&self, setting: Setting) -> Option<usize> {
        let [from, to] = self.switch.choices();
        let number = setting.number();
        if number == to {
            Some(TO)
        } else if number == from {
            Some(FROM)
        } else {
            None
        }
    }

    #[inline(always)]
    fn plays(&self, model: Model) -> bool {
        self.switch.choices().iter().any(|&number| Setting::numbered(number).model == model)
    }
}

/// The `vcf` kind.
pub struct Vcf;

impl Module for Vcf {
    const SPEC: KindSpec = KindSpec {
        name: "vcf",
        summary: "filter: state-variable, ladder or low-pass gate, resonant, in tune",
        source: "Zavalishin, The Art of VA Filter Design; Välimäki & Huovilainen, CMJ 30:2, 2006; Parker & D'Angelo, DAFx-13",
        role: Role::Lane,
        inputs: INPUTS,
        outputs: OUTPUTS,
        params: PARAMS,
        notes: Notes { pitch: Some("pitch"), gate: None, velocity: None, trigger: None, voices: None },
    };

    type Voice = Voice;

    #[inline(always)]
    fn process<const W: usize>(voices: &mut [Voice; W], block: &mut Block<'_, W>) {
        let fade_frames = switch::fade_frames(block.rate_hz);
        heed(voices, block, fade_frames);
        let (numbers, count) = playing(voices);
        if count > 1 {
            block.output(Out::Main).fill([0.0; W]);
        }
        let mut chunk = Chunk::new(block);
        let mut gates = None;
        // One run for every setting that some channel plays: nearly always there is one.
        for &number in &numbers[..count] {
            let setting = Setting::numbered(number);
            let mut cells = Cells::load(voices, setting);
            let mut vactrol = Vactrol::DARK;
            if setting.model == Model::Gate {
                vactrol = Vactrol::new([0.0; W], block.rate_hz);
                for lane in 0..W {
                    vactrol.open[lane] = voices[lane].open;
                }
            }
            let mut start = 0;
            while start < block.frames {
                chunk.fill(block, start);
                if setting.model == Model::Gate {
                    chunk.gate(&mut vactrol);
                }
                let output = &mut block.output(Out::Main)[start..start + chunk.frames];
                if count == 1 {
                    cells.run(setting, &chunk, output);
                } else {
                    let mut heard = [[0.0; W]; CHUNK];
                    cells.run(setting, &chunk, &mut heard[..chunk.frames]);
                    for (frame, (row, heard)) in output.iter_mut().zip(&heard).enumerate() {
                        mix(voices, setting, start + frame, fade_frames, heard, row);
                    }
                }
                start += chunk.frames;
            }
            cells.store(voices, setting);
            if setting.model == Model::Gate {
                gates = Some(vactrol.open);
            }
        }
        for lane in 0..W {
            let voice = &mut voices[lane];
            voice.open = match gates {
                Some(open) if voice.plays(Model::Gate) => open[lane],
                _ => 0.0,
            };
            voice.switch.advance(block.frames);
        }
    }
}

/// Brings the player's choices to the voices.
#[inline(always)]
fn heed<const W: usize>(voices: &mut [Voice; W], block: &Block<'_, W>, fade_frames: u32) {
    let (mode, model) = (block.choice(P::Mode), block.choice(P::Model));
    let (slope, quality) = (block.choice(P::Slope), block.choice(P::Quality));
    let mut drive = [0.0f32; W];
    match block.param(P::Drive) {
        Param::Constant(value) => drive = [value; W],
        Param::Varying(rows) => {
            for row in rows {
                for lane in 0..W {
                    drive[lane] = drive[lane].max(row[lane]);
                }
            }
        }
    }
    let driven_frames = (DRIVEN_S * block.rate_hz) as u32;
    for lane in 0..W {
        let voice = &mut voices[lane];
        let left = voice.driven.saturating_sub(block.frames as u32);
        voice.driven = if drive[lane] > 1.0 { driven_frames } else { left };
        let is_linear = model[lane] != Model::Ladder as usize && voice.driven == 0;
        let rate_log2 = if is_linear && quality[lane] == 1 { 0 } else { quality[lane] };
        let setting = Setting::new(mode[lane], model[lane], slope[lane], rate_log2);
        // Nearly always it is what it was.
        if voice.switch.settled() != Some(setting.number()) {
            voice.meet(setting, fade_frames);
        }
    }
}

/// The numbers of all settings that some channel plays, and how many there are.
#[inline(always)]
fn playing<const W: usize>(voices: &[Voice; W]) -> ([usize; 2 * GROUP_MAX], usize) {
    let (mut numbers, mut count) = ([0; 2 * GROUP_MAX], 0);
    for voice in voices {
        for number in voice.switch.choices() {
            if !numbers[..count].contains(&number) {
                numbers[count] = number;
                count += 1;
            }
        }
    }
    (numbers, count)
}

/// Puts into `row` what the channels that play `setting` are to have of it in `frame`.
#[inline(always)]
fn mix<const W: usize>(
    voices: &[Voice; W],
    setting: Setting,
    frame: usize,
    fade_frames: u32,
    heard: &[f32; W],
    row: &mut [f32; W],
) {
    for (lane, voice) in voices.iter().enumerate() {
        let share = voice.switch.share(frame, fade_frames);
        match voice.slot(setting) {
            Some(TO) if voice.switch.settled().is_some() => row[lane] = heard[lane],
            Some(TO) => row[lane] += share * heard[lane],
            Some(_) => row[lane] += (1.0 - share) * heard[lane],
            None => {}
        }
    }
}
