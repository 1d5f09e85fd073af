//! `tine connect`: the same REPL on an engine elsewhere. Lines go out as `/eval`; its answers come back.

use std::io::ErrorKind;
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};
use tine_engine::interpreter::Failure;

use crate::grammar::{Local, Mode, Statement, parse_line};
use crate::player::{Reply, Then};
use crate::repl::Remote;

/// A line may wait for its moment in the sound; past this nobody is there.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// The largest UDP datagram.
const DATAGRAM_MAX: usize = 65_507;

/// The address of lines, out and in answers.
const EVAL: &str = "/eval";

/// An engine elsewhere.
pub struct Wire {
    socket: UdpSocket,
    address: String,
    wait: Duration,
}

impl Wire {
    /// A way to the engine at `HOST:PORT`. Nothing is sent yet.
    ///
    /// # Errors
    /// If the address means nothing.
    pub fn open(address: &str) -> Result<Wire, String> {
        let failed = |error: std::io::Error| format!("{address}: {error}");
        let to = address.to_socket_addrs().map_err(failed)?.next().ok_or(format!("{address}: no such host"))?;
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        socket.connect(to).map_err(failed)?;
        Ok(Wire { socket, address: address.to_owned(), wait: ANSWER_WAIT })
    }

    fn eval(&self, line: &str) -> Result<String, Failure> {
        // An answer to a line before that came too late is not an answer to this one.
        self.drain();
        let message = OscMessage { addr: EVAL.to_owned(), args: vec![OscType::String(line.to_owned())] };
        let packet =
            rosc::encoder::encode(&OscPacket::Message(message)).map_err(|error| self.failed(&error.to_string()))?;
        if line.contains('\0') || packet.len() > DATAGRAM_MAX {
            return Err(Failure { code: "parse", message: "the line does not fit into a datagram".to_owned() });
        }
        self.socket.send(&packet).map_err(|error| self.unheard(&error))?;
        let until = Instant::now() + self.wait;
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seconds = self.wait.as_secs_f32();
                return Err(self.failed(&format!("no answer within {seconds} s; it may have been done or not")));
            }
            self.socket.set_read_timeout(Some(left)).map_err(|error| self.unheard(&error))?;
            match self.socket.recv(&mut buffer) {
                Ok(size) => {
                    if let Some(answer) = answer(&buffer[..size]) {
                        return answer;
                    }
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(self.unheard(&error)),
            }
        }
    }

    fn drain(&self) {
        let mut byte = [0; 1];
        if self.socket.set_nonblocking(true).is_ok() {
            // Bounded: an engine that floods us is not waited out.
            for _ in 0..10_000 {
                if self.socket.recv(&mut byte).is_err() {
                    break;
                }
            }
        }
        // Failing here shows in the wait that follows.
        let _ = self.socket.set_nonblocking(false);
    }

    fn unheard(&self, error: &std::io::Error) -> Failure {
        match error.kind() {
            ErrorKind::ConnectionRefused => self.failed("nothing listens there; \"tine serve\" starts an engine"),
            _ => self.failed(&error.to_string()),
        }
    }

    fn failed(&self, reason: &str) -> Failure {
        Failure { code: "io", message: format!("{}: {reason}", self.address) }
    }
}

impl Remote for Wire {
    fn line(&self, line: &str, mode: Mode) -> Result<Reply, Failure> {
        // Leaving leaves the engine as it is, and history is ours; everything else is the engine's to judge.
        let then = match parse_line(line, mode).as_deref() {
            Ok([]) => return Ok(Reply::default()),
            Ok([Statement::Local(Local::Quit)]) => Then::Quit,
            Ok([Statement::Local(Local::History(count))]) => Then::History(*count),
            _ => return self.eval(line).map(|text| Reply { text, then: Then::GoOn }),
        };
        Ok(Reply { then, ..Reply::default() })
    }
}

/// What a datagram answers to `/eval`, or `None` if it is about something else.
fn answer(datagram: &[u8]) -> Option<Result<String, Failure>> {
    // Answers are messages. Bundles are not looked into: nested ones overflow rosc's stack (PARTS).
    if datagram.first() != Some(&b'/') {
        return None;
    }
    let Ok((_, OscPacket::Message(message))) = rosc::decoder::decode_udp(datagram) else { return None };
    let mut texts = message.args.into_iter().map(|arg| match arg {
        OscType::String(text) => text,
        other => other.to_string(),
    });
    if texts.next().as_deref() != Some(EVAL) {
        return None;
    }
    let text = texts.next().unwrap_or_default();
    match message.addr.as_str() {
        "/done" => Some(Ok(text)),
        "/fail" => Some(Err(Failure { code: "parse", message: text })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine that answers one line with what `answers` makes of it.
    fn engine(answers: impl FnOnce(String) -> Vec<(&'static str, Vec<String>)> + Send + 'static) -> Wire {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let wire = Wire::open(&socket.local_addr().unwrap().to_string()).unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            let (size, from) = socket.recv_from(&mut buffer).unwrap();
            let Ok((_, OscPacket::Message(message))) = rosc::decoder::decode_udp(&buffer[..size]) else { panic!() };
            assert_eq!(message.addr, "/eval");
            let OscType::String(line) = message.args[0].clone() else { panic!() };
            for (addr, args) in answers(line) {
                let args = args.into_iter().map(OscType::String).collect();
                let packet = OscPacket::Message(OscMessage { addr: addr.to_owned(), args });
                socket.send_to(&rosc::encoder::encode(&packet).unwrap(), from).unwrap();
            }
        });
        wire
    }

    #[test]
    fn the_answer_to_a_line_is_told_from_all_else() {
        let wire = engine(|line| {
            vec![
                ("/m.add", vec!["1".into()]),
                ("/done", vec!["/create".into(), "no".into()]),
                ("/done", vec!["/eval".into(), format!("did {line}")]),
            ]
        });
        let reply = wire.line("crea vca", Mode::Interactive).unwrap();
        assert_eq!(reply, Reply { text: "did crea vca".to_owned(), then: Then::GoOn });
    }

    #[test]
    fn a_refusal_comes_in_the_engines_words() {
        let wire = engine(|_| vec![("/fail", vec!["/eval".into(), "no module".into(), "not_found".into()])]);
        assert_eq!(wire.line("info 1", Mode::Interactive).unwrap_err().message, "no module");
    }

    #[test]
    fn leaving_does_not_touch_the_engine() {
        let wire = engine(|line| panic!("{line} was sent"));
        assert_eq!(wire.line("quit", Mode::Interactive).unwrap().then, Then::Quit);
        assert_eq!(wire.line("# nothing", Mode::Interactive).unwrap(), Reply::default());
    }

    #[test]
    fn silence_is_said_so() {
        let mut wire = engine(|_| vec![]);
        wire.wait = Duration::from_millis(50);
        let message = wire.line("list", Mode::Interactive).unwrap_err().message;
        assert!(message.contains("no answer") || message.contains("nothing listens"), "{message}");
    }
}
