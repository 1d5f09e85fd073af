//! The zygote: one thread, for ever. Warms up once, then forks a worker whenever the engine asks, and tells of those that ended.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use tine_modules::runner::Scratch;
use tine_modules::{CATALOGUE, Ffts, Tables};
use tine_protocol::message::{ForkOrder, ZygoteSays};
use tine_protocol::segment::{EngineHead, LANE_BYTES, LAYOUT_HASH, MAGIC, SOUNDS_BYTES, engine};
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;
use tine_protocol::sys::process::{self, Ended, Forked, Signal, Signals};
use tine_protocol::sys::{fpu, sched, socket};

use crate::executor::{View, Workspace};
use crate::inherit::Inherited;
use crate::seat::{self, Warm};
use crate::warm;

/// Lives as the zygote until the engine closes its socket.
///
/// # Errors
/// If the segments cannot be mapped or do not fit this build.
pub fn run(inherited: Inherited) -> io::Result<()> {
    match live(inherited) {
        // The engine went while we told it something, or without reading what we had told it.
        Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => Ok(()),
        outcome => outcome,
    }
}

fn live(inherited: Inherited) -> io::Result<()> {
    let started_ns = now_ns();
    process::set_name("tine-zygote");
    #[cfg(feature = "faults")]
    crate::faults::prepare();
    let signals = Signals::take(&[Signal::SIGCHLD])?;
    fpu::flush_denormals();

    let view = View {
        engine: ReadMap::new(&inherited.engine, engine::BYTES)?,
        sounds: Some(ReadMap::new(&inherited.sounds, SOUNDS_BYTES)?),
        lanes: inherited.lanes.iter().map(|lane| ReadMap::new(lane, LANE_BYTES)).collect::<io::Result<_>>()?,
    };
    let head: EngineHead = view.engine.read(0);
    if head.magic != MAGIC || head.layout != LAYOUT_HASH {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the engine segment is of another build"));
    }
    let tables = warm::tables(&inherited.tables)?;
    let frames = head.frames as usize;
    let ffts = Arc::new(Ffts::plan());
    let mut scratch = Scratch::new(frames, Arc::clone(&ffts));
    warm::run_every_kind(CATALOGUE, tables.get(), head.rate_hz as f32, frames, &mut scratch);
    let warm_us = ((now_ns() - started_ns) / 1000) as i64;
    let says = ZygoteSays { what: ZygoteSays::WARM, pid: std::process::id(), ticket: 0, figure: warm_us };
    socket::send(&inherited.socket, &says, &[])?;
    // Everything that is needed is mapped: the workers shall not even inherit the descriptors.
    let Inherited { socket: engine_socket, .. } = inherited;

    let (own_pid, keeper_pid) = (std::process::id(), process::parent());
    let mut nursery = Nursery { view, tables: tables.get(), ffts, frames, engine_socket, own_pid, keeper_pid };
    loop {
        let [has_order, has_signal] = process::wait_any([nursery.engine_socket.as_fd(), signals.as_fd()], None);
        if has_signal {
            while signals.next().is_some() {}
            nursery.report_ended()?;
        }
        if has_order {
            match socket::receive::<ForkOrder>(&nursery.engine_socket, false) {
                Ok(Some((order, _))) => nursery.fork(order)?,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

struct Nursery<'t> {
    view: View,
    tables: &'t Tables,
    ffts: Arc<Ffts>,
    frames: usize,
    engine_socket: OwnedFd,
    own_pid: u32,
    keeper_pid: u32,
}

impl Nursery<'_> {
    fn fork(&mut self, order: ForkOrder) -> io::Result<()> {
        let forked_ns = now_ns();
        let outcome = socket::pair().and_then(|(ours, theirs)| {
            let pid = match process::fork()? {
                Forked::Child => self.become_worker(theirs, forked_ns),
                Forked::Parent(pid) => pid,
            };
            // We are its parent and have not reaped it, so the id is still its own.
            Ok((pid, process::watch(pid)?, ours))
        });
        let says = |what, pid, figure| ZygoteSays { what, pid, ticket: order.ticket, figure };
        match outcome {
            Ok((pid, pidfd, ours)) => {
                let took_us = ((now_ns() - forked_ns) / 1000) as i64;
                socket::send(
                    &self.engine_socket,
                    &says(ZygoteSays::FORKED, pid, took_us),
                    &[pidfd.as_fd(), ours.as_fd()],
                )
            }
            Err(error) => {
                let code = i64::from(error.raw_os_error().unwrap_or(0));
                socket::send(&self.engine_socket, &says(ZygoteSays::FAILED, 0, code), &[])
            }
        }
    }

    /// The child's side of a fork; never returns.
    fn become_worker(&self, engine: OwnedFd, forked_ns: u64) -> ! {
        // One line and out: a trace with names takes hundreds of milliseconds, in which the lane would stand still.
        std::panic::set_hook(Box::new(|panic| {
            eprintln!("tine: a worker panicked: {panic}");
            process::exit_now(101);
        }));
        let outcome = (|| {
            // A worker plays on without its zygote, but not without the keeper.
            process::outlive_parent(self.own_pid, self.keeper_pid)?;
            process::set_name("tine-worker");
            process::silence_standard_streams()?;
            process::close_all_but(&[engine.as_raw_fd()])?;
            process::unblock(&[Signal::SIGCHLD]);
            // The pool starts without a favourite core; placement binds it when it gets modules.
            let _ = sched::bind(0, &sched::cores());
            let warm = Warm {
                view: self.view.clone(),
                tables: self.tables,
                catalogue: CATALOGUE,
                workspace: Workspace::new(self.frames, Arc::clone(&self.ffts)),
            };
            seat::live(warm, &engine, forked_ns)
        })();
        process::exit_now(i32::from(outcome.is_err()))
    }

    fn report_ended(&self) -> io::Result<()> {
        while let Some((pid, ended)) = process::reap() {
            let figure = match ended {
                Ended::Exited(status) => i64::from(status),
                Ended::Killed(signal) => -i64::from(signal),
            };
            let says = ZygoteSays { what: ZygoteSays::ENDED, pid, ticket: 0, figure };
            socket::send(&self.engine_socket, &says, &[])?;
        }
        Ok(())
    }
}
