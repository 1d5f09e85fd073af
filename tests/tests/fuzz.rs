//! Anything at all is sent to an engine that plays: it neither panics, hangs, dies, nor changes what is heard.
//!
//! What is sent knows neither the ids of the playing patch nor the words that end or silence all, so that the recording must be
//! the render. The generator is seeded: a failure comes again.

use std::path::Path;
use std::time::{Duration, Instant};

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use tine_tests::family::Process;
use tine_tests::osc::{Osc, text};
use tine_tests::tine::{STEADY, Tine, render};
use tine_tests::wav;

/// No generated text holds `zz`, and no generated pattern can match it.
const UNTOUCHED: &str = "\
create vco --id zz-tone freq=c3
create noise --id zz-hiss
create vcf --id zz-filter cutoff=800 res=0.5
create vca --id zz-amp gain=0.3
connect zz-tone.saw > zz-filter > zz-amp > out
connect zz-hiss > zz-filter --gain 0.1
";

/// Words for lines and arguments.
const WORDS: &[&str] = &[
    "create",
    "connect",
    "disconnect",
    "set",
    "get",
    "info",
    "list",
    "modules",
    "destroy",
    "rename",
    "dup",
    "bypass",
    "reset",
    "note",
    "gate",
    "trig",
    "save",
    "pool",
    "stats",
    "meters",
    "scope",
    "help",
    "snap",
    "recall",
    "trace",
    "bpm",
    "midi",
    "learn",
    "devices",
    "history",
    "vco",
    "vcf",
    "vca",
    "lfo",
    "adsr",
    "noise",
    "mix",
    "sh",
    "slew",
    "delay",
    "f1",
    "f2",
    "f3",
    "f4",
    "5",
    "-6",
    ">",
    "--id",
    "--gain",
    "--with",
    "--worker",
    "--ramp",
    "--at",
    ";",
    "#",
    "\"",
    "freq=1khz",
    "cutoff",
    ".",
    "*",
    "*16",
    "*17",
    "f1.saw",
    "f2.freq",
    "f3.gain",
    "440",
    "440hz",
    "c#3",
    "-6db",
    "20ms",
    "1/8",
    "50%",
    "on",
    "off",
    "saw",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1e-400",
    "-0",
    "99999999999999999999",
    "a.tine",
    "sub/b.tine",
    "../c.tine",
    "/etc/passwd",
    "\\",
    "'",
    "=",
    "\u{0}",
    "ü",
    "\u{202e}",
    "\t",
    "beat",
    "+2s",
    "freq",
    "saw",
    "",
];

const ADDRESSES: &[&str] = &[
    "/create",
    "/destroy",
    "/connect",
    "/disconnect",
    "/set",
    "/ramp",
    "/m/f1/note",
    "/m/f2/gate",
    "/m/f3/trig",
    "/m/f1/freq",
    "/m/f*/gain",
    "/n/f2/cutoff",
    "/n/f?/freq",
    "/m/f{1,2}/freq",
    "/m/f[1-3]/gain",
    "/get",
    "/list",
    "/kinds",
    "/info",
    "/cables",
    "/pool",
    "/status",
    "/stats",
    "/version",
    "/sync",
    "/notify",
    "/save",
    "/snap/store",
    "/snap/recall",
    "/alias",
    "/req",
    "/clearSched",
    "/done",
    "/fail",
    "/pool.reply",
    "/",
    "/m",
    "/m//",
    "/x/y/z",
    "",
];

/// What would end the engine, silence it, replace its patch or its recording.
const FORBIDDEN: &[&str] =
    &["zz", "out", "quit", "panic", "undo", "redo", "load", "run", "rec", "restart", "device", "eval"];

/// The statement words whose abbreviations do the same.
const FORBIDDEN_STARTS: &[&str] = &["q", "pa", "u", "red", "lo", "ru", "rec", "res", "dev"];

