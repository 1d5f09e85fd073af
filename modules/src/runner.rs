//! Executes one block of one module: sums its cables, moves its params, calls its `process`.
//!
//! Everything here is as pure as the modules are. Where the samples of a cable lie is the caller's business
//! ([`Sources`]); what comes from there is scrubbed before a module sees it.

mod cables;
mod travel;

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use fearless_simd::Level;
#[cfg(target_arch = "x86_64")]
use fearless_simd::Simd;
use tine_protocol::ramp::Ramp;
use tine_protocol::spec::{CHANNELS_MAX, KindSpec, OUTPUTS_MAX, PORTS_MAX, PortSpec};

use crate::block::Block;
use crate::fft::Ffts;
use crate::module::Module;
use crate::sounds::{Prepared, Recording, Sounds};
use crate::tables::Tables;
use crate::transport::Transport;
use cables::{Inlet, MovingGain, hold};
use travel::{Travel, follow, modulate};

/// Most channels that are computed side by side.
pub const GROUP_MAX: usize = 8;

/// How the channels of a module lie in memory: `groups` groups of `width` channels; each group is frame-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels that carry sound.
    pub channels: usize,
    /// Channels side by side: 1, 4 or 8.
    pub width: usize,
    /// Number of groups.
    pub groups: usize,
}

impl Shape {
    /// The layout of `channels` (1..=16).
    pub fn new(channels: usize) -> Shape {
        debug_assert!((1..=CHANNELS_MAX).contains(&channels));
        match channels {
            1 => Shape { channels, width: 1, groups: 1 },
            2..=4 => Shape { channels, width: 4, groups: 1 },
            _ => Shape { channels, width: 8, groups: channels.div_ceil(8) },
        }
    }

    /// Channels with the padding of the last group.
    pub fn stride(&self) -> usize {
        self.width * self.groups
    }

    /// Where (`channel`, `frame` 0) lies in a buffer of `frames` frames; further frames follow at `width`.
    pub fn offset(&self, channel: usize, frames: usize) -> usize {
        channel / self.width * frames * self.width + channel % self.width
    }
}

/// A change that reaches a module within a block.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Event {
    /// Input index (ports, then params), or [`Event::RESET`].
    pub input: u32,
    /// For a port: the channel that it goes to, or [`Event::ALL`]. A param is the same in every channel.
    pub channel: u32,
    /// Frame of the block, counted from 0.
    pub frame: u32,
    /// For a param: frames until the value is reached. For a port: unused.
    pub ramp_frames: u32,
    /// For a param: its new value, in its unit. For a port: the value held there from now on.
    pub value: f32,
}

impl Event {
    /// As `input`: back to the state of a new module, at the start of the block.
    pub const RESET: u32 = u32::MAX;
    /// As `channel`: every one.
    pub const ALL: u32 = u32::MAX;

    #[inline(always)]
    fn reaches(&self, channel: usize) -> bool {
        self.channel == Event::ALL || self.channel as usize == channel
    }
}

/// One cable into the module, as it is in this block.
#[derive(Clone, Copy, Debug)]
pub struct Cable {
    /// Input index (ports, then params).
    pub input: usize,
    /// Channels of the source.
    pub channels: usize,
    /// How loud.
    pub gain: Ramp,
}

/// Where the samples of cables come from.
pub trait Sources {
    /// Copies this block of the source of `cable` (an index into [`Job::cables`]) into `into`, laid out as
    /// [`Shape`] says for the source's channels.
    fn fetch(&mut self, cable: usize, into: &mut [f32]);
}

