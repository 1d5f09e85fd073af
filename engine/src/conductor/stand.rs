//! A conductor on real segments, for tests: one lane of a worker with an oscillator, and `out`, which hears it.

use std::sync::Arc;

use rtrb::{Consumer, Producer, RingBuffer};
use tine_modules::Tables;
use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::{LaneEvent, ModulePlan};
use tine_protocol::segment::{LanePlan, engine};
use tine_protocol::sys::alarm::Alarm;
use tine_worker::executor::{Executor, Patience};
use tine_worker::rig::Rig;

use super::tempo::Tempo;
use super::{Conductor, Listener, Loop, Outlet, Pace, Watched};
use crate::batch::{Batch, CYCLES_MAX, DueEvent, PENDING_MAX, Report};

/// Frames of a block.
pub const FRAMES: usize = 64;

/// The worker's lane.
pub const LANE: LaneId = LaneId(0);

/// The conductor, and the other ends of what it holds.
pub struct Stand {
    /// Under test.
    pub conductor: Conductor,
    /// Its loop's state.
    pub(super) state: Loop,
    /// Executes [`LANE`]: its lane's only writer.
    pub worker: Executor<'static>,
    /// What the worker's modules are.
    pub module: ModulePlan,
    /// To the conductor.
    pub orders: Producer<Box<Batch>>,
    /// From it.
    pub reports: Consumer<Report>,
    /// From it.
    pub cycles: Consumer<u32>,
    /// To it.
    pub listeners: Producer<Option<Box<dyn Listener>>>,
    /// From it.
    pub listeners_back: Consumer<Box<dyn Listener>>,
    /// To it.
    pub new_outlets: Producer<Outlet>,
    /// From it.
    pub old_outlets: Consumer<Outlet>,
    /// To it.
    pub watches: Producer<Watched>,
}

impl Stand {
    /// With `pace`, and `patience` towards what `out` hears.
    pub fn new(pace: Pace, patience: Patience) -> Stand {
        let rig = Rig::new(&[&["vco"], &["out"]], 48_000, FRAMES, 0).unwrap();
        let tables: &'static Tables = Box::leak(Box::new(Tables::build()));
        let worker = rig.executor(0, tables).unwrap();
        let out = rig.patient_executor(1, tables, patience).unwrap();
        let module = |lane| rig.view.engine.read(engine::plan(lane, 0) + std::mem::offset_of!(LanePlan, modules));
        let (module, out_plan) = (module(0), module(1));
        let (orders, order_receiver) = RingBuffer::new(PENDING_MAX);
        let (report_sender, reports) = RingBuffer::new(PENDING_MAX);
        let (cycle_sender, cycles) = RingBuffer::new(CYCLES_MAX);
        let (listeners, listener_orders) = RingBuffer::new(4);
        let (back_sender, listeners_back) = RingBuffer::new(4);
        let (new_outlets, outlets) = RingBuffer::new(1);
        let (outlets_back, old_outlets) = RingBuffer::new(2);
        let (watches, watch_orders) = RingBuffer::new(1);
        let conductor = Conductor {
            control: rig.control,
            lanes: rig.view.lanes,
            out,
            pace,
            outlets,
            outlets_back,
            first: 0,
            active: Vec::new(),
            orders: order_receiver,
            reports: report_sender,
            cycles: cycle_sender,
            bell: Arc::default(),
            alarm: Arc::new(Alarm::new().unwrap()),
            look_after_ns: 1_000_000_000,
            telemetry: Arc::default(),
            listener: None,
            listener_orders,
            listeners_back: back_sender,
            watch_orders,
            watched: None,
            out_plan,
            out_port_samples: FRAMES as u32,
            tempo: Tempo::default(),
        };
        let state = Loop::new(conductor.control.read(0), &[]);
        Stand {
            conductor,
            state,
            worker,
            module,
            orders,
            reports,
            cycles,
            listeners,
            listeners_back,
            new_outlets,
            old_outlets,
            watches,
        }
    }

    /// Conducts `block` with a deadline that is past.
    pub fn late(&mut self, block: Block) {
        self.conductor.cycle(block, Some(1), &mut self.state);
        while self.cycles.pop().is_ok() {}
    }

    /// Batches that came back since the last call.
    pub fn returned(&mut self) -> Vec<u64> {
        let mut ids = Vec::new();
        while let Ok(report) = self.reports.pop() {
            if let Report::Done(batch) = report {
                ids.push(batch.id);
            }
        }
        ids
    }
}

/// A batch that makes the present plan valid anew and moves the oscillator's pitch in each of `frames` frames, last frame first.
pub fn batch(id: u64, first_frame: u64, frames: u64) -> Box<Batch> {
    let event = |frame: u64| {
        let event = LaneEvent { slot: Slot(1), channel: u32::MAX, value: frame as f32 / 100.0, ..LaneEvent::default() };
        DueEvent { lane: LANE, frame: first_frame + frame, event }
    };
    let events = (0..frames).rev().map(event).collect();
    let (flips, active) = (vec![(LANE, 0)], vec![LANE]);
    Box::new(Batch { id, due_frame: first_frame, flips, active, events, block: 0, taken_ns: 0, done_ns: 0 })
}
