//! Computes one block of one lane: reads its plan, waits for what comes from other lanes, runs the modules in order, and
//! commits each by a release store of its count.
//!
//! Real-time: never allocates, locks, logs or panics. Trusts nothing that another lane wrote. The same code runs in a
//! worker for its lane and in the engine for `out`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tine_modules::runner::{Cable, Event, Job, Scratch, Shape};
use tine_modules::{Ffts, Kind, Sounds, Tables, Transport};
use tine_protocol::checksum::checksum;
use tine_protocol::handshake::{self, Cpu, Look};
use tine_protocol::ids::{Block, LaneId, Slot};
use tine_protocol::plan::{CablePlan, GRAIN, LANE_CABLES_MAX, LaneEvent, ModulePlan};
use tine_protocol::ramp::Ramp;
use tine_protocol::segment::{
    BLOCK_EVENTS_MAX, EngineHead, EventBlock, FRAMES_MAX, HeardBlock, LanePlan, ModuleHead, TempoBlock, engine, lane,
};
use tine_protocol::spec::{CHANNELS_MAX, PORTS_MAX};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::fpu;
use tine_protocol::sys::memory::{ReadCount, ReadMap, WriteMap};

#[cfg(feature = "faults")]
use crate::faults::{self, Phase, Situation};
use crate::plans;
use crate::recovery::{self, Recovery};
use crate::sources::{Arrival, Fetcher};

/// What to do about an input that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Wait until it is, or until the engine ends.
    Wait,
    /// Go on: hold the last sample and fade it out.
    GoOn,
}

/// How a block went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockReport {
    /// Nanoseconds of computing, waits left out.
    pub busy_ns: u64,
    /// Samples on cables that were no numbers.
    pub scrubbed: u32,
    /// Cables whose source was late.
    pub late: u32,
    /// Modules whose plan did not fit the lane, and which were left out.
    pub unfit: u32,
    /// The engine is ending: the block was left unfinished.
    pub is_stopped: bool,
}

/// Everything that executing a lane needs, allocated once.
pub struct Executor<'t> {
    lane: LaneId,
    patience: Patience,
    own: WriteMap,
    view: View,
    tables: &'t Tables,
    catalogue: &'static [Kind],
    scratch: Scratch,
    head: EngineHead,
    cables: Vec<Cable>,
    cable_plans: Vec<CablePlan>,
    events: Vec<LaneEvent>,
    transport: Transport,
    /// What the sound device heard for the block; empty: silence.
    heard: Vec<[f32; 2]>,
    module_events: Vec<Event>,
    values: Vec<f32>,
    /// Per cable of the lane, for `GoOn`.
    arrivals: Vec<Arrival>,
    scrubbed: u32,
    recovery: Recovery,
    /// Of the worker, as ordered: what stands in the lane's head may be spoilt.
    #[cfg(feature = "faults")]
    pub(crate) generation: u32,
}

/// The memory that an executor works in, allocated and present ahead: a follower has no time to lose.
pub struct Workspace {
    scratch: Scratch,
    cables: Vec<Cable>,
    cable_plans: Vec<CablePlan>,
    events: Vec<LaneEvent>,
    module_events: Vec<Event>,
    values: Vec<f32>,
    arrivals: Vec<Arrival>,
}

impl Workspace {
    /// For blocks of `frames`, and the longest plan and the most events that a lane may have.
    pub fn new(frames: usize, ffts: Arc<Ffts>) -> Workspace {
        // Filled a little and emptied, so that the pages which most plans need are there; a longer one brings the others in with its
        // first block.
        fn empty<T: Clone>(filler: T, length: usize) -> Vec<T> {
            let mut list = Vec::with_capacity(length);
            list.resize(length.min(64), filler);
            list.clear();
            list
        }
        let cable = Cable { input: 0, channels: 1, gain: Ramp::constant(1.0) };
        let event = Event { input: 0, channel: Event::ALL, frame: 1, ramp_frames: 0, value: 0.0 };
        Workspace {
            scratch: Scratch::new(frames, ffts),
            cables: empty(cable, LANE_CABLES_MAX),
            cable_plans: empty(CablePlan { gain: 1.0, ..CablePlan::default() }, LANE_CABLES_MAX),
            events: empty(LaneEvent { frame: 1, ..LaneEvent::default() }, BLOCK_EVENTS_MAX),
            module_events: empty(event, BLOCK_EVENTS_MAX),
            values: vec![0.0; PORTS_MAX],
            arrivals: vec![Arrival::InTime; LANE_CABLES_MAX],
        }
    }
}

