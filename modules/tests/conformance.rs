//! What the engine relies on for every kind: finite, pure, without allocation, channels that do not mix.

use assert_no_alloc::assert_no_alloc;
use rtsan_standalone::ScopedSanitizeRealtime;
use tine_modules::Kind;
use tine_modules::rig::Rig;
use tine_protocol::spec::{CHANNELS_MAX, Curve, InputSpec, ParamSpec, PortSpec, Signal, Unit};

use crate::signal::{FRAMES, RATE_HZ, hash, inputs, kinds};

/// A rig with a poly cable into every input.
struct Stormy {
    rig: Rig,
    kind: &'static Kind,
    channels: usize,
    block: u64,
    /// Nothing moves the params that are about all channels.
    is_each_alone: bool,
}

impl Stormy {
    fn new(kind: &'static Kind, channels: usize, start: impl Fn(&ParamSpec) -> f32) -> Stormy {
        let mut rig = Rig::new(kind, channels, RATE_HZ, FRAMES).seed(5);
        for param in kind.spec.params {
            rig = rig.with(param.name, start(param));
        }
        for (name, _) in inputs(kind.spec) {
            rig.patch_poly(name, 1.0, channels);
        }
        Stormy { rig, kind, channels, block: 0, is_each_alone: false }
    }

    /// Feeds the next block: `sample(input, hash over -1..1)`. A channel is fed the same however many there are.
    fn feed(&mut self, sample: impl Fn(&InputSpec, f32) -> f32) {
        for (cable, (_, input)) in inputs(self.kind.spec).enumerate() {
            let block = self.block;
            if self.is_each_alone && is_about_all_channels(self.kind, input.name()) {
                continue;
            }
            self.rig.feed(cable, |channel, frame| {
                let key = ((block * 97 + cable as u64) * 31 + channel as u64) * 1024 + frame as u64;
                sample(&input, hash(key))
            });
        }
        self.block += 1;
    }

    fn events(&mut self) {
        for (index, param) in self.kind.spec.params.iter().enumerate() {
            if self.is_each_alone && is_about_all_channels(self.kind, param.name) {
                continue;
            }
            let value = param.denormalize(0.5 + 0.5 * hash(self.block * 64 + index as u64));
            self.rig.event(param.name, index as u32 * 5, value, 100);
        }
        for (index, port) in self.kind.spec.inputs.iter().enumerate() {
            self.rig.event(port.name, index as u32 * 7, hash(self.block * 32 + index as u64), 0);
        }
    }

    /// The bits of every output and channel.
    fn heard(&self) -> Vec<u32> {
        let channels = 0..self.channels;
        let outputs = self.kind.spec.outputs;
        channels.flat_map(|c| outputs.iter().flat_map(move |o| self.rig.output(o.name, c).map(f32::to_bits))).collect()
    }
}

/// Modulation that travels over a param's range; ports get audio.
fn lively(input: &InputSpec, noise: f32) -> f32 {
    match input {
        InputSpec::Port(_) => noise,
        InputSpec::Param(param) => match param.curve {
            Curve::Exponential => 3.0 * noise,
            Curve::Linear | Curve::Choice => noise * (param.max - param.min),
        },
    }
}

fn quiet(_: &InputSpec, noise: f32) -> f32 {
    0.3 * noise
}

fn silent(_: &InputSpec, _: f32) -> f32 {
    0.0
}

/// Whether a param says what the channels are to one another, so that it has no meaning for a channel alone.
fn is_about_all_channels(kind: &Kind, param: &str) -> bool {
    kind.spec.name == "vco" && ["voices", "spread"].contains(&param)
}

fn channel_counts(kind: &Kind) -> &'static [usize] {
    if is_output(kind) { &[1] } else { &[1, 3, 8, 11, CHANNELS_MAX] }
}

fn is_output(kind: &Kind) -> bool {
    kind.spec.role == tine_protocol::spec::Role::Output
}

fn hears_all_channels(kind: &Kind) -> bool {
    kind.spec.inputs.iter().any(|port| port.is_poly)
}

#[test]
fn every_table_is_sound() {
    let mut names = std::collections::HashSet::new();
    for kind in kinds() {
        let spec = kind.spec;
        assert!(names.insert(spec.name), "{} is there twice", spec.name);
        assert!(!spec.summary.is_empty() && !spec.outputs.is_empty(), "{}", spec.name);
        let mut words = std::collections::HashSet::new();
        for (name, input) in inputs(spec) {
            assert!(words.insert(name), "{}.{name} is there twice", spec.name);
            let summary = match input {
                InputSpec::Port(port) => port.summary,
                InputSpec::Param(param) => param.summary,
            };
            assert!(!summary.is_empty(), "{}.{name} has no help", spec.name);
        }
        for param in spec.params {
            assert_eq!(param.unit == Unit::Choice, !param.choices.is_empty(), "{}.{}", spec.name, param.name);
        }
        assert!(spec.inputs.iter().filter(|port| port.is_poly).count() <= 1, "{}", spec.name);
        let notes = spec.notes;
        for input in [notes.pitch, notes.gate, notes.velocity, notes.trigger].into_iter().flatten() {
            assert!(spec.input(input).is_some(), "{} plays {input}, which it does not have", spec.name);
        }
    }
}

