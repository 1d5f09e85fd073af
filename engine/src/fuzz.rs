//! Anything in a lane: whatever its worker writes there, from block to block, nobody who reads it panics, waits for ever, or lets through what
//! no ear and no module should get. Short here; a million cases each with `./check --long`.
//!
//! The segments live on from case to case, as they do while an engine runs; the cases of a run are always the same.

use std::cell::RefCell;
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use tine_modules::dsp::math::SIGNAL_MAX;
use tine_modules::{CATALOGUE, Tables};
use tine_protocol::ids::{Block, Slot};
use tine_protocol::plan::{GRAIN, ModulePlan};
use tine_protocol::segment::{LaneHead, LanePlan, ModuleHead, RING_BLOCKS, engine, lane};
use tine_protocol::sys::memory::WriteMap;
use tine_worker::executor::Patience;
use tine_worker::rig::Rig;

use crate::command::Placement;
use crate::conductor::stand::{FRAMES, LANE, Stand, batch};
use crate::conductor::{Listener, Pace, Watched};
use crate::feed::SIDES;
use crate::model::{Catalogue, Model};
use crate::placement::{Placer, Policy};
use crate::pool::Door;
use crate::pool::progress::Seen;
use crate::pool::watchdog::Watchdog;
use crate::scope;
use crate::stage::{Format, Stage};
use crate::stats::scrubbed;

/// Something that a worker writes.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// A word of the lane's head.
    Head(usize, Value),
    /// A word of the head of its module.
    Module(usize, Value),
    /// Samples of its ring, from this one on.
    Samples(usize, f32),
    /// Any word of the first pages.
    Any(usize, Value),
    /// What it should write: its module's count and its own.
    Truth,
}

/// A word's value.
#[derive(Clone, Copy, Debug)]
enum Value {
    /// The block that is being computed, and this much more.
    Near(i64),
    /// Any.
    Bits(u64),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (-12i64..12).prop_map(Value::Near),
        1 => prop_oneof![Just(0), Just(u64::MAX), Just(1 << 32), Just(1 << 63)].prop_map(Value::Bits),
        2 => any::<u64>().prop_map(Value::Bits),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..size_of::<LaneHead>() / 8, value()).prop_map(|(word, value)| Change::Head(word, value)),
        2 => (0..size_of::<ModuleHead>() / 8, value()).prop_map(|(word, value)| Change::Module(word, value)),
        3 => (0..RING_BLOCKS * FRAMES, any::<u32>()).prop_map(|(at, bits)| Change::Samples(at, f32::from_bits(bits))),
        1 => (0..4096usize, value()).prop_map(|(word, value)| Change::Any(word, value)),
        2 => Just(Change::Truth),
    ]
}

/// What is written before each of some blocks.
fn blocks() -> impl Strategy<Value = Vec<Vec<Change>>> {
    prop::collection::vec(prop::collection::vec(change(), 0..6), 1..5)
}

impl Value {
    fn at(self, block: Block) -> u64 {
        match self {
            Value::Near(more) => block.wrapping_add_signed(more),
            Value::Bits(bits) => bits,
        }
    }
}

impl Change {
    fn write(self, own: &mut WriteMap, module: &ModulePlan, block: Block) {
        let head_at = module.head_at as usize * GRAIN;
        match self {
            Change::Head(word, value) => own.publish(word * 8, value.at(block)),
            Change::Module(word, value) => own.publish(head_at + word * 8, value.at(block)),
            Change::Samples(at, sample) => {
                let all = own.slice_mut::<f32>(module.outputs_at as usize * GRAIN, RING_BLOCKS * FRAMES);
                all[at..].iter_mut().take(FRAMES / 2).for_each(|now| *now = sample);
            }
            Change::Any(word, value) => own.publish(word * 8, value.at(block)),
            Change::Truth => {
                own.publish(head_at, block + 1);
                own.publish(lane::DONE, block + 1);
            }
        }
    }
}

fn run<T: std::fmt::Debug>(cases: u32, strategy: impl Strategy<Value = T>, case: impl Fn(T) -> TestCaseResult) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random).run(&strategy, case).unwrap_or_else(|error| panic!("{error}"));
}

/// Counts samples that no loudspeaker should get.
struct Ear(Arc<AtomicU64>);