/// Everything that one block of one module depends on, and where its results go.
pub struct Job<'a> {
    /// Channels of the module.
    pub shape: Shape,
    /// Frames of the block.
    pub frames: usize,
    /// Frames per second.
    pub rate_hz: f32,
    /// Differs from module to module, stays the same for an id.
    pub seed: u64,
    /// The bank: state of the block before at entry, of this block at return. [`Kind::state_bytes`] long.
    pub state: &'a mut [u8],
    /// Values of the params of a new module, which a reset returns to.
    pub initial: &'a [f32],
    /// Start from reset instead of from `state`.
    pub is_new: bool,
    /// The tapes: per channel of the padded shape, [`Kind::tapes`] rings of `tape_frames` each.
    pub tape: &'a mut [f32],
    /// Length of one ring, a power of two; 0 if the kind has none.
    pub tape_frames: usize,
    /// Changes within this block, by rising frame.
    pub events: &'a [Event],
    /// Cables into this module, in the order in which they are summed.
    pub cables: &'a [Cable],
    /// Share of the module's own sound, against its bypass.
    pub active: Ramp,
    /// Out of service: its own code is not run, it gives what its bypass passes.
    pub is_idle: bool,
    /// Bit per output that somebody reads.
    pub wanted: u32,
    /// All outputs: per port, per group, `frames` rows.
    pub outputs: &'a mut [f32],
    /// Musical time over the block.
    pub transport: Transport,
    /// The sound files that are loaded.
    pub sounds: Sounds<'a>,
    /// What the sound device hears, `frames` rows; empty: silence.
    pub heard: &'a [[f32; 2]],
}

/// What was noticed while a block was computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Samples on cables that were NaN, infinite or beyond [`SIGNAL_MAX`](crate::dsp::math::SIGNAL_MAX), and were replaced.
    pub scrubbed: u32,
}

/// Work space of one thread, allocated once.
pub struct Scratch {
    level: Level,
    ffts: Arc<Ffts>,
    frames: usize,
    inputs: Vec<f32>,
    fetched: Vec<f32>,
    sum: Vec<f32>,
    /// A param's own value, per frame.
    base: Vec<f32>,
    silence: Vec<f32>,
    poly: Vec<[f32; CHANNELS_MAX]>,
    deaf: Vec<[f32; 2]>,
}

impl Scratch {
    /// Work space for blocks of up to `frames`, at the best SIMD level of this machine.
    pub fn new(frames: usize, ffts: Arc<Ffts>) -> Scratch {
        Self::at(Level::new(), frames, ffts)
    }

    /// Work space at the lowest SIMD level that this build runs on: to prove that levels agree.
    pub fn baseline(frames: usize, ffts: Arc<Ffts>) -> Scratch {
        Self::at(Level::baseline(), frames, ffts)
    }

    fn at(level: Level, frames: usize, ffts: Arc<Ffts>) -> Scratch {
        Scratch {
            level,
            ffts,
            frames,
            inputs: vec![0.0; PORTS_MAX * frames * GROUP_MAX],
            fetched: vec![0.0; frames * CHANNELS_MAX],
            sum: vec![0.0; frames * GROUP_MAX],
            base: vec![0.0; frames],
            silence: vec![0.0; frames * GROUP_MAX],
            poly: vec![[0.0; CHANNELS_MAX]; frames],
            deaf: vec![[0.0; 2]; frames],
        }
    }
}

/// A kind, with the type of its state erased: what the catalogue holds.
pub struct Kind {
    /// Names, units, ranges.
    pub spec: &'static KindSpec,
    /// Rings of tape per channel.
    pub tapes: usize,
    voice_bytes: usize,
    tape_frames: fn(f32) -> usize,
    prepare: fn(&Recording, f32, usize) -> Result<Prepared, String>,
    run: fn(&mut Job<'_>, &mut Scratch, &Tables, &mut dyn Sources) -> Noticed,
}

impl Kind {
    /// Erases the type of a module.
    pub const fn of<M: Module>() -> Kind {
        assert!(align_of::<M::Voice>() <= 16);
        assert!(size_of::<M::Voice>() > 0, "a kind that remembers nothing uses Stateless");
        assert!(M::SPEC.inputs.len() + M::SPEC.params.len() <= PORTS_MAX);
        assert!(M::SPEC.outputs.len() <= OUTPUTS_MAX);
        Kind {
            spec: &const { M::SPEC },
            voice_bytes: size_of::<M::Voice>(),
            tapes: M::TAPES,
            tape_frames: M::tape_frames,
            prepare: M::prepare,
            run: run::<M>,
        }
    }