/// What may be read: the engine's orders and everybody's lanes.
#[derive(Clone)]
pub struct View {
    /// The engine segment.
    pub engine: ReadMap,
    /// All lanes, by number.
    pub lanes: Vec<ReadMap>,
    /// The sound files; `None`: there are none.
    pub sounds: Option<ReadMap>,
}

impl<'t> Executor<'t> {
    /// An executor for `lane`, whose segment is `own`.
    pub fn new(
        lane: LaneId,
        patience: Patience,
        own: WriteMap,
        view: View,
        tables: &'t Tables,
        catalogue: &'static [Kind],
        workspace: Workspace,
    ) -> Executor<'t> {
        let Workspace { scratch, cables, cable_plans, events, module_events, values, arrivals } = workspace;
        let head = view.engine.read::<EngineHead>(0);
        Executor {
            lane,
            patience,
            own,
            view,
            tables,
            catalogue,
            scratch,
            head,
            cables,
            cable_plans,
            events,
            transport: Transport::default(),
            heard: Vec::with_capacity(FRAMES_MAX),
            module_events,
            values,
            arrivals,
            scrubbed: 0,
            recovery: Recovery::default(),
            #[cfg(feature = "faults")]
            generation: 0,
        }
    }

    /// What a follower must not do as its predecessors did.
    pub(crate) fn recovery_mut(&mut self) -> &mut Recovery {
        &mut self.recovery
    }

    /// The lane's segment, for its head's words.
    pub fn own(&self) -> &WriteMap {
        &self.own
    }

    /// The lane's segment, to write its head.
    pub fn own_mut(&mut self) -> &mut WriteMap {
        &mut self.own
    }

    /// The engine segment.
    pub fn engine(&self) -> &ReadMap {
        &self.view.engine
    }

    /// Computes `block` as far as it is not committed yet, and announces it.
    pub fn run_block(&mut self, block: Block) -> BlockReport {
        fpu::flush_denormals();
        let mut report = BlockReport::default();
        if let Some((flip, plan)) = self.plan_for(block) {
            self.read_events(block);
            self.transport = transport(&self.view.engine, block);
            self.read_heard(block);
            for index in 0..self.modules_of(plan) {
                let module = self.module_of(flip, plan, index);
                self.run_module(flip, plan, &module, block, &mut report);
                if report.is_stopped {
                    return report;
                }
            }
        }
        self.own.word(lane::RUNNING).store(lane::NOBODY, Ordering::Relaxed);
        let done = block + 1;
        #[cfg(feature = "faults")]
        let done = self.told(done);
        self.publish_done(done);
        report
    }

    /// Tells that `done` blocks are finished.
    pub(crate) fn publish_done(&self, done: Block) {
        // SYNC lane-done: pairs with the conductor's wait and with an attach after a failover.
        self.own.publish(lane::DONE, done);
        let conductors = self.view.engine.word(engine::AWAITED);
        let is_awaited = || conductors.load(Ordering::Relaxed) == u32::from(self.lane.0) + 1;
        handshake::tell::<Cpu>(is_awaited, || self.own.wake(lane::DONE));
    }

    /// Tells that what was due as this worker attached is finished: when, for the figures.
    pub(crate) fn tell_caught_up(&mut self) {
        self.own.write(lane::CAUGHT_UP, now_ns());
    }

    /// The plan that is valid for `block`: its first block, and where it lies.
    pub(crate) fn plan_for(&self, block: Block) -> Option<(Block, usize)> {
        plans::valid_for(&self.view.engine, usize::from(self.lane.0), block)
    }

    /// How many modules a plan has.
    pub(crate) fn modules_of(&self, plan: usize) -> usize {
        plans::modules_of(&self.view.engine, plan)
    }

    /// The module that stands at `index` of a plan that became valid at `flip`.
    pub(crate) fn module_of(&self, flip: Block, plan: usize, index: usize) -> ModulePlan {
        plans::module_of(&self.view.engine, flip, plan, index)
    }

    fn read_events(&mut self, block: Block) {
        self.events.clear();
        let at = engine::events(usize::from(self.lane.0), block);
        let tag = self.view.engine.count(at + std::mem::offset_of!(EventBlock, block)).load();
        if tag != block + 1 {
            return;
        }
        let count: u32 = self.view.engine.read(at + std::mem::offset_of!(EventBlock, count));
        let first = at + std::mem::offset_of!(EventBlock, events);
        for index in 0..(count as usize).min(BLOCK_EVENTS_MAX) {
            self.events.push(self.view.engine.read(first + index * size_of::<LaneEvent>()));
        }
    }

    fn read_heard(&mut self, block: Block) {
        self.heard.clear();
        let at = engine::heard(block);
        if self.view.engine.count(at + std::mem::offset_of!(HeardBlock, block)).load() == block + 1 {
            self.heard.resize((self.head.frames as usize).min(FRAMES_MAX), [0.0; 2]);
            if !self.view.engine.copy(at + std::mem::offset_of!(HeardBlock, frames), &mut self.heard) {
                self.heard.clear();
            }
        }
    }

    fn run_module(&mut self, flip: Block, plan: usize, module: &ModulePlan, block: Block, report: &mut BlockReport) {
        let head_at = module.head_at as usize * GRAIN;
        // SYNC module-count: what a predecessor committed before it died is not computed again.
        if handshake::is_committed(self.own.count(head_at), block) {
            // It may have died before it told.
            self.tell_listeners(module, head_at);
            return;
        }
        let is_idle = self.recovery.is_quarantined(module);
        let running = if is_idle { lane::NOBODY } else { module.slot.0 };
        self.own.word(lane::RUNNING).store(running, Ordering::Relaxed);
        self.read_cables(flip, plan, module, block);
        #[cfg(feature = "faults")]
        self.fault(Phase::Read, flip, module, block);
        if !self.await_inputs(block, module.first_cable as usize, report) {
            report.is_stopped = true;
            return;
        }
        let started_ns = now_ns();
        if block == module.birth {
            self.touch(module);
        }
        let is_new = block == module.birth || self.recovery.takes_spoilt(module.slot);
        if self.compute(plan, module, block, is_idle, is_new, report).is_none() {
            report.unfit += 1;
        }
        if block > 0 && (self.recovery.has_just_left(module, is_idle) || is_new && self.own.count(head_at) > 0) {
            self.join(module, block);
        }
        self.seal(module, head_at, block);
        #[cfg(feature = "faults")]
        self.fault(Phase::Commit, flip, module, block);
        let busy_ns = now_ns() - started_ns;
        report.busy_ns += busy_ns;
        self.own.word(head_at + std::mem::offset_of!(ModuleHead, busy_ns)).store(busy_ns as u32, Ordering::Relaxed);
        #[cfg(feature = "faults")]
        if self.is_withheld(flip, module, block) {
            return;
        }
        // SYNC module-count: the commit. Pairs with await_inputs in other lanes and with the skip above after a failover.
        self.own.publish(head_at, block + 1);
        #[cfg(feature = "faults")]
        self.fault(Phase::Committed, flip, module, block);
        self.tell_listeners(module, head_at);
    }

    /// Wakes the lanes that sleep for a block of the module.
    fn tell_listeners(&self, module: &ModulePlan, head_at: usize) {
        if module.listeners != 0 {
            handshake::tell::<Cpu>(|| self.is_awaited(module), || self.own.wake(head_at));
        }
    }

    /// Whether a lane that hears the module sleeps for it.
    fn is_awaited(&self, module: &ModulePlan) -> bool {
        let name = lane::awaited(self.lane.0, module.head_at);
        let mut listeners = module.listeners;
        while listeners != 0 {
            let listener = listeners.trailing_zeros() as usize;
            listeners &= listeners - 1;
            if self.view.lanes.get(listener).is_some_and(|map| map.read::<u64>(lane::AWAITS) == name) {
                return true;
            }
        }
        false
    }

    /// Brings what a new module writes in every block into this process, so that later blocks do not fault. Not its tape: 2 MB of it
    /// would take longer than a block. Its pages come one by one as its head first passes, a microsecond each.
    fn touch(&self, module: &ModulePlan) {
        let range = |at: u32, bytes: usize| at as usize * GRAIN..at as usize * GRAIN + bytes;
        let ring = module.output_samples as usize * tine_protocol::segment::RING_BLOCKS * size_of::<f32>();
        self.own.populate(range(module.state_at, 2 * module.state_bytes as usize));
        self.own.populate(range(module.outputs_at, ring));
    }

    fn read_cables(&mut self, flip: Block, plan: usize, module: &ModulePlan, block: Block) {
        self.cables.clear();
        self.cable_plans.clear();
        let first = plan + std::mem::offset_of!(LanePlan, cables);
        let end = (module.first_cable + module.cables).min(LANE_CABLES_MAX as u32);
        for index in module.first_cable..end {
            let at = first + index as usize * size_of::<CablePlan>();
            let cable = self.view.engine.read::<CablePlan>(at).resolved(flip);
            let gain = cable.gain_at(block, self.head.fade_blocks);
            let channels = usize::from(cable.channels).clamp(1, CHANNELS_MAX);
            self.cables.push(Cable { input: usize::from(cable.input), channels, gain });
            self.cable_plans.push(cable);
        }
    }

    /// Waits for the sources on other lanes. False if the engine ends meanwhile.
    fn await_inputs(&mut self, block: Block, first_cable: usize, report: &mut BlockReport) -> bool {
        for (index, cable) in self.cable_plans.iter().enumerate() {
            let needed = block + 1 - u64::from(cable.delay.min(1));
            if cable.lane == self.lane.0 || needed <= cable.source_birth {
                continue;
            }
            let Some(source) = self.view.lanes.get(usize::from(cable.lane)) else { continue };
            // SYNC module-count: pairs with the commit in run_module.
            let count = source.count(cable.head_at as usize * GRAIN);
            match self.patience {
                Patience::Wait if !self.wait_for(count, needed, cable) => return false,
                Patience::Wait => {}
                Patience::GoOn => {
                    let is_late = count.load() < needed;
                    report.late += u32::from(is_late);
                    if let Some(arrival) = self.arrivals.get_mut(first_cable + index) {
                        *arrival = arrival.next(is_late);
                    }
                }
            }
        }
        true
    }

    /// Sleeps until `count`, that of the cable's source, has reached `needed`, after looking as often as the plan says. False if the
    /// engine ends meanwhile.
    fn wait_for(&self, count: ReadCount<'_>, needed: u64, cable: &CablePlan) -> bool {
        for _ in 0..cable.spins {
            if count.load() >= needed {
                return true;
            }
            std::hint::spin_loop();
        }
        if count.load() >= needed {
            return true;
        }
        // A block that was computed by the plan before this one wakes only those that heard it then.
        let look_ns = if cable.delay == 0 { QUIT_CHECK_NS } else { LOOP_CHECK_NS };
        let name = lane::awaited(cable.lane, cable.head_at);
        let say = |sleeps| self.own.publish(lane::AWAITS, if sleeps { name } else { 0 });
        handshake::sleep_until::<Cpu, _>(&count, say, |seen| {
            if seen >= needed {
                Look::Go(true)
            } else if self.view.engine.word(engine::QUIT).load(Ordering::Relaxed) != 0 {
                Look::Go(false)
            } else {
                Look::Sleep(Some(now_ns() + look_ns))
            }
        })
    }

    /// What stands around a module's fault point.
    #[cfg(feature = "faults")]
    fn situation(&self, flip: Block, module: &ModulePlan, block: Block) -> Situation<'static> {
        Situation {
            kind: self.catalogue.get(usize::from(module.kind)).map_or("", |kind| kind.spec.name),
            lane: self.lane.0,
            block,
            is_flip: flip == block && block > 0,
            is_fading: self.cables.iter().any(|cable| cable.gain.resting().is_none()),
            has_event: self.events.iter().any(|event| event.slot == module.slot),
        }
    }

    /// Where a test may have ordered a fault.
    #[cfg(feature = "faults")]
    fn fault(&mut self, phase: Phase, flip: Block, module: &ModulePlan, block: Block) {
        // The code of a module that is passed by is not run: it can do nothing wrong.
        if self.recovery.is_quarantined(module) {
            return;
        }
        let (generation, now) = (self.generation, self.situation(flip, module, block));
        if phase == Phase::Commit && faults::is_half_done(generation, now) {
            // As a worker leaves it that dies in the middle of `process`.
            let outputs = lane::sample(module.outputs_at, module.output_samples, block);
            let outputs = outputs..outputs + module.output_samples as usize * size_of::<f32>();
            if let Some([state, outputs]) = self.own.slices_mut([bank(module, block), outputs]) {
                let (state_bytes, output_bytes) = (state.len(), outputs.len());
                state[state_bytes / 2..].fill(0x5a);
                outputs[output_bytes / 2..].fill(0x5a);
            }
            faults::at(Phase::Process, generation, now);
        }
        if ["scribble", "garbage"].iter().any(|fault| faults::is_ordered(fault, phase, generation, now)) {
            // Whatever a wild pointer may reach: counts, states, outputs, the lane's own head.
            faults::scribble(self.own.slice_mut(0, 256 << 10), block);
        }
        faults::at(phase, generation, now);
    }

    /// Whether the module's block is not to be committed.
    #[cfg(feature = "faults")]
    fn is_withheld(&self, flip: Block, module: &ModulePlan, block: Block) -> bool {
        faults::is_ordered("withhold", Phase::Commit, self.generation, self.situation(flip, module, block))
    }

    /// What the lane is to tell in place of `done`.
    #[cfg(feature = "faults")]
    fn told(&self, done: Block) -> Block {
        let now = Situation { lane: self.lane.0, block: done, ..Situation::default() };
        let is_ordered = |fault| faults::is_ordered(fault, Phase::Between, self.generation, now);
        let mut missing = 1;
        while is_ordered("flap") {
            self.own.publish(lane::DONE, done.saturating_sub(missing));
            missing = 3 - missing;
        }
        match done {
            _ if is_ordered("ahead") => done + 100,
            _ if is_ordered("behind") => done.saturating_sub(9),
            _ => done,
        }
    }

    /// Writes the checksum of the bank that the block leaves.
    fn seal(&mut self, module: &ModulePlan, head_at: usize, block: Block) {
        let Some([state]) = self.own.slices_mut([bank(module, block)]) else { return };
        let sum = checksum(state, block);
        self.own.write(head_at + std::mem::offset_of!(ModuleHead, checksums) + (block & 1) as usize * 8, sum);
    }

    /// Leads over from what the module gave in the block before to what it gives now that it begins anew or is passed by.
    fn join(&mut self, module: &ModulePlan, block: Block) {
        let frames = self.head.frames as usize;
        let width = Shape::new(usize::from(module.channels).clamp(1, CHANNELS_MAX)).width;
        let ring = |block| {
            let at = lane::sample(module.outputs_at, module.output_samples, block);
            at..at + module.output_samples as usize * size_of::<f32>()
        };
        let Some([before, now]) = self.own.slices_mut([ring(block - 1), ring(block)]) else { return };
        if let (Ok(before), Ok(now)) = (bytemuck::try_cast_slice_mut(before), bytemuck::try_cast_slice_mut(now)) {
            recovery::join(before, now, width, frames);
        }
    }

    fn compute(
        &mut self,
        plan: usize,
        module: &ModulePlan,
        block: Block,
        is_idle: bool,
        is_new: bool,
        report: &mut BlockReport,
    ) -> Option<()> {
        let kind = self.catalogue.get(usize::from(module.kind))?;
        let frames = self.head.frames as usize;
        let shape = Shape::new(usize::from(module.channels).clamp(1, CHANNELS_MAX));
        let values = &mut self.values[..(module.values as usize).min(PORTS_MAX)];
        let at = plan + std::mem::offset_of!(LanePlan, values) + module.first_value as usize * size_of::<f32>();
        if !self.view.engine.copy(at, values) {
            return None;
        }
        self.module_events.clear();
        let start = self.events.partition_point(|event| event.slot < module.slot);
        for event in self.events[start..].iter().take_while(|event| event.slot == module.slot) {
            let &LaneEvent { input, channel, frame, ramp_frames, value, .. } = event;
            self.module_events.push(Event { input, channel, frame, ramp_frames, value });
        }

        let outputs = lane::sample(module.outputs_at, module.output_samples, block);
        let tape = module.tape_at as usize * GRAIN;
        let tape_bytes = module.tape_frames as usize * module.tape_rings as usize * size_of::<f32>();
        let [before, state, outputs, tape] = self.own.slices_mut([
            bank(module, block + 1),
            bank(module, block),
            outputs..outputs + module.output_samples as usize * size_of::<f32>(),
            tape..tape + tape_bytes,
        ])?;
        if !fits(kind, shape, frames, state.len(), module) {
            return None;
        }
        if !is_new {
            state.copy_from_slice(before);
        }
        let mut sources = Fetcher {
            view: &self.view,
            cables: &self.cable_plans,
            arrivals: self.arrivals.get(module.first_cable as usize..).unwrap_or(&[]),
            block,
            frames,
        };
        let mut job = Job {
            shape,
            frames,
            rate_hz: self.head.rate_hz as f32,
            seed: module.seed,
            state,
            initial: values,
            is_new,
            tape: bytemuck::try_cast_slice_mut(tape).ok()?,
            tape_frames: module.tape_frames as usize,
            events: &self.module_events,
            cables: &self.cables,
            active: module.active_at(block, self.head.fade_blocks),
            is_idle,
            wanted: module.wanted,
            outputs: bytemuck::try_cast_slice_mut(outputs).ok()?,
            transport: self.transport,
            sounds: Sounds::new(self.view.sounds.as_ref().map_or(&[], |sounds| sounds.words())),
            heard: &self.heard,
        };
        let noticed = kind.run(&mut job, &mut self.scratch, self.tables, &mut sources);
        if noticed.scrubbed > 0 {
            report.scrubbed += noticed.scrubbed;
            self.note_scrubbed(module.slot, noticed.scrubbed);
        }
        Some(())
    }

    fn note_scrubbed(&mut self, slot: Slot, count: u32) {
        use tine_protocol::segment::LaneHead;
        self.scrubbed = self.scrubbed.wrapping_add(count);
        self.own.word(std::mem::offset_of!(LaneHead, scrubbed_slot)).store(slot.0, Ordering::Relaxed);
        self.own.word(std::mem::offset_of!(LaneHead, scrubbed)).store(self.scrubbed, Ordering::Release);
    }
}

