//! The keeper: creates the segments, starts engine and zygote, outlives both. One thread that does almost nothing.
//!
//! It holds the descriptors, so that neither a patch nor its sounding state dies with a part. A zygote that dies is started again, and
//! its workers play on meanwhile. When the engine ends the keeper ends everything else.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tine_protocol::message::KeeperSays;
use tine_protocol::segment::{EngineHead, LANE_BYTES, LAYOUT_HASH, MAGIC, engine};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::{self, WriteMap};
use tine_protocol::sys::process::{self, Ended, Signal, Signals};
use tine_protocol::sys::socket;
use tine_worker::inherit::Inherited;

/// How long a cable's fade takes, in seconds: shorter ones click (DESIGN 7).
const FADE_S: f64 = 0.005;

/// Gives the arguments of a role, from the text for its `--inherit`.
pub type Arguments = Box<dyn Fn(&str, Role) -> Vec<OsString>>;

/// What is to be kept.
pub struct Plan {
    /// Lanes of workers.
    pub lanes: u16,
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames per block.
    pub frames: u32,
    /// Arguments of a role.
    pub arguments: Arguments,
    /// Whether Ctrl-C ends the engine, or is the REPL's business.
    pub is_interruptible: bool,
}

/// Which process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Session, conductor, devices.
    Engine,
    /// Forks workers.
    Zygote,
}

/// Cycles that a fade takes.
pub fn fade_blocks(rate_hz: u32, frames: u32) -> u32 {
    (FADE_S * f64::from(rate_hz) / f64::from(frames)).ceil().max(1.0) as u32
}

/// Keeps until the engine ends; returns its exit status.
///
/// # Errors
/// If a segment or a process cannot be made.
pub fn keep(plan: &Plan) -> io::Result<i32> {
    process::set_name("tine");
    process::adopt_orphans()?;
    let signals = Signals::take(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD])?;
    let engine_segment = engine_segment(plan)?;
    let tables = memory::create(c"tine-tables", tine_worker::warm::TABLE_BYTES)?;
    let lanes = (0..plan.lanes).map(|_| memory::create(c"tine-lane", LANE_BYTES)).collect::<io::Result<Vec<_>>>()?;
    let read_only = lanes.iter().map(memory::read_only).collect::<io::Result<Vec<_>>>()?;
    let (link, engine_link) = socket::pair()?;
    let mut nursery = Nursery {
        plan,
        link,
        engine_view: memory::read_only(&engine_segment)?,
        tables: &tables,
        lanes: &read_only,
        zygote: None,
        started_ns: 0,
        groups: Vec::new(),
    };
    nursery.start()?;
    let tables_view = memory::read_only(&tables)?;
    let engine = start(plan, Role::Engine, &engine_link, &engine_segment, &tables_view, &lanes)?;
    drop(engine_link);

    let ended = loop {
        let [is_over, has_signal] =
            process::wait_any([engine.pidfd.as_fd(), signals.as_fd()], nursery.is_missing().then_some(RESTART_LOOK_MS));
        while has_signal && let Some(signal) = signals.next() {
            match signal {
                Signal::SIGCHLD => {}
                Signal::SIGINT if !plan.is_interruptible => {}
                _ => process::terminate(&engine.pidfd),
            }
        }
        if is_over {
            break process::wait_for(engine.pid);
        }
        while let Some((pid, ended)) = process::reap() {
            if pid == engine.pid {
                return Ok(finish(&nursery, Some(ended)));
            }
            nursery.hear_of_end(pid, ended);
        }
        nursery.restart_if_due();
    };
    Ok(finish(&nursery, ended))
}

/// How soon the keeper looks again whether it may start another zygote, in milliseconds.
const RESTART_LOOK_MS: u16 = 20;

/// A zygote that lived for less than this dies of something that starting it again does not mend: the next one waits as long.
const RESTART_NS: u64 = 500_000_000;