    /// Bytes of one state bank for a module of `shape`; a multiple of 64.
    pub fn state_bytes(&self, shape: Shape) -> usize {
        (head_bytes(self.spec, shape) + self.voice_bytes * shape.stride()).next_multiple_of(64)
    }

    /// Frames of tape per channel: a power of two that holds the longest delay and two blocks; 0 for none.
    pub fn tape_frames(&self, rate_hz: f32, frames: usize) -> usize {
        match (self.tape_frames)(rate_hz) {
            0 => 0,
            longest => (longest + 2 * frames).next_power_of_two(),
        }
    }

    /// What a `file` param of the kind is to hold of `recording`; see [`Module::prepare`].
    ///
    /// # Errors
    /// A sentence in the player's words, if the file is of no use to the kind.
    pub fn prepare(&self, recording: &Recording, rate_hz: f32, frames: usize) -> Result<Prepared, String> {
        (self.prepare)(recording, rate_hz, frames)
    }

    /// Samples of all outputs over one block.
    pub fn output_samples(&self, shape: Shape, frames: usize) -> usize {
        self.spec.outputs.len() * shape.stride() * frames
    }

    /// Executes one block. Neither allocates nor panics for a `job` of this kind's sizes.
    pub fn run(&self, job: &mut Job<'_>, scratch: &mut Scratch, tables: &Tables, sources: &mut dyn Sources) -> Noticed {
        (self.run)(job, scratch, tables, sources)
    }
}

/// Bytes before the voices: position, params, held inputs per channel.
fn head_bytes(spec: &KindSpec, shape: Shape) -> usize {
    let held = spec.inputs.len() * shape.stride() * size_of::<f32>();
    (size_of::<u64>() + spec.params.len() * size_of::<Travel>() + held).next_multiple_of(64)
}

struct Bank<'a, V> {
    position: &'a mut u64,
    travels: &'a mut [Travel],
    /// Per port, a value for each channel of the padded shape.
    held: &'a mut [f32],
    voices: &'a mut [V],
}

fn split<'a, M: Module>(state: &'a mut [u8], shape: Shape) -> Bank<'a, M::Voice> {
    let (head, rest) = state.split_at_mut(head_bytes(&M::SPEC, shape));
    let (position, head) = head.split_at_mut(size_of::<u64>());
    let (travels, head) = head.split_at_mut(M::SPEC.params.len() * size_of::<Travel>());
    let held = &mut head[..M::SPEC.inputs.len() * shape.stride() * size_of::<f32>()];
    Bank {
        position: &mut bytemuck::cast_slice_mut(position)[0],
        travels: bytemuck::cast_slice_mut(travels),
        held: bytemuck::cast_slice_mut(held),
        voices: bytemuck::cast_slice_mut(&mut rest[..size_of::<M::Voice>() * shape.stride()]),
    }
}

fn run<M: Module>(job: &mut Job<'_>, scratch: &mut Scratch, tables: &Tables, sources: &mut dyn Sources) -> Noticed {
    debug_assert!(job.frames <= scratch.frames);
    let mut noticed = Noticed::default();
    if job.is_new || job.events.iter().any(|event| event.input == Event::RESET) {
        reset::<M>(job);
    }
    match job.shape.width {
        1 => run_groups::<M, 1>(job, scratch, tables, sources, &mut noticed),
        4 => run_groups::<M, 4>(job, scratch, tables, sources, &mut noticed),
        _ => run_groups::<M, 8>(job, scratch, tables, sources, &mut noticed),
    }
    settle::<M>(job);
    noticed
}

/// Back to the state of a new module. Held inputs stay as the player left them, except in a new one.
fn reset<M: Module>(job: &mut Job<'_>) {
    if job.is_new {
        job.state.fill(0);
    }
    let bank = split::<M>(job.state, job.shape);
    *bank.position = 0;
    if job.is_new {
        for (travel, &value) in bank.travels.iter_mut().zip(job.initial) {
            *travel = Travel::at(value);
        }
    }
    for (channel, voice) in bank.voices.iter_mut().enumerate() {
        *voice = M::Voice::zeroed();
        M::reset(voice, channel, job.seed, job.rate_hz);
    }
}

