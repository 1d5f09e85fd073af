//! The keeper: creates the segments, starts engine and zygote, outlives both. One thread that does almost nothing.
//!
//! It holds the descriptors, so that neither a patch nor its sounding state dies with a part. A zygote that dies is started again, and
//! its workers play on meanwhile. When the engine ends the keeper ends everything else; an engine that was killed is then followed by
//! another, which finds all of it where it was.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tine_protocol::message::KeeperSays;
use tine_protocol::segment::{EngineHead, LANE_BYTES, LAYOUT_HASH, MAGIC, SOUNDS_BYTES, engine};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::{self, ReadMap, WriteMap};
use tine_protocol::sys::process::{self, Ended, Signal, Signals};
use tine_protocol::sys::socket;
use tine_protocol::sys::terminal::Mode;
use tine_worker::inherit::Inherited;

use crate::memo;

/// How long a cable's fade takes, in seconds: shorter ones click (DESIGN 7).
const FADE_S: f64 = 0.005;

/// Gives the arguments of a role, from the text for its `--inherit` and what there is to type at.
pub type Arguments = Box<dyn Fn(&str, Role, Terminal) -> Vec<OsString>>;

/// What there is to type at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Nothing, or nothing that anybody types at.
    None,
    /// A terminal with a REPL: it may vanish, and the sound goes on.
    Repl,
    /// There was one.
    Gone,
}

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
    /// What there is to type at. With a REPL, Ctrl-C is its business.
    pub terminal: Terminal,
    /// Whether an engine that is killed is followed by another: not offline, where the sound would have a gap.
    pub is_restarted: bool,
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

/// Keeps until the engine ends by itself; returns its exit status. One that is killed is followed by another, which goes on with its patch.
///
/// # Errors
/// If a segment or a process cannot be made.
pub fn keep(plan: &Plan) -> io::Result<i32> {
    process::set_name("tine");
    process::adopt_orphans()?;
    let signals = Signals::take(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD])?;
    let holdings = Holdings::new(plan)?;
    let terminal = Mode::keep();
    let mut restarts = Restarts::default();
    loop {
        let Kept { ended, died_ns, is_told } = keep_one(plan, &holdings, &signals)?;
        if let Some(Ended::Killed(signal)) = ended {
            // Its editor may have died in the middle of a line.
            terminal.restore();
            if holdings.terminal.get() == Terminal::Repl {
                // Who cannot be told misses no more than an empty line.
                let _ = writeln!(io::stderr());
            }
            let name = process::signal_name(signal).unwrap_or("a signal");
            if !plan.is_restarted || is_told || holdings.is_quitting()? {
                tracing::error!("the engine was ended by {name}");
                return Ok(1);
            }
            if !restarts.allow(now_ns()) {
                tracing::error!("the engine was ended by {name}, and so were those before: it is not started again");
                return Ok(1);
            }
            tracing::error!("the engine was ended by {name}: another one goes on with the patch");
            holdings.next_engine(died_ns)?;
            continue;
        }
        return Ok(if let Some(Ended::Exited(status)) = ended { status } else { 1 });
    }
}

/// How an engine ended.
struct Kept {
    ended: Option<Ended>,
    died_ns: u64,
    /// It had been told to end.
    is_told: bool,
}

/// Keeps one engine with its zygotes, until nothing is left of them.
fn keep_one(plan: &Plan, holdings: &Holdings, signals: &Signals) -> io::Result<Kept> {
    let (link, engine_link) = socket::pair()?;
    let mut nursery = Nursery {
        plan,
        link,
        holdings,
        zygote: None,
        is_ending: false,
        failed: Some(0),
        started_ns: 0,
        groups: Vec::new(),
    };
    nursery.start()?;
    let engine = match holdings.start(plan, Role::Engine, &engine_link) {
        Ok(engine) => engine,
        Err(error) => {
            nursery.close();
            return Err(error);
        }
    };
    drop(engine_link);

    let mut is_told = false;
    let ended = 'kept: loop {
        let [is_over, has_signal] =
            process::wait_any([engine.pidfd.as_fd(), signals.as_fd()], nursery.is_missing().then_some(RESTART_LOOK_MS));
        while has_signal && let Some(signal) = signals.next() {
            match signal {
                Signal::SIGCHLD => {}
                Signal::SIGINT if holdings.terminal.get() == Terminal::Repl => {}
                Signal::SIGHUP if holdings.terminal.get() != Terminal::None => {
                    holdings.terminal.set(Terminal::Gone);
                    // What is still said is said to nobody.
                    let _ = process::leave_terminal();
                }
                _ => {
                    is_told = true;
                    process::terminate(&engine.pidfd);
                }
            }
        }
        if is_over {
            break process::wait_for(engine.pid);
        }
        while let Some((pid, ended)) = process::reap() {
            if pid == engine.pid {
                break 'kept Some(ended);
            }
            nursery.hear_of_end(pid, ended);
        }
        if nursery.is_hopeless() {
            tracing::error!("no worker can be started: the zygote ended {ZYGOTE_TRIES} times at once");
            process::kill(&engine.pidfd);
            process::wait_for(engine.pid);
            break Some(Ended::Exited(1));
        }
        nursery.restart_if_due();
    };
    let died_ns = now_ns();
    nursery.end();
    Ok(Kept { ended, died_ns, is_told })
}

