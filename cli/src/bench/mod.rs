//! `tine bench`: measures this machine with the real binary, as a user would run it. A file a suite; `page`, `picture` and `report` show them.

mod axis;
mod client;
mod create;
mod failover;
mod figure;
mod hop;
mod osc;
mod page;
mod passing;
mod picture;
mod report;
mod served;
mod sound;
mod startup;

use std::io::{Write, stderr, stdout};
use std::path::PathBuf;

use crate::config::{Config, SUITES};
use crate::machine::Machine;
use crate::words::Style;
use report::{Report, Settings};

/// The suites that there are so far.
const HERE: [&str; 6] = ["create", "osc", "hop", "failover", "sound", "startup"];

/// What is asked of `tine bench`.
pub struct Wish<'a> {
    /// Some of [`SUITES`]; all of them: those that there are.
    pub suites: &'a [String],
    /// Fewer rounds.
    pub is_quick: bool,
    /// A file for programs.
    pub json: Option<&'a PathBuf>,
    /// A file for people.
    pub html: Option<&'a PathBuf>,
    /// A file for the drawing of what `failover` measured; `failover` is among the suites then.
    pub svg: Option<&'a PathBuf>,
    /// A folder for drawings of what `sound` measured; `sound` is among the suites then.
    pub pictures: Option<&'a PathBuf>,
}

/// Measures, and reports.
///
/// # Errors
/// If a suite is not there yet or cannot run, or a file cannot be written.
pub fn run(config: &Config, wish: &Wish<'_>) -> Result<(), String> {
    let suites = chosen(wish.suites)?;
    // A file that cannot be written is better known before than after the wait.
    for file in [wish.json, wish.html, wish.svg].into_iter().flatten() {
        std::fs::write(file, "").map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let flags = flags(config);
    let mut report =
        Report { machine: Machine::here(), settings: Settings::of(config, wish.is_quick), figures: Vec::new() };
    for suite in suites {
        // For whoever waits; the answer itself goes to standard output.
        let _ = writeln!(stderr(), "{suite} ...");
        report.figures.extend(match suite {
            "create" => create::run(config, &flags, wish.is_quick)?,
            "osc" => osc::run(&flags, wish.is_quick)?,
            "hop" => hop::run(config, &flags, wish.is_quick)?,
            "failover" => failover::run(config, &flags, wish.is_quick)?,
            "sound" => sound::run(wish.is_quick, wish.pictures)?,
            _ => startup::run(&flags, wish.is_quick)?,
        });
    }
    let drawn = report.figures.iter().find(|figure| figure.name == failover::WHOLE);
    let drawing = drawn.map_or_else(String::new, |figure| picture::svg(figure, "kills"));
    for (file, text) in [(wish.json, report.json()?), (wish.html, page::page(&report)), (wish.svg, drawing)] {
        if let Some(file) = file {
            std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    writeln!(stdout(), "{}", report.text(Style::of(&stdout()))).map_err(|error| format!("standard output: {error}"))
}

/// The suites to run, in their own order.
fn chosen(asked: &[String]) -> Result<Vec<&'static str>, String> {
    if SUITES.iter().all(|suite| asked.iter().any(|asked| asked == suite)) {
        return Ok(HERE.to_vec());
    }
    match asked.iter().find(|asked| !HERE.contains(&asked.as_str())) {
        Some(later) => Err(format!("bench {later} comes later; there are {}", HERE.join(", "))),
        None => Ok(HERE.into_iter().filter(|suite| asked.iter().any(|asked| asked == suite)).collect()),
    }
}

/// The flags that every engine of a suite runs with: what was asked for, less what a suite decides itself.
fn flags(config: &Config) -> Vec<String> {
    let ours = [
        "--backend=",
        "--osc=",
        "--osc-tcp=",
        "--http=",
        "--log=",
        "--device=",
        "--record=",
        "--seconds=",
        "--session=",
    ];
    let mut flags = config.flags();
    flags.retain(|flag| !ours.iter().any(|own| flag.starts_with(own)));
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn without_a_name_all_that_there_are_run_and_one_that_comes_later_says_so() {
        assert_eq!(chosen(&words(&SUITES)), Ok(HERE.to_vec()));
        assert_eq!(chosen(&words(&["startup", "osc"])), Ok(vec!["osc", "startup"]));
        let error = chosen(&words(&["osc", "voices"])).unwrap_err();
        assert!(error.starts_with("bench voices comes later") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn an_engine_under_test_has_the_users_settings_but_its_own_device_and_address() {
        let flags = flags(&Config::default_on(2));
        assert!(flags.contains(&"--block=64".to_owned()) && flags.contains(&"--lead=1".to_owned()));
        assert!(flags.iter().all(|flag| !flag.contains("osc") && !flag.contains("backend")), "{flags:?}");
    }
}