/// Moves position, params and held inputs to where they stand after this block.
fn settle<M: Module>(job: &mut Job<'_>) {
    let frames = job.frames as u32;
    let bank = split::<M>(job.state, job.shape);
    *bank.position += u64::from(frames);
    let ports = M::SPEC.inputs.len();
    for (index, travel) in bank.travels.iter_mut().enumerate() {
        // Most params rest: walking them frame by frame cost a mono module of eleven params 200 ns a block.
        if !travel.is_resting() || job.events.iter().any(|event| event.input as usize == ports + index) {
            *travel = follow(*travel, &M::SPEC.params[index], ports + index, job.events, frames, |_, _| {});
        }
    }
    for event in job.events.iter().filter(|event| (event.input as usize) < ports) {
        let row = event.input as usize * job.shape.stride();
        for (channel, held) in bank.held[row..row + job.shape.stride()].iter_mut().enumerate() {
            if event.reaches(channel) {
                *held = event.value;
            }
        }
    }
}

fn run_groups<M: Module, const W: usize>(
    job: &mut Job<'_>,
    scratch: &mut Scratch,
    tables: &Tables,
    sources: &mut dyn Sources,
    noticed: &mut Noticed,
) {
    for group in 0..job.shape.groups {
        run_group::<M, W>(job, group, scratch, tables, sources, noticed);
    }
}

fn run_group<M: Module, const W: usize>(
    job: &mut Job<'_>,
    group: usize,
    scratch: &mut Scratch,
    tables: &Tables,
    sources: &mut dyn Sources,
    noticed: &mut Noticed,
) {
    let frames = job.frames;
    let ports = M::SPEC.inputs.len();
    let input_stride = frames * W;
    let level = scratch.level;
    let bank = split::<M>(job.state, job.shape);
    let held_of = |input: usize| input * job.shape.stride() + group * W..input * job.shape.stride() + (group + 1) * W;

    let (cabled, told) = busy_inputs(job.cables, job.events);
    let mut constants = [0.0f32; PORTS_MAX];
    let mut varying = 0u64;
    let mut patched = 0u64;
    for input in 0..M::SPEC.inputs.len() + M::SPEC.params.len() {
        // An input at rest costs nothing, not even a sum of zeros: most inputs of most modules are.
        let is_resting = match input.checked_sub(ports) {
            None => bank.held[held_of(input)].iter().all(|&held| held == 0.0),
            Some(param) => {
                let travel = bank.travels[param];
                constants[param] = travel.to;
                travel.is_resting()
            }
        };
        if is_resting && (cabled | told) >> input & 1 == 0 {
            continue;
        }
        let rows: &mut [[f32; W]] = bytemuck::cast_slice_mut(&mut scratch.inputs[input * input_stride..][..frames * W]);
        let fetched = &mut scratch.fetched[..];
        let mut inlet = Inlet { level, cables: job.cables, channels: job.shape.channels, group, fetched, sources };
        if input < ports {
            patched |= 1 << input;
            let mut held = [0.0; W];
            held.copy_from_slice(&bank.held[held_of(input)]);
            hold(held, input, group, job.events, rows);
            noticed.scrubbed += inlet.add_cables(input, rows);
        } else {
            let sum: &mut [[f32; W]] = bytemuck::cast_slice_mut(&mut scratch.sum[..frames * W]);
            sum.fill([0.0; W]);
            noticed.scrubbed += inlet.add_cables(input, sum);
            let spec = &M::SPEC.params[input - ports];
            let travel = bank.travels[input - ports];
            follow(travel, spec, input, job.events, frames as u32, |frame, value| scratch.base[frame] = value);
            at(
                level,
                #[inline(always)]
                || modulate(spec, &scratch.base[..frames], sum, rows),
            );
        }
        varying |= 1 << input;
    }

    let mut poly_channels = 0;
    if let Some(port) = const { poly_port(M::SPEC.inputs) } {
        let fetched = &mut scratch.fetched[..];
        let mut inlet = Inlet { level, cables: job.cables, channels: job.shape.channels, group, fetched, sources };
        poly_channels = inlet.gather(port, &mut scratch.poly[..frames]);
    }
    let ring_cells = M::TAPES * job.tape_frames;
    let heard = if job.heard.len() == frames { job.heard } else { &scratch.deaf[..frames] };
    let voices: &mut [M::Voice; W] =
        (&mut bank.voices[group * W..(group + 1) * W]).try_into().expect("a group has W voices");
    let mut block = Block::<W> {
        frames,
        rate_hz: job.rate_hz,
        tables,
        ffts: &scratch.ffts,
        transport: job.transport,
        first_channel: group * W,
        channels: job.shape.channels,
        ports,
        inputs: &scratch.inputs,
        input_stride,
        varying,
        patched,
        constants: &constants,
        silence: &scratch.silence,
        outputs: &mut job.outputs[group * frames * W..],
        output_stride: job.shape.stride() * frames,
        wanted: job.wanted,
        tape: &mut job.tape[group * W * ring_cells..(group + 1) * W * ring_cells],
        tape_frames: job.tape_frames,
        tapes: M::TAPES,
        position: *bank.position,
        poly: &scratch.poly[..frames],
        poly_channels,
        sounds: job.sounds,
        heard,
    };
    let outputs = M::SPEC.outputs.len();
    if job.is_idle {
        for output in 0..outputs {
            block.output(output).fill([0.0; W]);
        }
        bypass(&mut block, outputs, M::SPEC.input("in"), Ramp::constant(0.0));
        return;
    }
    at(
        level,
        #[inline(always)]
        || M::process::<W>(voices, &mut block),
    );
    if job.active.resting() != Some(1.0) {
        bypass(&mut block, outputs, M::SPEC.input("in"), job.active);
    }
}