/// splitmix64, Steele et al. 2014: small, seeded, good enough to stir with.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn argument(&mut self) -> OscType {
        match self.below(12) {
            0 | 1 => OscType::Int(self.below(12) as i32 - 2),
            2 => OscType::Int(self.roll() as i32),
            3 => OscType::Float(f32::from_bits(self.roll() as u32)),
            4 => OscType::Double(f64::from_bits(self.roll())),
            5 => OscType::Float(self.below(1000) as f32),
            6 => OscType::Bool(self.below(2) == 0),
            7 => OscType::Blob(vec![0xAA; self.below(40)]),
            8 => OscType::Nil,
            _ => OscType::String(self.pick(WORDS).replace('\0', "")),
        }
    }

    fn message(&mut self) -> OscPacket {
        let addr = self.pick(ADDRESSES).to_owned();
        let count = self.below(7);
        let mut args: Vec<OscType> = (0..count).map(|_| self.argument()).collect();
        // Half of them begin as they should.
        let kinds = ["vco", "vcf*4", "vca", "lfo", "adsr", "delay", "noise"];
        let ids = ["f1", "f2", "f3", "f4"];
        if self.below(2) == 0 {
            let id = OscType::String(self.pick(&ids).to_owned());
            match addr.as_str() {
                "/create" => args = vec![OscType::String(self.pick(&kinds).to_owned()), id],
                "/connect" | "/disconnect" => {
                    let (empty, other) = (OscType::String(String::new()), OscType::String(self.pick(&ids).to_owned()));
                    args = vec![id, empty.clone(), other, empty];
                }
                _ => args.insert(0, id),
            }
        }
        OscPacket::Message(OscMessage { addr, args })
    }

    fn packet(&mut self, depth: usize) -> OscPacket {
        if depth == 0 || self.below(6) > 0 {
            return self.message();
        }
        let timetag = match self.below(3) {
            0 => OscTime { seconds: 0, fractional: 1 },
            1 => OscTime { seconds: self.roll() as u32, fractional: self.roll() as u32 },
            _ => (std::time::SystemTime::now() + Duration::from_millis(self.roll() % 100)).try_into().unwrap(),
        };
        let count = self.below(5);
        OscPacket::Bundle(OscBundle { timetag, content: (0..count).map(|_| self.packet(depth - 1)).collect() })
    }

    /// A datagram: noise, a packet, or a packet with some bytes changed, cut or repeated.
    fn datagram(&mut self) -> Vec<u8> {
        if self.below(10) == 0 {
            let length = self.below(300);
            return (0..length).map(|_| self.roll() as u8).collect();
        }
        let packet = self.packet(3);
        let mut bytes = rosc::encoder::encode(&packet).unwrap_or_default();
        if self.below(2) == 0 {
            for _ in 0..=self.below(4) {
                if bytes.is_empty() {
                    break;
                }
                let at = self.below(bytes.len());
                match self.below(4) {
                    0 => bytes[at] = self.roll() as u8,
                    1 => bytes[at] ^= 1 << self.below(8),
                    2 => bytes.truncate(at),
                    _ => bytes.extend_from_within(at..),
                }
            }
        }
        bytes
    }

    /// A line: words in any order, or a good line with letters changed.
    fn line(&mut self) -> String {
        let good = ["create vco --id f1 freq=440", "connect f1.saw > f2 --gain 0.5", "set f1.freq 1.2khz --ramp 50ms"];
        let count = self.below(9);
        let mut line = match self.below(3) {
            0 => self.pick(&good).to_owned(),
            1 => (0..count).map(|_| self.pick(WORDS)).collect::<Vec<_>>().join(" "),
            _ => (0..count).map(|_| self.pick(WORDS)).collect(),
        };
        for _ in 0..self.below(4) {
            let letters: Vec<char> = line.chars().collect();
            let at = self.below(letters.len() + 1);
            let new = char::from_u32(self.roll() as u32 % 0x250).unwrap_or(' ');
            line = letters[..at].iter().chain([&new]).chain(letters.get(at + self.below(2)..).unwrap_or(&[])).collect();
        }
        line
    }
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Whether a datagram can neither name nor match what plays.
fn is_harmless(datagram: &[u8]) -> bool {
    // A pattern is harmless if it begins with an f: nothing that plays does.
    let is_aimed = |at: usize| matches!(datagram.get(at..at + 3), Some(b"/m/" | b"/n/"));
    let is_stray = (0..datagram.len()).any(|at| is_aimed(at) && datagram.get(at + 3) != Some(&b'f'));
    !is_stray && !FORBIDDEN.iter().any(|word| holds(datagram, word))
}

