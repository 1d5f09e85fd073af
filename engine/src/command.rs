//! What may be asked of a session: a closed set, whoever asks (REPL, OSC, scripts).
//!
//! A [`Request`] is validated whole, then applied whole at one block boundary. A rejected one changes nothing.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// A value as it was typed or sent: the param's table decides what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number, in `unit`.
    Number(f64, Measure),
    /// A word: a choice's name, `on`, `off`.
    Word(String),
    /// A sound file. Whoever asks has seen to it that he may name it.
    File(PathBuf),
}

/// The unit that came with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// None given: the param's own.
    Plain,
    /// `hz`, `khz`.
    Hertz,
    /// `s`, `ms`.
    Seconds,
    /// `db`.
    Decibels,
    /// `%`: hundredths.
    Percent,
    /// A note name such as `c#3`: the number is in octaves from C4.
    Note,
}

/// A module and, where it was named, one of its ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortRef {
    /// The module.
    pub module: Name,
    /// The port, or `None` for the default one (`in`, `out`, or both sides of `out`).
    pub port: Option<String>,
}

/// Where a new module is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Beside this module, on its lane.
    pub with: Option<Name>,
    /// On this worker's lane.
    pub worker: Option<u16>,
}

/// One change to the patch, or one gesture of playing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// A new module.
    Create {
        /// Name of the kind.
        kind: String,
        /// Channels, 1..=16.
        channels: usize,
        /// Its id, or `None` to make a free one (`vco1`).
        id: Option<Name>,
        /// Where it goes.
        placement: Placement,
        /// Values that differ from the defaults.
        params: Vec<(String, Value)>,
        /// The same id, kind and channels again is no error and changes nothing: safe to repeat over UDP.
        idempotent: bool,
    },
    /// Cables along a path `A > B > C`: from the named (or default) output of each to the named (or default) input of the
    /// next. In the middle of a path the name is that of the input. An existing cable gets the new gain.
    Connect {
        /// At least two.
        path: Vec<PortRef>,
        /// Linear.
        gain: f64,
    },
    /// Removes the cable between two ports, or all cables of a module where `to` is `None`.
    Disconnect {
        /// The source.
        from: PortRef,
        /// The destination.
        to: Option<PortRef>,
    },
    /// Moves a param.
    Set {
        /// The module.
        module: Name,
        /// Name of the param.
        param: String,
        /// Its new value.
        value: Value,
        /// How long the way there takes, in seconds; `None`: as the param's table says.
        ramp_s: Option<f64>,
    },
    /// The same by fraction 0..1 of the param's range and curve (`/n/<id>/<param>`).
    SetFraction {
        /// The module.
        module: Name,
        /// Name of the param.
        param: String,
        /// 0..1.
        fraction: f64,
    },
    /// Removes modules and their cables.
    Destroy {
        /// Which.
        ids: Vec<Name>,
        /// An id that is not there is no error.
        missing_ok: bool,
    },
    /// Gives a module another id.
    Rename {
        /// The old id.
        from: Name,
        /// The new one.
        to: Name,
    },
    /// A second module with the same kind, channels, params and incoming cables.
    Duplicate {
        /// The original.
        id: Name,
    },
    /// Lets the signal pass a module by, or not.
    Bypass {
        /// The module.
        id: Name,
        /// Past it or through it.
        on: bool,
    },
    /// Puts a module back into the state of a new one; its params stay.
    Reset {
        /// The module.
        id: Name,
    },
    /// Plays a pitch and opens the gate, on a channel that is free where there are several; with velocity 0, lets go of that pitch.
    Note {
        /// The module.
        id: Name,
        /// A note name, or octaves from C4.
        pitch: Value,
        /// 0..1.
        velocity: f64,
    },
    /// Opens or closes the gate.
    Gate {
        /// The module.
        id: Name,
        /// 1 on, 0 off.
        level: f64,
    },
    /// A short pulse.
    Trigger {
        /// The module.
        id: Name,
    },
    /// Removes every module but `out`, and every cable.
    Clear,
    /// Closes all gates and silences all tails; the patch stays.
    Panic,
    /// Takes back the last `n` requests that changed the patch.
    Undo(usize),
    /// Does again what was taken back.
    Redo(usize),
}

/// When a request takes effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// At the next block boundary.
    Now,
    /// This many seconds of sound from now, to the frame.
    After(f64),
    /// At this moment of the wall clock, to the frame (OSC timetags).
    At(SystemTime),
    /// When the transport next reaches a multiple of so many beats, to the frame.
    NextBeat(u32),
}

/// Who asks. Changes are echoed to everyone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(pub u64);

/// Commands that take effect together, or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// In order; an id made by one may be used by the next.
    pub commands: Vec<Command>,
    /// When.
    pub when: When,
    /// Who.
    pub origin: Origin,
}

/// Something to look at; answered from the session's own books, changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Modules whose id matches the glob (`*` and `?`), in creation order; `None`: all.
    List(Option<String>),
    /// One module with its params and cables.
    Info(Name),
    /// One param, or all of a module.
    Get(Name, Option<String>),
    /// All cables.
    Cables,
    /// All workers.
    Pool,
    /// Counters and timings.
    Stats,
    /// The whole patch, to be saved.
    Patch,
    /// What `out` gives: peaks since the last asking, per side.
    Meters,
    /// The last frames that an output gave.
    Scope(PortRef),
}

/// Things that concern the engine rather than the patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// Records what `out` gives from now on into a new 32-bit float WAV.
    RecordStart(std::path::PathBuf),
    /// Ends the recording.
    RecordStop,
    /// Forgets all requests that wait for their time.
    ClearSchedule,
    /// Answered once everything before it is in effect.
    Sync,
    /// Replaces a worker by a new one; its lane plays on.
    Restart(u16),
    /// Says where OSC is listened for, so that an engine that has to follow listens there too.
    Listening(std::net::SocketAddr),
    /// The sound goes elsewhere: what is to be told to the players.
    DeviceSays(String),
    /// Stops the sound with a short fade and ends the engine.
    Quit,
}
