//! The session: the one owner of the patch. Takes requests one after another, checks each whole, and has it applied whole.
//!
//! Runs on an ordinary thread. What it decides reaches the conductor as a batch; the asker is answered once every lane has computed
//! the batch's block.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam::channel::{Receiver, Sender};
use rtrb::{Consumer, Producer};
use tine_protocol::ids::{Block, LaneId};
use tine_protocol::plan::ModulePlan;
use tine_protocol::spec::{Role, Unit};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;
use tine_protocol::sys::sched;

use crate::answer::{Answer, Applied, Notice, Outcome};
use crate::batch::{Batch, DueEvent, Report, Telemetry};
use crate::bell::Bell;
use crate::clock::{FrameClock, monotonic_ns};
use crate::command::{Command, Control, Query, Request, When};
use crate::conductor::Watched;
use crate::conductor::tempo::{self, Tempo};
use crate::edit::{Draft, Gesture};
use crate::error::{PatchError, Refusal};
use crate::handle::{Inbox, Message, Reply};
use crate::history::{History, transition};
use crate::journal::{Journal, State};
use crate::memo::Memo;
use crate::mending::Trial;
use crate::model::{Catalogue, Model};
use crate::name::Name;
use crate::notices::Notices;
use crate::placement::Placer;
use crate::planner::Planner;
use crate::pool::{PoolEvent, PoolView};
use crate::sounds::Library;
use crate::stage::{Format, Room, Stage};
use crate::stall::Stalls;
use crate::stats::{LookedAt, Timings};
use crate::voices::Voices;

/// Requests that may wait for their time.
pub const SCHEDULE_MAX: usize = 4096;

/// Blocks before a late one's deadline in which a stall of the machine may have begun that made it late.
const STALL_REACH_BLOCKS: u64 = 4;

/// Questions that may wait for the requests that came before them.
const QUESTIONS_MAX: usize = 1024;

/// How far ahead of its block a scheduled request is handed to the conductor, in seconds; at least two blocks.
const HAND_OVER_S: f64 = 0.005;

/// What the session is given at its start.
pub struct Parts {
    /// Rate, block, lanes.
    pub format: Format,
    /// The kinds.
    pub catalogue: Catalogue,
    /// The plan area.
    pub planner: Planner,
    /// To the conductor.
    pub orders: Producer<Box<Batch>>,
    /// To the conductor: another output to look at.
    pub watches: Producer<Watched>,
    /// From the conductor.
    pub reports: Consumer<Report>,
    /// Nanoseconds that each cycle took.
    pub cycles: Consumer<u32>,
    /// Rings whenever there is something to do.
    pub bell: Arc<Bell>,
    /// From whoever asks.
    pub inbox: Inbox,
    /// What happens to the pool.
    pub pool_events: Receiver<PoolEvent>,
    /// To look at the pool and bind its workers.
    pub pool: PoolView,
    /// Chooses lanes and cores.
    pub placer: Placer,
    /// Stalls of the machine itself.
    pub stalls: Arc<Stalls>,
    /// The conductor's counters.
    pub telemetry: Arc<Telemetry>,
    /// Gives memory of a lane back to the system.
    pub release: Box<dyn Fn(&Room) + Send>,
    /// Makes the system provide memory of a lane.
    pub provide: Box<dyn Fn(&Room) + Send>,
    /// Carries out what concerns the engine rather than the patch.
    pub engine: Box<dyn EngineControl>,
    /// Outlives this process.
    pub memo: Memo,
    /// The engine segment, where the conductor writes the time of each block.
    pub transport: ReadMap,
    /// The sound files.
    pub library: Library,
    /// The block that is conducted first.
    pub first: Block,
    /// Keeps what happens on disk.
    pub journal: Journal,
}

/// What the session asks of the engine around it.
pub trait EngineControl: Send {
    /// Starts or stops a recording.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn record(&mut self, path: Option<&std::path::Path>) -> Result<(), Refusal>;
    /// More figures for `stats`.
    fn stats(&self) -> Vec<crate::answer::Stat>;
    /// The engine is to end.
    fn quit(&mut self);
}

/// What the conductor has to know of the engine's own module.
pub struct Begun {
    /// Where it lies.
    pub out_plan: ModulePlan,
    /// Samples of one of its ports in one block.
    pub out_port_samples: u32,
    /// Musical time, as its param says.
    pub tempo: Tempo,
}

