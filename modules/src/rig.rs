//! One module by itself: drives a kind block by block without engine or processes. For tests and benches.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use crate::fft::Ffts;
use crate::runner::{Cable, Event, Job, Kind, Noticed, Scratch, Shape, Sources};
use crate::sounds::{PLACE_WORDS, PLACES, Recording, Sounds, Store};
use crate::tables::Tables;
use crate::transport::Transport;
use tine_protocol::ramp::Ramp;

/// Planned once for all rigs of a process.
static FFTS: LazyLock<Arc<Ffts>> = LazyLock::new(|| Arc::new(Ffts::plan()));

/// Built once for all rigs of a process.
static TABLES: LazyLock<Arc<Tables>> = LazyLock::new(|| Arc::from(Tables::build()));

/// A module on the bench, with one signal generator per input.
pub struct Rig {
    kind: &'static Kind,
    shape: Shape,
    frames: usize,
    rate_hz: f32,
    seed: u64,
    state: Vec<u64>,
    initial: Vec<f32>,
    tape: Vec<f32>,
    tape_frames: usize,
    scratch: Scratch,
    tables: Arc<Tables>,
    outputs: Vec<f32>,
    cables: Vec<Cable>,
    inputs: Vec<Vec<f32>>,
    events: Vec<Event>,
    is_new: bool,
    wanted: u32,
    is_idle: bool,
    transport: Transport,
    store: Store,
    sounds: Vec<AtomicU32>,
    heard: Vec<[f32; 2]>,
    /// What the blocks so far noticed.
    pub noticed: Noticed,
}

impl Rig {
    /// A new module of `kind` with `channels`, its params at their defaults, in blocks of `frames`.
    pub fn new(kind: &'static Kind, channels: usize, rate_hz: f32, frames: usize) -> Rig {
        let shape = Shape::new(channels);
        let tape_frames = kind.tape_frames(rate_hz, frames);
        Rig {
            kind,
            shape,
            frames,
            rate_hz,
            seed: 1,
            state: vec![0; kind.state_bytes(shape) / 8],
            initial: kind.spec.params.iter().map(|param| param.default).collect(),
            tape: vec![0.0; tape_frames * kind.tapes * shape.stride()],
            tape_frames,
            scratch: Scratch::new(frames, FFTS.clone()),
            tables: TABLES.clone(),
            outputs: vec![0.0; kind.output_samples(shape, frames)],
            cables: Vec::new(),
            inputs: Vec::new(),
            events: Vec::new(),
            is_new: true,
            wanted: u32::MAX,
            is_idle: false,
            transport: Transport::default(),
            store: Store::default(),
            sounds: Vec::new(),
            heard: Vec::new(),
            noticed: Noticed::default(),
        }
    }

    /// Sets the seed that the module's randomness starts from.
    pub fn seed(mut self, seed: u64) -> Rig {
        self.seed = seed;
        self
    }

    /// Computes at the lowest SIMD level of this build instead of the best.
    pub fn baseline(mut self) -> Rig {
        self.scratch = Scratch::baseline(self.frames, FFTS.clone());
        self
    }

    /// Sets a param before the first block.
    pub fn with(mut self, param: &str, value: f32) -> Rig {
        let index = self.kind.spec.param(param).expect("the kind has this param");
        self.initial[index] = value;
        self
    }

    /// Lets the transport run at `bpm` from beat 0 on.
    pub fn at_tempo(mut self, bpm: f64) -> Rig {
        self.transport = Transport { beat: 0.0, beats_per_frame: bpm / 60.0 / f64::from(self.rate_hz) };
        self
    }

    /// Loads `recording` as the file that `param` names.
    ///
    /// # Panics
    /// If the kind has no use for it.
    pub fn with_file(mut self, param: &str, recording: &Recording) -> Rig {
        let sound = self.kind.prepare(recording, self.rate_hz, self.frames).expect("the kind takes this file");
        let words = self.sounds.len().max(PLACES * PLACE_WORDS) + sound.samples.len();
        self.sounds.resize_with(words, AtomicU32::default);
        let cells = &self.sounds;
        let place = self.store.lay(&sound, words, |word, bits| cells[word].store(bits, Ordering::Release));
        let place = place.expect("there is room");
        self.with(param, place as f32)
    }

