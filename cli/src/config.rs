//! What the command line asks for, checked: the engine is started from this alone. Starts nothing itself.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::args::{CommandLine, Flags, Verb, word};

/// Where OSC listens unless told otherwise.
pub const OSC_DEFAULT: &str = "127.0.0.1:57130";

/// What `bench` can measure.
pub const SUITES: [&str; 9] = ["create", "osc", "hop", "failover", "sound", "voices", "load", "startup", "soak"];

/// Most worker processes.
pub const WORKERS_MAX: u16 = 64;

/// Most sound at one go, in seconds: 48 hours.
const SECONDS_MAX: f64 = 172_800.0;

/// A command line, checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invocation {
    /// What to do.
    pub action: Action,
    /// How.
    pub config: Config,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Engine and REPL, after these files.
    Play(Vec<PathBuf>),
    /// Engine without a REPL, after these files.
    Serve(Vec<PathBuf>),
    /// Offline; `config.seconds` is there.
    Render {
        /// The patch or script.
        file: PathBuf,
        /// The WAV that it becomes.
        output: PathBuf,
        /// The picture of it.
        plot: Option<PathBuf>,
    },
    /// A REPL on an engine elsewhere.
    Connect(String),
    /// The kinds.
    Modules {
        /// One of them.
        kind: Option<String>,
        /// How they are shown.
        format: Format,
    },
    /// What sound goes to; as JSON or as text.
    Devices(bool),
    /// What stands in the way of low latency.
    Doctor,
    /// Measure this machine.
    Bench {
        /// Some of [`SUITES`], at least one.
        suites: Vec<String>,
        /// Fewer rounds.
        quick: bool,
        /// A file for programs.
        json: Option<PathBuf>,
        /// A file for people.
        html: Option<PathBuf>,
        /// A drawing of what `failover` measured, which is among `suites`.
        svg: Option<PathBuf>,
        /// Where to draw what `sound` measures, which is among `suites`.
        pictures: Option<PathBuf>,
    },
    /// Internal: the engine's process, with inherited descriptors.
    Engine {
        /// The keeper's descriptors.
        inherited: Vec<i32>,
        /// How it is used.
        mode: Mode,
        /// Applied before the first frame.
        files: Vec<PathBuf>,
    },
    /// Internal: the zygote's process, with inherited descriptors.
    Zygote(Vec<i32>),
}

/// How `modules` shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a page.
    Markdown,
}

/// A host of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Backend {
    /// The system's sound device, or null where there is none
    Auto,
    /// ALSA
    Alsa,
    /// A JACK server that runs
    Jack,
    /// Real time without sound
    Null,
}

/// Which modules share a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Placement {
    /// Each new module gets an idle worker while there is one
    Isolate,
    /// Connected modules share a worker
    Pack,
}

/// How a worker waits for its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Wait {
    /// From measured costs
    Adaptive,
    /// Sleeps until the last input is there
    Park,
    /// Wakes at the first input and spins for the rest
    Spin,
}

/// What is told on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How an engine is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// With a REPL.
    Play,
    /// Over OSC only.
    Serve,
    /// Offline, into a file.
    Render,
}

/// How the engine is to run. Every number is within its range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Lanes, 1..=64.
    pub workers: u16,
    /// Lanes that the pool may grow to, `workers`..=64.
    pub max_workers: u16,
    /// Warm workers without a lane, 0..=16.
    pub spares: u16,
    /// Where sound goes.
    pub backend: Backend,
    /// A device of it.
    pub device: Option<String>,
    /// Whether what it hears is opened, too.
    #[serde(default)]
    pub is_heard: bool,
    /// Frames per second, 8000..=192000.
    pub rate_hz: u32,
    /// Frames per block, a power of two in 16..=1024.
    pub block_frames: u32,
    /// Frames that the device takes at once, 16..=8192.
    pub period_frames: u32,
    /// Blocks computed ahead, 0..=16.
    pub lead_blocks: u32,
    /// Which modules share a worker.
    pub placement: Placement,
    /// How workers wait.
    pub wait: Wait,
    /// OSC over UDP.
    pub osc: Option<SocketAddr>,
    /// OSC over TCP.
    pub osc_tcp: Option<SocketAddr>,
    /// OSCQuery.
    pub http: Option<SocketAddr>,
    /// What `out` gives goes here too.
    pub record: Option<PathBuf>,
    /// Ends after this much sound.
    pub seconds: Option<f64>,
    /// The name of the session on disk.
    pub session: Option<String>,
    /// What is told on standard error.
    pub log: LogLevel,
}

