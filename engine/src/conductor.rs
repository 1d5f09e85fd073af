//! The conductor: starts each cycle, collects its sound, hands it on. The engine's real-time thread.
//!
//! It never allocates, locks, logs or touches a file; it never waits for a worker past the block's deadline, nor for anybody else. Whatever
//! stands in a lane, what it is told takes effect, or is counted as dropped, and goes back (claim.rs).
//! What it is told comes over a ring of boxes that the session made; the boxes go back the same way, so that it frees nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rtrb::{Consumer, Producer};
use tine_modules::dsp::math::scrub;
use tine_modules::runner::GROUP_MAX;
use tine_protocol::handshake::{self, Cpu, Look};
use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::{LaneEvent, ModulePlan, PLAN_SLOTS};
use tine_protocol::segment::{BLOCK_EVENTS_MAX, EngineHead, EventBlock, HeardBlock, LANES_MAX, engine, lane};
use tine_protocol::sys::alarm::Alarm;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::futex;
use tine_protocol::sys::memory::{ReadMap, WriteMap};
use tine_worker::executor::Executor;

use crate::batch::{Batch, PENDING_MAX, Report, Telemetry};
use crate::bell::Bell;
use crate::claim::{Claim, settled};
use crate::ear::Ear;
use crate::feed::{SIDES, Sink};
use crate::scope::Probe;
use crate::timing::Timing;
use tempo::Tempo;

pub mod tempo;

/// How time goes.
pub enum Pace {
    /// As the device takes it.
    Device {
        /// To the device.
        outlet: Outlet,
        /// Blocks to be ahead of it.
        lead: u32,
        /// The block that it takes first.
        first: Block,
    },
    /// As fast as it goes; blocks are handed to whoever collects them.
    Free,
}

/// The way to a device.
pub struct Outlet {
    /// Where blocks wait for it.
    pub sink: Sink,
    /// Frames that it takes at once.
    pub period: u32,
    /// What it hears, if that is wished for.
    pub ear: Option<Ear>,
}

/// How long the fade takes with which the sound ends, in seconds.
const FADE_OUT_S: f64 = 0.02;

/// How long the device may take to hear it: the longest lead and period that anybody plays live with.
const LEAVE_NS: u64 = 500_000_000;

/// How often the supervisor is asked to look again at a lane that is waited for.
const LOOK_AGAIN_NS: u64 = 100_000_000;

/// Something that hears every block: the recorder, the renderer. Called on the conductor's thread.
pub trait Listener: Send {
    /// One block of `out`.
    fn hear(&mut self, block: &[[f32; SIDES]]);
}

/// Orders to look at another output that may wait.
pub const WATCHES_MAX: usize = 4;

/// An output that somebody looks at: where its ring lies, and where its first channel is copied to.
pub struct Watched {
    /// The lane that it is on.
    pub lane: LaneId,
    /// Where the ring of the port begins, in grains.
    pub samples_at: u32,
    /// Samples from one block of that ring to the next.
    pub stride: u32,
    /// Channels side by side.
    pub width: usize,
    /// Where the frames go. The session holds the other end, so that dropping this one frees nothing.
    pub probe: Probe,
}

/// Everything that the conductor's thread owns.
pub struct Conductor {
    /// The cycle area of the engine segment.
    pub control: WriteMap,
    /// The lanes, to see what is done.
    pub lanes: Vec<ReadMap>,
    /// Executes `out`.
    pub out: Executor<'static>,
    /// How time goes.
    pub pace: Pace,
    /// Another device, in place of the present one.
    pub outlets: Consumer<Outlet>,
    /// The way to the one before goes back to be dropped.
    pub outlets_back: Producer<Outlet>,
    /// The first block; not 0 where an engine before has conducted.
    pub first: Block,
    /// Lanes that have something to compute from the start.
    pub active: Vec<LaneId>,
    /// From the session.
    pub orders: Consumer<Box<Batch>>,
    /// To the session.
    pub reports: Producer<Report>,
    /// Nanoseconds that each cycle took, to the session.
    pub cycles: Producer<u32>,
    /// Rings when there is a report.
    pub bell: Arc<Bell>,
    /// Rings when a lane is late: the supervisor looks whether its worker hangs.
    pub alarm: Arc<Alarm>,
    /// How long a lane may take for a block until that happens.
    pub look_after_ns: u64,
    /// Counters.
    pub telemetry: Arc<Telemetry>,
    /// Who hears every block; swapped through `listener_orders`.
    pub listener: Option<Box<dyn Listener>>,
    /// A new listener, or none.
    pub listener_orders: Consumer<Option<Box<dyn Listener>>>,
    /// Listeners that are no longer needed go back to be dropped.
    pub listeners_back: Producer<Box<dyn Listener>>,
    /// A new output to look at.
    pub watch_orders: Consumer<Watched>,
    /// The output that is looked at.
    pub watched: Option<Watched>,
    /// The plan of `out`: where its outputs lie.
    pub out_plan: ModulePlan,
    /// Samples of one side in one block of that ring.
    pub out_port_samples: u32,
    /// Musical time.
    pub tempo: Tempo,
}

