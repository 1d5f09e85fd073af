//! What `device-probe` prints, and how to run it.

use serde::{Deserialize, Serialize};

/// The left and right samples that the probe plays, in every frame.
pub const PLAYED: [f32; 2] = [0.25, -0.5];

/// One run of the probe.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    /// Why nothing was opened.
    pub error: Option<String>,
    /// Host and device.
    pub name: String,
    /// What `auto` has to say.
    pub note: Option<String>,
    /// Frames per second, as opened.
    pub rate_hz: u32,
    /// Frames at once, as opened.
    pub period: u32,
    /// Frames that the device asked for.
    pub asked: u64,
    /// How many of them it did not get.
    pub missed: u64,
    /// How often it asked.
    pub periods: u64,
    /// From the first to the last period.
    pub seconds: f64,
    /// Whether the callback got real-time priority.
    pub real_time: Option<bool>,
    /// Times that the host lost sound.
    pub host_xruns: u64,
    /// Why the device was lost.
    pub lost: Option<String>,
}

impl Report {
    /// Sound asked for in a second, over what a second holds.
    pub fn pace(&self) -> f64 {
        (self.asked - u64::from(self.period)) as f64 / f64::from(self.rate_hz) / self.seconds
    }
}
