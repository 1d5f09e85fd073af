//! An OSC client that knows the protocol and nothing of the engine. What it asks carries a token, so that it may ask again.

use std::cell::Cell;
use std::io::ErrorKind;
use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};
use rosc::{OscBundle, OscMessage, OscPacket, OscType};

/// How long an answer may take before it is asked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// Tokens that no other number in an answer equals.
const FIRST_TOKEN: i32 = 1 << 20;
/// How long an answer may take at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client.
pub struct Osc {
    socket: UdpSocket,
    to: SocketAddr,
    token: Cell<i32>,
}

/// Arguments that a message may have.
pub trait Argument {
    /// As OSC has it.
    fn osc(&self) -> OscType;
}

macro_rules! argument {
    ($($type:ty => $how:expr),*) => { $(impl Argument for $type { fn osc(&self) -> OscType { let how: fn(&$type) -> OscType = $how; how(self) } })* };
}
argument!(
    i32 => |value| OscType::Int(*value),
    f32 => |value| OscType::Float(*value),
    &str => |value| OscType::String((*value).to_owned()),
    String => |value| OscType::String(value.clone()),
    OscType => OscType::clone
);

/// A message.
pub fn message(address: &str, arguments: &[&dyn Argument]) -> OscMessage {
    OscMessage { addr: address.to_owned(), args: arguments.iter().map(|argument| argument.osc()).collect() }
}

/// The text of an argument; empty if it is none.
pub fn text(argument: &OscType) -> &str {
    match argument {
        OscType::String(text) => text,
        _ => "",
    }
}

/// The number in an argument.
///
/// # Panics
/// If it is none.
pub fn number(argument: &OscType) -> f64 {
    match argument {
        OscType::Int(value) => f64::from(*value),
        OscType::Float(value) => f64::from(*value),
        other => panic!("{other:?} is no number"),
    }
}

impl Osc {
    /// A client of its own port.
    ///
    /// # Panics
    /// If there is none free.
    pub fn new(to: SocketAddr) -> Osc {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        Osc { socket, to, token: Cell::new(FIRST_TOKEN) }
    }

    /// Sends any bytes. An engine that has ended is no error here.
    pub fn raw(&self, datagram: &[u8]) {
        let _ = self.socket.send_to(datagram, self.to);
    }

    /// Sends the same bytes so many times, many with one system call: faster than anybody plays.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn raw_times(&self, datagram: &[u8], times: usize) {
        const AT_ONCE: usize = 64;
        let to = nix::sys::socket::SockaddrStorage::from(self.to);
        let slices: Vec<[IoSlice<'_>; 1]> = (0..AT_ONCE).map(|_| [IoSlice::new(datagram)]).collect();
        let mut left = times;
        while left > 0 {
            let count = left.min(AT_ONCE);
            let mut headers = MultiHeaders::preallocate(count, None);
            let addresses = vec![Some(to); count];
            let flags = MsgFlags::empty();
            let sent = sendmmsg(self.socket.as_raw_fd(), &mut headers, &slices[..count], &addresses, [], flags);
            left -= sent.expect("the loopback takes them").count();
        }
    }

    /// Sends a packet.
    ///
    /// # Panics
    /// If it cannot be encoded.
    pub fn packet(&self, packet: &OscPacket) {
        self.raw(&rosc::encoder::encode(packet).expect("rosc encodes what we make"));
    }

    /// Sends a message.
    pub fn send(&self, address: &str, arguments: &[&dyn Argument]) {
        self.packet(&OscPacket::Message(message(address, arguments)));
    }

    /// Sends a bundle for a moment.
    ///
    /// # Panics
    /// If the moment is out of OSC's range.
    pub fn bundle(&self, at: SystemTime, messages: Vec<OscMessage>) {
        let timetag = at.try_into().expect("a moment of this century");
        let content = messages.into_iter().map(OscPacket::Message).collect();
        self.packet(&OscPacket::Bundle(OscBundle { timetag, content }));
    }