#[test]
fn finite_input_gives_finite_output() {
    type Wild = fn(&InputSpec, f32) -> f32;
    let wild: [Wild; 4] = [
        lively,
        |_, noise| noise,
        |_, noise| if noise > 0.0 { 1e6 } else { -1e6 },
        |input, noise| if matches!(input, InputSpec::Port(_)) { noise * 1e6 } else { 0.0 },
    ];
    let start: [fn(&ParamSpec) -> f32; 3] = [|param| param.default, |param| param.min, |param| param.max];
    for kind in kinds() {
        for (start_index, start) in start.iter().enumerate() {
            for (wild_index, wild) in wild.iter().enumerate() {
                let mut storm = Stormy::new(kind, if is_output(kind) { 1 } else { 4 }, start);
                for block in 0..150 {
                    // Silence in between: what hides in the state must come out finite too.
                    storm.feed(if block % 50 < 40 { *wild } else { silent });
                    storm.rig.step();
                    let name = kind.spec.name;
                    for bits in storm.heard() {
                        let sample = f32::from_bits(bits);
                        assert!(sample.is_finite(), "{name}: {sample} with start {start_index}, input {wild_index}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_only_processes_keeps_silence_silent() {
    for kind in kinds() {
        let spec = kind.spec;
        let processes = |name| spec.input(name).is_some();
        if !["in", "in1", "left"].into_iter().any(processes) {
            continue;
        }
        let mut rig = Rig::new(kind, 1, RATE_HZ, FRAMES);
        for port in spec.inputs.iter().filter(|port| port.signal == Signal::Audio) {
            rig.patch(port.name, 1.0);
        }
        // How many channels there are is no sound, nor is a gain of 1.
        let heard = |output: &&PortSpec| (spec.name, output.name) != ("split", "channels") && output.name != "gain";
        for _ in 0..300 {
            rig.step();
            for output in spec.outputs.iter().filter(heard) {
                assert!(rig.output(output.name, 0).all(|sample| sample == 0.0), "{}.{}", spec.name, output.name);
            }
        }
    }
}

#[test]
fn a_block_neither_allocates_nor_blocks() {
    for kind in kinds() {
        for &channels in channel_counts(kind) {
            let mut storm = Stormy::new(kind, channels, |param| param.default);
            for _ in 0..20 {
                storm.feed(lively);
                storm.events();
                // Rig::step itself is the engine's path: cables, params, process.
                assert_no_alloc(|| {
                    let _guard = ScopedSanitizeRealtime::default();
                    storm.rig.step();
                });
            }
        }
    }
}

#[test]
fn a_block_that_is_executed_again_gives_the_same_bits() {
    for kind in kinds() {
        for &channels in channel_counts(kind) {
            let mut storm = Stormy::new(kind, channels, |param| param.default);
            for block in 0..60 {
                storm.feed(lively);
                // Tapes are long: only the blocks that are looked at are copied.
                if block % 7 != 3 {
                    storm.events();
                    storm.rig.step();
                    continue;
                }
                let (before, _) = storm.rig.snapshot();
                storm.events();
                storm.rig.step();
                let (heard, after) = (storm.heard(), storm.rig.snapshot());
                storm.rig.rewind(&before);
                storm.events();
                storm.rig.step();
                assert_eq!(heard, storm.heard(), "{} heard, block {block}", kind.spec.name);
                let again = storm.rig.snapshot();
                assert_eq!(after.0, again.0, "{} state, block {block}", kind.spec.name);
                let bits = |tape: &[f32]| tape.iter().map(|cell| cell.to_bits()).collect::<Vec<_>>();
                assert!(bits(&after.1) == bits(&again.1), "{} tape, block {block}", kind.spec.name);
            }
        }
    }
}

#[test]
fn a_channel_of_a_poly_module_is_the_mono_module() {
    // What hears every channel of a cable hears another cable here, and pan spreads as many channels as there are.
    let is_apart = |kind: &&Kind| !is_output(kind) && kind.spec.name != "pan" && !hears_all_channels(kind);
    for kind in kinds().filter(is_apart) {
        for &channels in &channel_counts(kind)[1..] {
            let mut mono = Stormy::new(kind, 1, |param| param.default);
            let mut poly = Stormy::new(kind, channels, |param| param.default);
            for block in 0..80 {
                for storm in [&mut mono, &mut poly] {
                    storm.is_each_alone = true;
                    // Choices rest now and then, so that fades end and the common paths are met too.
                    storm.feed(if block % 40 < 20 { lively } else { quiet });
                    storm.events();
                    storm.rig.step();
                }
                for output in kind.spec.outputs {
                    let alone = mono.rig.output(output.name, 0).map(f32::to_bits);
                    let among = poly.rig.output(output.name, 0).map(f32::to_bits);
                    assert!(alone.eq(among), "{}.{} of {channels}, block {block}", kind.spec.name, output.name);
                }
            }
        }
    }
}

#[test]
fn every_simd_level_gives_the_same_bits() {
    for kind in kinds() {
        for &channels in channel_counts(kind) {
            let mut best = Stormy::new(kind, channels, |param| param.default);
            let mut least = Stormy::new(kind, channels, |param| param.default);
            least.rig = least.rig.baseline();
            for block in 0..40 {
                for storm in [&mut best, &mut least] {
                    storm.feed(lively);
                    storm.events();
                    storm.rig.step();
                }
                assert_eq!(best.heard(), least.heard(), "{} x {channels}, block {block}", kind.spec.name);
            }
        }
    }
}
