//! What a lane costs beside its modules: the worker's own loop over a block, on real segments, in one process.
//!
//! The time of an "element" is that of one module (a vca that hears the one before it) in one block.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tine_modules::Tables;
use tine_worker::rig::Rig;

fn lane(criterion: &mut Criterion) {
    let tables = Tables::build();
    let mut group = criterion.benchmark_group("lane of vca, 64 frames");
    for modules in [1, 16, 128] {
        let kinds = vec!["vca"; modules];
        let rig = Rig::new(&[&kinds], 48_000, 64, 0).expect("memory for a lane");
        let mut executor = rig.executor(0, &tables).expect("the lane is there");
        let mut block = 0;
        group.throughput(Throughput::Elements(modules as u64));
        group.bench_function(BenchmarkId::from_parameter(modules), |bencher| {
            bencher.iter(|| {
                let report = executor.run_block(block);
                block += 1;
                report
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
    targets = lane
}
criterion_main!(benches);
