//! What a kind of module declares about itself: ports, params, units, ranges.
//!
//! A [`KindSpec`] is the only place where a kind's ports and params are named. The REPL's completion and
//! help, OSC paths, validation, the docs and the conformance tests all walk it.

/// Channels that a poly cable carries at most.
pub const CHANNELS_MAX: usize = 16;

/// Inputs that a kind declares at most, its params included.
pub const PORTS_MAX: usize = 48;

/// Outputs that a kind declares at most.
pub const OUTPUTS_MAX: usize = 32;

/// Sound files that are loaded at a time at most.
pub const FILES_MAX: usize = 1023;

/// Everything that the rest of Tine knows about a kind.
#[derive(Debug)]
pub struct KindSpec {
    /// The word that a player types: `vco`.
    pub name: &'static str,
    /// One line: what it does for the sound.
    pub summary: &'static str,
    /// Where the method comes from: a paper, a book, a circuit. Empty where there is nothing to cite.
    pub source: &'static str,
    /// Where it is executed.
    pub role: Role,
    /// Inputs besides the params, in index order.
    pub inputs: &'static [PortSpec],
    /// Outputs, in index order.
    pub outputs: &'static [PortSpec],
    /// Controls. Each is also an input port of the same name.
    pub params: &'static [ParamSpec],
    /// Which inputs `note`, `gate` and `trig` drive.
    pub notes: Notes,
}

/// Where a kind is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// In a worker, on a lane.
    Lane,
    /// In the engine, as the last module of every cycle. There is one, and it is always there.
    Output,
}

/// What a signal means, so that help can say it and a player does not have to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nominal -1..1; may exceed it inside the patch.
    Audio,
    /// 1.0 per octave, 0.0 = C4 = 261.6256 Hz.
    Pitch,
    /// On above 0.5, off below 0.25.
    Gate,
    /// A rising edge of a gate.
    Trigger,
    /// A control of -1..1.
    Bipolar,
    /// A control of 0..1.
    Unipolar,
}

/// One input or output.
#[derive(Debug)]
pub struct PortSpec {
    /// The word that a player types after the dot: `1.saw`.
    pub name: &'static str,
    /// What the signal means.
    pub signal: Signal,
    /// One line of help.
    pub summary: &'static str,
    /// The module hears every channel of a cable here, however many it has itself. One input of a kind at most.
    pub is_poly: bool,
}

/// One control.
#[derive(Debug)]
pub struct ParamSpec {
    /// The word that a player types: `cutoff`.
    pub name: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// Smallest value, in `unit`.
    pub min: f32,
    /// Largest value, in `unit`.
    pub max: f32,
    /// Value of a new module, in `unit`.
    pub default: f32,
    /// How a knob's turn, a ramp and a cable travel through the range.
    pub curve: Curve,
    /// How long a change takes to be reached, in milliseconds.
    pub smooth_ms: f32,
    /// The words of a [`Unit::Choice`]; the value is the index. Empty for other units.
    pub choices: &'static [&'static str],
    /// One line of help.
    pub summary: &'static str,
}

/// What a param's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number or ratio.
    Ratio,
    /// Cycles per second.
    Hertz,
    /// Seconds.
    Seconds,
    /// Linear amplitude; may be typed in decibels.
    Gain,
    /// Octaves.
    Octaves,
    /// Parts of a cycle, 0..1.
    Cycles,
    /// Level against 1.0, in decibels.
    Decibels,
    /// Hundredths of a semitone.
    Cents,
    /// Quarter notes of the transport.
    Beats,
    /// Beats per minute: the tempo itself.
    BeatsPerMinute,
    /// A whole number of things: steps, voices, stages.
    Count,
    /// A sound file; the number is its place in the store, 0 none.
    File,
    /// One of the param's `choices`.
    Choice,
}

/// How a param travels through its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// A cable adds in the param's unit.
    Linear,
    /// A cable adds octaves; ramps and knobs move by equal ratios. The range is positive.
    Exponential,
    /// Whole numbers that count, or name a choice; no smoothing, a cable adds steps.
    Choice,
}

/// Which input of a kind each playing command drives, by port name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notes {
    /// Takes the pitch of `note`, as a [`Signal::Pitch`].
    pub pitch: Option<&'static str>,
    /// Goes to 1 on `note` and `gate ID on`, to 0 on `gate ID off`.
    pub gate: Option<&'static str>,
    /// Takes the velocity of `note`, 0..1.
    pub velocity: Option<&'static str>,
    /// Gets a short pulse on `trig`.
    pub trigger: Option<&'static str>,
    /// The param that says how many channels play one note in unison; one each where there is none.
    pub voices: Option<&'static str>,
}

/// An input of a kind: a port, or a param that a cable drives.
#[derive(Clone, Copy, Debug)]
pub enum InputSpec {
    /// A port of `inputs`.
    Port(&'static PortSpec),
    /// A param of `params`.
    Param(&'static ParamSpec),
}

impl InputSpec {
    /// The word that a player types after the dot.
    pub fn name(&self) -> &'static str {
        match self {
            InputSpec::Port(port) => port.name,
            InputSpec::Param(param) => param.name,
        }
    }
}

impl KindSpec {
    /// Number of inputs: ports first, then params.
    pub fn input_count(&self) -> usize {
        self.inputs.len() + self.params.len()
    }