    /// What the sound device hears in the blocks to come.
    pub fn hear(&mut self, sample: impl FnMut(usize) -> [f32; 2]) {
        self.heard = (0..self.frames).map(sample).collect();
    }

    /// Says which outputs somebody reads; all of them, unless this is called.
    pub fn only(mut self, outputs: &[&str]) -> Rig {
        let output = |name: &&str| self.kind.spec.output(name).expect("the kind has this output");
        self.wanted = outputs.iter().map(output).fold(0, |wanted, output| wanted | 1 << output);
        self
    }

    /// Takes the module out of service, or puts it back.
    pub fn rest(&mut self, is_idle: bool) {
        self.is_idle = is_idle;
    }

    /// Patches a mono cable of `gain` into `input`; feed it with [`Rig::feed`]. Returns its number.
    pub fn patch(&mut self, input: &str, gain: f32) -> usize {
        self.patch_poly(input, gain, 1)
    }

    /// Patches a cable of `channels`.
    pub fn patch_poly(&mut self, input: &str, gain: f32, channels: usize) -> usize {
        let input = self.kind.spec.input(input).expect("the kind has this input");
        self.cables.push(Cable { input, channels, gain: Ramp::constant(gain) });
        self.inputs.push(vec![0.0; Shape::new(channels).stride() * self.frames]);
        self.inputs.len() - 1
    }

    /// What `cable` carries in the next block: `sample(channel, frame)`.
    pub fn feed(&mut self, cable: usize, mut sample: impl FnMut(usize, usize) -> f32) {
        let shape = Shape::new(self.cables[cable].channels);
        for channel in 0..shape.channels {
            for frame in 0..self.frames {
                self.inputs[cable][shape.offset(channel, self.frames) + frame * shape.width] = sample(channel, frame);
            }
        }
    }

    /// An event in the next block: a param's new value or a port's held one.
    pub fn event(&mut self, input: &str, frame: u32, value: f32, ramp_frames: u32) {
        let input = self.kind.spec.input(input).expect("the kind has this input") as u32;
        self.events.push(Event { input, channel: Event::ALL, frame, ramp_frames, value });
    }

    /// A port's new held value in one channel, in the next block.
    pub fn event_in(&mut self, channel: u32, port: &str, frame: u32, value: f32) {
        let input = self.kind.spec.input(port).expect("the kind has this input") as u32;
        self.events.push(Event { input, channel, frame, ramp_frames: 0, value });
    }

    /// Computes the next block. Does not allocate.
    pub fn step(&mut self) {
        let mut job = Job {
            shape: self.shape,
            frames: self.frames,
            rate_hz: self.rate_hz,
            seed: self.seed,
            state: bytemuck::cast_slice_mut(&mut self.state),
            initial: &self.initial,
            is_new: std::mem::take(&mut self.is_new),
            tape: &mut self.tape,
            tape_frames: self.tape_frames,
            events: &self.events,
            cables: &self.cables,
            active: Ramp::constant(1.0),
            is_idle: self.is_idle,
            wanted: self.wanted,
            outputs: &mut self.outputs,
            transport: self.transport,
            sounds: Sounds::new(&self.sounds),
            heard: &self.heard,
        };
        let mut sources = Feeds(&self.inputs);
        let noticed = self.kind.run(&mut job, &mut self.scratch, &self.tables, &mut sources);
        self.transport.beat = self.transport.at(self.frames);
        self.noticed.scrubbed += noticed.scrubbed;
        self.events.clear();
    }