/// A request that is on its way.
pub(crate) struct Waiting {
    outcomes: Vec<Outcome>,
    reply: Reply<Applied>,
    arrived_ns: u64,
    late_s: f64,
}

impl Waiting {
    fn has_created(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Created { .. }))
    }
}

/// A batch that the conductor has.
pub(crate) struct InFlight {
    pub waiting: Vec<Waiting>,
    pub freed: Vec<Room>,
    /// Memory that is provided once the asker has its answer: long tapes.
    pub later: Vec<Room>,
    pub syncs: Vec<Reply<()>>,
    pub has_plans: bool,
    /// The same as in the batch.
    pub events: Vec<DueEvent>,
}

/// A request that waits for its turn, and the frame it is due at (0: now).
pub(crate) struct Queued {
    request: Request,
    reply: Reply<Applied>,
    arrived_ns: u64,
    due_frame: u64,
    late_s: f64,
}

/// What is answered once all requests before it are decided.
enum Question {
    Query(Query, Reply<Answer>),
    Sync(Reply<()>),
}

/// The session's thread.
pub struct Session {
    pub(crate) parts: Parts,
    pub(crate) model: Model,
    pub(crate) stage: Stage,
    pub(crate) notices: Notices,
    pub(crate) timings: Timings,
    /// The output that is looked at comes last.
    pub(crate) looked_at: Vec<LookedAt>,
    pub(crate) next_slot: u32,
    /// Which channel plays what.
    voices: Voices,
    /// Events that an engine before left on their way.
    pub(crate) left_events: Vec<DueEvent>,
    /// Where OSC is listened for.
    pub(crate) osc: Option<SocketAddr>,
    /// What is being recorded.
    pub(crate) recording: Option<PathBuf>,
    /// When this session began.
    pub(crate) began_ns: u64,
    /// Something has changed since [`Session::remember`].
    pub(crate) is_memo_old: bool,
    history: History,
    pub(crate) next_batch: u64,
    pub(crate) queue: VecDeque<Queued>,
    /// Requests that have left the queue.
    decided: u64,
    /// Questions, and how many requests are to have left the queue before each is answered.
    questions: VecDeque<(u64, Question)>,
    schedule: BTreeMap<(u64, u64), Queued>,
    next_scheduled: u64,
    pub(crate) in_flight: HashMap<u64, InFlight>,
    /// Memory to be provided after the next batch.
    pub(crate) later: Vec<Room>,
    /// The batch with plans that the conductor has not taken yet.
    pub(crate) untaken: Option<u64>,
    clock: FrameClock,
    observed_ns: u64,
    pub(crate) is_sounding: bool,
    /// Gestures on ports before the first frame.
    prelude: Vec<Gesture>,
    is_quitting: bool,
    /// Modules that are out of service, and when each is to be tried again.
    pub(crate) trials: Vec<Trial>,
}

impl Session {
    /// A session with this patch. Nothing sounds before [`Session::start_sound`].
    pub fn new(parts: Parts, State { model, next_slot }: State) -> Session {
        let stage = Stage::new(parts.format, parts.catalogue);
        let clock = FrameClock::new(parts.format.rate_hz, parts.first * parts.format.frames as u64);
        let mut session = Session {
            parts,
            model,
            stage,
            notices: Notices::default(),
            timings: Timings::default(),
            looked_at: Vec::new(),
            next_slot,
            voices: Voices::default(),
            left_events: Vec::new(),
            osc: None,
            recording: None,
            began_ns: now_ns(),
            is_memo_old: false,
            history: History::default(),
            next_batch: 1,
            queue: VecDeque::new(),
            decided: 0,
            questions: VecDeque::new(),
            schedule: BTreeMap::new(),
            next_scheduled: 0,
            in_flight: HashMap::new(),
            later: Vec::new(),
            untaken: None,
            clock,
            observed_ns: 0,
            is_sounding: false,
            prelude: Vec::new(),
            is_quitting: false,
            trials: Vec::new(),
        };
        session.seat_restored();
        session
    }