/// State of the loop.
// Batches stay in the boxes in which they came: the session drops them, so no memory is freed here.
#[allow(clippy::vec_box)]
struct Loop {
    head: EngineHead,
    pending: Vec<Box<Batch>>,
    computing: Vec<Box<Batch>>,
    active: Vec<LaneId>,
    events: Vec<Vec<LaneEvent>>,
    /// Per lane: for how many blocks its events have been waiting.
    held: Vec<u64>,
    /// Frames that the device went without, as far as reported.
    missed: u64,
    /// How loud the device hears the block at its two ends.
    fade: [f32; 2],
    samples: Vec<[f32; SIDES]>,
    raw: Vec<f32>,
    /// A block of all channels that lie side by side.
    wide: Vec<f32>,
}

impl Loop {
    /// Everything that it will ever need, allocated now.
    fn new(head: EngineHead, sounding: &[LaneId]) -> Loop {
        let frames = head.frames as usize;
        let mut active = Vec::with_capacity(LANES_MAX);
        active.extend_from_slice(sounding);
        Loop {
            head,
            pending: Vec::with_capacity(PENDING_MAX),
            computing: Vec::with_capacity(PENDING_MAX),
            active,
            events: (0..LANES_MAX).map(|_| Vec::with_capacity(BLOCK_EVENTS_MAX)).collect(),
            held: vec![0; LANES_MAX],
            missed: 0,
            fade: [1.0; 2],
            samples: vec![[0.0; SIDES]; frames],
            raw: vec![0.0; frames],
            wide: vec![0.0; frames * GROUP_MAX],
        }
    }
}

impl Conductor {
    /// Conducts until `until` says so: it is asked before each block.
    pub fn run(mut self, mut until: impl FnMut(Block) -> bool) -> Conductor {
        let mut state = Loop::new(self.control.read(0), &self.active);
        let mut block = self.first;
        self.tempo.resume(&mut self.control, block, state.head.rate_hz, state.head.frames);
        while !until(block) {
            self.step(block, &mut state);
            block += 1;
        }
        self.leave(block, &mut state);
        self
    }

    /// Fades out what the device hears, and waits until it has heard it.
    fn leave(&mut self, mut block: Block, state: &mut Loop) {
        let Pace::Device { first, .. } = self.pace else { return };
        // One that has heard nothing yet, or takes nothing any more, is not waited for.
        let until_ns = now_ns() + LEAVE_NS;
        let blocks = (FADE_OUT_S * f64::from(state.head.rate_hz) / f64::from(state.head.frames)).ceil() as u64;
        for number in 0..blocks {
            state.fade = [number, number + 1].map(|at| 1.0 - at as f32 / blocks as f32);
            if !self.has_room_until(until_ns, state) {
                return;
            }
            self.step(block, state);
            block += 1;
        }
        let Pace::Device { outlet, .. } = &self.pace else { return };
        let taken = outlet.sink.taken();
        loop {
            let seen = taken.periods();
            let heard = taken.moment().frames >= (block - first) * u64::from(state.head.frames);
            if heard || taken.wait(seen, Some(until_ns)) == futex::Wake::Late {
                return;
            }
        }
    }

    /// Waits until it is time for `block`, and conducts it.
    fn step(&mut self, block: Block, state: &mut Loop) {
        let deadline_ns = self.wait_for_start(block, state);
        self.cycle(block, deadline_ns, state);
    }