impl Listener for Ear {
    fn hear(&mut self, block: &[[f32; SIDES]]) {
        let is_bad = |sample: &&f32| !(-1.0..=1.0).contains(*sample);
        self.0.fetch_add(block.iter().flatten().filter(is_bad).count() as u64, Ordering::Relaxed);
    }
}

/// The engine around a lane: conductor and `out`, the supervisor's look, what is shown of it.
struct Engine {
    stand: Stand,
    bad: Arc<AtomicU64>,
    shown: scope::Scope,
    watchdog: Watchdog,
    placer: Placer,
    stage: Stage,
    block: Block,
    outstanding: usize,
}

/// Of the supervisor's watch, here in blocks.
const LIMIT: u64 = 4;

impl Engine {
    fn new() -> Engine {
        let mut stand = Stand::new(Pace::Free, Patience::GoOn);
        let bad = Arc::new(AtomicU64::new(0));
        stand.conductor.listener = Some(Box::new(Ear(Arc::clone(&bad))));
        let (probe, shown) = scope::scope(2 * FRAMES);
        let (samples_at, stride) = (stand.module.outputs_at, stand.module.output_samples);
        assert!(stand.watches.push(Watched { lane: LANE, samples_at, stride, width: 1, probe }).is_ok());
        let lanes = stand.conductor.lanes[..1].to_vec();
        let placer = Placer { policy: Policy::Pack, lanes, cores: vec![0, 1], block_ns: 1_333_333 };
        let format = Format { rate_hz: 48_000, frames: FRAMES, fade_blocks: 4, lanes: 1 };
        let stage = Stage::new(format, Catalogue(CATALOGUE));
        Engine { stand, bad, shown, watchdog: Watchdog::new(1, LIMIT), placer, stage, block: 0, outstanding: 0 }
    }

    fn play(&mut self, changes: &[Change]) -> TestCaseResult {
        let block = self.block;
        self.block += 1;
        let module = self.stand.module;
        for change in changes {
            change.write(self.stand.worker.own_mut(), &module, block);
        }
        prop_assert!(self.stand.orders.push(batch(block, block * FRAMES as u64, 2)).is_ok(), "it takes no more orders");
        self.outstanding += 1;
        self.stand.late(block);
        self.outstanding -= self.stand.returned().len();
        // Twice two events a block that find no room for a second are 750 batches at most.
        prop_assert!(self.outstanding <= 800, "{} batches wait", self.outstanding);
        prop_assert_eq!(self.bad.load(Ordering::Relaxed), 0, "no number, or beyond full scale, in block {}", block);
        self.supervise()?;
        self.show()
    }

    fn supervise(&mut self) -> TestCaseResult {
        let (control, view) = (&self.stand.conductor.control, &self.stand.conductor.lanes[0]);
        let done = view.count(lane::DONE).load();
        for generation in 0..2 {
            let seen = Seen { engine: self.stand.worker.engine(), view, lane: 0, generation };
            let progress = seen.progress();
            prop_assert_eq!(progress.due, control.count(engine::start(0)));
            prop_assert!(progress.done <= progress.due);
            prop_assert_eq!(progress.is_lie && seen.has_arrived(), progress.is_lie);
            prop_assert!(progress.is_lie || !seen.has_arrived() || done <= progress.due, "a lie is believed");
            prop_assert!(seen.running().is_none_or(|slot| slot == Slot(1)));
            let _ = seen.spoilt();
            let hung = self.watchdog.look(&[progress], self.block, |_| false);
            prop_assert!(progress.is_behind() || hung.is_empty());
            if !hung.is_empty() {
                self.watchdog.begin_anew(0, progress.done, self.block);
            }
        }
        Ok(())
    }

    fn show(&mut self) -> TestCaseResult {
        let mut shown = Vec::new();
        self.shown.read(&mut shown);
        prop_assert!(shown.iter().all(|sample| sample.abs() <= SIGNAL_MAX), "{shown:?}");
        let lanes = &self.placer.lanes;
        prop_assert!(scrubbed(lanes) <= u64::from(u32::MAX));
        let groups = [vec![LANE], vec![LANE, LANE]];
        prop_assert!(self.placer.cores(&groups).iter().all(Option::is_some));
        let doors = [Door { is_open: true, ..Door::default() }];
        let chosen = self.placer.choose(&Model::default(), &Placement::default(), &self.stage, &doors);
        prop_assert!(matches!(chosen, Ok(LANE)));
        Ok(())
    }
}