/// Engines that may be started again within [`RESTARTS_NS`]: one that dies of its patch would do so for ever.
const RESTARTS_MAX: usize = 5;

/// A minute.
const RESTARTS_NS: u64 = 60_000_000_000;

/// When engines were started again.
#[derive(Default)]
struct Restarts(Vec<u64>);

impl Restarts {
    fn allow(&mut self, now_ns: u64) -> bool {
        self.0.retain(|&at| now_ns - at < RESTARTS_NS);
        self.0.push(now_ns);
        self.0.len() <= RESTARTS_MAX
    }
}

/// How soon the keeper looks again whether it may start another zygote, in milliseconds.
const RESTART_LOOK_MS: u16 = 20;

/// Zygotes in a row that may end at once before any has lived. Later there is sound, which goes on without.
const ZYGOTE_TRIES: u32 = 3;

/// A zygote that lived for less than this dies of something that starting it again does not mend: the next one waits as long.
const RESTART_NS: u64 = 500_000_000;

/// The zygotes: the present one, and what is left of those before.
struct Nursery<'a> {
    plan: &'a Plan,
    /// To the engine.
    link: OwnedFd,
    holdings: &'a Holdings,
    zygote: Option<process::Started>,
    /// The engine is about to end.
    is_ending: bool,
    /// Zygotes so far, as long as none has lived.
    failed: Option<u32>,
    started_ns: u64,
    /// Process groups of all zygotes so far, with their workers.
    groups: Vec<u32>,
}