    /// One channel of an output over the block that was computed last.
    pub fn output(&self, port: &str, channel: usize) -> impl Iterator<Item = f32> + '_ {
        let port = self.kind.spec.output(port).expect("the kind has this output");
        let start = port * self.shape.stride() * self.frames + self.shape.offset(channel, self.frames);
        (0..self.frames).map(move |frame| self.outputs[start + frame * self.shape.width])
    }

    /// Runs `blocks` blocks and returns what channel 0 of `port` gave.
    pub fn render(&mut self, port: &str, blocks: usize) -> Vec<f32> {
        let mut heard = Vec::with_capacity(blocks * self.frames);
        for _ in 0..blocks {
            self.step();
            heard.extend(self.output(port, 0));
        }
        heard
    }

    /// State and tape as they stand, to compare or to go back to.
    pub fn snapshot(&self) -> (Vec<u64>, Vec<f32>) {
        (self.state.clone(), self.tape.clone())
    }

    /// Puts back the state of a snapshot, but not its tape: a block that is executed again finds the tape as it left it.
    pub fn rewind(&mut self, state: &[u64]) {
        self.state.copy_from_slice(state);
    }
}

struct Feeds<'a>(&'a [Vec<f32>]);

impl Sources for Feeds<'_> {
    fn fetch(&mut self, cable: usize, into: &mut [f32]) {
        into.copy_from_slice(&self.0[cable]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;

    #[test]
    fn a_ramp_is_met_to_the_frame_and_ends_exactly() {
        let (_, vca) = kind("vca").unwrap();
        let mut rig = Rig::new(vca, 1, 48_000.0, 64).with("gain", 0.0);
        let cable = rig.patch("in", 1.0);
        rig.feed(cable, |_, _| 1.0);
        rig.event("gain", 10, 0.5, 100);
        let heard = rig.render("out", 3);
        assert!(heard[..=10].iter().all(|&sample| sample == 0.0));
        assert!((heard[60] - 0.25).abs() < 1e-6, "half way after 50 of 100 frames: {}", heard[60]);
        assert!(heard[110..].iter().all(|&sample| sample == 0.5));
    }

    #[test]
    fn a_poly_source_is_summed_into_a_mono_input_and_a_mono_source_feeds_all_channels() {
        let (_, vca) = kind("vca").unwrap();
        let mut mono = Rig::new(vca, 1, 48_000.0, 64);
        let cable = mono.patch_poly("in", 1.0, 3);
        mono.feed(cable, |channel, _| [1.0, 2.0, 4.0][channel]);
        assert!(mono.render("out", 1).iter().all(|&sample| sample == 7.0));

        let mut poly = Rig::new(vca, 11, 48_000.0, 64);
        let cable = poly.patch("in", 0.5);
        poly.feed(cable, |_, frame| frame as f32);
        poly.step();
        for channel in 0..11 {
            assert!(poly.output("out", channel).enumerate().all(|(frame, sample)| sample == 0.5 * frame as f32));
        }
    }

    #[test]
    fn a_held_value_reaches_the_channel_that_it_is_for() {
        let (_, vca) = kind("vca").unwrap();
        let mut poly = Rig::new(vca, 11, 48_000.0, 64);
        poly.event("in", 0, 1.0, 0);
        poly.event_in(9, "in", 32, 5.0);
        poly.step();
        let at = |rig: &Rig, channel, frame| rig.output("out", channel).nth(frame).unwrap();
        assert_eq!([at(&poly, 9, 31), at(&poly, 9, 32), at(&poly, 8, 63)], [1.0, 5.0, 1.0]);
        poly.step();
        assert_eq!([at(&poly, 9, 0), at(&poly, 10, 0)], [5.0, 1.0], "and stays there");
    }

    #[test]
    fn what_is_not_a_number_does_not_pass_a_cable_and_is_counted() {
        let (_, vca) = kind("vca").unwrap();
        let mut rig = Rig::new(vca, 1, 48_000.0, 64);
        let cable = rig.patch("in", 1.0);
        rig.feed(cable, |_, frame| [f32::NAN, f32::INFINITY, 1.0, 1e30][frame % 4]);
        let heard = rig.render("out", 1);
        assert_eq!(heard[..4], [0.0, 0.0, 1.0, 1e3]);
        assert_eq!(rig.noticed.scrubbed, 48);
    }
}
