//! Socket and threads of the OSC server. The receiving thread never blocks on the session, nor on a client.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, bounded};
use tine_protocol::spec::KindSpec;

use super::dispatch::{Shared, TICK};
use super::notify::{self, CHANGES_MAX};
use super::reply::{OUTBOX_MAX, Parcel, Reporter};
use super::slow::{self, SLOW_MAX};
use super::stats::{Count, OscStats};
use crate::handle::Handle;
use crate::interpreter::Interpreter;

/// How long the end waits for a line or file that is under way, in ticks: 2 s. Its thread is then left to itself.
const PATIENCE_TICKS: u32 = 40;

/// A datagram longer than the decoder takes is seen to be so.
const BUFFER_BYTES: usize = 1 << 16;

/// What a server needs to know.
#[derive(Clone, Debug)]
pub struct OscConfig {
    /// Where it listens; port 0 takes any free one.
    pub addr: SocketAddr,
    /// The folder that paths from the network stay inside.
    pub files: PathBuf,
    /// Where it counts; the session's `stats` may show the same.
    pub stats: Arc<OscStats>,
}

/// A running server; stops when dropped.
pub struct OscServer {
    shared: Arc<Shared>,
    is_closing: Arc<AtomicBool>,
    /// Receiving, notifying.
    threads: Vec<JoinHandle<()>>,
    slow: Option<JoinHandle<()>>,
    sending: Option<JoinHandle<()>>,
}

/// Listens on `config.addr` and serves the session behind `handle`; `catalogue` is all kinds.
///
/// # Errors
/// If the address cannot be bound or a thread cannot be started.
pub fn serve(
    config: OscConfig,
    handle: Handle,
    interpreter: Arc<dyn Interpreter>,
    catalogue: Vec<&'static KindSpec>,
) -> Result<OscServer, std::io::Error> {
    let OscConfig { addr, files, stats } = config;
    let socket = UdpSocket::bind(addr)?;
    socket.set_read_timeout(Some(TICK))?;
    let bound = socket.local_addr()?;
    if !bound.ip().is_loopback() {
        tracing::warn!("OSC listens on {bound}: anyone who reaches it can play, save and stop this engine");
    }
    let (outbox, parcels) = bounded(OUTBOX_MAX);
    let (slow, batches) = bounded(SLOW_MAX);
    let (changes, pending) = bounded(CHANGES_MAX);
    let reporter = Arc::new(Reporter { outbox, stats, interpreter, tokens: Mutex::default() });
    let shared = Arc::new(Shared {
        handle,
        reporter,
        catalogue,
        files,
        slow,
        changes,
        behind: Mutex::default(),
        recording: Arc::default(),
        bound,
        stop: AtomicBool::new(false),
    });
    // From here on a failure drops the server, and so stops the threads that run already.
    let mut server = OscServer { shared, is_closing: Arc::default(), threads: Vec::new(), slow: None, sending: None };
    let sending = socket.try_clone()?;
    let (is_closing, stats) = (Arc::clone(&server.is_closing), server.stats());
    server.sending = Some(spawn("osc-send", move || send(&sending, &parcels, &is_closing, &stats))?);
    let shared = Arc::clone(&server.shared);
    server.slow = Some(spawn("osc-slow", move || slow::run(&shared, &batches))?);
    let shared = Arc::clone(&server.shared);
    server.threads.push(spawn("osc-notify", move || notify::run(&shared, &pending))?);
    let shared = Arc::clone(&server.shared);
    server.threads.push(spawn("osc-receive", move || receive(&socket, &shared))?);
    Ok(server)
}

impl OscServer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.bound
    }

    /// What it has counted.
    pub fn stats(&self) -> Arc<OscStats> {
        Arc::clone(&self.shared.reporter.stats)
    }
}

impl Drop for OscServer {
    fn drop(&mut self) {
        // SYNC stop: pairs with the loads in receive, notify::run, slow::run and Shared::wait.
        self.shared.stop.store(true, Ordering::Release);
        self.threads.drain(..).for_each(join);
        if let Some(slow) = self.slow.take() {
            // A line may wait for a session that does not answer any more.
            for _ in 0..PATIENCE_TICKS {
                if slow.is_finished() {
                    break;
                }
                sleep(TICK);
            }
            if slow.is_finished() { join(slow) } else { tracing::warn!("an OSC line or file is still under way") }
        }
        // Last, so that answers given until now still leave.
        self.is_closing.store(true, Ordering::Release);
        self.sending.take().into_iter().for_each(join);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, std::io::Error> {
    Builder::new().name(name.to_owned()).spawn(run)
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("an OSC thread panicked");
    }
}

fn receive(socket: &UdpSocket, shared: &Arc<Shared>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while !shared.stop.load(Ordering::Acquire) {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => shared.take(&buffer[..length], from),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                // A client that has gone: the system tells of what was sent to it.
                ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => {}
                kind => {
                    tracing::debug!("OSC cannot receive: {kind}");
                    // Does not spin where the error stays.
                    sleep(Duration::from_millis(10));
                }
            },
        }
    }
}

/// Sends until closing, and then what is left.
fn send(socket: &UdpSocket, parcels: &Receiver<Parcel>, is_closing: &AtomicBool, stats: &OscStats) {
    loop {
        let is_last = is_closing.load(Ordering::Acquire);
        match parcels.recv_timeout(if is_last { Duration::ZERO } else { TICK }) {
            Ok((to, datagram)) => {
                if socket.send_to(&datagram, to).is_err() {
                    stats.add(Count::RepliesLost);
                }
            }
            Err(RecvTimeoutError::Timeout) if !is_last => {}
            Err(_) => return,
        }
    }
}
