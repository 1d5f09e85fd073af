//! What sound goes to: a card, a JACK server, or nothing that keeps real time all the same.

use thiserror::Error;

use crate::feed::Feed;

/// What is asked of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Which host.
    pub backend: Backend,
    /// Which device of it, by name; `None`: its default.
    pub device: Option<String>,
    /// Frames per second.
    pub rate_hz: u32,
    /// Frames that the device takes at once.
    pub period: u32,
}

/// A host of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The system's sound device; where there is none, `Null`, and one line that says so.
    Auto,
    /// ALSA.
    Alsa,
    /// A JACK server that runs.
    Jack,
    /// Keeps real time without sound.
    Null,
}

/// A device that plays. Dropping it stops it.
pub trait Playing: Send {
    /// Host and device, for people: `null`, `alsa: hw:0`.
    fn name(&self) -> &str;
    /// Frames per second that it runs at.
    fn rate_hz(&self) -> u32;
    /// Frames that it takes at once.
    fn period(&self) -> u32;
}

/// What a device tells of itself while it plays.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceEvent {
    /// The host says that it lost frames by itself.
    Xrun,
    /// The device is gone, for this reason.
    Lost(String),
}

/// Why no device could be opened.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum DeviceError {
    /// There is none of this backend, or none of this name.
    #[error("no device {wanted}; there are: {}", .has.join(", "))]
    NotFound {
        /// As asked.
        wanted: String,
        /// What there is.
        has: Vec<String>,
    },
    /// The device does not run so.
    #[error("{device} does not run at {asked}; it takes {takes}")]
    Unfit {
        /// Which.
        device: String,
        /// What was asked: `44100 hz`, `a period of 16`.
        asked: String,
        /// What it takes.
        takes: String,
    },
    /// The host refused.
    #[error("{device}: {reason}")]
    Host {
        /// Which.
        device: String,
        /// As the host says it.
        reason: String,
    },
    /// This build has no such backend.
    #[error("this tine was built without sound devices (--no-default-features)")]
    NotBuilt,
}

/// Opened only when [`Opened::start`] is called with the feed that it is to play.
pub trait Opened {
    /// What it will run at.
    fn rate_hz(&self) -> u32;
    /// Frames that it will take at once.
    fn period(&self) -> u32;
    /// Starts to play. `tell` is called on a thread of the host, never on the real-time one.
    ///
    /// # Errors
    /// If the host refuses.
    fn start(
        self: Box<Self>,
        feed: Feed,
        tell: Box<dyn Fn(DeviceEvent) + Send + Sync>,
    ) -> Result<Box<dyn Playing>, DeviceError>;
}