    /// The next message, if one comes in time.
    pub fn receive(&self, wait: Duration) -> Option<OscMessage> {
        let mut buffer = vec![0; 65_536];
        self.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).expect("a time");
        match self.socket.recv_from(&mut buffer) {
            Ok((length, _)) => match rosc::decoder::decode_udp(&buffer[..length]) {
                Ok((_, OscPacket::Message(message))) => Some(message),
                other => panic!("the engine sent what is no message: {other:?}"),
            },
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            // Nobody listens any more.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => None,
            Err(error) => panic!("receive: {error}"),
        }
    }

    /// Waits for a message with this address.
    ///
    /// # Panics
    /// If none comes.
    pub fn hear(&self, address: &str) -> OscMessage {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.receive(AGAIN) {
                Some(message) if message.addr == address => return message,
                _ => {}
            }
        }
        panic!("no {address} came");
    }

    /// Asks; returns the answer's messages, `/done` or `/fail` last, without the token.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn ask(&self, address: &str, arguments: &[&dyn Argument]) -> Vec<OscMessage> {
        let token = self.token.replace(self.token.get() + 1);
        let mut args = vec![OscType::Int(token), OscType::String(address.to_owned())];
        args.extend(arguments.iter().map(|argument| argument.osc()));
        let packet = OscPacket::Message(OscMessage { addr: "/req".to_owned(), args });
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            self.packet(&packet);
            let sent = Instant::now();
            let mut rows = Vec::new();
            while sent.elapsed() < AGAIN {
                let Some(mut message) = self.receive(AGAIN.saturating_sub(sent.elapsed())) else { break };
                if message.args.pop() != Some(OscType::Int(token)) {
                    continue;
                }
                let is_last = !message.addr.ends_with(".reply") || message.addr == "/status.reply";
                rows.push(message);
                if is_last {
                    return rows;
                }
            }
        }
        panic!("{address}: no answer");
    }

    /// Asks, and expects to hear that it is done; returns that message's arguments after the address.
    ///
    /// # Panics
    /// If it fails.
    pub fn done(&self, address: &str, arguments: &[&dyn Argument]) -> Vec<OscType> {
        let rows = self.ask(address, arguments);
        let last = rows.last().expect("an answer has a last message");
        assert_eq!(last.addr, "/done", "{address}: {:?}", last.args);
        last.args[1..].to_vec()
    }

    /// Asks, and expects a refusal: its message and code.
    ///
    /// # Panics
    /// If it is done.
    pub fn refused(&self, address: &str, arguments: &[&dyn Argument]) -> (String, String) {
        let rows = self.ask(address, arguments);
        let last = rows.last().expect("an answer has a last message");
        assert_eq!(last.addr, "/fail", "{address} was not refused: {:?}", last.args);
        (text(&last.args[1]).to_owned(), text(&last.args[2]).to_owned())
    }

    /// Waits until all that was sent before is in effect.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn sync(&self) {
        let rows = self.ask("/sync", &[&7]);
        assert_eq!(rows.last().map(|row| row.addr.as_str()), Some("/synced"));
    }

    /// A figure of `stats`.
    ///
    /// # Panics
    /// If it is not there.
    pub fn stat(&self, name: &str) -> f64 {
        let rows = self.ask("/stats", &[]);
        let row = rows.iter().find(|row| row.addr == "/stats.reply" && text(&row.args[0]) == name);
        number(&row.unwrap_or_else(|| panic!("no {name} among the figures")).args[1])
    }

    /// The workers' states, in the order of `pool`: worker (-1 for a spare), pid, state, modules.
    pub fn pool(&self) -> Vec<(i32, i32, String, i32)> {
        let int = |argument: &OscType| number(argument) as i32;
        let rows = self.ask("/pool", &[]);
        let rows = rows.iter().filter(|row| row.addr == "/pool.reply");
        rows.map(|row| (int(&row.args[0]), int(&row.args[1]), text(&row.args[2]).to_owned(), int(&row.args[4])))
            .collect()
    }

    /// Which incarnation a worker is.
    ///
    /// # Panics
    /// If it has no row.
    pub fn generation(&self, worker: usize) -> usize {
        let rows = self.ask("/pool", &[]);
        let row = rows.iter().find(|row| row.addr == "/pool.reply" && number(&row.args[0]) == worker as f64);
        number(&row.expect("the worker has a row").args[3]) as usize
    }

    /// Waits until the eight seats have workers and two spares stand by.
    ///
    /// # Panics
    /// If it takes too long.
    pub fn wait_for_a_full_pool(&self) {
        let begun = Instant::now();
        loop {
            let pool = self.pool();
            let ready =
                |wanted: &[&str]| pool.iter().filter(|(_, _, state, _)| wanted.contains(&state.as_str())).count();
            if (ready(&["idle", "busy"]), ready(&["spare"])) == (8, 2) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the pool is not full again: {pool:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
