//! What sound goes to: a card, a JACK server, or nothing that keeps real time all the same. Never another device
//! than the one asked for: only [`Backend::Auto`] chooses, and says what it chose.

use serde::Serialize;
use thiserror::Error;

use crate::ear::Mouth;
use crate::feed::Feed;

#[cfg(feature = "devices")]
mod callback;
#[cfg(feature = "devices")]
mod cpal_host;
#[cfg(feature = "devices")]
mod listing;
pub mod null;
mod watch;

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
    /// Whether it is to be heard, too.
    pub is_heard: bool,
}

/// A host of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
    /// Frames that it takes at once: what the last period held, as a JACK server may be told to change it.
    fn period(&self) -> u32;
    /// Whether its callback runs with real-time priority; `None` before the first period.
    fn real_time(&self) -> Option<bool>;
    /// Times that the device lost sound by itself, whatever we gave it.
    fn host_xruns(&self) -> u64;
}

/// What a device tells of itself while it plays.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceEvent {
    /// The host says that it lost frames by itself: at least once since the last time; [`Playing::host_xruns`] counts.
    Xrun,
    /// The device is gone, for this reason. Told once, and nothing after it.
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

/// A device that has been opened as wished, and waits for its feed. No device that cannot play gets this far.
pub trait Opened: Send {
    /// Host and device, for people.
    fn name(&self) -> &str;
    /// What it will run at.
    fn rate_hz(&self) -> u32;
    /// Frames that it will take at once.
    fn period(&self) -> u32;
    /// Has the device give what it hears to `mouth` from its start on. Why not, if it hears nothing.
    fn listen(&mut self, _mouth: Mouth) -> Option<String> {
        Some(format!("{} hears nothing", self.name()))
    }
    /// Starts to play. `tell` is called on a thread of the device's own, never on the real-time one, and must not
    /// block: dropping the device waits for it.
    ///
    /// # Errors
    /// If the host refuses.
    fn start(
        self: Box<Self>,
        feed: Feed,
        tell: Box<dyn Fn(DeviceEvent) + Send + Sync>,
    ) -> Result<Box<dyn Playing>, DeviceError>;
}

/// What [`open`] came to.
pub struct Opening {
    /// Opened, not yet playing.
    pub device: Box<dyn Opened>,
    /// Its host: never [`Backend::Auto`].
    pub backend: Backend,
    /// Where [`Backend::Auto`] did not take the system's default device: why not, in one line.
    pub note: Option<String>,
}

/// A device that could be played to, as `tine devices` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceInfo {
    /// Its host.
    pub backend: Backend,
    /// What `--device` takes.
    pub name: String,
    /// What the host says of it.
    pub about: String,
    /// What its host takes where no name is given.
    pub is_default: bool,
    /// Of the usual rates those that it takes, in frames per second; none: any.
    pub rates_hz: Vec<u32>,
    /// The least and most frames at once, as far as the host says.
    pub periods: Option<(u32, u32)>,
    /// The most channels that it takes.
    pub channels: u16,
}

/// Opens what is wished for, exactly so.
///
/// [`Backend::Auto`] is ALSA's default device; where that cannot be had (there is none, or a JACK server holds the card)
/// a JACK server that runs as wished; else [`null`]. A device asked for by name is never replaced, and neither is
/// one that is there but does not run at the rate or period: that is an error that says what it takes.
///
/// # Errors
/// [`DeviceError`], with what there is or what it takes.
pub fn open(wish: &Wish) -> Result<Opening, DeviceError> {
    match wish.backend {
        Backend::Null => null_device(wish).map(|device| Opening { device, backend: Backend::Null, note: None }),
        Backend::Auto => open_auto(wish),
        #[cfg(feature = "devices")]
        backend @ (Backend::Alsa | Backend::Jack) => {
            cpal_host::open(wish).map(|device| Opening { device, backend, note: None })
        }
        #[cfg(not(feature = "devices"))]
        Backend::Alsa | Backend::Jack => Err(DeviceError::NotBuilt),
    }
}

/// What can be played to: ALSA's devices that open, a JACK server that runs, and always `null`.
pub fn list() -> Vec<DeviceInfo> {
    #[cfg(feature = "devices")]
    let of_hosts = listing::list();
    #[cfg(not(feature = "devices"))]
    let of_hosts = Vec::new();
    of_hosts.into_iter().chain([null::info()]).collect()
}

fn null_device(wish: &Wish) -> Result<Box<dyn Opened>, DeviceError> {
    match wish.device.as_deref() {
        None | Some("null") => Ok(Box::new(null::Null::new(wish.rate_hz, wish.period)?)),
        Some(other) => Err(DeviceError::NotFound { wanted: format!("null:{other}"), has: vec!["null".to_owned()] }),
    }
}

#[cfg(feature = "devices")]
fn open_auto(wish: &Wish) -> Result<Opening, DeviceError> {
    let alsa = match cpal_host::open(&Wish { backend: Backend::Alsa, ..wish.clone() }) {
        Ok(device) => return Ok(Opening { device, backend: Backend::Alsa, note: None }),
        Err(wrong) if wish.device.is_some() || matches!(wrong, DeviceError::Unfit { .. }) => return Err(wrong),
        Err(wrong) => wrong,
    };
    let alsa = cpal_host::in_short(&alsa);
    match cpal_host::open(&Wish { backend: Backend::Jack, ..wish.clone() }) {
        Ok(device) => {
            let note = Some(format!("{alsa}: playing to the JACK server"));
            Ok(Opening { device, backend: Backend::Jack, note })
        }
        Err(jack) => {
            let jack = match jack {
                DeviceError::NotFound { .. } => String::new(),
                other => format!("; {other}"),
            };
            let note = Some(format!("no sound: {alsa}{jack}; running on null, in real time"));
            Ok(Opening { device: null_device(wish)?, backend: Backend::Null, note })
        }
    }
}

#[cfg(not(feature = "devices"))]
fn open_auto(wish: &Wish) -> Result<Opening, DeviceError> {
    if wish.device.is_some() {
        return Err(DeviceError::NotBuilt);
    }
    let note = Some(format!("no sound: {}; running on null, in real time", DeviceError::NotBuilt));
    Ok(Opening { device: null_device(wish)?, backend: Backend::Null, note })
}
