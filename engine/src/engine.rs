//! Puts the engine together: maps the segments, starts pool, session, conductor and device, and takes them down again.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, bounded};
use rtrb::{Consumer, Producer, RingBuffer};
use thiserror::Error;
use tine_modules::Kind;
use tine_protocol::ids::LaneId;
use tine_protocol::segment::{EngineHead, LANE_BYTES, engine};
use tine_protocol::sys::alarm::Alarm;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::{self, ReadMap, SealedMap, WriteMap};
use tine_protocol::sys::{process, sched};
use tine_worker::executor::{Executor, Patience, View, Workspace};
use tine_worker::inherit::Inherited;

use crate::answer::Stat;
use crate::batch::{Batch, CYCLES_MAX, PENDING_MAX, Report, Telemetry};
use crate::bell::Bell;
use crate::command::Control;
use crate::conductor::{Conductor, Listener, Pace, Watched};
use crate::device::{DeviceError, Wish};
use crate::error::{PatchError, Refusal};
use crate::feed::SIDES;
use crate::handle::Handle;
use crate::journal::{self, Found, Journal, OpenError, Opened, State};
use crate::memo::{Memo, Unfit};
use crate::model::Catalogue;
use crate::outlet::{self, ConductorEnd, Outlets, Way};
use crate::placement::{Placer, Policy};
use crate::planner::Planner;
use crate::pool::{self, PoolConfig};
use crate::recorder::{self, Recorder, Tap};
use crate::resume::Resumed;
use crate::session::{Begun, EngineControl, Parts, Session};
use crate::sounds::Library;
use crate::stage::{Format, Room};
use crate::stall;

/// A lane that stands still for so many blocks hangs: early enough for its follower to catch up from what the last eight blocks left.
const HANG_BLOCKS: u64 = 3;

/// But not sooner: the machine holds threads up for a millisecond or two.
const LIVE_HANG_NS: u64 = 3_000_000;

/// How long a lane may take for a block until somebody looks whether it hangs; a block's time, if that is longer.
const LIVE_LOOK_NS: u64 = 1_000_000;

/// The same offline, where nothing is urgent and a block may be long.
const FREE_HANG_NS: u64 = 500_000_000;

/// How the engine is to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Workers that are always there; the pool may grow to as many as there are lanes.
    pub workers: usize,
    /// Spares to keep.
    pub spares: usize,
    /// Blocks to be ahead of the device.
    pub lead: u32,
    /// How modules are spread over workers.
    pub policy: Policy,
    /// Where sound goes; `None`: nowhere, as fast as it goes.
    pub wish: Option<Wish>,
    /// The file that is recorded from frame 0.
    pub record: Option<PathBuf>,
    /// Ends after this much sound.
    pub seconds: Option<f64>,
    /// The folder that the session lies in; `None`: it ends with the engine.
    pub session: Option<PathBuf>,
}

