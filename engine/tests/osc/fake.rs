//! A session of one thread with a patch of names and numbers, and an interpreter without a language.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam::channel::{Receiver, Sender, select, unbounded};
use tine_engine::answer::*;
use tine_engine::command::*;
use tine_engine::error::{PatchError, Refusal};
use tine_engine::handle::{Handle, Message, Reply};
use tine_engine::interpreter::{Failure, Interpreter};
use tine_engine::name::Name;
use tine_engine::osc::{OscConfig, OscServer, OscStats, serve};
use tine_protocol::spec::*;

use crate::client::{Client, PATIENCE};

pub static TONE: KindSpec = KindSpec {
    name: "tone",
    summary: "a test tone",
    source: "",
    role: Role::Lane,
    inputs: &[PortSpec::new("in", Signal::Audio, "sound")],
    outputs: &[PortSpec::new("out", Signal::Audio, "sound")],
    params: &[
        ParamSpec::exponential("freq", Unit::Hertz, (20.0, 20_000.0), 440.0),
        ParamSpec::linear("level", Unit::Gain, (0.0, 1.0), 1.0),
    ],
    notes: Notes { pitch: None, gate: Some("in"), velocity: None, trigger: None, voices: None },
};

pub static DUST: KindSpec = KindSpec {
    name: "dust",
    summary: "a test noise",
    source: "",
    role: Role::Lane,
    inputs: &[],
    outputs: &[PortSpec::new("out", Signal::Audio, "sound")],
    params: &[ParamSpec::linear("level", Unit::Gain, (0.0, 1.0), 0.5)],
    notes: Notes { pitch: None, gate: None, velocity: None, trigger: None, voices: None },
};

/// What a test tells the session.
pub enum Poke {
    /// Takes no messages until released.
    Hold,
    Release,
    /// Applies all that waits for its time, so many seconds late.
    Elapse(f64),
    /// Tells all subscribers but this origin's.
    Tell(Notice),
    /// Drops what waits, without an answer.
    Forget,
}

/// A request that waits for its time.
type Waiting = Vec<(Request, Reply<Applied>)>;

#[derive(Default)]
struct Session {
    modules: Vec<ModuleInfo>,
    cables: Vec<CableInfo>,
    subscribers: Vec<(Origin, Sender<Notice>)>,
    schedule: Waiting,
    log: Arc<Mutex<Vec<Request>>>,
    controls: Arc<Mutex<Vec<Control>>>,
}

impl Session {
    fn run(mut self, messages: &Receiver<Message>, pokes: &Receiver<Poke>) {
        let mut is_held = false;
        let never = crossbeam::channel::never();
        loop {
            select! {
                recv(pokes) -> poke => match poke {
                    Err(_) => return,
                    Ok(Poke::Hold) => is_held = true,
                    Ok(Poke::Release) => is_held = false,
                    Ok(Poke::Forget) => self.schedule.clear(),
                    Ok(Poke::Tell(notice)) => self.tell(Origin(0), notice),
                    Ok(Poke::Elapse(late_s)) => {
                        for (request, reply) in std::mem::take(&mut self.schedule) {
                            reply(self.apply(&request, late_s));
                        }
                    }
                },
                recv(if is_held { &never } else { messages }) -> message => match message {
                    Err(_) => return,
                    Ok(message) => self.take(message),
                },
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Request(request, reply) if request.when != When::Now => self.schedule.push((request, reply)),
            Message::Request(request, reply) => reply(self.apply(&request, 0.0)),
            Message::Query(query, reply) => reply(self.answer(query)),
            Message::Control(control, reply) => {
                self.controls.lock().unwrap().push(control);
                reply(Ok(()));
            }
            Message::Subscribe(origin, sender) => self.subscribers.push((origin, sender)),
        }
    }

    fn tell(&mut self, by: Origin, notice: Notice) {
        let others = self.subscribers.iter().filter(|(origin, _)| *origin != by);
        others.for_each(|(_, sender)| drop(sender.try_send(notice.clone())));
    }

    fn apply(&mut self, request: &Request, late_s: f64) -> Result<Applied, Refusal> {
        let before = (self.modules.clone(), self.cables.clone());
        let (mut outcomes, mut notices) = (Vec::new(), Vec::new());
        for (index, command) in request.commands.iter().enumerate() {
            match self.command(command, &mut notices) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => {
                    (self.modules, self.cables) = before;
                    return Err(Refusal::Rejected { index, error });
                }
            }
        }
        self.log.lock().unwrap().push(request.clone());
        notices.into_iter().for_each(|notice| self.tell(request.origin, notice));
        Ok(Applied { outcomes, late_s, frame: 0 })
    }

