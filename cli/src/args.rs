//! The command line as it is typed. What it means, checked, is `config`'s.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Backend, LogLevel, Mode, Placement, Wait};

/// The modular synthesizer that goes on sounding when its workers die.
#[derive(Debug, Parser)]
#[command(name = "tine", version, max_term_width = 100)]
#[command(after_help = "Without a command: play. Exit codes: 0; 2 for wrong usage; 1 otherwise.")]
pub struct CommandLine {
    /// What to do; `play` where nothing is said.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// How.
    #[command(flatten)]
    pub flags: Flags,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Engine and REPL in this terminal, after running patches or scripts
    Play {
        /// Patches or scripts, applied before the first frame
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// No REPL: OSC only
    Serve {
        /// Patches or scripts, applied before the first frame
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Renders a patch or script offline, as fast as it goes, bit-identical every time (needs --seconds)
    Render {
        /// The patch or script
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The WAV to write, 32-bit float
        #[arg(short, long, value_name = "X.wav")]
        output: PathBuf,
        /// Draws its waveform, spectrum and spectrogram here
        #[arg(long, value_name = "X.png")]
        plot: Option<PathBuf>,
    },
    /// A REPL on an engine that runs already, over OSC
    Connect {
        /// Where it listens
        #[arg(value_name = "HOST:PORT", default_value = crate::config::OSC_DEFAULT)]
        address: String,
    },
    /// What there is: ports, params, units, ranges
    Modules {
        /// One kind; all where none is named
        #[arg(value_name = "KIND")]
        kind: Option<String>,
        /// For programs
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// For a page
        #[arg(long)]
        markdown: bool,
    },
    /// What sound goes to
    Devices {
        /// For programs
        #[arg(long)]
        json: bool,
    },
    /// What stands in the way of low latency here, and the command that mends each
    Doctor,
    /// Measures this machine
    Bench {
        /// create osc hop failover sound startup; voices, load and soak come later; all that there are where none is named
        #[arg(value_name = "SUITE", value_parser = clap::builder::PossibleValuesParser::new(crate::config::SUITES))]
        suites: Vec<String>,
        /// Fewer rounds
        #[arg(long)]
        quick: bool,
        /// Writes the figures here, for programs
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Writes a page here
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Draws here how long failover took
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Draws what sound measures into this folder
        #[arg(long, value_name = "FOLDER")]
        pictures: Option<PathBuf>,
    },
    /// The engine's process, started by the keeper
    #[command(hide = true)]
    Engine(Inherit),
    /// The zygote's process, started by the keeper
    #[command(hide = true)]
    Zygote(Inherit),
}

/// What the keeper hands to a process that it starts.
#[derive(Args, Debug)]
pub struct Inherit {
    /// Descriptors, in the order that the keeper and its processes agree on
    #[arg(long, value_name = "FDS", value_delimiter = ',', required = true)]
    pub inherit: Vec<i32>,
    /// How the engine is used
    #[arg(long, value_enum, default_value = "play")]
    pub mode: Mode,
    /// Patches or scripts, applied before the first frame
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Flags that every subcommand takes. Ranges are checked in `config`, which knows them together.
#[derive(Args, Debug, Default)]
pub struct Flags {
    /// Worker processes, 1..64 [default: 2 x cores, at least 8]
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub workers: Option<i64>,
    /// Workers that the pool may grow to, up to 64 [default: 64]
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub max_workers: Option<i64>,
    /// Warm workers without modules, 0..16 [default: 2]
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub spares: Option<i64>,
    /// What sound goes to [default: auto]
    #[arg(long, global = true, value_enum)]
    pub backend: Option<Backend>,
    /// A device of the backend, by name (`tine devices`)
    #[arg(long, global = true, value_name = "NAME")]
    pub device: Option<String>,
    /// Opens what the device hears, too, for modules of the kind `in`
    #[arg(long, global = true)]
    pub input: bool,
    /// Frames per second, 8000..192000 [default: 48000]
    #[arg(long, global = true, value_name = "HZ", allow_negative_numbers = true)]
    pub rate: Option<i64>,
    /// Frames that a module computes at once, a power of two in 16..1024 [default: 64]
    #[arg(long, global = true, value_name = "FRAMES", allow_negative_numbers = true)]
    pub block: Option<i64>,
    /// Frames that the device takes at once, 16..8192 [default: 128]
    #[arg(long, global = true, value_name = "FRAMES", allow_negative_numbers = true)]
    pub period: Option<i64>,
    /// Blocks computed ahead, 0..16: more hides longer stalls, fewer is less latency [default: 1]
    #[arg(long, global = true, value_name = "BLOCKS", allow_negative_numbers = true)]
    pub lead: Option<i64>,
    /// A worker for each module, or connected modules together [default: isolate]
    #[arg(long, global = true, value_enum)]
    pub placement: Option<Placement>,
    /// How workers wait for their inputs [default: adaptive]
    #[arg(long, global = true, value_enum)]
    pub wait: Option<Wait>,
    /// Where OSC listens over UDP: ADDRESS:PORT or off [default: 127.0.0.1:57130]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub osc: Option<String>,
    /// Where OSC listens over TCP [default: off]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub osc_tcp: Option<String>,
    /// Where OSCQuery listens [default: off]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub http: Option<String>,
    /// Writes what `out` gives from frame 0 here, as 32-bit float
    #[arg(long, global = true, value_name = "X.wav")]
    pub record: Option<PathBuf>,
    /// Ends after this much sound
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    pub seconds: Option<f64>,
    /// Keeps the session of this name on disk, and resumes it: every accepted change outlives a loss of power
    #[arg(long, global = true, value_name = "NAME")]
    pub session: Option<String>,
    /// What is told on standard error [default: warn]
    #[arg(long, global = true, value_enum, value_name = "LEVEL")]
    pub log: Option<LogLevel>,
}

/// The word of a flag's value, as it is typed.
pub fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