impl Config {
    /// The configuration of a command line without flags, on a machine with so many cores.
    pub fn default_on(cores: usize) -> Config {
        let workers = (2 * cores).clamp(8, usize::from(WORKERS_MAX)) as u16;
        Config {
            workers,
            max_workers: workers,
            spares: 2,
            backend: Backend::Auto,
            device: None,
            is_heard: false,
            rate_hz: 48_000,
            block_frames: 64,
            period_frames: 128,
            lead_blocks: 1,
            placement: Placement::Isolate,
            wait: Wait::Adaptive,
            osc: OSC_DEFAULT.parse().ok(),
            osc_tcp: None,
            http: None,
            record: None,
            seconds: None,
            session: None,
            log: LogLevel::Warn,
        }
    }

    /// What the interface has and this version does not carry out yet: better refused than taken without effect.
    ///
    /// # Errors
    /// A sentence that names the flag.
    pub fn refuse_later(&self) -> Result<(), String> {
        let later = [
            ("wait spin", self.wait == Wait::Spin),
            ("osc-tcp", self.osc_tcp.is_some()),
            ("http", self.http.is_some()),
        ];
        match later.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((flag, _)) => Err(format!("--{flag} comes in a later version")),
            None => Ok(()),
        }
    }

    /// Flags that give this configuration again: how the keeper tells it to the processes that it starts.
    pub fn flags(&self) -> Vec<String> {
        let listen = |address: Option<SocketAddr>| address.map_or("off".to_owned(), |address| address.to_string());
        let mut flags = vec![
            format!("--workers={}", self.workers),
            format!("--max-workers={}", self.max_workers),
            format!("--spares={}", self.spares),
            format!("--backend={}", word(self.backend)),
            format!("--rate={}", self.rate_hz),
            format!("--block={}", self.block_frames),
            format!("--period={}", self.period_frames),
            format!("--lead={}", self.lead_blocks),
            format!("--placement={}", word(self.placement)),
            format!("--wait={}", word(self.wait)),
            format!("--osc={}", listen(self.osc)),
            format!("--osc-tcp={}", listen(self.osc_tcp)),
            format!("--http={}", listen(self.http)),
            format!("--log={}", word(self.log)),
        ];
        let mut add = |flag: &str, value: Option<String>| flags.extend(value.map(|value| format!("--{flag}={value}")));
        add("device", self.device.clone());
        add("record", self.record.as_ref().map(|path| path.display().to_string()));
        add("seconds", self.seconds.map(|seconds| seconds.to_string()));
        add("session", self.session.clone());
        if self.is_heard {
            flags.push("--input".to_owned());
        }
        flags
    }
}

/// Checks a command line on a machine with so many cores.
///
/// # Errors
/// A sentence that names the flag and says what would be right; the exit code is 2 then.
pub fn check(line: CommandLine, cores: usize) -> Result<Invocation, String> {
    let config = configure(line.flags, cores)?;
    let action = match line.verb {
        None => Action::Play(Vec::new()),
        Some(Verb::Play { files }) => Action::Play(files),
        Some(Verb::Serve { files }) => Action::Serve(files),
        Some(Verb::Render { .. }) if config.seconds.is_none() => {
            return Err("render needs --seconds N: how much sound to write".to_owned());
        }
        Some(Verb::Render { .. }) if config.session.is_some() => {
            return Err("render takes a file and no --session: it plays the same every time".to_owned());
        }
        Some(Verb::Render { file, output, plot }) => Action::Render { file, output, plot },
        Some(Verb::Connect { address }) => Action::Connect(address),
        Some(Verb::Modules { kind, json, markdown }) => {
            let format = match (json, markdown) {
                (true, _) => Format::Json,
                (_, true) => Format::Markdown,
                _ => Format::Text,
            };
            Action::Modules { kind, format }
        }
        Some(Verb::Devices { json }) => Action::Devices(json),
        Some(Verb::Doctor) => Action::Doctor,
        Some(Verb::Bench { suites, quick, json, html, svg, pictures }) => {
            let suites = if suites.is_empty() { SUITES.map(str::to_owned).to_vec() } else { suites };
            if svg.is_some() && !suites.iter().any(|suite| suite == "failover") {
                return Err("--svg draws what failover measures: tine bench failover --svg FILE".to_owned());
            }
            if pictures.is_some() && !suites.iter().any(|suite| suite == "sound") {
                return Err("--pictures draws what sound measures: tine bench sound --pictures FOLDER".to_owned());
            }
            Action::Bench { suites, quick, json, html, svg, pictures }
        }
        Some(Verb::Engine(inherit)) => {
            Action::Engine { inherited: inherit.inherit, mode: inherit.mode, files: inherit.files }
        }
        Some(Verb::Zygote(inherit)) => Action::Zygote(inherit.inherit),
    };
    Ok(Invocation { action, config })
}