/// Musical time of `block`, as the conductor wrote it before it started the block.
fn transport(engine: &ReadMap, block: Block) -> Transport {
    let TempoBlock { block: tag, beat, beats_per_frame } = engine.read(engine::tempo(block));
    if tag == block + 1 { Transport { beat, beats_per_frame } } else { Transport::default() }
}

/// Where the state of a module lies after `block`.
pub(crate) fn bank(module: &ModulePlan, block: Block) -> std::ops::Range<usize> {
    let start = module.state_at as usize * GRAIN + (block & 1) as usize * module.state_bytes as usize;
    start..start + module.state_bytes as usize
}

/// How long a worker sleeps at most before it looks whether the engine is ending. Only a lane whose source is lost gets here.
const QUIT_CHECK_NS: u64 = 50_000_000;

/// The same for a cable that closes a loop, whose source may be late with a block of the plan before.
const LOOP_CHECK_NS: u64 = 1_000_000;

/// Whether the plan gives the kind the room that it needs.
fn fits(kind: &Kind, shape: Shape, frames: usize, state: usize, module: &ModulePlan) -> bool {
    state == kind.state_bytes(shape)
        && module.output_samples as usize == kind.output_samples(shape, frames)
        && module.values as usize == kind.spec.params.len()
        && (module.tape_frames == 0
            || (module.tape_frames.is_power_of_two() && module.tape_rings as usize == shape.stride() * kind.tapes))
}