    /// Serves until somebody quits, or every door is closed. Sound begins when `begin` says so; `begun` is told where the engine's
    /// own module lies.
    pub fn run(mut self, begin: &Receiver<()>, begun: &Sender<Result<Begun, PatchError>>) {
        // Without the right a busy machine delays answers; sound is not touched.
        let _ = sched::set_fifo(0, sched::priority::CONTROL);
        while !self.is_quitting {
            let rings = self.parts.bell.rings();
            if begin.try_recv().is_ok() {
                // The engine waits for this; if it gave up, it is about to close the door.
                let _ = begun.send(self.start_sound());
            }
            self.hear_conductor();
            self.hear_pool();
            self.hear_journal();
            if !self.hear_inbox() {
                break;
            }
            self.take_due();
            self.work_off();
            self.answer_questions();
            self.try_again();
            self.tidy();
            if self.is_memo_old && self.is_sounding {
                self.remember();
            }
            if !self.is_quitting && self.parts.bell.rings() == rings {
                self.parts.bell.wait(rings, self.next_look_ns());
            }
        }
        self.notices.tell(&Notice::Ending, None);
        let closed = self.queue.drain(..).chain(std::mem::take(&mut self.schedule).into_values());
        for queued in closed {
            (queued.reply)(Err(Refusal::Closed));
        }
        for (_, question) in self.questions.drain(..) {
            question.refuse(Refusal::Closed);
        }
        self.parts.engine.quit();
        // The sound does not wait for the disk at its end either.
        let last = self.state();
        self.parts.journal.end(&last);
    }

    /// The patch as it stands becomes the first block. Until then requests change only the books.
    fn start_sound(&mut self) -> Result<Begun, PatchError> {
        self.stage.reserve(&self.model)?;
        self.parts.journal.begin(&self.state());
        self.follow(true);
        let events = std::mem::take(&mut self.prelude);
        self.post(events, 0, Vec::new(), Vec::new());
        self.is_sounding = true;
        let (out_plan, out_port_samples) = self.stage.engine_module().expect("the engine's own module is always there");
        Ok(Begun { out_plan, out_port_samples, tempo: self.tempo() })
    }

    /// The tempo that the output module is set to.
    fn tempo(&self) -> Tempo {
        let output = self.model.modules().iter().find(|module| module.spec.role == Role::Output);
        let Some(output) = output else { return Tempo::default() };
        let param = output.spec.params.iter().position(|param| param.unit == Unit::BeatsPerMinute);
        let input = param.map(|param| (output.spec.inputs.len() + param) as u32);
        Tempo::new(output.slot, input, param.map_or(0.0, |param| output.params[param]))
    }

    fn hear_conductor(&mut self) {
        self.hear_cycles();
        while let Ok(report) = self.parts.reports.pop() {
            match report {
                Report::Taken(id, block) => {
                    if self.untaken == Some(id) {
                        self.untaken = None;
                        self.stage.resolve(block);
                        self.parts.planner.taken(block);
                    }
                }
                Report::Done(batch) => self.finish(&batch),
                Report::Late { late_ns, lane, running } => {
                    let module = running.and_then(|slot| self.model.by_slot(slot));
                    let name = module.filter(|module| module.lane == lane).map(|module| module.id.clone());
                    self.blame(name, late_ns);
                }
                Report::Missed(frames) => {
                    self.blame(None, frames * 1_000_000_000 / u64::from(self.parts.format.rate_hz));
                }
            }
        }
    }

    fn hear_cycles(&mut self) {
        while let Ok(took_ns) = self.parts.cycles.pop() {
            self.timings.record_cycle(took_ns);
        }
    }

    /// Every lane has computed the batch's block: answer, and give back what nobody reads any more.
    fn finish(&mut self, batch: &Batch) {
        let Some(done) = self.in_flight.remove(&batch.id) else { return };
        if done.has_plans {
            // Figures of cycles are those of the patch as it stands, without the block in which it changed.
            self.hear_cycles();
            self.timings.forget_cycles();
        }
        let frame = batch.block * self.parts.format.frames as u64;
        for waiting in done.waiting {
            if waiting.has_created() {
                let is_stalled = self.parts.stalls.stalled_ns(waiting.arrived_ns) > 0;
                self.timings.record_way([waiting.arrived_ns, batch.taken_ns, batch.done_ns], is_stalled);
            }
            self.answer(waiting, frame);
        }
        for sync in done.syncs {
            self.parts.journal.answer_after_all(sync);
        }
        for freed in done.freed {
            (self.parts.release)(&freed);
            self.stage.give_back(&freed);
        }
        for room in done.later {
            (self.parts.provide)(&room);
        }
        // They are in the lanes' hands: nobody has to send them again.
        self.is_memo_old |= !done.events.is_empty();
    }