    fn find(&mut self, id: &Name) -> Result<&mut ModuleInfo, PatchError> {
        let missing = PatchError::NoModule { id: id.to_string(), similar: vec![] };
        self.modules.iter_mut().find(|module| module.id == *id).ok_or(missing)
    }

    fn set(&mut self, id: &Name, param: &str, value: f32, notices: &mut Vec<Notice>) -> Result<Outcome, PatchError> {
        let module = self.find(id)?;
        let kind = module.kind;
        let index = kind.param(param).ok_or(PatchError::NoParam {
            id: id.to_string(),
            kind: kind.name,
            param: param.to_owned(),
            has: vec![],
        })?;
        let spec = &kind.params[index];
        if !(spec.min..=spec.max).contains(&value) {
            let (min, max) = (f64::from(spec.min), f64::from(spec.max));
            return Err(PatchError::Range { param: param.to_owned(), value: f64::from(value), min, max, unit: "" });
        }
        module.params[index] = value;
        notices.push(Notice::ParamSet(id.clone(), spec.name, value));
        Ok(Outcome::Set { module: id.clone(), param: spec.name, value })
    }

    fn command(&mut self, command: &Command, notices: &mut Vec<Notice>) -> Result<Outcome, PatchError> {
        Ok(match command {
            Command::Create { kind, channels, id, params, idempotent, .. } => {
                assert!(idempotent, "over UDP a create may be repeated");
                let id = id.clone().unwrap();
                let spec = [&TONE, &DUST].into_iter().find(|spec| spec.name == kind);
                let spec = spec.ok_or(PatchError::NoKind { kind: kind.clone(), similar: vec![] })?;
                if let Ok(module) = self.find(&id) {
                    if module.kind != spec {
                        return Err(PatchError::Exists { id, kind: module.kind.name });
                    }
                    return Ok(Outcome::Created { id, kind: spec.name, worker: 3, took_ms: 0.0 });
                }
                let values = spec.params.iter().map(|param| param.default).collect();
                self.modules.push(ModuleInfo {
                    id: id.clone(),
                    kind: spec,
                    channels: *channels,
                    worker: Some(3),
                    bypassed: false,
                    params: values,
                    files: Vec::new(),
                });
                notices.push(Notice::ModuleAdded(id.clone(), spec.name));
                for (param, value) in params {
                    let Value::Number(value, _) = value else { panic!("a word") };
                    self.set(&id, param, *value as f32, &mut Vec::new())?;
                }
                Outcome::Created { id, kind: spec.name, worker: 3, took_ms: 0.1 }
            }
            Command::Destroy { ids, missing_ok } => {
                assert!(missing_ok);
                let before = self.modules.len();
                self.modules.retain(|module| !ids.contains(&module.id));
                notices.extend(ids.iter().cloned().map(Notice::ModuleRemoved));
                Outcome::Destroyed { removed: before - self.modules.len() }
            }
            Command::Connect { path, gain } => {
                let [from, to] = &path[..] else { panic!("two ends") };
                assert!(from.port.as_deref() != Some("") && to.port.as_deref() != Some(""));
                let cable = CableInfo {
                    from: self.find(&from.module)?.id.clone(),
                    output: "out",
                    to: self.find(&to.module)?.id.clone(),
                    input: "in",
                    gain: *gain as f32,
                    feedback: false,
                };
                self.cables.push(cable.clone());
                notices.push(Notice::CableAdded(cable));
                Outcome::Connected { changed: 1, feedback: vec![] }
            }
            Command::Disconnect { from, to } => {
                let to = to.as_ref().map(|to| &to.module);
                let is_meant = |cable: &CableInfo| cable.from == from.module && to.is_none_or(|to| cable.to == *to);
                let gone: Vec<CableInfo> = self.cables.iter().filter(|cable| is_meant(cable)).cloned().collect();
                self.cables.retain(|cable| !is_meant(cable));
                let changed = gone.len();
                notices.extend(gone.into_iter().map(Notice::CableRemoved));
                Outcome::Disconnected { changed }
            }
            Command::Set { module, param, value: Value::Number(value, _), .. } => {
                self.set(module, param, *value as f32, notices)?
            }
            Command::Set { param, .. } => {
                return Err(PatchError::BadType { param: param.clone(), wants: "a number".to_owned() });
            }
            Command::SetFraction { module, param, fraction } => {
                self.set(module, param, TONE.params[0].denormalize(*fraction as f32), notices)?
            }
            Command::Undo(count) => Outcome::Undone { count: *count },
            Command::Redo(_) => return Err(PatchError::NoHistory { what: "redo" }),
            Command::Note { id, .. } | Command::Gate { id, .. } | Command::Trigger { id } => {
                self.find(id)?;
                Outcome::Done
            }
            _ => Outcome::Done,
        })
    }