    /// Waits until the device's ring has room for a block; false if it has none by then.
    fn has_room_until(&self, until_ns: u64, state: &Loop) -> bool {
        let Pace::Device { outlet: Outlet { sink, .. }, .. } = &self.pace else { return false };
        loop {
            let seen = sink.taken().periods();
            if sink.room() >= state.head.frames as usize {
                return true;
            }
            if sink.taken().wait(seen, Some(until_ns)) == futex::Wake::Late {
                return false;
            }
        }
    }

    /// Sleeps until it is time for `block`; returns when the device will need it, less a margin.
    fn wait_for_start(&mut self, block: Block, state: &mut Loop) -> Option<u64> {
        let frames = state.head.frames;
        loop {
            self.change_outlet(block, state);
            let Pace::Device { outlet: Outlet { sink, period, .. }, lead, first } = &self.pace else { return None };
            let timing = Timing { rate_hz: state.head.rate_hz, frames, lead: *lead, period: *period, first: *first };
            let taken = sink.taken();
            let seen = taken.periods();
            if !self.outlets.is_empty() {
                // It came since we looked: the nudge that came with it may lie behind `seen`.
                continue;
            }
            let moment = taken.moment();
            let has_room = sink.room() >= frames as usize;
            if moment.at_ns == 0 {
                // The device has not begun: fill the ring ahead of it, without haste and without a deadline.
                if has_room {
                    return None;
                }
                taken.wait(seen, None);
                continue;
            }
            let start_ns = timing.start_ns(block, moment.frames, moment.at_ns);
            if has_room && now_ns() >= start_ns {
                return Some(timing.deadline_ns(block, moment.frames, moment.at_ns));
            }
            taken.wait(seen, has_room.then_some(start_ns));
        }
    }

    /// Takes the way to another device, if there is one: `block` is the first that goes there.
    fn change_outlet(&mut self, block: Block, state: &mut Loop) {
        let Pace::Device { outlet, first, .. } = &mut self.pace else { return };
        let Ok(new) = self.outlets.pop() else { return };
        let old = std::mem::replace(outlet, new);
        (*first, state.missed) = (block, 0);
        if let Err(rtrb::PushError::Full(old)) = self.outlets_back.push(old) {
            // No room to send it back: rather kept for ever than freed here.
            std::mem::forget(old);
        }
    }