fn an_engine_survives(cases: u32) {
    let engine = RefCell::new(Engine::new());
    run(cases, blocks(), |case| case.iter().try_for_each(|changes| engine.borrow_mut().play(changes)));
    let engine = engine.into_inner();
    let telemetry = &engine.stand.conductor.telemetry;
    let figures = [&telemetry.blocks, &telemetry.late_blocks, &telemetry.events_moved, &telemetry.events_dropped];
    println!("blocks, late, events moved and dropped: {:?}", figures.map(|figure| figure.load(Ordering::Relaxed)));
}

/// Two lanes of workers: the first is anything, the second hears it.
fn a_listener_survives(cases: u32) {
    const MODULES: [&str; 4] = ["vcf", "delay", "slew", "vca"];
    let rig = Rig::new(&[&["vco"], &MODULES], 48_000, FRAMES, 3).unwrap();
    let tables = Tables::build();
    let writer = RefCell::new(rig.executor(0, &tables).unwrap());
    let listener = RefCell::new((rig.executor(1, &tables).unwrap(), 0));
    let plan = |lane, index| -> ModulePlan {
        rig.view.engine.read(engine::plan(lane, 0) + offset_of!(LanePlan, modules) + index * size_of::<ModulePlan>())
    };
    // The engine is ending: what is not there is not waited for.
    rig.control.word(engine::QUIT).store(1, Ordering::Release);
    let stopped = AtomicU64::new(0);
    run(cases, blocks(), |case| {
        let (executor, block) = &mut *listener.borrow_mut();
        for changes in &case {
            changes.iter().for_each(|change| change.write(writer.borrow_mut().own_mut(), &plan(0, 0), *block));
            if executor.run_block(*block).is_stopped {
                stopped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            for (index, name) in MODULES.iter().enumerate() {
                let module = plan(1, index);
                let mut samples = [0.0f32; FRAMES];
                let at = lane::sample(module.outputs_at, module.output_samples, *block);
                prop_assert!(rig.view.lanes[1].copy(at, &mut samples));
                prop_assert!(samples.iter().all(|sample| sample.is_finite()), "{}: {:?}", name, samples);
            }
            *block += 1;
        }
        Ok(())
    });
    let (_, block) = listener.into_inner();
    println!("{block} blocks, {} without a source", stopped.load(Ordering::Relaxed));
    assert!(block > 0 && stopped.load(Ordering::Relaxed) > 0);
}

#[test]
fn whatever_stands_in_a_lane_the_engine_goes_on() {
    an_engine_survives(3_000);
}

#[test]
fn whatever_stands_in_a_lane_who_hears_it_gives_numbers() {
    a_listener_survives(3_000);
}

#[test]
fn who_waits_for_a_lane_that_never_tells_the_truth_ends_with_the_engine() {
    let rig = Rig::new(&[&["vco"], &["vca"]], 48_000, FRAMES, 3).unwrap();
    let tables = Tables::build();
    let (liar, mut listener) = (rig.executor(0, &tables).unwrap(), rig.executor(1, &tables).unwrap());
    let head_at = {
        let module: ModulePlan = rig.view.engine.read(engine::plan(0, 0) + offset_of!(LanePlan, modules));
        module.head_at as usize * GRAIN
    };
    let has_ended = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // Below what is needed for block 50, and never twice the same.
            for count in (0..50).cycle() {
                liar.own().publish(head_at, count);
                if has_ended.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        threads.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            rig.control.word(engine::QUIT).store(1, Ordering::Release);
        });
        assert!(listener.run_block(50).is_stopped);
        has_ended.store(true, Ordering::Relaxed);
    });
}

#[test]
#[ignore = "takes minutes: ./check --long"]
fn a_million_lanes_of_anything_stop_no_engine() {
    an_engine_survives(1_000_000);
}

#[test]
#[ignore = "takes minutes: ./check --long"]
fn a_million_lanes_of_anything_give_numbers() {
    a_listener_survives(1_000_000);
}