    fn answer(&mut self, query: Query) -> Result<Answer, Refusal> {
        let rejected = |error| Refusal::Rejected { index: 0, error };
        Ok(match query {
            Query::List(glob) => {
                let prefix = glob.as_deref().unwrap_or("*").trim_end_matches('*');
                let is_meant = |module: &&ModuleInfo| module.id.as_str().starts_with(prefix);
                Answer::Modules(self.modules.iter().filter(is_meant).cloned().collect())
            }
            Query::Info(id) => {
                let module = self.find(&id).map_err(rejected)?.clone();
                let (into, from) = (|c: &&CableInfo| c.to == id, |c: &&CableInfo| c.from == id);
                Answer::Info(
                    module,
                    self.cables.iter().filter(into).cloned().collect(),
                    self.cables.iter().filter(from).cloned().collect(),
                )
            }
            Query::Get(id, param) => {
                let module = self.find(&id).map_err(rejected)?;
                Answer::Params(
                    module.settings().filter(|(name, _)| param.as_deref().is_none_or(|param| param == *name)).collect(),
                )
            }
            Query::Cables => Answer::Cables(self.cables.clone()),
            Query::Pool => Answer::Pool(vec![WorkerInfo {
                worker: Some(3),
                pid: 77,
                state: "busy",
                generation: 1,
                restarts: 0,
                modules: self.modules.len(),
                load: 0.25,
                core: None,
                phases_us: vec![],
            }]),
            Query::Stats => Answer::Stats(vec![Stat { name: "sample_rate_hz".to_owned(), value: 48_000.0 }]),
            _ => return Err(Refusal::Closed),
        })
    }
}

