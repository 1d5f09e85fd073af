//! What the last step to the ear costs: the conductor hands a block over, the device's callback takes it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tine_engine::feed::{SIDES, feed};

fn ring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring, push and fill");
    for frames in [16, 64, 256] {
        let (mut sink, mut device) = feed(4 * frames);
        let block = vec![[0.5f32; SIDES]; frames];
        let mut period = vec![0.0f32; frames * SIDES];
        group.throughput(Throughput::Elements(frames as u64));
        group.bench_function(BenchmarkId::from_parameter(frames), |bencher| {
            bencher.iter(|| {
                let is_taken = sink.push(&block);
                device.fill(&mut period, SIDES);
                (is_taken, period[0])
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_millis(800))
        .sample_size(30);
    targets = ring
}
criterion_main!(benches);
