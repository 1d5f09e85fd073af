//! A UDP client that expects answers in order.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use tine_engine::command::{Command, Value};

/// Far longer than anything takes; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    pub socket: UdpSocket,
}

impl Client {
    pub fn new(server: SocketAddr) -> Client {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { socket }
    }

    pub fn send(&self, address: &str, args: impl Into<Vec<OscType>>) {
        self.send_bytes(&encode(address, args));
    }

    pub fn send_bytes(&self, bytes: &[u8]) {
        self.socket.send(bytes).unwrap();
    }

    /// Timetag in seconds since 1900, or 0 for now.
    pub fn send_bundle(&self, seconds: u32, messages: &[(&str, Vec<OscType>)]) {
        let message = |(address, args): &(&str, Vec<OscType>)| {
            OscPacket::Message(OscMessage { addr: (*address).to_owned(), args: args.clone() })
        };
        let timetag = OscTime { seconds, fractional: 1 };
        let bundle = OscBundle { timetag, content: messages.iter().map(message).collect() };
        self.send_bytes(&rosc::encoder::encode(&OscPacket::Bundle(bundle)).unwrap());
    }

    pub fn receive(&self) -> (String, Vec<OscType>) {
        let mut buffer = [0; 65_536];
        let length = self.socket.recv(&mut buffer).expect("an answer comes");
        match rosc::decoder::decode_udp(&buffer[..length]).unwrap() {
            ([], OscPacket::Message(message)) => (message.addr, message.args),
            other => panic!("{other:?}"),
        }
    }

    /// The next message is this one.
    #[track_caller]
    pub fn expect(&self, address: &str, args: impl Into<Vec<OscType>>) {
        assert_eq!(self.receive(), (address.to_owned(), args.into()));
    }

    /// The next message is a refusal of `address` with `code`; its text.
    #[track_caller]
    pub fn expect_fail(&self, address: &str, code: &str) -> String {
        let (got, args) = self.receive();
        match (got.as_str(), &args[..]) {
            ("/fail", [OscType::String(of), OscType::String(text), OscType::String(why), ..]) => {
                assert_eq!((of.as_str(), why.as_str()), (address, code), "{text}");
                text.clone()
            }
            _ => panic!("{got} {args:?}"),
        }
    }

    /// Nothing but this is answered to what was sent so far.
    #[track_caller]
    pub fn sync(&self, number: i32) {
        self.send("/sync", [i(number)]);
        self.expect("/synced", [i(number)]);
    }

    /// A module `id` of kind `tone`.
    #[track_caller]
    pub fn create(&self, id: &str) {
        self.send("/create", [s("tone"), s(id)]);
        self.expect("/done", [s("/create"), s(id), s("tone"), i(3)]);
    }
}

pub fn encode(address: &str, args: impl Into<Vec<OscType>>) -> Vec<u8> {
    let message = OscMessage { addr: address.to_owned(), args: args.into() };
    rosc::encoder::encode(&OscPacket::Message(message)).unwrap()
}

pub fn s(text: &str) -> OscType {
    OscType::String(text.to_owned())
}

pub fn i(number: i32) -> OscType {
    OscType::Int(number)
}

pub fn f(number: f32) -> OscType {
    OscType::Float(number)
}

/// Waits for what comes without a message.
pub fn until(what: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !what() {
        assert!(start.elapsed() < PATIENCE, "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Params by name, of a module of the log.
pub fn numbers(commands: &[Command]) -> HashMap<(String, String), f64> {
    let each = |command: &Command| match command {
        Command::Set { module, param, value: Value::Number(value, _), .. } => {
            Some(((module.to_string(), param.clone()), *value))
        }
        _ => None,
    };
    commands.iter().filter_map(each).collect()
}