impl Nursery<'_> {
    /// Starts a zygote and tells the engine of it.
    fn start(&mut self) -> io::Result<()> {
        let (engine_socket, zygote_socket) = socket::pair()?;
        let zygote = self.holdings.start(self.plan, Role::Zygote, &zygote_socket)?;
        self.groups.push(zygote.pid);
        self.zygote = Some(zygote);
        self.started_ns = now_ns();
        let says = KeeperSays { what: KeeperSays::ZYGOTE, pid: 0, figure: 0 };
        // Each side must see the other's end: our copies of the sockets go with this function.
        socket::send(&self.link, &says, &[engine_socket.as_fd()])
    }

    /// Ends the zygote, which has nobody to work for.
    fn close(&self) {
        if let Some(zygote) = &self.zygote {
            process::kill(&zygote.pidfd);
        }
        self.end();
    }

    /// Ends what is left, once the engine has ended. Afterwards nobody has a lane.
    fn end(&self) {
        for &group in &self.groups {
            process::kill_children_of_group(group);
        }
        // Workers of the last zygote become ours only when it is gone; a second look finds them.
        if let Some(zygote) = &self.zygote {
            process::wait_for(zygote.pid);
            process::kill_children_of_group(zygote.pid);
        }
        process::wait_for_all();
    }

    fn is_missing(&self) -> bool {
        self.zygote.is_none() && !self.is_ending
    }

    /// A child ended: the zygote, or a worker that one left behind.
    fn hear_of_end(&mut self, pid: u32, ended: Ended) {
        if self.zygote.as_ref().is_some_and(|zygote| zygote.pid == pid) {
            self.zygote = None;
            // It ends well when the engine lets go of its socket: then the engine is about to end, and another one would do so too.
            self.is_ending = ended == Ended::Exited(0);
            let has_lived = now_ns() >= self.started_ns + RESTART_NS;
            self.failed = self.failed.filter(|_| !has_lived).map(|failed| failed + 1);
            if !self.is_ending {
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

    /// Whether it is of no use to start yet another zygote.
    fn is_hopeless(&self) -> bool {
        !self.is_ending && self.failed.is_some_and(|failed| failed >= ZYGOTE_TRIES)
    }

    fn restart_if_due(&mut self) {
        if !self.is_missing() || now_ns() < self.started_ns + RESTART_NS {
            return;
        }
        if let Err(error) = self.start() {
            self.started_ns = now_ns();
            tracing::error!("no zygote could be started, and so no spares: {error}");
        }
    }
}

/// What outlives every engine: the segments, and what others get of them.
struct Holdings {
    engine: OwnedFd,
    tables: OwnedFd,
    memo: OwnedFd,
    sounds: OwnedFd,
    lanes: Vec<OwnedFd>,
    engine_view: OwnedFd,
    tables_view: OwnedFd,
    memo_view: OwnedFd,
    sounds_view: OwnedFd,
    lane_views: Vec<OwnedFd>,
    terminal: Cell<Terminal>,
}

impl Holdings {
    fn new(plan: &Plan) -> io::Result<Holdings> {
        let engine = engine_segment(plan)?;
        let tables = memory::create(c"tine-tables", tine_worker::warm::TABLE_BYTES)?;
        let memo = memory::create(c"tine-memo", memo::BYTES)?;
        let sounds = memory::create(c"tine-sounds", SOUNDS_BYTES)?;
        let lanes =
            (0..plan.lanes).map(|_| memory::create(c"tine-lane", LANE_BYTES)).collect::<io::Result<Vec<_>>>()?;
        Ok(Holdings {
            engine_view: memory::read_only(&engine)?,
            tables_view: memory::read_only(&tables)?,
            memo_view: memory::read_only(&memo)?,
            sounds_view: memory::read_only(&sounds)?,
            lane_views: lanes.iter().map(memory::read_only).collect::<io::Result<Vec<_>>>()?,
            engine,
            tables,
            memo,
            sounds,
            lanes,
            terminal: Cell::new(plan.terminal),
        })
    }

    /// Starts a role with what it needs. `socket` is its end of the socket to the others.
    fn start(&self, plan: &Plan, role: Role, socket: &OwnedFd) -> io::Result<process::Started> {
        let (name, own, lanes) = match role {
            Role::Engine => ("tine: engine", [&self.engine, &self.tables_view, &self.memo, &self.sounds], &self.lanes),
            Role::Zygote => (
                "tine: zygote",
                [&self.engine_view, &self.tables, &self.memo_view, &self.sounds_view],
                &self.lane_views,
            ),
        };
        let descriptors: Vec<BorrowedFd<'_>> = [socket].into_iter().chain(own).chain(lanes).map(AsFd::as_fd).collect();
        let arguments = (plan.arguments)(&Inherited::text(&descriptors), role, self.terminal.get());
        process::start_self(name, &arguments, &descriptors, role == Role::Zygote)
    }

    /// Whether the engine had said that all is to end.
    fn is_quitting(&self) -> io::Result<bool> {
        Ok(ReadMap::new(&self.engine, size_of::<EngineHead>())?.read::<EngineHead>(0).quit != 0)
    }

    /// The next engine is another one. Nobody else writes: the one before has ended, and its workers with it.
    fn next_engine(&self, died_ns: u64) -> io::Result<()> {
        let mut head = WriteMap::new(&self.engine, size_of::<EngineHead>())?;
        let before: EngineHead = head.read(0);
        head.write(0, EngineHead { incarnation: before.incarnation + 1, awaited: 0, died_ns, ..before });
        Ok(())
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
        incarnation: 0,
        reserved: 0,
        died_ns: 0,
    };
    // The only writer until the engine starts: the mapping ends here.
    WriteMap::new(&segment, size_of::<EngineHead>())?.write(0, head);
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_dies_again_and_again_is_given_up_and_one_that_dies_now_and_then_is_not() {
        let mut restarts = Restarts::default();
        assert!((0..RESTARTS_MAX as u64).all(|at| restarts.allow(at)));
        assert!(!restarts.allow(RESTARTS_NS - 1));
        let mut restarts = Restarts::default();
        assert!((0..100).all(|at| restarts.allow(at * RESTARTS_NS / 4)));
    }
}
