//! The lane executor on real segments: what a spare finds, and what a real-time thread may do.

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use rtsan_standalone::ScopedSanitizeRealtime;
use tine_modules::Tables;
use tine_protocol::plan::{GRAIN, ModulePlan};
use tine_protocol::segment::{LanePlan, engine, lane};
use tine_protocol::sys::memory::WriteMap;
use tine_worker::rig::Rig;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const FRAMES: usize = 64;

/// State in every form: phases, filters, random numbers, a tape.
const LANE: &[&str] = &["noise", "vcf", "delay", "slew", "vca"];

fn plan(rig: &Rig, number: usize, index: usize) -> ModulePlan {
    let at = std::mem::offset_of!(LanePlan, modules) + index * size_of::<ModulePlan>();
    rig.view.engine.read(engine::plan(number, 0) + at)
}

/// What the last module of a lane gave in `block`, as bits.
fn heard(rig: &Rig, number: usize, modules: usize, block: u64) -> Vec<u32> {
    let last = plan(rig, number, modules - 1);
    let mut samples = vec![0.0f32; FRAMES];
    assert!(rig.view.lanes[number].copy(lane::sample(last.outputs_at, last.output_samples, block), &mut samples));
    samples.into_iter().map(f32::to_bits).collect()
}

fn lanes() -> Rig {
    Rig::new(&[LANE], 48_000, FRAMES, 0).unwrap()
}

#[test]
fn a_block_never_allocates_or_blocks() {
    let rig = lanes();
    let tables = Tables::build();
    let mut executor = rig.executor(0, &tables).unwrap();
    for block in 0..64 {
        assert_no_alloc(|| {
            // The block of a birth asks the kernel for pages, in place of as many page faults.
            let _guard = (block > 0).then(ScopedSanitizeRealtime::default);
            executor.run_block(block)
        });
    }
}

/// A worker that dies leaves everything that it wrote and lacks only its last commits. Whichever module it died in, a spare that
/// executes the block again gives the same bits, from then on too.
#[test]
fn a_spare_continues_with_the_same_bits_wherever_the_worker_died() {
    const BLOCKS: u64 = 60;
    let tables = Tables::build();
    let undisturbed = lanes();
    let mut executor = undisturbed.executor(0, &tables).unwrap();
    let expected: Vec<_> = (0..BLOCKS)
        .map(|block| {
            executor.run_block(block);
            heard(&undisturbed, 0, LANE.len(), block)
        })
        .collect();
    assert!(expected.last().unwrap().iter().any(|&bits| f32::from_bits(bits).abs() > 1e-4), "the lane is silent");

    let killed = lanes();
    let mut executor = killed.executor(0, &tables).unwrap();
    for block in 0..BLOCKS {
        executor.run_block(block);
        // Dead after `committed` modules had committed this block; every block is such a one, in turn at every place.
        let committed = block as usize % (LANE.len() + 1);
        uncommit(executor.own_mut(), &killed, committed, block);
        drop(executor);
        executor = killed.executor(0, &tables).unwrap();
        executor.run_block(block);
        assert_eq!(
            heard(&killed, 0, LANE.len(), block),
            expected[block as usize],
            "block {block}, died in module {committed}"
        );
    }
}

/// Free memory of a lane may be written over by a worker; a module that is born there later finds any count in its place.
#[test]
fn a_module_is_born_whatever_stands_in_its_place() {
    let tables = Tables::build();
    let [mut clean, mut spoilt] = [lanes(), lanes()].map(|rig| (rig.executor(0, &tables).unwrap(), rig));
    for (index, count) in [1 << 60, u64::MAX, 1000, 10, 1 << 32].into_iter().enumerate() {
        spoilt.0.own().publish(plan(&spoilt.1, 0, index).head_at as usize * GRAIN, count);
    }
    for block in 0..8 {
        let [expected, found] = [&mut clean, &mut spoilt].map(|(executor, rig)| {
            executor.run_block(block);
            heard(rig, 0, LANE.len(), block)
        });
        assert_eq!(found, expected, "block {block}");
    }
}

/// Takes back the commits of `block` from module `from` on, and the lane's own.
fn uncommit(own: &mut WriteMap, rig: &Rig, from: usize, block: u64) {
    for index in from..LANE.len() {
        own.publish(plan(rig, 0, index).head_at as usize * GRAIN, block);
    }
    own.publish(lane::DONE, block);
}

/// Executes a chain over `lanes`, lane by lane, and returns what its end gave.
fn chain(lanes: &[&[&str]]) -> Vec<Vec<u32>> {
    let rig = Rig::new(lanes, 48_000, FRAMES, 0).unwrap();
    let tables = Tables::build();
    let mut executors: Vec<_> = (0..lanes.len()).map(|number| rig.executor(number, &tables).unwrap()).collect();
    (0..40)
        .map(|block| {
            for executor in &mut executors {
                executor.run_block(block);
            }
            heard(&rig, lanes.len() - 1, lanes[lanes.len() - 1].len(), block)
        })
        .collect()
}

#[test]
fn it_makes_no_difference_which_lane_a_module_is_on() {
    let together = chain(&[&["vco", "vcf", "delay", "vca"]]);
    assert_eq!(together, chain(&[&["vco"], &["vcf"], &["delay"], &["vca"]]), "a lane each: no bit, and no block later");
    assert_eq!(together, chain(&[&["vco", "vcf"], &["delay", "vca"]]));
}