    /// The input at `index` (ports first, then params), or `None` past the end.
    pub fn input_at(&self, index: usize) -> Option<InputSpec> {
        match index.checked_sub(self.inputs.len()) {
            None => Some(InputSpec::Port(&self.inputs[index])),
            Some(param) => self.params.get(param).map(InputSpec::Param),
        }
    }

    /// Index of the input called `name`: a port or a param.
    pub fn input(&self, name: &str) -> Option<usize> {
        (0..self.input_count()).find(|&i| self.input_at(i).is_some_and(|input| input.name() == name))
    }

    /// Index of the output called `name`.
    pub fn output(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|port| port.name == name)
    }

    /// Index of the param called `name`.
    pub fn param(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|param| param.name == name)
    }
}

impl ParamSpec {
    /// Fraction 0..1 of the range and curve at which `value` lies; clamped to the range.
    pub fn normalize(&self, value: f32) -> f32 {
        let value = value.clamp(self.min, self.max);
        match self.curve {
            Curve::Linear | Curve::Choice if self.max > self.min => (value - self.min) / (self.max - self.min),
            Curve::Exponential => (f64::from(value / self.min).ln() / f64::from(self.max / self.min).ln()) as f32,
            Curve::Linear | Curve::Choice => 0.0,
        }
    }

    /// Value at `fraction` 0..1 of the range and curve; the inverse of [`ParamSpec::normalize`].
    pub fn denormalize(&self, fraction: f32) -> f32 {
        let fraction = fraction.clamp(0.0, 1.0);
        let value = match self.curve {
            Curve::Linear => self.min + fraction * (self.max - self.min),
            Curve::Choice => (self.min + fraction * (self.max - self.min)).round(),
            Curve::Exponential => {
                (f64::from(self.min) * f64::from(self.max / self.min).powf(f64::from(fraction))) as f32
            }
        };
        value.clamp(self.min, self.max)
    }
}

impl PortSpec {
    /// A port called `name` that carries `signal`.
    pub const fn new(name: &'static str, signal: Signal, summary: &'static str) -> Self {
        PortSpec { name, signal, summary, is_poly: false }
    }

    /// The same, heard with every channel of its cables ([`PortSpec::is_poly`]).
    pub const fn poly(self) -> Self {
        PortSpec { is_poly: true, ..self }
    }
}

/// Constructors for a kind's table: name, unit, range, default; then `.smooth(ms)` and `.help("...")`.
impl ParamSpec {
    /// A param whose cables and ramps add in its unit.
    pub const fn linear(name: &'static str, unit: Unit, range: (f32, f32), default: f32) -> Self {
        Self::new(name, unit, range, default, Curve::Linear, &[])
    }

    /// A param whose cables add octaves and whose ramps move by equal ratios; `range` is positive.
    pub const fn exponential(name: &'static str, unit: Unit, range: (f32, f32), default: f32) -> Self {
        assert!(range.0 > 0.0, "an exponential param has a positive range");
        Self::new(name, unit, range, default, Curve::Exponential, &[])
    }

    /// A param that names one of `choices`; the first is the default.
    pub const fn choice(name: &'static str, choices: &'static [&'static str]) -> Self {
        Self::new(name, Unit::Choice, (0.0, (choices.len() - 1) as f32), 0.0, Curve::Choice, choices)
    }

    /// A param that names one of `choices`, of which `default` is that of a new module.
    pub const fn choice_of(name: &'static str, choices: &'static [&'static str], default: usize) -> Self {
        Self::new(name, Unit::Choice, (0.0, (choices.len() - 1) as f32), default as f32, Curve::Choice, choices)
    }

    /// A whole number; a cable adds steps, a change is sudden.
    pub const fn count(name: &'static str, range: (u16, u16), default: u16) -> Self {
        Self::new(name, Unit::Count, (range.0 as f32, range.1 as f32), default as f32, Curve::Choice, &[])
    }

    /// A param that names a sound file.
    pub const fn file(name: &'static str) -> Self {
        Self::new(name, Unit::File, (0.0, FILES_MAX as f32), 0.0, Curve::Choice, &[])
    }

    const fn new(
        name: &'static str,
        unit: Unit,
        range: (f32, f32),
        default: f32,
        curve: Curve,
        choices: &'static [&'static str],
    ) -> Self {
        let (min, max) = range;
        assert!(min <= default && default <= max, "the default lies in the range");
        ParamSpec { name, unit, min, max, default, curve, smooth_ms: 0.0, choices, summary: "" }
    }

    /// Reaches a new value after `smooth_ms` milliseconds.
    pub const fn smooth(self, smooth_ms: f32) -> Self {
        ParamSpec { smooth_ms, ..self }
    }

    /// One line of help.
    pub const fn help(self, summary: &'static str) -> Self {
        ParamSpec { summary, ..self }
    }
}

/// A kind is its name: the catalogue has each once.
impl PartialEq for KindSpec {
    fn eq(&self, other: &KindSpec) -> bool {
        self.name == other.name
    }
}