/// Ends what is left, once the engine has ended; the exit status.
fn finish(nursery: &Nursery<'_>, ended: Option<Ended>) -> i32 {
    for &group in &nursery.groups {
        process::kill_children_of_group(group);
    }
    // Workers of the last zygote become ours only when it is gone; a second look finds them.
    if let Some(zygote) = &nursery.zygote {
        process::wait_for(zygote.pid);
        process::kill_children_of_group(zygote.pid);
    }
    process::wait_for_all();
    match ended {
        Some(Ended::Exited(status)) => status,
        Some(Ended::Killed(signal)) => {
            let name = process::signal_name(signal).unwrap_or("a signal");
            tracing::error!("the engine was ended by {name}");
            1
        }
        None => 1,
    }
}

/// The zygotes: the present one, and what is left of those before.
struct Nursery<'a> {
    plan: &'a Plan,
    /// To the engine.
    link: OwnedFd,
    engine_view: OwnedFd,
    tables: &'a OwnedFd,
    lanes: &'a [OwnedFd],
    zygote: Option<process::Started>,
    started_ns: u64,
    /// Process groups of all zygotes so far, with their workers.
    groups: Vec<u32>,
}

impl Nursery<'_> {
    /// Starts a zygote and tells the engine of it.
    fn start(&mut self) -> io::Result<()> {
        let (engine_socket, zygote_socket) = socket::pair()?;
        let zygote = start(self.plan, Role::Zygote, &zygote_socket, &self.engine_view, self.tables, self.lanes)?;
        self.groups.push(zygote.pid);
        self.zygote = Some(zygote);
        self.started_ns = now_ns();
        let says = KeeperSays { what: KeeperSays::ZYGOTE, pid: 0, figure: 0 };
        // Each side must see the other's end: our copies of the sockets go with this function.
        socket::send(&self.link, &says, &[engine_socket.as_fd()])
    }

    fn is_missing(&self) -> bool {
        self.zygote.is_none()
    }

    /// A child ended: the zygote, or a worker that one left behind.
    fn hear_of_end(&mut self, pid: u32, ended: Ended) {
        if self.zygote.as_ref().is_some_and(|zygote| zygote.pid == pid) {
            self.zygote = None;
            // It ends well when the engine lets go of its socket: then the engine is about to end, and another one would do so too.
            if ended != Ended::Exited(0) {
                tracing::warn!("the zygote was ended; its workers play on, another one is started");
            }
            return;
        }
        let figure = match ended {
            Ended::Exited(status) => i64::from(status),
            Ended::Killed(signal) => -i64::from(signal),
        };
        // An engine that does not read is about to end.
        let _ = socket::send(&self.link, &KeeperSays { what: KeeperSays::ENDED, pid, figure }, &[]);
    }

    fn restart_if_due(&mut self) {
        if self.zygote.is_some() || now_ns() < self.started_ns + RESTART_NS {
            return;
        }
        if let Err(error) = self.start() {
            self.started_ns = now_ns();
            tracing::error!("no zygote could be started, and so no spares: {error}");
        }
    }
}

fn engine_segment(plan: &Plan) -> io::Result<OwnedFd> {
    let segment = memory::create(c"tine-engine", engine::BYTES)?;
    let head = EngineHead {
        magic: MAGIC,
        layout: LAYOUT_HASH,
        cycle: 0,
        rate_hz: plan.rate_hz,
        frames: plan.frames,
        fade_blocks: fade_blocks(plan.rate_hz, plan.frames),
        lanes: plan.lanes.into(),
        quit: 0,
        awaited: 0,
        reserved: [0; 4],
    };
    // The only writer until the engine starts: the mapping ends here.
    WriteMap::new(&segment, size_of::<EngineHead>())?.write(0, head);
    Ok(segment)
}

fn start(
    plan: &Plan,
    role: Role,
    socket: &OwnedFd,
    engine: &OwnedFd,
    tables: &OwnedFd,
    lanes: &[OwnedFd],
) -> io::Result<process::Started> {
    let mut descriptors: Vec<BorrowedFd<'_>> = vec![socket.as_fd(), engine.as_fd(), tables.as_fd()];
    descriptors.extend(lanes.iter().map(AsFd::as_fd));
    let arguments = (plan.arguments)(&Inherited::text(&descriptors), role);
    let name = match role {
        Role::Engine => "tine: engine",
        Role::Zygote => "tine: zygote",
    };
    process::start_self(name, &arguments, &descriptors, role == Role::Zygote)
}