    fn answer(&mut self, mut waiting: Waiting, frame: u64) {
        let took_ms = (now_ns() - waiting.arrived_ns) as f64 / 1e6;
        for outcome in &mut waiting.outcomes {
            if let Outcome::Created { took_ms: shown, .. } = outcome {
                *shown = took_ms;
                if self.is_sounding {
                    self.timings.record_create(took_ms);
                }
            }
        }
        let applied = Applied { outcomes: waiting.outcomes, late_s: waiting.late_s, frame };
        self.parts.journal.answer(waiting.reply, applied);
    }

    /// A block was late: by the machine's fault, if it stalled beside it, or by that of the module that was running.
    fn blame(&mut self, running: Option<Name>, late_ns: u64) {
        // From when the block was begun at the latest, to when its lateness is told.
        let begun_ns = now_ns().saturating_sub(late_ns + STALL_REACH_BLOCKS * self.parts.placer.block_ns);
        let is_machine = self.parts.stalls.stalled_at_most_ns(begun_ns) >= late_ns.max(1);
        self.timings.record_late(late_ns, is_machine);
        let blamed = running.filter(|_| !is_machine);
        self.notices.tell(&Notice::Xrun(blamed, late_ns as f32 / 1e6), None);
    }

    /// False when nobody can ask any more.
    fn hear_inbox(&mut self) -> bool {
        loop {
            match self.parts.inbox.try_recv() {
                Ok(Message::Request(request, reply)) => self.enqueue(request, reply),
                Ok(Message::Query(query, reply)) => self.ask(Question::Query(query, reply)),
                Ok(Message::Control(control, reply)) => self.control(control, reply),
                Ok(Message::Subscribe(origin, sender)) => self.notices.add(origin, sender),
                Err(crossbeam::channel::TryRecvError::Empty) => return true,
                Err(crossbeam::channel::TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn enqueue(&mut self, request: Request, reply: Reply<Applied>) {
        let arrived_ns = now_ns();
        let due = match request.when {
            When::Now => None,
            When::After(seconds) => Some(self.clock.frame_at(arrived_ns as f64 + seconds.max(0.0) * 1e9)),
            When::At(time) => Some(self.clock.frame_at(monotonic_ns(time))),
            When::NextBeat(beats) => self.frame_of_beat(beats).map(|frame| frame as f64),
        };
        let earliest = (self.parts.telemetry.blocks.load(Ordering::Acquire) + 1) * self.parts.format.frames as u64;
        let (due_frame, late_s) = match due {
            None => (0, 0.0),
            Some(due) if due < earliest as f64 => {
                let now = self.clock.frame_at(arrived_ns as f64);
                // What is due within the block that is being computed is early enough for anybody's ear.
                let late_frames = now - due;
                (0, if late_frames > 0.0 { late_frames / f64::from(self.parts.format.rate_hz) } else { 0.0 })
            }
            Some(due) => (due.round() as u64, 0.0),
        };
        let queued = Queued { request, reply, arrived_ns, due_frame, late_s };
        if due_frame == 0 || !self.is_sounding {
            self.queue.push_back(queued);
        } else if self.schedule.len() < SCHEDULE_MAX {
            self.next_scheduled += 1;
            self.schedule.insert((due_frame, self.next_scheduled), queued);
        } else {
            self.timings.refused_busy += 1;
            (queued.reply)(Err(Refusal::Busy));
        }
    }

    /// The frame at which the transport next reaches a multiple of `beats`, far enough ahead to be met; `None` while it stands.
    fn frame_of_beat(&self, beats: u32) -> Option<u64> {
        let blocks = self.parts.telemetry.blocks.load(Ordering::Acquire);
        let newest = tempo::newest(&self.parts.transport, blocks)?;
        let frames = self.parts.format.frames as u64;
        let earliest = (blocks + 2) * frames;
        let step = f64::from(beats.max(1));
        let beat = newest.beat + newest.beats_per_frame * earliest.saturating_sub((newest.block - 1) * frames) as f64;
        // What is a frame past a beat is that beat: it was meant, and reached by rounding.
        let next = ((beat - newest.beats_per_frame) / step).ceil() * step;
        let ahead = ((next - newest.beat) / newest.beats_per_frame).round().max(0.0);
        (newest.beats_per_frame > 0.0).then(|| (newest.block - 1) * frames + ahead as u64)
    }

    fn control(&mut self, control: Control, reply: Reply<()>) {
        match control {
            Control::RecordStart(path) => {
                let outcome = self.parts.engine.record(Some(&path));
                if outcome.is_ok() {
                    (self.recording, self.is_memo_old) = (Some(path), true);
                }
                reply(outcome);
            }
            Control::RecordStop => {
                (self.recording, self.is_memo_old) = (None, true);
                reply(self.parts.engine.record(None));
            }
            Control::Restart(worker) => reply(match self.parts.pool.doors().get(usize::from(worker)) {
                Some(door) if door.is_open => {
                    self.parts.pool.restart(LaneId(worker));
                    Ok(())
                }
                _ => {
                    let count = self.parts.pool.doors().iter().filter(|door| door.is_open).count() as u16;
                    Err(Refusal::Rejected { index: 0, error: PatchError::NoWorker { worker, count } })
                }
            }),
            Control::DeviceSays(says) => {
                self.notices.tell(&Notice::Device(says), None);
                reply(Ok(()));
            }
            Control::Listening(address) => {
                (self.osc, self.is_memo_old) = (Some(address), true);
                reply(Ok(()));
            }
            Control::ClearSchedule => {
                for queued in std::mem::take(&mut self.schedule).into_values() {
                    (queued.reply)(Err(Refusal::Closed));
                }
                reply(Ok(()));
            }
            Control::Sync => self.ask(Question::Sync(reply)),
            Control::Quit => {
                self.is_quitting = true;
                reply(Ok(()));
            }
        }
    }

    /// Moves what is due soon from the schedule to the queue.
    fn take_due(&mut self) {
        let blocks = self.parts.telemetry.blocks.load(Ordering::Acquire);
        let started_ns = self.parts.telemetry.started_ns.load(Ordering::Relaxed);
        if blocks > 0 && started_ns != 0 && started_ns != self.observed_ns {
            let elapsed_s = started_ns.saturating_sub(self.observed_ns) as f64 / 1e9;
            // `blocks` counts finished ones while none is being computed, and the one being computed otherwise; the line takes
            // the earliest, so the latter.
            let frame = (blocks - 1) * self.parts.format.frames as u64;
            let is_between = self.parts.telemetry.blocks.load(Ordering::Acquire) == blocks;
            if is_between {
                self.clock.observe(frame, started_ns, elapsed_s);
                self.observed_ns = started_ns;
            }
        }
        let horizon = self.clock.frame_at(now_ns() as f64 + self.hand_over_ns() as f64);
        while let Some(entry) = self.schedule.first_entry() {
            if entry.key().0 as f64 > horizon {
                break;
            }
            self.queue.push_back(entry.remove());
        }
    }

    /// Works off the queue, as far as the conductor can follow: all that is due at once becomes one batch.
    fn work_off(&mut self) {
        while self.untaken.is_none() && !self.queue.is_empty() {
            let mut waiting = Vec::new();
            let mut gestures = Vec::new();
            let due_frame = self.queue.front().map_or(0, |queued| queued.due_frame);
            while self.queue.front().is_some_and(|queued| queued.due_frame == due_frame) {
                let Some(queued) = self.queue.pop_front() else { break };
                self.decided += 1;
                match self.decide(&queued) {
                    Err(refusal) => {
                        let is_busy = refusal == Refusal::Busy;
                        *(if is_busy { &mut self.timings.refused_busy } else { &mut self.timings.refused }) += 1;
                        (queued.reply)(Err(refusal));
                    }
                    Ok(decided) => {
                        self.notices.tell_changes(&self.model, &decided.model, queued.request.origin);
                        gestures.extend(decided.gestures);
                        let Queued { request, reply, arrived_ns, late_s, .. } = queued;
                        let (before, now) = ((&self.model, self.next_slot), (&decided.model, decided.next_slot));
                        self.parts.journal.accept(before, request.commands, now);
                        self.model = decided.model;
                        self.next_slot = decided.next_slot;
                        self.voices = decided.voices;
                        waiting.push(Waiting { outcomes: decided.outcomes, reply, arrived_ns, late_s });
                    }
                }
            }
            if waiting.is_empty() {
                continue;
            }
            if !self.is_sounding {
                self.prelude(gestures);
                self.stage.release();
                for done in waiting {
                    self.answer(done, 0);
                }
                continue;
            }
            let freed = self.follow(false);
            self.post(gestures, due_frame, waiting, freed);
        }
    }

    /// Takes a question, which does not overtake the requests that came before it.
    fn ask(&mut self, question: Question) {
        if self.questions.len() < QUESTIONS_MAX {
            self.questions.push_back((self.decided + self.queue.len() as u64, question));
        } else {
            self.timings.refused_busy += 1;
            question.refuse(Refusal::Busy);
        }
    }

    /// Answers the questions whose turn has come.
    fn answer_questions(&mut self) {
        while let Some((_, question)) = self.questions.pop_front_if(|(after, _)| *after <= self.decided) {
            match question {
                Question::Query(query, reply) => reply(self.answer_query(&query)),
                Question::Sync(reply) => match self.in_flight.keys().max().copied() {
                    Some(last) => self.in_flight.get_mut(&last).expect("just found").syncs.push(reply),
                    None => self.parts.journal.answer_after_all(reply),
                },
            }
        }
    }

    /// What a request would do; changes nothing but the room it reserves.
    fn decide(&mut self, queued: &Queued) -> Result<Decided, Refusal> {
        if !self.parts.journal.has_room() {
            return Err(Refusal::Busy);
        }
        let commands = &queued.request.commands;
        let rejected = |index| move |error| Refusal::Rejected { index, error };
        if let Some((index, steps, is_undo)) = commands.iter().enumerate().find_map(|(index, command)| match command {
            Command::Undo(steps) => Some((index, *steps, true)),
            Command::Redo(steps) => Some((index, *steps, false)),
            _ => None,
        }) {
            return self.undo(steps, is_undo).map_err(rejected(index));
        }
        let doors = self.parts.pool.doors();
        let mut placer = |model: &Model, placement: &crate::command::Placement| {
            self.parts.placer.choose(model, placement, &self.stage, &doors)
        };
        let library = &mut self.parts.library;
        let mut sounds = |kind: u16, path: &std::path::Path| library.place(kind, path);
        let mut draft = Draft::new(&self.model, self.next_slot, self.parts.catalogue, &mut placer, &mut sounds);
        draft.voices = self.voices.clone();
        for (index, command) in commands.iter().enumerate() {
            draft.apply(command).map_err(rejected(index))?;
        }
        let Draft { model, gestures, outcomes, next_slot, mut voices, .. } = draft;
        voices.keep(|slot| model.by_slot(slot).is_some());
        self.stage.reserve(&model).map_err(rejected(commands.len().saturating_sub(1)))?;
        self.history.record(&self.model, &model);
        Ok(Decided { model, gestures, outcomes, next_slot, voices })
    }

    fn undo(&mut self, steps: usize, is_undo: bool) -> Result<Decided, PatchError> {
        let (target, count) = self.history.step(&self.model, steps, is_undo)?;
        let (model, gestures) = transition(&self.model, target);
        self.stage.reserve(&model)?;
        let outcomes = vec![Outcome::Undone { count }];
        let voices = self.voices.clone();
        Ok(Decided { model, gestures, outcomes, next_slot: self.next_slot, voices })
    }

    /// Before the first frame a set value is simply the first value.
    fn prelude(&mut self, gestures: Vec<Gesture>) {
        for gesture in gestures {
            let Some(module) = self.model.by_slot(gesture.slot) else { continue };
            if (gesture.input as usize) < module.spec.inputs.len() || gesture.input == u32::MAX {
                self.prelude.push(gesture);
            } else {
                self.model.change(gesture.slot, |module| module.initial = module.params.clone().into());
            }
        }
    }

    fn hand_over_ns(&self) -> u64 {
        ((HAND_OVER_S * 1e9) as u64).max(2 * self.parts.placer.block_ns)
    }

    /// When to look again though nobody rings.
    fn next_look_ns(&self) -> Option<u64> {
        let hand_over_ns = self.hand_over_ns();
        let scheduled =
            self.schedule.keys().next().map(|&(frame, _)| self.clock.when_ns(frame).saturating_sub(hand_over_ns));
        let fading = (self.stage.is_fading() || self.schedule.len() > 1).then(|| now_ns() + 5_000_000);
        // Now and then anyway, to lead the clock along.
        let idle = Some(now_ns() + 500_000_000);
        let trial = self.trials.iter().map(|trial| trial.due_ns).min();
        let soon = |at: u64| at.max(now_ns() + 100_000);
        [scheduled.map(soon), trial.map(soon), fading, idle].into_iter().flatten().min()
    }
}

impl Question {
    fn refuse(self, refusal: Refusal) {
        match self {
            Question::Query(_, reply) => reply(Err(refusal)),
            Question::Sync(reply) => reply(Err(refusal)),
        }
    }
}

/// What a request comes to.
struct Decided {
    model: Model,
    gestures: Vec<Gesture>,
    outcomes: Vec<Outcome>,
    next_slot: u32,
    voices: Voices,
}