    fn cycle(&mut self, block: Block, deadline_ns: Option<u64>, state: &mut Loop) {
        let started_ns = now_ns();
        // Blocks ahead of the device's first period have no time of their own.
        let paced_ns = if deadline_ns.is_some() { started_ns } else { 0 };
        self.telemetry.started_ns.store(paced_ns, Ordering::Relaxed);
        self.telemetry.blocks.store(block, Ordering::Release);
        self.take_orders(block, state);
        self.tempo.write(block, state.head.rate_hz, state.head.frames, &mut self.control);
        self.write_heard(block, state);
        self.write_events(block, state);
        self.control.publish(engine::CYCLE, block);
        for &lane in &state.active {
            // SYNC lane-start: pairs with worker::seat; what was written above is visible after it.
            let start = engine::start(usize::from(lane.0));
            self.control.publish(start, block + 1);
            self.control.wake(start);
        }
        let late = self.wait_for_lanes(block, deadline_ns, &state.active);
        let missing = self.out.run_block(block).late;
        if missing > 0 && late.is_none() {
            // All lanes say that they are done, and what they are done with is not there.
            self.alarm.ring();
        }
        self.collect(block, state);
        if let Some((lane, late_ns)) = late {
            self.telemetry.late_blocks.fetch_add(1, Ordering::Relaxed);
            if self.has_room_for_late() {
                self.report(Report::Late { late_ns, lane, running: self.running_on(lane) });
            } else {
                self.telemetry.reports_lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        if let Pace::Device { outlet, .. } = &self.pace {
            let (missed, _) = outlet.sink.taken().missed();
            if missed > state.missed && self.has_room_for_late() {
                self.report(Report::Missed(missed - state.missed));
                state.missed = missed;
            }
        }
        self.return_batches(block, state);
        let took_ns = now_ns() - started_ns;
        if self.cycles.push(u32::try_from(took_ns).unwrap_or(u32::MAX)).is_err() {
            self.telemetry.cycles_lost.fetch_add(1, Ordering::Relaxed);
        }
        let smooth = self.telemetry.cycle_ns.load(Ordering::Relaxed);
        self.telemetry.cycle_ns.store(smooth - smooth / 64 + took_ns / 64, Ordering::Relaxed);
        self.telemetry.blocks.store(block + 1, Ordering::Release);
    }

    /// Takes what is due; tells the session.
    fn take_orders(&mut self, block: Block, state: &mut Loop) {
        while state.pending.len() < PENDING_MAX {
            let Ok(batch) = self.orders.pop() else { break };
            state.pending.push(batch);
        }
        let first_frame = block * u64::from(state.head.frames);
        let end_frame = first_frame + u64::from(state.head.frames);
        let mut index = 0;
        while index < state.pending.len() {
            let is_due = state.pending[index].due_frame < end_frame && state.computing.len() < PENDING_MAX;
            if !is_due {
                index += 1;
                continue;
            }
            // Order matters among those that are due: `remove` keeps it.
            let mut batch = state.pending.remove(index);
            if batch.taken_ns == 0 {
                batch.taken_ns = now_ns();
                self.flip(block, &batch, state);
                self.report(Report::Taken(batch.id, block));
            }
            batch.block = block;
            self.sort_in_events(first_frame, end_frame, &mut batch, state);
            if batch.events.is_empty() {
                state.computing.push(batch);
            } else {
                // Some of its events lie in later blocks: it stays for them.
                state.pending.insert(index, batch);
                index += 1;
            }
        }
    }

    fn flip(&mut self, block: Block, batch: &Batch, state: &mut Loop) {
        if batch.flips.is_empty() {
            return;
        }
        for &(lane, slot) in &batch.flips {
            let lane = usize::from(lane.0);
            for other in 0..PLAN_SLOTS {
                // Two plans for the same block: the one that came later holds.
                if self.control.count(engine::valid(lane, other)) == block + 1 {
                    self.control.publish(engine::valid(lane, other), 0);
                }
            }
            // SYNC plan-valid: pairs with Executor::plan_for. The session wrote the plan before it sent the batch.
            self.control.publish(engine::valid(lane, usize::from(slot)), block + 1);
        }
        for &lane in &batch.active {
            if !state.active.contains(&lane) {
                self.control.publish(engine::resume(usize::from(lane.0)), block);
            }
        }
        state.active.clear();
        state.active.extend_from_slice(&batch.active);
    }

    /// Moves the events of this block to their lanes, and leaves the others in the batch.
    fn sort_in_events(&mut self, first_frame: u64, end_frame: u64, batch: &mut Batch, state: &mut Loop) {
        let (telemetry, tempo) = (&self.telemetry, &mut self.tempo);
        let patience_blocks = u64::from(state.head.rate_hz / state.head.frames.max(1));
        batch.events.retain(|due| {
            let lane = usize::from(due.lane.0).min(LANES_MAX - 1);
            let list = &mut state.events[lane];
            if due.frame < end_frame && list.len() >= BLOCK_EVENTS_MAX && state.held[lane] > patience_blocks {
                telemetry.events_dropped.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            if due.frame >= end_frame || list.len() >= BLOCK_EVENTS_MAX {
                telemetry.events_moved.fetch_add(u64::from(due.frame < end_frame), Ordering::Relaxed);
                return true;
            }
            if due.frame != 0 && due.frame < first_frame {
                telemetry.events_moved.fetch_add(1, Ordering::Relaxed);
            }
            tempo.hear(&due.event);
            list.push(LaneEvent { frame: due.frame.saturating_sub(first_frame) as u32, ..due.event });
            false
        });
    }

    /// Writes what the device heard into the place of `block`.
    fn write_heard(&mut self, block: Block, state: &mut Loop) {
        let Pace::Device { outlet: Outlet { ear: Some(ear), .. }, .. } = &mut self.pace else { return };
        // The block of samples is free until the block has been computed.
        if ear.take(&mut state.samples) {
            let at = engine::heard(block);
            let frames = at + std::mem::offset_of!(HeardBlock, frames);
            self.control.slice_mut::<[f32; SIDES]>(frames, state.samples.len()).copy_from_slice(&state.samples);
            self.control.publish(at + std::mem::offset_of!(HeardBlock, block), block + 1);
        }
    }

    fn write_events(&mut self, block: Block, state: &mut Loop) {
        for (lane, events) in state.events.iter_mut().enumerate() {
            if events.is_empty() {
                continue;
            }
            let done = self.lanes.get(lane).map_or(block, |map| map.count(lane::DONE).load());
            // A lane that had nothing to do is behind in nothing.
            let done = done.max(self.control.count(engine::resume(lane)));
            let is_held_up = Claim::of(done, block).is_lost() || Claim::of(done, block + 1) == Claim::Lie;
            if is_held_up && state.active.contains(&LaneId(lane as u16)) {
                // The lane is so late that it still needs what stands in this place, or nobody knows what it needs: these wait.
                self.telemetry.events_moved.fetch_add(events.len() as u64, Ordering::Relaxed);
                state.held[lane] += 1;
                self.alarm.ring();
                continue;
            }
            state.held[lane] = 0;
            // Stable by hand: the standard stable sort may allocate, and events of one module and frame keep their order.
            for index in 1..events.len() {
                let mut at = index;
                while at > 0 && (events[at - 1].slot, events[at - 1].frame) > (events[at].slot, events[at].frame) {
                    events.swap(at - 1, at);
                    at -= 1;
                }
            }
            let place = engine::events(lane, block);
            let first = place + std::mem::offset_of!(EventBlock, events);
            self.control.slice_mut::<LaneEvent>(first, events.len()).copy_from_slice(events);
            self.control.write(place + std::mem::offset_of!(EventBlock, count), events.len() as u32);
            self.control.publish(place + std::mem::offset_of!(EventBlock, block), block + 1);
            events.clear();
        }
    }

    /// Waits until every active lane has finished `block`, or until the deadline. Returns the first that was late, and by how much.
    fn wait_for_lanes(&self, block: Block, deadline_ns: Option<u64>, active: &[LaneId]) -> Option<(LaneId, u64)> {
        let awaited = self.control.word(engine::AWAITED);
        let mut look_ns = now_ns() + self.look_after_ns;
        // The last lane is done last: waiting for it first wakes us once.
        let late = active.iter().rev().find(|&&lane| {
            let Some(map) = self.lanes.get(usize::from(lane.0)) else { return false };
            // SYNC lane-done: pairs with Executor::run_block.
            let done = map.count(lane::DONE);
            if Claim::of(done.load(), block + 1) == Claim::Finished {
                return false;
            }
            let mut has_lied = false;
            let say = |sleeps| awaited.store(if sleeps { u32::from(lane.0) + 1 } else { 0 }, Ordering::Relaxed);
            handshake::sleep_until::<Cpu, _>(&done, say, |seen| {
                let claim = Claim::of(seen, block + 1);
                if claim == Claim::Finished {
                    return Look::Go(false);
                }
                if claim == Claim::Lie && !std::mem::replace(&mut has_lied, true) {
                    self.alarm.ring();
                }
                // By the clock, not by why we woke: a count that changes without end ends every wait before its time.
                let now_ns = now_ns();
                let is_late = deadline_ns.is_some_and(|deadline_ns| now_ns >= deadline_ns);
                if is_late || now_ns >= look_ns {
                    // A worker that hangs is best noticed while there is slack left. Without a deadline a lane is waited for in any case.
                    self.alarm.ring();
                    look_ns = now_ns + self.look_after_ns.max(LOOK_AGAIN_NS);
                }
                if is_late {
                    return Look::Go(true);
                }
                Look::Sleep(Some(deadline_ns.map_or(look_ns, |deadline_ns| deadline_ns.min(look_ns))))
            })
        });
        late.map(|&lane| (lane, now_ns().saturating_sub(deadline_ns.unwrap_or(0))))
    }

    /// The module that a lane is computing now, as its worker says.
    fn running_on(&self, lane: LaneId) -> Option<Slot> {
        let slot: u32 = self.lanes.get(usize::from(lane.0))?.read(lane::RUNNING);
        (slot != lane::NOBODY).then_some(Slot(slot))
    }

    /// Takes the block that `out` gave and hands it on.
    fn collect(&mut self, block: Block, state: &mut Loop) {
        let at = lane::sample(self.out_plan.outputs_at, self.out_plan.output_samples, block);
        let side_bytes = self.out_port_samples as usize * size_of::<f32>();
        for side in 0..SIDES {
            let samples = self.out.own_mut().slice_mut::<f32>(at + side * side_bytes, state.raw.len());
            state.raw.copy_from_slice(samples);
            let mut peak = 0.0f32;
            for (frame, &sample) in state.samples.iter_mut().zip(&state.raw) {
                frame[side] = sample;
                peak = peak.max(sample.abs());
            }
            // Positive floats compare as their bits do.
            self.telemetry.peaks[side].fetch_max(peak.to_bits(), Ordering::Relaxed);
        }
        if let Ok(new) = self.listener_orders.pop() {
            let old = std::mem::replace(&mut self.listener, new);
            if let Some(old) = old
                && let Err(rtrb::PushError::Full(old)) = self.listeners_back.push(old)
            {
                // No room to send it back: rather kept for ever than freed here.
                std::mem::forget(old);
            }
        }
        if let Ok(new) = self.watch_orders.pop() {
            self.watched = Some(new);
        }
        self.look(block, &mut state.wide, &mut state.raw);
        // A recording ends with the sound, before the fade.
        if let Some(listener) = self.listener.as_mut().filter(|_| state.fade == [1.0; 2]) {
            listener.hear(&state.samples);
        }
        if let Pace::Device { outlet, .. } = &mut self.pace {
            fade(&mut state.samples, state.fade);
            // There is room: wait_for_start saw to it.
            outlet.sink.push(&state.samples);
        }
    }

    /// Copies the block of the output that is looked at. A lane that is late shows what it gave eight blocks before.
    fn look(&mut self, block: Block, wide: &mut [f32], raw: &mut [f32]) {
        let Some(watched) = &mut self.watched else { return };
        let wide = &mut wide[..raw.len() * watched.width.clamp(1, GROUP_MAX)];
        let at = lane::sample(watched.samples_at, watched.stride, block);
        if self.lanes.get(usize::from(watched.lane.0)).is_some_and(|lane| lane.copy(at, wide)) {
            for (frame, samples) in raw.iter_mut().zip(wide.chunks_exact(watched.width.clamp(1, GROUP_MAX))) {
                // It goes to eyes without passing a cable.
                *frame = scrub(samples[0]);
            }
            watched.probe.push(raw);
        }
    }

    /// Sends back the batches whose block every lane has finished, or is so late with that nobody remembers what belongs to it.
    fn return_batches(&mut self, block: Block, state: &mut Loop) {
        let lanes = &self.lanes;
        let slowest = state
            .active
            .iter()
            .filter_map(|lane| lanes.get(usize::from(lane.0)))
            .map(|map| settled(map.count(lane::DONE).load(), block + 1))
            .min()
            .unwrap_or(block + 1);
        while let Some(batch) = state.computing.first() {
            if batch.block >= slowest {
                break;
            }
            let mut batch = state.computing.remove(0);
            batch.done_ns = now_ns();
            if let Err(rtrb::PushError::Full(Report::Done(batch))) = self.reports.push(Report::Done(batch)) {
                // The session is behind: try again with the next block.
                state.computing.insert(0, batch);
                break;
            }
            self.bell.ring();
        }
    }

    /// Whether there is room for reports that may come with every block: they leave some for those on which the session waits.
    fn has_room_for_late(&self) -> bool {
        self.reports.slots() > PENDING_MAX / 2
    }

    fn report(&mut self, report: Report) {
        if self.reports.push(report).is_err() {
            self.telemetry.reports_lost.fetch_add(1, Ordering::Relaxed);
        }
        self.bell.ring();
    }
}

/// Makes a block go from one loudness to another.
fn fade(block: &mut [[f32; SIDES]], [from, to]: [f32; 2]) {
    if from == 1.0 && to == 1.0 {
        return;
    }
    let step = (to - from) / block.len() as f32;
    for (number, frame) in block.iter_mut().enumerate() {
        let gain = from + step * number as f32;
        *frame = frame.map(|sample| sample * gain);
    }
}

#[cfg(test)]
mod lies;
#[cfg(test)]
pub(crate) mod stand;
#[cfg(test)]
mod tests;