/// Knows no language: `eval` sets or answers by a few fixed lines, files are noted.
struct NoLanguage {
    files: Arc<Mutex<Vec<(&'static str, PathBuf)>>>,
    gate: Mutex<Receiver<()>>,
    evals: Arc<AtomicUsize>,
}

impl NoLanguage {
    fn note(&self, what: &'static str, path: &Path) -> Result<(), Failure> {
        self.files.lock().unwrap().push((what, path.to_owned()));
        Ok(())
    }
}

impl Interpreter for NoLanguage {
    fn eval(&self, line: &str, _: &Path, handle: &Handle, origin: Origin) -> Result<String, Failure> {
        self.evals.fetch_add(1, Ordering::SeqCst);
        match line {
            "panic now" => panic!("asked to"),
            "wait" => {
                // Until the test lets it go on, or fails.
                let _ = self.gate.lock().unwrap().recv_timeout(PATIENCE);
            }
            "freq 100" => {
                let (module, param) = (Name::new("a").unwrap(), "freq".to_owned());
                let value = Value::Number(100.0, Measure::Plain);
                let commands = vec![Command::Set { module, param, value, ramp_s: None }];
                let request = Request { commands, when: When::Now, origin };
                handle.apply(request).map_err(|refusal| Failure { code: refusal.code(), message: String::new() })?;
            }
            "wrong" => return Err(Failure { code: "parse", message: "no such word".to_owned() }),
            _ => {}
        }
        Ok(format!("did {line}"))
    }

    fn save(&self, path: &Path, _: &Handle) -> Result<(), Failure> {
        self.note("save", path)
    }

    fn load(&self, path: &Path, _: &Handle, _: Origin) -> Result<(), Failure> {
        self.note("load", path)
    }

    fn run(&self, path: &Path, _: &Handle, _: Origin) -> Result<(), Failure> {
        self.note("run", path)
    }

    fn explain(&self, refusal: &Refusal) -> String {
        format!("explained: {refusal}")
    }
}

/// An interpreter, for a server without a session.
pub fn interpreter() -> Arc<dyn Interpreter> {
    let (_, waits) = unbounded();
    Arc::new(NoLanguage { files: Arc::default(), gate: Mutex::new(waits), evals: Arc::default() })
}

/// Server, session and folder; all end when it is dropped.
pub struct Rig {
    pub server: Option<OscServer>,
    pub stats: Arc<OscStats>,
    pub address: SocketAddr,
    pub log: Arc<Mutex<Vec<Request>>>,
    pub controls: Arc<Mutex<Vec<Control>>>,
    pub files: Arc<Mutex<Vec<(&'static str, PathBuf)>>>,
    pub evals: Arc<AtomicUsize>,
    /// Lets `/eval wait` go on.
    pub gate: Sender<()>,
    pub folder: PathBuf,
    pokes: Option<Sender<Poke>>,
    session: Option<JoinHandle<()>>,
}

impl Rig {
    pub fn new() -> Rig {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("tine-osc-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();

        let (handle, messages) = Handle::new();
        let (pokes, poked) = unbounded();
        let session = Session::default();
        let (log, controls) = (Arc::clone(&session.log), Arc::clone(&session.controls));
        let session = std::thread::spawn(move || session.run(&messages, &poked));

        let (gate, waits) = unbounded();
        let (files, evals) = (Arc::default(), Arc::default());
        let interpreter = NoLanguage { files: Arc::clone(&files), gate: Mutex::new(waits), evals: Arc::clone(&evals) };
        let stats = Arc::new(OscStats::default());
        let config =
            OscConfig { addr: "127.0.0.1:0".parse().unwrap(), files: folder.clone(), stats: Arc::clone(&stats) };
        let server = serve(config, handle, Arc::new(interpreter), vec![&TONE, &DUST]).unwrap();
        let address = server.local_addr();
        let (server, pokes, session) = (Some(server), Some(pokes), Some(session));
        Rig { server, stats, address, log, controls, files, evals, gate, folder, pokes, session }
    }

    pub fn poke(&self, poke: Poke) {
        self.pokes.as_ref().unwrap().send(poke).unwrap();
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Commands that took effect, in order.
    pub fn commands(&self) -> Vec<Command> {
        self.log.lock().unwrap().iter().flat_map(|request| request.commands.clone()).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.poke(Poke::Release);
        drop(self.server.take());
        drop(self.pokes.take());
        let ended = self.session.take().unwrap().join();
        let _ = std::fs::remove_dir_all(&self.folder);
        if !std::thread::panicking() {
            ended.expect("the session found nothing wrong");
        }
    }
}