/// Why the engine did not start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A segment, thread or process could not be made.
    #[error("{0}")]
    System(#[from] io::Error),
    /// No device.
    #[error("{0}")]
    Device(#[from] DeviceError),
    /// No recording.
    #[error("{0}")]
    Record(#[from] recorder::RecordError),
    /// The pool was not ready: the zygote ended.
    #[error("the workers did not start")]
    NoPool,
    /// The session cannot be used.
    #[error("{0}")]
    Session(#[from] OpenError),
    /// The patch does not fit the lanes.
    #[error("{0}")]
    Patch(#[from] PatchError),
    /// The engine before left what this one cannot go on from.
    #[error("{0}")]
    Resume(#[from] Unfit),
}

/// An engine whose pool is ready. It takes requests; sound begins with [`Engine::play`].
pub struct Engine {
    /// The door to its session.
    pub handle: Handle,
    /// The engine before, where one died: its patch is this one's.
    pub before: Option<Before>,
    config: Config,
    found: Option<Found>,
    format: Format,
    stopping: Arc<AtomicBool>,
    ended: Receiver<()>,
    session: JoinHandle<()>,
    begin: crossbeam::channel::Sender<()>,
    begun: Receiver<Result<Begun, PatchError>>,
    stand: Option<Stand>,
    /// What devices have taken.
    taken: Arc<outlet::Books>,
    recording: Arc<Mutex<Option<Recorder>>>,
    conductor: Option<JoinHandle<WriteMap>>,
    outlets: Option<Outlets>,
    pool_stop: OwnedFd,
    supervisor: JoinHandle<()>,
    _watch: Option<stall::Watch>,
    telemetry: Arc<Telemetry>,
    figures: Arc<Mutex<Vec<Figures>>>,
}

/// Someone who has figures for `stats`.
pub type Figures = Box<dyn Fn() -> Vec<Stat> + Send>;

/// What the conductor will stand on, once sound begins.
struct Stand {
    control: WriteMap,
    lanes: Vec<ReadMap>,
    out: Executor<'static>,
    orders: Consumer<Box<Batch>>,
    reports: Producer<Report>,
    cycles: Producer<u32>,
    bell: Arc<Bell>,
    alarm: Arc<Alarm>,
    telemetry: Arc<Telemetry>,
    listener_orders: Consumer<Option<Box<dyn Listener>>>,
    listeners_back: Producer<Box<dyn Listener>>,
    watch_orders: Consumer<Watched>,
    active: Vec<LaneId>,
}

/// What is known of the engine before, where one died.
#[derive(Clone, Debug)]
pub struct Before {
    /// Where it listened for OSC.
    pub osc: Option<SocketAddr>,
    /// What it was recording.
    pub recording: Option<PathBuf>,
    /// How many there were.
    pub engines: u32,
    /// When it died, on the monotonic clock.
    pub died_ns: u64,
    /// The first block that is computed anew.
    first: u64,
}

impl Engine {
    /// Starts everything but sound, on what the keeper handed over.
    ///
    /// # Errors
    /// If the system refuses something, or the pool does not come up.
    pub fn start(inherited: Inherited, config: Config, catalogue: &'static [Kind]) -> Result<Engine, EngineError> {
        let Inherited { socket, engine: engine_fd, tables, memo, sounds, lanes } = inherited;
        let engine_view = ReadMap::new(&engine_fd, engine::BYTES)?;
        let head: EngineHead = engine_view.read(0);
        let format = Format {
            rate_hz: head.rate_hz,
            frames: head.frames as usize,
            fade_blocks: head.fade_blocks,
            lanes: lanes.len() as u16,
        };
        let resumed = Resumed::find(&memo, &engine_view)?;
        let first = resumed.as_ref().map_or(0, |resumed| resumed.first);
        let before = resumed.as_ref().map(|resumed| Before {
            osc: resumed.remembered.osc,
            recording: resumed.remembered.recording.clone(),
            engines: head.incarnation,
            died_ns: head.died_ns,
            first,
        });
        let active = resumed.as_ref().map(|resumed| resumed.active.clone()).unwrap_or_default();
        let bell = Arc::new(Bell::default());
        // What sounded last, if an engine died; else what is on disk, if anything is.
        let kinds = Catalogue(catalogue);
        let known = resumed.as_ref().map(|resumed| resumed.remembered.state(kinds)).transpose()?;
        let (state, journal, found) = match &config.session {
            None => (known.unwrap_or_else(|| State::new(kinds, format.out_lane())), Journal::default(), None),
            Some(folder) => {
                let opened = journal::open(folder, known, kinds, format.out_lane(), &bell)?;
                let Opened { state, journal, found } = opened;
                (state, journal, Some(found))
            }
        };
        let mut state = state;
        let mut library = Library::new(&sounds, kinds, format.rate_hz as f32, format.frames, &state.model)?;
        for error in library.load(&mut state.model) {
            tracing::warn!("a sound of the session is missing: {error}");
        }
        let views = lanes.iter().map(|lane| ReadMap::new(lane, LANE_BYTES)).collect::<io::Result<Vec<_>>>()?;
        let mut fds = lanes.iter().map(OwnedFd::try_clone).collect::<io::Result<Vec<_>>>()?;
        // Offline nobody waits for a block, so a stall harms nothing.
        let watch = config.wish.is_some().then(stall::watch).transpose()?;
        let stalls = watch.as_ref().map(|watch| Arc::clone(watch.stalls())).unwrap_or_default();
        let block_ns = format.frames as u64 * 1_000_000_000 / u64::from(format.rate_hz);
        let hang_ns = if config.wish.is_some() { LIVE_HANG_NS.max(HANG_BLOCKS * block_ns) } else { FREE_HANG_NS };
        let alarm = Arc::new(Alarm::new()?);
        let pool = pool::start(PoolConfig {
            keeper: socket,
            lanes,
            views: views.clone(),
            engine: engine_view.clone(),
            seats: config.workers,
            spares: config.spares,
            alarm: Arc::clone(&alarm),
            hang_ns,
            engines_before: head.incarnation,
            stalls: Arc::clone(&stalls),
            bell: Arc::clone(&bell),
        })?;
        pool.warm.recv().map_err(|_| EngineError::NoPool)?;
        // For as long as the process lives: the executor of `out` lives on the conductor's thread.
        let tables: &'static SealedMap<tine_modules::Tables> = Box::leak(Box::new(SealedMap::new(&tables)?));

        // The engine's own lane: private, laid out like the others.
        let out_fd = memory::create(c"tine-out", LANE_BYTES)?;
        let mut all_lanes = views.clone();
        all_lanes.push(ReadMap::new(&out_fd, LANE_BYTES)?);
        let out = Executor::new(
            format.out_lane(),
            Patience::GoOn,
            WriteMap::new(&out_fd, LANE_BYTES)?,
            View { engine: engine_view.clone(), lanes: all_lanes, sounds: None },
            tables.get(),
            catalogue,
            Workspace::new(format.frames, Arc::new(tine_modules::Ffts::plan())),
        );
        fds.push(out_fd);

        let (control, plans) = WriteMap::new(&engine_fd, engine::BYTES)?.split(engine::PLANS);
        let (order_sender, orders) = RingBuffer::new(PENDING_MAX);
        let (reports, report_receiver) = RingBuffer::new(PENDING_MAX);
        let (cycles, cycle_receiver) = RingBuffer::new(CYCLES_MAX);
        let (listener_sender, listener_orders) = RingBuffer::new(4);
        let (watches, watch_orders) = RingBuffer::new(crate::conductor::WATCHES_MAX);
        let (listeners_back, listener_receiver) = RingBuffer::new(16);
        let telemetry = Arc::new(Telemetry::default());
        telemetry.blocks.store(first, Ordering::Relaxed);
        let (handle, inbox) = Handle::with_bell(Arc::clone(&bell));
        let stopping = Arc::new(AtomicBool::new(false));
        let (ended_sender, ended) = bounded(1);
        let taken = Arc::new(outlet::Books::default());
        let recording = Arc::new(Mutex::new(None));
        let figures = Arc::new(Mutex::new(Vec::new()));
        let lane_fds = Arc::new(fds);
        let parts = Parts {
            format,
            catalogue: Catalogue(catalogue),
            planner: Planner::new(plans, &engine_view, usize::from(format.lanes) + 1),
            orders: order_sender,
            watches,
            reports: report_receiver,
            cycles: cycle_receiver,
            bell: Arc::clone(&bell),
            inbox,
            pool_events: pool.events,
            pool: pool.view.clone(),
            placer: Placer { policy: config.policy, lanes: views.clone(), cores: sched::cores(), block_ns },
            telemetry: Arc::clone(&telemetry),
            stalls,
            release: {
                let fds = Arc::clone(&lane_fds);
                Box::new(move |freed: &Room| {
                    if let Err(error) = memory::release(&fds[usize::from(freed.lane.0)], freed.range.clone()) {
                        tracing::warn!("memory of a module could not be given back: {error}");
                    }
                })
            },
            provide: Box::new(move |room: &Room| {
                // Without it the worker provides the pages itself, in its first block.
                if let Err(error) = memory::reserve(&lane_fds[usize::from(room.lane.0)], room.range.clone()) {
                    tracing::warn!("memory for a module could not be provided ahead: {error}");
                }
            }),
            engine: Box::new(Controls {
                stopping: Arc::clone(&stopping),
                ended: ended_sender,
                listener: listener_sender,
                back: listener_receiver,
                recording: Arc::clone(&recording),
                taken: Arc::clone(&taken),
                figures: Arc::clone(&figures),
                rate_hz: format.rate_hz,
            }),
            journal,
            memo: Memo::new(&memo)?,
            transport: engine_view.clone(),
            library,
            first,
        };
        let (begin, begin_receiver) = bounded(1);
        let (begun_sender, begun) = bounded(1);
        let mut session = Session::new(parts, state);
        session.recording = config.record.clone();
        if let Some(resumed) = resumed {
            session.restore(&resumed)?;
        }
        let work = move || session.run(&begin_receiver, &begun_sender);
        let session = std::thread::Builder::new().name("session".into()).spawn(work)?;
        pool.ready.recv().map_err(|_| EngineError::NoPool)?;
        // `tine bench startup` times this line.
        tracing::info!("{} workers ready", config.workers);
        let stand = Stand {
            control,
            lanes: views,
            out,
            orders,
            reports,
            cycles,
            bell,
            alarm,
            telemetry: Arc::clone(&telemetry),
            listener_orders,
            listeners_back,
            watch_orders,
            active,
        };
        Ok(Engine {
            handle,
            config,
            found,
            format,
            stopping,
            ended,
            session,
            begin,
            begun,
            stand: Some(stand),
            taken,
            recording,
            conductor: None,
            outlets: None,
            before,
            pool_stop: pool.stop,
            supervisor: pool.thread,
            _watch: watch,
            telemetry,
            figures,
        })
    }

    /// What was found of the session on disk, if there is to be one.
    pub fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// Begins to sound: the patch as it stands is the first block, and what a session on disk begins with. Returns a line about the device,
    /// where there is something to say.
    ///
    /// # Errors
    /// If the patch does not fit, or there is no such device or file.
    pub fn play(&mut self) -> Result<Option<String>, EngineError> {
        let frames = self.format.frames;
        let limit = self.config.seconds.map(|seconds| (seconds * f64::from(self.format.rate_hz)).round() as u64);
        let way = self.config.wish.clone().map(|wish| outlet::Plan {
            wish,
            lead: self.config.lead,
            frames,
            blocks_max: limit.map(|limit| limit.div_ceil(frames as u64)),
            is_resumed: self.before.is_some(),
        });
        let opened = way.map(|way| Way::open(way, Arc::clone(&self.taken))).transpose()?;
        let mut listener: Option<Box<dyn Listener>> = None;
        if let Some(path) = self.to_record() {
            let (recorder, tap) =
                recorder::record(&path, self.format.rate_hz, Box::new(|error| tracing::error!("{error}")))?;
            *lock(&self.recording) = Some(recorder);
            let left = limit.filter(|_| self.before.is_none());
            listener = Some(Box::new(Recording { tap, left, may_wait: opened.is_none() }));
        }
        // The bell is the session's: it looks for `begin` when it rings.
        let Some(stand) = self.stand.take() else { return Ok(None) };
        let _ = self.begin.send(());
        stand.bell.ring();
        let Begun { out_plan, out_port_samples, tempo } = self.begun.recv().map_err(|_| EngineError::NoPool)??;

        let first = self.before.as_ref().map_or(0, |before| before.first);
        let is_live = opened.is_some();
        let (way, end, note) = match opened {
            Some((way, end, note)) => (Some(way), Some(end), note),
            None => (None, None, None),
        };
        // Offline no device comes and goes: these ends are closed.
        let (pace, outlets, outlets_back) = match end {
            Some(ConductorEnd { outlet, outlets, outlets_back }) => {
                (Pace::Device { outlet, lead: self.config.lead, first }, outlets, outlets_back)
            }
            None => (Pace::Free, RingBuffer::new(1).1, RingBuffer::new(1).0),
        };
        let telemetry = Arc::clone(&stand.telemetry);
        let block_ns = frames as u64 * 1_000_000_000 / u64::from(self.format.rate_hz);
        let conductor = Conductor {
            control: stand.control,
            lanes: stand.lanes,
            out: stand.out,
            pace,
            outlets,
            outlets_back,
            first,
            active: stand.active,
            orders: stand.orders,
            reports: stand.reports,
            cycles: stand.cycles,
            bell: stand.bell,
            alarm: stand.alarm,
            look_after_ns: if is_live { block_ns.max(LIVE_LOOK_NS) } else { FREE_HANG_NS / 4 },
            telemetry: stand.telemetry,
            listener,
            listener_orders: stand.listener_orders,
            listeners_back: stand.listeners_back,
            watch_orders: stand.watch_orders,
            watched: None,
            out_plan,
            out_port_samples,
            tempo,
        };
        self.start_conductor(conductor, limit)?;
        if let Some(way) = way {
            let handle = self.handle.clone();
            let tell = Box::new(move |says: String| {
                tracing::warn!("{says}");
                // A session that has ended tells nobody.
                let _ = handle.submit_control(Control::DeviceSays(says), Box::new(|_| {}));
            });
            self.outlets = Some(way.start(telemetry, first, tell)?);
        }
        let stat = |name: &str, value| Stat { name: name.to_owned(), value };
        let mut figures =
            vec![stat("engine_restarts", self.before.as_ref().map_or(0.0, |before| before.engines.into()))];
        if let Some(before) = &self.before {
            let gap_ms = (now_ns().saturating_sub(before.died_ns) / 1000) as f64 / 1000.0;
            tracing::warn!("the patch sounds again, {gap_ms:.0} ms after the engine died");
            figures.push(stat("engine_gap_ms", gap_ms));
        }
        self.add_stats(Box::new(move || figures.clone()));
        Ok(note)
    }

    /// The file to record into: after the death of an engine what that one recorded, under another name, as it is an end of its own.
    fn to_record(&self) -> Option<PathBuf> {
        let Some(before) = &self.before else { return self.config.record.clone() };
        let path = before.recording.as_ref()?;
        let name = path.file_stem()?.to_string_lossy().into_owned();
        let extension =
            path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
        let path = path.with_file_name(format!("{name}.{}{extension}", before.engines + 1));
        tracing::warn!("the recording goes on in {}", path.display());
        Some(path)
    }

    fn start_conductor(&mut self, conductor: Conductor, limit: Option<u64>) -> io::Result<()> {
        let stopping = Arc::clone(&self.stopping);
        let frames = self.format.frames as u64;
        let handle = self.handle.clone();
        let is_live = matches!(conductor.pace, Pace::Device { .. });
        let telemetry = Arc::clone(&conductor.telemetry);
        // Keeps what is touched from now on in memory; where the limit forbids it, `tine doctor` says so.
        let _ = process::lock_memory();
        let thread = std::thread::Builder::new().name("conductor".into()).spawn(move || {
            if is_live {
                let is_realtime = sched::set_fifo(0, sched::priority::CONDUCTOR).is_ok();
                telemetry.is_realtime.store(is_realtime.into(), Ordering::Relaxed);
                // Beside the first group of lanes: a hop on the same core is the cheapest.
                if let Some(&core) = sched::cores().last() {
                    let _ = sched::bind(0, &[core]);
                }
            }
            let stopped = conductor
                .run(|block| stopping.load(Ordering::Relaxed) || limit.is_some_and(|limit| block * frames >= limit));
            // No longer real-time: what follows may take its time. The last blocks reach the recorder.
            drop(stopped.listener);
            if !stopping.load(Ordering::Relaxed) {
                // The sound has come to its end: so does the session.
                let _ = handle.control(crate::command::Control::Quit);
            }
            stopped.control
        })?;
        self.conductor = Some(thread);
        Ok(())
    }

    /// Waits until somebody quits or the sound has come to its end.
    pub fn wait(&self) {
        // A session that is gone has ended too.
        let _ = self.ended.recv();
    }

    /// Gives a value once somebody quits or the sound has come to its end.
    pub fn ended(&self) -> &Receiver<()> {
        &self.ended
    }

    /// Tells how many blocks have been computed so far.
    pub fn progress(&self) -> impl Fn() -> u64 + Send + use<> {
        let telemetry = Arc::clone(&self.telemetry);
        move || telemetry.blocks.load(Ordering::Relaxed)
    }

    /// More figures for `stats`, asked for each time.
    pub fn add_stats(&self, figures: Figures) {
        lock(&self.figures).push(figures);
    }

    /// Ends the sound and everything that made it. Returns what was recorded.
    pub fn stop(mut self) -> Option<recorder::Recorded> {
        // A session that has ended already needs no telling.
        let _ = self.handle.control(crate::command::Control::Quit);
        self.stopping.store(true, Ordering::Relaxed);
        // A conductor that waits for the device looks up.
        self.taken.nudge();
        let control = self.conductor.take().and_then(|conductor| conductor.join().ok());
        self.outlets = None;
        let _ = self.session.join();
        // Before the workers end: the supervisor would fill their seats.
        drop(self.pool_stop);
        let _ = self.supervisor.join();
        if let Some(control) = control {
            control.word(engine::QUIT).store(1, Ordering::Release);
            for lane in 0..usize::from(self.format.lanes) {
                control.wake(engine::start(lane));
            }
        }
        lock(&self.recording).take().map(Recorder::stop)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Hands every block to the recorder, up to a number of frames.
struct Recording {
    tap: Tap,
    left: Option<u64>,
    may_wait: bool,
}

impl Listener for Recording {
    fn hear(&mut self, block: &[[f32; SIDES]]) {
        let frames = self.left.map_or(block.len(), |left| block.len().min(left as usize));
        if self.may_wait {
            // False: the disk is full. The recorder says so; the render goes on to its end.
            self.tap.push_blocking(&block[..frames]);
        } else {
            self.tap.push(&block[..frames]);
        }
        if let Some(left) = &mut self.left {
            *left -= frames as u64;
        }
    }
}

/// What the session may do to the engine.
struct Controls {
    stopping: Arc<AtomicBool>,
    ended: crossbeam::channel::Sender<()>,
    listener: Producer<Option<Box<dyn Listener>>>,
    back: Consumer<Box<dyn Listener>>,
    recording: Arc<Mutex<Option<Recorder>>>,
    taken: Arc<outlet::Books>,
    figures: Arc<Mutex<Vec<Figures>>>,
    rate_hz: u32,
}

impl Controls {
    fn set_listener(&mut self, listener: Option<Box<dyn Listener>>) -> Result<(), Refusal> {
        // The conductor takes it with the next block; one that has stopped takes none.
        self.listener.push(listener).map_err(|_| Refusal::Busy)
    }
}

impl EngineControl for Controls {
    fn record(&mut self, path: Option<&Path>) -> Result<(), Refusal> {
        while self.back.pop().is_ok() {}
        let shared = Arc::clone(&self.recording);
        let mut recording = lock(&shared);
        let Some(path) = path else {
            self.set_listener(None)?;
            // The listener is still with the conductor for up to a block: what it pushes until then is in the file.
            if let Some(recorder) = recording.take() {
                let recorded = recorder.stop();
                if let Some(error) = recorded.error {
                    return Err(Refusal::File { path: recorded.path.display().to_string(), reason: error.to_string() });
                }
            }
            return Ok(());
        };
        // One that the disk ended is told already, and makes room for the next.
        if recording.as_ref().is_some_and(Recorder::goes_on) {
            return Err(Refusal::File {
                path: path.display().to_string(),
                reason: "a recording goes on: end it first (record off)".to_owned(),
            });
        }
        let tell = Box::new(|error| tracing::error!("{error}"));
        let (recorder, tap) = recorder::record(path, self.rate_hz, tell)
            .map_err(|error| Refusal::File { path: path.display().to_string(), reason: error.to_string() })?;
        self.set_listener(Some(Box::new(Recording { tap, left: None, may_wait: false })))?;
        *recording = Some(recorder);
        Ok(())
    }

    fn stats(&self) -> Vec<Stat> {
        let stat = |name: &str, value| Stat { name: name.to_owned(), value };
        let (missed, xruns) = self.taken.missed();
        let mut stats = vec![
            stat("sample_rate_hz", f64::from(self.rate_hz)),
            stat("xruns", xruns as f64),
            stat("missed_frames", missed as f64),
            stat("unheard_frames", self.taken.unheard().frames() as f64),
        ];
        stats.extend(lock(&self.figures).iter().flat_map(|figures| figures()));
        stats
    }

    fn quit(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.taken.nudge();
        let _ = self.ended.try_send(());
    }
}