fn is_harmless_line(line: &str) -> bool {
    let is_word = |text: &str| FORBIDDEN_STARTS.iter().any(|start| text.to_lowercase().starts_with(start));
    let starts = line.split([';', '\n', '\r']).map(|part| part.trim_start_matches(|c: char| !c.is_alphanumeric()));
    !starts.into_iter().any(is_word) && !FORBIDDEN.iter().any(|word| holds(line.as_bytes(), word))
}

/// Everything that the fuzz has made goes: otherwise it would in the end cost more time than there is.
fn sweep(osc: &Osc) {
    osc.done("/clearSched", &[]);
    let rows = osc.ask("/list", &[]);
    for row in rows.iter().filter(|row| row.addr == "/list.reply") {
        let id = text(&row.args[0]);
        if !id.starts_with("zz") && id != "out" {
            osc.done("/destroy", &[&id]);
        }
    }
}

fn survive(rounds: usize, mut send: impl FnMut(&Osc, usize)) {
    let aside = tempfile::tempdir().unwrap();
    // Beside the folder that the network may write to.
    let recording = aside.path().join("live.wav");
    let mut arguments = vec!["--record", recording.to_str().unwrap()];
    // Why a worker died, should one.
    arguments.extend(["--log", "info"]);
    arguments.extend(STEADY);
    let mut tine = Tine::serve(UNTOUCHED, &arguments);
    let members = tine.members();
    let (osc, fire) = (tine.osc(), tine.osc());
    let begun = Instant::now();
    for round in 0..rounds {
        send(&fire, round);
        if round % 100 == 99 {
            // Answers that nobody reads are dropped by the system; this waits until all of them were made.
            osc.sync();
        }
        if round % 500 == 499 {
            sweep(&osc);
        }
    }
    sweep(&osc);
    osc.sync();
    let frames = osc.stat("frames") as usize;
    let figures = ["osc_received", "osc_malformed", "refused_count", "late_blocks", "create_count", "worker_deaths"];
    let figures: Vec<String> = figures.iter().map(|name| format!("{name} {}", osc.stat(name))).collect();
    println!("{rounds} rounds in {:.1} s: {}", begun.elapsed().as_secs_f64(), figures.join(", "));
    assert_eq!(tine.members(), members, "nobody died: {}", tine.said());
    let roles: Vec<&Process> = members.iter().collect();
    assert!(roles.iter().all(|process| process.is_alive()));
    tine.quit();
    assert_unchanged(&recording, frames);
}

fn assert_unchanged(recording: &Path, frames: usize) {
    let recorded = wav::read(recording);
    // At most ten minutes are compared: a render of an hour would take longer than it is worth.
    let frames = (frames - 4_800).min(600 * 48_000);
    let rendered = render(UNTOUCHED, frames as f64 / 48_000.0, &STEADY[..2]);
    wav::assert_same("the sound under fire", &rendered, &recorded, frames);
}

fn survive_datagrams(rounds: usize, seed: u64) {
    let mut dice = Dice(seed);
    survive(rounds, |osc, _| {
        let datagram = dice.datagram();
        if is_harmless(&datagram) {
            osc.raw(&datagram);
        }
    });
}

fn survive_lines(rounds: usize, seed: u64) {
    let mut dice = Dice(seed);
    survive(rounds, |osc, _| {
        let line = dice.line();
        if is_harmless_line(&line) {
            osc.send("/eval", &[&line.replace('\0', " ")]);
        }
    });
}

#[test]
fn ten_thousand_datagrams_of_anything_change_nothing() {
    survive_datagrams(10_000, 1);
}

#[test]
fn ten_thousand_lines_of_anything_change_nothing() {
    survive_lines(10_000, 2);
}

#[test]
#[ignore = "takes minutes: ./check --long"]
fn a_million_datagrams_of_anything_change_nothing() {
    survive_datagrams(1_000_000, 3);
}

#[test]
#[ignore = "takes minutes: ./check --long"]
fn a_million_lines_of_anything_change_nothing() {
    survive_lines(1_000_000, 4);
}
