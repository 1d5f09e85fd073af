//! Socket and threads of the OSC server. The receiving thread never blocks on the session, nor on a client.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded, select};
use tine_protocol::spec::KindSpec;
use tine_protocol::sys::{sched, socket};

use super::dispatch::{Never, Shared};
use super::notify::{self, CHANGES_MAX};
use super::reply::{OUTBOX_MAX, Parcel, Reporter};
use super::slow::{self, SLOW_MAX};
use super::stats::{Count, OscStats};
use crate::handle::Handle;
use crate::interpreter::Interpreter;

/// Receive buffer that is asked for: some 10,000 small datagrams.
const RECEIVE_BYTES: usize = 4 << 20;

/// How long the end waits for a line or file that is under way. Its thread is then left to itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// How soon the receiving thread sees the end where the datagram that should wake it does not arrive.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(1);

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
    socket: UdpSocket,
    /// Open while the server runs; the receiving thread, which waits for its socket, looks at `is_stopping`.
    running: Option<Sender<Never>>,
    is_stopping: Arc<AtomicBool>,
    /// Receiving, notifying.
    threads: Vec<JoinHandle<()>>,
    /// The slow thread, and what closes when it ends.
    slow: Option<(JoinHandle<()>, Receiver<Never>)>,
    /// The sending thread, and what is open until it shall end.
    sending: Option<(JoinHandle<()>, Sender<Never>)>,
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
    socket.set_read_timeout(Some(RECEIVE_TIMEOUT))?;
    // A burst waits in the kernel while a message is worked on.
    if let Err(error) = socket::widen(&socket, RECEIVE_BYTES) {
        tracing::warn!("OSC has the system's own receive buffer: {error}");
    }
    if let Err(error) = socket::count_drops(&socket) {
        tracing::warn!("what the system drops of OSC is not counted: {error}");
    }
    let bound = socket.local_addr()?;
    if !bound.ip().is_loopback() {
        tracing::warn!("OSC listens on {bound}: anyone who reaches it can play, save and stop this engine");
    }
    let (outbox, parcels) = bounded(OUTBOX_MAX);
    let (slow, batches) = bounded(SLOW_MAX);
    let (changes, pending) = bounded(CHANGES_MAX);
    let (running, stopped) = bounded(0);
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
        stopped,
    });
    // From here on a failure drops the server, and so stops the threads that run already.
    let mut server = OscServer {
        shared: Arc::clone(&shared),
        socket,
        running: Some(running),
        is_stopping: Arc::default(),
        threads: Vec::new(),
        slow: None,
        sending: None,
    };
    let (socket, stats, (open, closing)) = (server.socket.try_clone()?, server.stats(), bounded(0));
    let sending = move || {
        be_prompt();
        send(&socket, &parcels, &closing, &stats);
    };
    server.sending = Some((spawn("osc-send", sending)?, open));
    let (for_slow, (busy, ended)) = (Arc::clone(&shared), bounded(0));
    let run_slow = move || {
        let _closes_at_the_end: Sender<Never> = busy;
        slow::run(&for_slow, &batches);
    };
    server.slow = Some((spawn("osc-slow", run_slow)?, ended));
    let for_notify = Arc::clone(&shared);
    server.threads.push(spawn("osc-notify", move || notify::run(&for_notify, &pending))?);
    let (socket, is_stopping) = (server.socket.try_clone()?, Arc::clone(&server.is_stopping));
    let receiving = move || {
        be_prompt();
        receive(&socket, &shared, &is_stopping);
    };
    server.threads.push(spawn("osc-receive", receiving)?);
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
        // SYNC stop: pairs with the load in receive; the datagram, which says nothing, wakes it.
        self.is_stopping.store(true, Ordering::Release);
        drop(self.running.take());
        let mut own = self.shared.bound;
        if own.ip().is_unspecified() {
            own.set_ip(if own.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        if self.socket.send_to(&[], own).is_err() {
            tracing::debug!("OSC stops within {RECEIVE_TIMEOUT:?}");
        }
        self.threads.drain(..).for_each(join);
        if let Some((slow, ended)) = self.slow.take() {
            // A line may wait for a session that does not answer any more.
            match ended.recv_timeout(PATIENCE) {
                Err(RecvTimeoutError::Timeout) => tracing::warn!("an OSC line or file is still under way"),
                _ => join(slow),
            }
        }
        // Last, so that answers given until now still leave.
        if let Some((sending, open)) = self.sending.take() {
            drop(open);
            join(sending);
        }
    }
}

/// A player's gesture does not wait for whatever else the machine does. Without the right it does; sound is not touched.
fn be_prompt() {
    let _ = sched::set_fifo(0, sched::priority::CONTROL);
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, std::io::Error> {
    Builder::new().name(name.to_owned()).spawn(run)
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("an OSC thread panicked");
    }
}

fn receive(socket: &UdpSocket, shared: &Arc<Shared>, is_stopping: &AtomicBool) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut dropped = 0;
    loop {
        let received = socket::datagram(socket, &mut buffer);
        if is_stopping.load(Ordering::Acquire) {
            return;
        }
        match received {
            Ok(datagram) => {
                if let Some(count) = datagram.dropped {
                    shared.reporter.stats.add_dropped(count.wrapping_sub(dropped));
                    dropped = count;
                }
                shared.take(&buffer[..datagram.bytes], datagram.from);
            }
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
fn send(socket: &UdpSocket, parcels: &Receiver<Parcel>, closing: &Receiver<Never>, stats: &OscStats) {
    let send = |(to, datagram): Parcel| {
        if socket.send_to(&datagram, to).is_err() {
            stats.add(Count::RepliesLost);
        }
    };
    loop {
        select! {
            recv(parcels) -> parcel => match parcel {
                Ok(parcel) => send(parcel),
                Err(_) => return,
            },
            recv(closing) -> _ => return parcels.try_iter().for_each(send),
        }
    }
}