/// A bit for each input that a cable feeds, and for each that an event reaches.
#[inline(always)]
fn busy_inputs(cables: &[Cable], events: &[Event]) -> (u64, u64) {
    let bit = |input: usize| if input < PORTS_MAX { 1u64 << input } else { 0 };
    let (mut cabled, mut told) = (0, 0);
    for cable in cables.iter().filter(|cable| cable.feeds(cable.input)) {
        cabled |= bit(cable.input);
    }
    for event in events {
        told |= bit(event.input as usize);
    }
    (cabled, told)
}

/// Does `work` as it was compiled for AVX2 where the machine has that, else for the target's baseline.
///
/// Two levels, not all that there are: a group is 8 floats wide, so AVX-512 gains nothing, machines with SSE4.2 and without AVX2 are rare,
/// and each level is one more copy of every kind.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
fn at(level: Level, work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = level.as_avx2() {
        return avx2.vectorize(work);
    }
    work();
}

/// The input that is marked poly, if the kind has one.
const fn poly_port(inputs: &[PortSpec]) -> Option<usize> {
    let mut port = 0;
    while port < inputs.len() {
        if inputs[port].is_poly {
            return Some(port);
        }
        port += 1;
    }
    None
}

/// Fades between the module's own outputs and its bypass: the first output carries `in`, the others nothing.
fn bypass<const W: usize>(block: &mut Block<'_, W>, outputs: usize, through: Option<usize>, active: Ramp) {
    let dry: Option<&[[f32; W]]> = through.map(|port| block.input(port));
    let share = MovingGain::new(active, block.frames);
    for output in 0..outputs {
        if !block.is_wanted(output) {
            continue;
        }
        let dry = dry.filter(|_| output == 0);
        for (frame, row) in block.output(output).iter_mut().enumerate() {
            let own = share.at(frame);
            for lane in 0..W {
                row[lane] = own * row[lane] + (1.0 - own) * dry.map_or(0.0, |dry| dry[frame][lane]);
            }
        }
    }
}
