//! What the session sends to the conductor: plans that changed and events, as one batch.

use std::sync::atomic::Ordering;

use tine_protocol::plan::LaneEvent;

use crate::batch::{Batch, DueEvent};
use crate::edit::Gesture;
use crate::session::{InFlight, Session, Waiting};
use crate::stage::Room;

/// Memory of a new module that is provided before it sounds; the rest is tape, which it reaches later than its answer. Providing all
/// 2 MB of a delay would hold the answer up by half a block.
const PROMPT_BYTES: usize = 64 << 10;

impl Session {
    /// Lets the stage follow the model. Returns memory that will be free.
    pub(crate) fn follow(&mut self, is_silent: bool) -> Vec<Room> {
        for room in self.stage.reserved() {
            let middle = room.range.end.min(room.range.start + PROMPT_BYTES);
            (self.parts.provide)(&Room { lane: room.lane, range: room.range.start..middle });
            if middle < room.range.end {
                self.later.push(Room { lane: room.lane, range: middle..room.range.end });
            }
        }
        let finished = self.parts.telemetry.blocks.load(Ordering::Acquire);
        self.stage.follow(&self.model, is_silent, finished)
    }

    /// Sends what changed to the conductor.
    pub(crate) fn post(&mut self, gestures: Vec<Gesture>, due_frame: u64, waiting: Vec<Waiting>, freed: Vec<Room>) {
        let mut flips = Vec::new();
        for (lane, plan) in self.stage.changed_plans() {
            let finished = || self.parts.telemetry.blocks.load(Ordering::Acquire);
            let slot = loop {
                match self.parts.planner.write(lane, &plan, finished()) {
                    Some(slot) => break slot,
                    // More changes than blocks: the next block frees a slot.
                    None => std::thread::sleep(std::time::Duration::from_micros(200)),
                }
            };
            flips.push((lane, slot));
        }
        let active = self.stage.active_lanes();
        let mut events: Vec<DueEvent> = gestures.iter().filter_map(|gesture| self.event(gesture, due_frame)).collect();
        // Those that an engine before had sent came first.
        events.splice(..0, std::mem::take(&mut self.left_events));
        events.sort_by_key(|event| event.frame);
        let id = self.next_batch;
        self.next_batch += 1;
        let has_plans = !flips.is_empty();
        if has_plans {
            self.untaken = Some(id);
            let cores = self.parts.placer.cores(&self.stage.lane_groups());
            self.parts.pool.set_cores(cores);
            self.parts.pool.set_busy(|lane| self.stage.modules_on(lane) > 0);
        }
        let later = std::mem::take(&mut self.later);
        let in_flight = InFlight { waiting, freed, later, syncs: Vec::new(), has_plans, events: events.clone() };
        self.in_flight.insert(id, in_flight);
        // Before it can be heard: what was heard once is not forgotten.
        self.remember();
        let batch = Box::new(Batch { id, due_frame, flips, active, events, block: 0, taken_ns: 0, done_ns: 0 });
        let mut batch = Some(batch);
        while let Some(full) = batch.take() {
            if let Err(rtrb::PushError::Full(back)) = self.parts.orders.push(full) {
                batch = Some(back);
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        }
    }

    /// Events that lanes have perhaps not got yet, in the order in which they were sent.
    pub(crate) fn events_under_way(&self) -> impl Iterator<Item = &DueEvent> {
        let mut batches: Vec<_> = self.in_flight.iter().collect();
        batches.sort_unstable_by_key(|(id, _)| **id);
        batches.into_iter().flat_map(|(_, batch)| &batch.events)
    }

    pub(crate) fn event(&self, gesture: &Gesture, due_frame: u64) -> Option<DueEvent> {
        let module = self.model.by_slot(gesture.slot)?;
        let frames = |seconds: f32| (f64::from(seconds) * f64::from(self.parts.format.rate_hz)).round();
        let now = self.parts.telemetry.blocks.load(Ordering::Acquire) * self.parts.format.frames as u64;
        let frame = match gesture.after_s {
            after if after > 0.0 && due_frame == 0 => now + self.parts.format.frames as u64 + frames(after) as u64,
            after if after > 0.0 => due_frame + frames(after) as u64,
            _ => due_frame,
        };
        let event = LaneEvent {
            slot: gesture.slot,
            input: gesture.input,
            channel: gesture.channel,
            frame: 0,
            ramp_frames: frames(gesture.ramp_s) as u32,
            value: gesture.value,
        };
        Some(DueEvent { lane: module.lane, frame, event })
    }

    /// Drops what has faded, so that its memory comes back.
    pub(crate) fn tidy(&mut self) {
        if self.untaken.is_some() || !self.queue.is_empty() || !self.is_sounding || !self.stage.is_fading() {
            return;
        }
        let freed = self.follow(false);
        if !freed.is_empty() || !self.stage.is_fading() {
            self.post(Vec::new(), 0, Vec::new(), freed);
        }
    }
}
