//! Counts the instructions that each kind takes, by valgrind's callgrind, and says what takes over a tenth more or fewer than last time. A count is the
//! same from run to run, whatever else the machine does; it depends on the compiler and on the processor's instruction set.
//!
//! `instructions FILE` compares with the figures in FILE; `instructions FILE --write` puts new ones there.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs, hint};

use tine_benches::cases::{Case, FRAMES};

/// As an argument: this is the run that is counted.
const COUNTED: &str = "--counted";

/// Channels of a module: alone, and a group side by side.
const CHANNELS: [usize; 2] = [1, 8];

/// Blocks before those that are counted, and these.
const WARM_UP: usize = 40;
const BLOCKS: usize = 160;

/// A count that differs by this part or more is told.
const TELLING: f64 = 0.1;

/// Instructions per sample and channel, by case.
type Counts = BTreeMap<String, f64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [COUNTED] => {
            run_all();
            return ExitCode::SUCCESS;
        }
        [file] => count().and_then(|counts| compare(Path::new(file), &counts)),
        [file, "--write"] => count().and_then(|counts| write(Path::new(file), &counts)),
        _ => Err("usage: instructions FILE [--write]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Case by case, in the order in which they are run.
fn names() -> Vec<(String, usize)> {
    let named = |case: &Case| CHANNELS.map(|channels| (format!("{} x{channels}", case.name), channels));
    Case::all().iter().flat_map(named).collect()
}

fn run_all() {
    for case in Case::all() {
        for channels in CHANNELS {
            let mut rig = case.rig(channels);
            (0..WARM_UP).for_each(|_| rig.step());
            counted_blocks(&mut || rig.step());
        }
    }
}

/// What valgrind counts: it finds this by its name, and writes what it counted whenever it returns.
#[inline(never)]
fn counted_blocks(step: &mut dyn FnMut()) {
    (0..BLOCKS).for_each(|_| step());
    hint::black_box(());
}

fn count() -> Result<Counts, String> {
    let folder = env::temp_dir().join(format!("tine-instructions-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let counts = count_in(&folder);
    let _ = fs::remove_dir_all(&folder);
    counts
}

fn count_in(folder: &Path) -> Result<Counts, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let out = folder.join("counts");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--zero-before=instructions::counted_blocks"])
        .args(["--dump-after=instructions::counted_blocks"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(COUNTED)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let figures = names().into_iter().enumerate().map(|(number, (name, channels))| {
        let dump = format!("{}.{}", out.display(), number + 1);
        let text = fs::read_to_string(&dump).map_err(|error| format!("{dump}: {error}"))?;
        let total =
            text.lines().find_map(|line| line.strip_prefix("summary: ")?.split(' ').next()?.parse::<f64>().ok());
        let total = total.ok_or_else(|| format!("{dump}: no summary"))?;
        Ok((name, total / (BLOCKS * FRAMES * channels) as f64))
    });
    figures.collect()
}

fn write(file: &Path, counts: &Counts) -> Result<(), String> {
    let mut text = String::new();
    for (name, count) in counts {
        let _ = writeln!(text, "{count:9.2}  {name}");
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> Result<Counts, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let line = |line: &str| {
        let (count, name) = line.trim_start().split_once("  ")?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.lines().map(|text| line(text).ok_or_else(|| format!("{}: not a count: {text}", file.display()))).collect()
}

fn compare(file: &Path, counts: &Counts) -> Result<(), String> {
    let before = read(file)?;
    let mut told = 0;
    println!("instructions per sample and channel");
    for (name, count) in counts {
        match before.get(name) {
            Some(before) if (count / before - 1.0).abs() < TELLING => {}
            Some(before) => {
                told += 1;
                println!("{before:9.2} -> {count:9.2}  {:+.0} %  {name}", 100.0 * (count / before - 1.0));
            }
            None => println!("      new -> {count:9.2}  {name}"),
        }
    }
    println!("{} counted; {told} differ by {:.0} % or more from {}", counts.len(), 100.0 * TELLING, file.display());
    Ok(())
}
