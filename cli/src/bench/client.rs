//! A program that plays over OSC, as a suite is one: one socket, one question at a time.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};

/// The longest that any answer takes; past this the engine is gone or the datagram lost.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// A connection to an engine.
pub struct Client {
    socket: UdpSocket,
    syncs: std::cell::Cell<i32>,
    wait: Duration,
}

/// One worker, as `/pool` tells.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The lane that it executes; -1 has none.
    pub seat: i32,
    /// Its process.
    pub pid: u32,
    /// `idle`, `busy`, ...
    pub state: String,
}

/// A message, ready to be sent: making it is not part of what is measured.
pub fn message(address: &str, args: impl Into<Vec<OscType>>) -> Result<Vec<u8>, String> {
    let message = OscMessage { addr: address.to_owned(), args: args.into() };
    rosc::encoder::encode(&OscPacket::Message(message)).map_err(|error| error.to_string())
}

/// A text argument.
pub fn text(text: &str) -> OscType {
    OscType::String(text.to_owned())
}

impl Client {
    /// A client of the engine at `to`.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn new(to: SocketAddr) -> Result<Client, String> {
        let open = || {
            let socket = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(to)?;
            Ok(socket)
        };
        let socket = open().map_err(|error: std::io::Error| format!("{to}: {error}"))?;
        Ok(Client { socket, syncs: std::cell::Cell::new(0), wait: ANSWER_WAIT })
    }

    /// Another client of the same engine.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn another(&self) -> Result<Client, String> {
        Client::new(self.socket.peer_addr().map_err(|error| error.to_string())?)
    }

    /// Waits for this long, where answers may be lost on the way.
    pub fn patience(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// Sends a message that was made before.
    ///
    /// # Errors
    /// If the engine is gone.
    pub fn send(&self, datagram: &[u8]) -> Result<(), String> {
        self.socket.send(datagram).map(drop).map_err(|error| format!("the engine is gone: {error}"))
    }

    /// Sends a message and waits for the first answer that is `last`; returns that and all before it.
    ///
    /// # Errors
    /// If it is refused, or no answer comes.
    pub fn ask(&self, datagram: &[u8], last: impl Fn(&OscMessage) -> bool) -> Result<Vec<OscMessage>, String> {
        self.send(datagram)?;
        self.hear(last)
    }

    /// Waits for the first message that is `last`; returns that and all before it.
    ///
    /// # Errors
    /// If a message is refused, or none comes.
    pub fn hear(&self, last: impl Fn(&OscMessage) -> bool) -> Result<Vec<OscMessage>, String> {
        let until = Instant::now() + self.wait;
        let mut answers = Vec::new();
        loop {
            let answer = self.receive(until)?;
            let is_last = last(&answer);
            answers.push(answer);
            if is_last {
                return Ok(answers);
            }
        }
    }

    fn receive(&self, until: Instant) -> Result<OscMessage, String> {
        let mut buffer = [0; 8192];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("an answer of the engine did not come".to_owned());
            }
            self.socket.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match self.socket.recv(&mut buffer) {
                Ok(size) => match rosc::decoder::decode_udp(&buffer[..size]) {
                    Ok((_, OscPacket::Message(answer))) if answer.addr == "/fail" => {
                        return Err(format!("the engine refuses: {:?}", answer.args));
                    }
                    Ok((_, OscPacket::Message(answer))) => return Ok(answer),
                    _ => {}
                },
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(format!("the engine is gone: {error}")),
            }
        }
    }

    /// The same for what answers `/done`.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn done(&self, address: &str, args: impl Into<Vec<OscType>>) -> Result<Vec<OscMessage>, String> {
        self.ask(&message(address, args)?, |answer| is_done(answer, address))
    }

    /// Carries out a line of the REPL.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn eval(&self, line: &str) -> Result<(), String> {
        self.done("/eval", [text(line)]).map(drop)
    }

    /// Waits until everything before is in effect.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn sync(&self) -> Result<(), String> {
        let number = self.syncs.replace(self.syncs.get().wrapping_add(1));
        let wanted = [OscType::Int(number)];
        self.ask(&message("/sync", wanted.clone())?, |answer| answer.addr == "/synced" && answer.args == wanted)
            .map(drop)
    }

    /// The figures of `stats`, by name.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn stats(&self) -> Result<HashMap<String, f64>, String> {
        let rows = self.done("/stats", [])?;
        let figures = rows.into_iter().filter_map(|row| match &row.args[..] {
            [OscType::String(name), OscType::Float(value)] => Some((name.clone(), f64::from(*value))),
            _ => None,
        });
        Ok(figures.collect())
    }

    /// The workers.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn pool(&self) -> Result<Vec<Worker>, String> {
        let rows = self.done("/pool", [])?;
        let workers = rows.into_iter().filter_map(|row| match &row.args[..] {
            [OscType::Int(seat), OscType::Int(pid), OscType::String(state), ..] => {
                Some(Worker { seat: *seat, pid: *pid as u32, state: state.clone() })
            }
            _ => None,
        });
        Ok(workers.collect())
    }
}

/// Whether `answer` is the `/done` of `address`.
pub fn is_done(answer: &OscMessage, address: &str) -> bool {
    answer.addr == "/done" && answer.args.first().is_some_and(|arg| *arg == text(address))
}
