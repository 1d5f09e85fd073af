//! What all suites measured, with the machine and the settings: as a table and as JSON. No dates, host names or paths.

use serde::Serialize;

use super::figure::Figure;
use crate::args::word;
use crate::config::Config;
use crate::machine::Machine;
use crate::words::Style;
use crate::words::number::significant;
use crate::words::table::Table;

/// Everything that `tine bench` has to tell.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was measured on.
    pub machine: Machine,
    /// What was measured with.
    pub settings: Settings,
    /// What came of it.
    pub figures: Vec<Figure>,
}

/// How the engines under test ran.
#[derive(Debug, Serialize)]
pub struct Settings {
    /// Of Tine.
    pub version: &'static str,
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames per block.
    pub block_frames: u32,
    /// Frames that the device takes at once.
    pub period_frames: u32,
    /// Blocks computed ahead.
    pub lead_blocks: u32,
    /// Worker processes, but in `startup` and `failover`, which have 8.
    pub workers: u16,
    /// Warm workers without a lane.
    pub spares: u16,
    /// Which modules share a worker.
    pub placement: String,
    /// What was played to.
    pub backend: &'static str,
    /// Fewer rounds than usual.
    pub is_quick: bool,
}

impl Settings {
    /// Those of a configuration.
    pub fn of(config: &Config, is_quick: bool) -> Settings {
        Settings {
            version: env!("CARGO_PKG_VERSION"),
            rate_hz: config.rate_hz,
            block_frames: config.block_frames,
            period_frames: config.period_frames,
            lead_blocks: config.lead_blocks,
            workers: config.workers,
            spares: config.spares,
            placement: word(config.placement),
            backend: "null",
            is_quick,
        }
    }

    /// One line.
    pub fn text(&self) -> String {
        format!(
            "tine {}; {} frames a block at {} hz, period {}, lead {}; {} workers and {} spares, placement {}; device {}{}",
            self.version,
            self.block_frames,
            self.rate_hz,
            self.period_frames,
            self.lead_blocks,
            self.workers,
            self.spares,
            self.placement,
            self.backend,
            if self.is_quick { "; quick" } else { "" }
        )
    }
}

impl Report {
    /// For people at a terminal.
    pub fn text(&self, style: Style) -> String {
        let mut table =
            Table::new(&["suite", "what", ">count", ">p50", ">p99", ">p99.9", ">max", "unit", "target", "best peer"]);
        for figure in &self.figures {
            table.row([
                figure.suite.to_owned(),
                figure.name.clone(),
                figure.count.to_string(),
                shown(figure.p50),
                shown(figure.p99),
                shown(figure.p999),
                shown(figure.max),
                figure.unit.to_owned(),
                targets(figure),
                figure.peer.clone().unwrap_or_default(),
            ]);
        }
        format!("{}\n{}\n\n{}", self.machine.text(), self.settings.text(), table.text(style))
    }

    /// For programs.
    ///
    /// # Errors
    /// If a figure is no number.
    pub fn json(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(|error| error.to_string())
    }
}

/// A figure with three digits; `-` where it was not measured.
pub fn shown(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value >= 1000.0 => format!("{value:.0}"),
        Some(value) => significant(value, 3),
    }
}

/// `p99 < 2 kept, max < 10 MISSED`.
pub fn targets(figure: &Figure) -> String {
    let each = figure.targets.iter().map(|target| {
        let kept = if target.is_met { "kept" } else { "MISSED" };
        format!("{} < {} {kept}", target.of, significant(target.below, 3))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::bench::figure::Samples;

    /// A report with a kept and a missed promise.
    pub fn sample() -> Report {
        let mut samples = Samples::millis();
        [1_000_000, 1_500_000, 12_000_000].into_iter().for_each(|ns| samples.add(ns));
        let figures = vec![
            samples.figure("create", "create <over> OSC").max_below(10.0).max_below(20.0),
            Figure::single("osc", "messages", "messages/s", 123_456.0),
        ];
        let machine = Machine { cpu: Some("abacus".to_owned()), cores: 2, kernel: "6.1".into(), ..Machine::default() };
        Report { machine, settings: Settings::of(&Config::default_on(2), true), figures }
    }

    #[test]
    fn the_table_names_machine_and_settings_and_says_what_was_missed() {
        let text = sample().text(Style::PLAIN);
        assert!(text.starts_with("abacus; 2 cores; Linux 6.1; no real-time rights\n"), "{text}");
        assert!(text.contains("64 frames a block at 48000 hz"), "{text}");
        assert!(text.contains("max < 10 MISSED, max < 20 kept"), "{text}");
        assert!(text.contains("123456"), "{text}");
    }

    #[test]
    fn json_holds_the_quantiles_and_the_bins() {
        let json: serde_json::Value = serde_json::from_str(&sample().json().unwrap()).unwrap();
        assert_eq!(json["figures"][0]["count"], 3);
        assert_eq!(json["figures"][0]["targets"][0]["is_met"], false);
        assert_eq!(json["figures"][0]["bins"].as_array().map(Vec::len), Some(3));
        assert!(json["figures"][1]["p50"].is_null());
        assert_eq!(json["settings"]["block_frames"], 64);
    }
}
