//! The conductor on real segments: what its thread, which nothing may hold up, is allowed to do.

use std::sync::atomic::AtomicU64;

use assert_no_alloc::assert_no_alloc;
use rtrb::RingBuffer;
use rtsan_standalone::ScopedSanitizeRealtime;
use tine_modules::Tables;
use tine_protocol::ids::Slot;
use tine_protocol::segment::LanePlan;
use tine_worker::rig::Rig;

use super::*;
use crate::batch::{CYCLES_MAX, DueEvent};
use crate::feed;

const FRAMES: usize = 64;

const LANE: LaneId = LaneId(0);

/// Blocks that the rings between the threads have room for.
const BLOCKS: u64 = 41;

/// Counts what it hears.
struct Ear(Arc<AtomicU64>);

impl Listener for Ear {
    fn hear(&mut self, block: &[[f32; SIDES]]) {
        let heard = block.iter().filter(|frame| frame[0].abs() > 1e-3).count();
        self.0.fetch_add(heard as u64, Ordering::Relaxed);
    }
}

/// A batch that makes the present plan valid anew and moves the oscillator's pitch in every frame, last frame first.
fn batch(id: u64, first_frame: u64) -> Box<Batch> {
    let event = |frame: u64| {
        let event = LaneEvent { slot: Slot(1), input: 0, frame: 0, ramp_frames: 0, value: frame as f32 / 100.0 };
        DueEvent { lane: LANE, frame: first_frame + frame, event }
    };
    let events = (0..2 * FRAMES as u64).rev().map(event).collect();
    let (flips, active) = (vec![(LANE, 0)], vec![LANE]);
    Box::new(Batch { id, due_frame: first_frame, flips, active, events, block: 0, taken_ns: 0, done_ns: 0 })
}

#[test]
fn a_cycle_never_allocates_or_blocks() {
    let rig = Rig::new(&[&["vco"], &["out"]], 48_000, FRAMES, 0).unwrap();
    let tables: &'static Tables = Box::leak(Box::new(Tables::build()));
    let mut worker = rig.executor(0, tables).unwrap();
    let out = rig.executor(1, tables).unwrap();
    let out_plan: ModulePlan = rig.view.engine.read(engine::plan(1, 0) + std::mem::offset_of!(LanePlan, modules));
    let (mut orders, order_receiver) = RingBuffer::new(PENDING_MAX);
    let (reports, mut report_receiver) = RingBuffer::new(PENDING_MAX);
    let (cycles, _cycle_receiver) = RingBuffer::new(CYCLES_MAX);
    let (mut listeners, listener_orders) = RingBuffer::new(4);
    let (listeners_back, mut listener_receiver) = RingBuffer::new(4);
    let (mut new_outlets, outlets) = RingBuffer::new(1);
    let (outlets_back, mut old_outlets) = RingBuffer::new(2);
    let (_watches, watch_orders) = RingBuffer::new(1);
    let (sink, mut device) = feed::feed(BLOCKS as usize * FRAMES);
    let heard = Arc::new(AtomicU64::new(0));
    let mut conductor = Conductor {
        control: rig.control,
        lanes: rig.view.lanes.clone(),
        out,
        pace: Pace::Device { outlet: Outlet { sink, period: FRAMES as u32 }, lead: 1, first: 0 },
        outlets,
        outlets_back,
        first: 0,
        active: Vec::new(),
        orders: order_receiver,
        reports,
        cycles,
        bell: Arc::default(),
        alarm: Arc::new(Alarm::new().unwrap()),
        look_after_ns: 1_000_000_000,
        telemetry: Arc::default(),
        listener: None,
        listener_orders,
        listeners_back,
        watch_orders,
        watched: None,
        out_plan,
        out_port_samples: FRAMES as u32,
    };
    let mut state = Loop::new(conductor.control.read(0), &[]);
    for block in 0..BLOCKS {
        if block % 3 == 0 {
            assert!(orders.push(batch(block, block * FRAMES as u64)).is_ok());
        }
        if block % 10 == 5 {
            let ear: Box<dyn Listener> = Box::new(Ear(Arc::clone(&heard)));
            assert!(listeners.push(Some(ear)).is_ok());
        }
        worker.run_block(block);
        assert_no_alloc(|| {
            // The block of a birth asks the kernel for pages, in place of as many page faults.
            let _guard = (block > 0).then(ScopedSanitizeRealtime::default);
            conductor.step(block, &mut state);
        });
        while listener_receiver.pop().is_ok() {}
    }
    // The device is lost: another takes its place.
    let (sink, _other_device) = feed::feed(2 * FRAMES);
    assert!(new_outlets.push(Outlet { sink, period: FRAMES as u32 }).is_ok());
    worker.run_block(BLOCKS);
    assert_no_alloc(|| {
        let _guard = ScopedSanitizeRealtime::default();
        conductor.step(BLOCKS, &mut state);
    });
    let old = old_outlets.pop().expect("the way to the old one comes back");
    assert_eq!(old.sink.room(), 0, "and nothing more went there");
    let mut returned = 0;
    while let Ok(report) = report_receiver.pop() {
        returned += u64::from(matches!(report, Report::Done(batch) if batch.events.is_empty()));
    }
    assert_eq!(returned, BLOCKS.div_ceil(3), "batches that took effect and came back");
    assert!(heard.load(Ordering::Relaxed) > 1000, "the cycles are silent");

    let mut samples = vec![0.0f32; FRAMES * SIDES];
    for _ in 0..=BLOCKS {
        assert_no_alloc(|| {
            let _guard = ScopedSanitizeRealtime::default();
            device.fill(&mut samples, SIDES);
        });
    }
    assert_eq!(conductor.telemetry.late_blocks.load(Ordering::Relaxed), 0);
}
