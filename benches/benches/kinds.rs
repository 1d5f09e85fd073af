//! What a kind costs, in nanoseconds per sample and channel, at 1, 8 and 16 channels.
//!
//! The time of an "element" is the time of one sample of one channel. Inputs are fetched, summed and scrubbed as in the engine.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tine_benches::cases::{Case, FRAMES};

fn kinds(criterion: &mut Criterion) {
    for case in Case::all() {
        let mut group = criterion.benchmark_group(&case.name);
        for channels in [1, 8, 16] {
            let mut rig = case.rig(channels);
            group.throughput(Throughput::Elements((FRAMES * channels) as u64));
            group.bench_function(BenchmarkId::from_parameter(channels), |bencher| bencher.iter(|| rig.step()));
        }
        group.finish();
    }
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
