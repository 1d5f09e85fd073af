//! The keeper: creates the segments, starts engine and zygote, outlives both. One thread that does almost nothing.
//!
//! It holds the descriptors, so that neither a patch nor its sounding state dies with a part. When the engine ends it ends
//! everything else.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tine_protocol::segment::{EngineHead, LANE_BYTES, LAYOUT_HASH, MAGIC, engine};
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
    let (engine_socket, zygote_socket) = socket::pair()?;

    let zygote = {
        let engine_view = memory::read_only(&engine_segment)?;
        start(plan, Role::Zygote, &zygote_socket, &engine_view, &tables, &read_only)?
    };
    let tables_view = memory::read_only(&tables)?;
    let engine = start(plan, Role::Engine, &engine_socket, &engine_segment, &tables_view, &lanes)?;
    // Each side must see the other's end: the keeper's copies would keep the sockets open.
    drop((engine_socket, zygote_socket));

    let mut has_zygote = true;
    let ended = loop {
        let third = if has_zygote { &zygote } else { &engine };
        let watched = [engine.pidfd.as_fd(), signals.as_fd(), third.pidfd.as_fd()];
        let [is_over, has_signal, is_barren] = process::wait_any(watched, None);
        if is_barren && has_zygote && !is_over {
            has_zygote = false;
            // It ends well when the engine lets go of its socket: then the engine is about to end, and may still have a file to close.
            if matches!(process::wait_for(zygote.pid), Some(Ended::Exited(0))) {
                continue;
            }
            // The workers die with it. Starting it again under running sound belongs to the failover that is still to come.
            tracing::error!("the zygote was ended, and all workers with it: ending");
            process::terminate(&engine.pidfd);
            break process::wait_for(engine.pid).map(|_| Ended::Exited(1));
        }
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
    };
    // Workers die with the zygote, and come to us as orphans: none is left when we go.
    process::kill(&zygote.pidfd);
    process::wait_for_all();
    Ok(match ended {
        Some(Ended::Exited(status)) => status,
        Some(Ended::Killed(signal)) => {
            let name = process::signal_name(signal).unwrap_or("a signal");
            tracing::error!("the engine was ended by {name}");
            1
        }
        None => 1,
    })
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