fn configure(flags: Flags, cores: usize) -> Result<Config, String> {
    let default = Config::default_on(cores);
    let most = i64::from(WORKERS_MAX);
    let workers = within("workers", flags.workers, 1, most, i64::from(default.workers))?;
    let block = within("block", flags.block, 16, 1024, i64::from(default.block_frames))?;
    if block.count_ones() != 1 {
        return Err(format!("--block {block} is no power of two: take 16, 32, 64, 128, 256, 512 or 1024"));
    }
    if let Some(seconds) = flags.seconds
        && !(seconds > 0.0 && seconds <= SECONDS_MAX)
    {
        return Err(format!("--seconds {seconds} is outside 0..{SECONDS_MAX}"));
    }
    if let Some(session) = &flags.session
        && !crate::state::is_session(session)
    {
        return Err(format!(
            "--session {session:?}: a session's name is 1 to 64 letters, digits, - _ and ., not . at first"
        ));
    }
    Ok(Config {
        workers: workers as u16,
        max_workers: within("max-workers", flags.max_workers, workers, most, workers)? as u16,
        spares: within("spares", flags.spares, 0, 16, i64::from(default.spares))? as u16,
        backend: flags.backend.unwrap_or(default.backend),
        device: flags.device,
        is_heard: flags.input,
        rate_hz: within("rate", flags.rate, 8_000, 192_000, i64::from(default.rate_hz))? as u32,
        block_frames: block as u32,
        period_frames: within("period", flags.period, 16, 8192, i64::from(default.period_frames))? as u32,
        lead_blocks: within("lead", flags.lead, 0, 16, i64::from(default.lead_blocks))? as u32,
        placement: flags.placement.unwrap_or(default.placement),
        wait: flags.wait.unwrap_or(default.wait),
        osc: listen("osc", flags.osc, default.osc)?,
        osc_tcp: listen("osc-tcp", flags.osc_tcp, default.osc_tcp)?,
        http: listen("http", flags.http, default.http)?,
        record: flags.record,
        seconds: flags.seconds,
        session: flags.session,
        log: flags.log.unwrap_or(default.log),
    })
}

fn within(flag: &str, value: Option<i64>, min: i64, max: i64, default: i64) -> Result<i64, String> {
    match value {
        None => Ok(default),
        Some(value) if (min..=max).contains(&value) => Ok(value),
        Some(value) => Err(format!("--{flag} {value} is outside {min}..{max}")),
    }
}

