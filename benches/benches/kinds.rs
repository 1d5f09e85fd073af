//! What a kind costs, in nanoseconds per sample and channel, at 1, 8 and 16 channels.
//!
//! Every kind of the catalogue runs at its defaults with a cable into each audio input, all outputs read. Where a kind has
//! dear special cases, a line of [`CASES`] says one: a kind, its params, what is patched into it, which output is read.
//! The time of an "element" is the time of one sample of one channel. Inputs are fetched, summed and scrubbed as in the engine.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tine_modules::rig::Rig;
use tine_modules::{CATALOGUE, kind};
use tine_protocol::spec::Signal;

const RATE_HZ: f32 = 48_000.0;
const FRAMES: usize = 64;

/// Name, kind, params, and per cable: input, gain, frequency in Hz of the sine that it carries.
type Case = (&'static str, &'static str, &'static [(&'static str, f32)], &'static [(&'static str, f32, f32)]);

const CASES: &[Case] = &[
    ("vco saw", "vco", &[("freq", 440.0), ("shape", 0.0)], &[]),
    ("vco pulse", "vco", &[("freq", 440.0), ("shape", 1.0)], &[]),
    ("vco tri", "vco", &[("freq", 440.0), ("shape", 2.0)], &[]),
    ("vco sine", "vco", &[("freq", 440.0), ("shape", 3.0)], &[]),
    ("vco saw, fm", "vco", &[("freq", 440.0), ("fm_depth", 0.9)], &[("fm", 1.0, 110.0)]),
    (
        "vco pulse, fm + pwm + sync",
        "vco",
        &[("freq", 440.0), ("shape", 1.0), ("fm_depth", 0.9)],
        &[("fm", 1.0, 110.0), ("pw", 0.4, 70.0), ("sync", 1.0, 167.0)],
    ),
    ("vco saw, xfm", "vco", &[("freq", 440.0)], &[("xfm", 0.5, 110.0)]),
    ("vco saw, soft sync", "vco", &[("freq", 440.0), ("sync_mode", 1.0)], &[("sync", 1.0, 167.0)]),
    ("vco saw, low latency", "vco", &[("freq", 440.0), ("latency", 1.0)], &[]),
    ("vcf svf 12", "vcf", &[("res", 0.4)], &[("in", 1.0, 440.0)]),
    ("vcf svf 24", "vcf", &[("res", 0.4), ("slope", 1.0)], &[("in", 1.0, 440.0)]),
    ("vcf svf 12, res 0.9", "vcf", &[("res", 0.9)], &[("in", 1.0, 440.0)]),
    ("vcf svf 12, cutoff moving", "vcf", &[("res", 0.4)], &[("in", 1.0, 440.0), ("cutoff", 2.0, 900.0)]),
    ("vcf ladder", "vcf", &[("res", 0.6), ("model", 1.0)], &[("in", 1.0, 440.0)]),
    (
        "vcf ladder, cutoff moving",
        "vcf",
        &[("res", 0.6), ("model", 1.0)],
        &[("in", 1.0, 440.0), ("cutoff", 2.0, 900.0)],
    ),
];

fn kinds(criterion: &mut Criterion) {
    for kind in CATALOGUE {
        let audio = kind.spec.inputs.iter().filter(|port| port.signal == Signal::Audio);
        let cables: Vec<_> = audio.map(|port| (port.name, 1.0, 440.0)).collect();
        measure(criterion, &format!("{}, defaults", kind.spec.name), &cables, |channels| {
            Rig::new(kind, channels, RATE_HZ, FRAMES)
        });
    }
    for (name, of, params, cables) in CASES {
        let (_, kind) = kind(of).expect("the kind exists");
        measure(criterion, name, cables, |channels| {
            let rig = Rig::new(kind, channels, RATE_HZ, FRAMES).only(&["out"]);
            params.iter().fold(rig, |rig, (param, value)| rig.with(param, *value))
        });
    }
}

fn measure(criterion: &mut Criterion, name: &str, cables: &[(&str, f32, f32)], make: impl Fn(usize) -> Rig) {
    let mut group = criterion.benchmark_group(name);
    for channels in [1, 8, 16] {
        let mut rig = make(channels);
        for (input, gain, hz) in cables {
            let cable = rig.patch_poly(input, *gain, channels);
            // Channels differ a little in pitch, and one block is fed again and again: an edge more per block.
            rig.feed(cable, |channel, frame| {
                (std::f32::consts::TAU * hz * (1.0 + 0.01 * channel as f32) / RATE_HZ * frame as f32).sin()
            });
        }
        group.throughput(Throughput::Elements((FRAMES * channels) as u64));
        group.bench_function(BenchmarkId::from_parameter(channels), |bencher| bencher.iter(|| rig.step()));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(300))
        .sample_size(20);
    targets = kinds
}
criterion_main!(benches);
