//! How it sounds: patches rendered by this very binary, measured, and held against the targets. Beside each figure stands the best that a peer
//! reaches on the same measurement, as SOUND.md publishes it.
//!
//! All at 48 kHz. A figure is one measurement, no distribution: a render has the same bits each time.

mod filters;
mod oscillators;
mod pictures;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::figure::Figure;

/// Rate of all renders.
const RATE_HZ: f64 = 48_000.0;

/// How far a sound may go without the limiter touching it.
const ROOM: f64 = 0.5;

/// A patch that is rendered once, and what is read off it.
struct Take {
    /// What is heard.
    name: String,
    /// In the REPL's words. Its last module goes to `out` at a gain of [`ROOM`].
    patch: String,
    /// How long: what is measured lies at its end.
    seconds: f64,
    readings: Vec<Reading>,
}

/// What a sound comes to.
type Measure = Box<dyn Fn(&[f32]) -> f64>;

/// One figure of a sound.
struct Reading {
    what: &'static str,
    unit: &'static str,
    /// The target.
    below: f64,
    /// The best peer.
    peer: Option<&'static str>,
    measure: Measure,
}

impl Take {
    fn new(name: impl Into<String>, patch: impl Into<String>) -> Take {
        Take { name: name.into(), patch: patch.into(), seconds: 2.0, readings: Vec::new() }
    }

    fn lasting(mut self, seconds: f64) -> Take {
        self.seconds = seconds;
        self
    }

    fn read(
        mut self,
        what: &'static str,
        unit: &'static str,
        below: f64,
        peer: Option<&'static str>,
        measure: impl Fn(&[f32]) -> f64 + 'static,
    ) -> Take {
        self.readings.push(Reading { what, unit, below, peer, measure: Box::new(measure) });
        self
    }
}

/// Renders and measures all; draws some of it, where a folder is named.
///
/// # Errors
/// If a render fails, or a picture cannot be written.
pub fn run(is_quick: bool, pictures: Option<&PathBuf>) -> Result<Vec<Figure>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a folder for renders: {error}"))?;
    let impulse = folder.path().join("impulse.wav");
    filters::write_impulse(&impulse)?;
    let mut takes = oscillators::takes();
    takes.extend(filters::takes());
    if is_quick {
        takes = takes.into_iter().step_by(8).collect();
    }
    let mut figures = Vec::new();
    for take in takes {
        let sound =
            render(&take.patch, take.seconds, folder.path()).map_err(|error| format!("{}: {error}", take.name))?;
        figures.extend(take.readings.iter().map(|reading| {
            let value = (reading.measure)(&sound);
            let name = format!("{}: {}", take.name, reading.what);
            let figure = Figure::single("sound", name, reading.unit, value).max_below(reading.below);
            Figure { peer: reading.peer.map(str::to_owned), ..figure }
        }));
    }
    if let Some(pictures) = pictures {
        pictures::draw(pictures, folder.path())?;
    }
    Ok(figures)
}

/// What `out` gives on the left, undone by [`ROOM`].
fn render(script: &str, seconds: f64, folder: &Path) -> Result<Vec<f32>, String> {
    let (patch, wav) = (folder.join("patch.tine"), folder.join("sound.wav"));
    fs::write(&patch, script).map_err(|error| format!("{}: {error}", patch.display()))?;
    let output = Command::new("/proc/self/exe")
        .args(["render", "--rate=48000", &format!("--seconds={seconds}")])
        .arg(&patch)
        .arg("-o")
        .arg(&wav)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("tine render: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let unreadable = |error: hound::Error| format!("{}: {error}", wav.display());
    let mut reader = hound::WavReader::open(&wav).map_err(unreadable)?;
    let sides: Vec<f32> = reader.samples::<f32>().collect::<Result<_, _>>().map_err(unreadable)?;
    Ok(sides.iter().step_by(2).map(|sample| sample / ROOM as f32).collect())
}