fn listen(flag: &str, text: Option<String>, default: Option<SocketAddr>) -> Result<Option<SocketAddr>, String> {
    match text.as_deref() {
        None => Ok(default),
        Some("off") => Ok(None),
        Some(text) => {
            let address = text.replacen("localhost", "127.0.0.1", 1);
            address
                .parse()
                .map(Some)
                .map_err(|_| format!("--{flag} {text:?} is not ADDRESS:PORT such as {OSC_DEFAULT}, nor off"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn parse(line: &str) -> Result<Invocation, String> {
        let words = ["tine"].into_iter().chain(line.split_whitespace());
        check(CommandLine::try_parse_from(words).map_err(|error| error.to_string())?, 2)
    }

    #[test]
    fn the_definition_holds_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_form_of_the_interface_is_understood() {
        let action = |line: &str| parse(line).unwrap_or_else(|error| panic!("{line}: {error}")).action;
        assert_eq!(action(""), Action::Play(vec![]));
        assert_eq!(action("--workers 4"), Action::Play(vec![]));
        assert_eq!(action("play a b --lead 0"), Action::Play(vec!["a".into(), "b".into()]));
        assert_eq!(action("serve"), Action::Serve(vec![]));
        assert_eq!(
            action("render a -o x.wav --seconds 2"),
            Action::Render { file: "a".into(), output: "x.wav".into(), plot: None }
        );
        assert_eq!(action("connect"), Action::Connect(OSC_DEFAULT.into()));
        assert_eq!(action("modules vca --json"), Action::Modules { kind: Some("vca".into()), format: Format::Json });
        assert_eq!(action("devices --json"), Action::Devices(true));
        assert_eq!(action("doctor"), Action::Doctor);
        assert!(matches!(action("bench --quick --json f"), Action::Bench { suites, .. } if suites == SUITES));
        let drawn = action("bench failover osc --svg f");
        assert!(matches!(drawn, Action::Bench { svg: Some(svg), .. } if svg.as_os_str() == "f"));
        let (inherited, files) = (vec![3, 4, 5], vec!["a".into()]);
        let engine = Action::Engine { inherited, mode: Mode::Serve, files };
        assert_eq!(action("engine --inherit 3,4,5 --mode serve a"), engine);
        assert_eq!(action("zygote --inherit 3"), Action::Zygote(vec![3]));
    }

    #[test]
    fn defaults_are_those_of_the_interface() {
        let config = parse("").unwrap().config;
        assert_eq!(config, Config::default_on(2));
        assert_eq!((config.workers, config.spares, config.lead_blocks), (8, 2, 1));
        assert_eq!((config.rate_hz, config.block_frames, config.period_frames), (48_000, 64, 128));
        assert_eq!(config.osc, Some(OSC_DEFAULT.parse().unwrap()));
        assert_eq!(Config::default_on(16).workers, 32);
        assert_eq!(Config::default_on(999).workers, 64);
    }

    #[test]
    fn a_wrong_value_is_met_with_what_would_be_right() {
        for (line, says) in [
            ("--block 65", "take 16, 32, 64"),
            ("--block 8", "--block 8 is outside 16..1024"),
            ("--rate 7999", "--rate 7999 is outside 8000..192000"),
            ("--lead 17", "outside 0..16"),
            ("--lead -1", "--lead -1 is outside 0..16"),
            ("--workers 0", "outside 1..64"),
            ("--workers 9 --max-workers 8", "--max-workers 8 is outside 9..64"),
            ("--spares=-1", "--spares -1 is outside 0..16"),
            ("--seconds 0", "--seconds 0 is outside"),
            ("--seconds NaN", "outside"),
            ("--osc 57130", "is not ADDRESS:PORT such as 127.0.0.1:57130"),
            ("--session a/b", "1 to 64 letters, digits"),
            ("render a -o b", "render needs --seconds"),
            ("render a -o b --seconds 1 --session x", "no --session"),
            ("--wait nap", "adaptive, park, spin"),
            ("bench nap", "failover"),
            ("bench osc --svg f", "--svg draws what failover measures"),
            ("bench osc --pictures f", "--pictures draws what sound measures"),
            ("modules --json --markdown", "cannot be used with"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(says), "{line}: {message}");
        }
    }

    #[test]
    fn a_configuration_survives_its_flags_and_its_json() {
        let line = "--workers 3 --max-workers 5 --device x --input --osc off --http 0.0.0.0:80 --seconds 1.5 --wait spin --log off --session A.1";
        let config = parse(line).unwrap().config;
        let again = parse(&format!("zygote --inherit 3 {}", config.flags().join(" "))).unwrap();
        assert_eq!(again.config, config);
        let json = serde_json::to_string(&again).unwrap();
        assert_eq!(serde_json::from_str::<Invocation>(&json).unwrap(), again);
    }
}
