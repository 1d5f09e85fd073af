//! What the hosts have: for `tine devices`, and for an error that says what there is. Opens each device for a moment.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, HostId, SupportedBufferSize, SupportedStreamConfigRange};

use super::cpal_host::{Quiet, id_of, jack_host};
use super::{Backend, DeviceInfo};

/// The rates that people ask for.
const USUAL_RATES_HZ: [u32; 8] = [22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

/// ALSA's converters claim periods of hours; nobody plays in periods over a second.
const PERIOD_MAX: u32 = 48_000;

/// Devices that open; the hosts' defaults first.
pub(super) fn list() -> Vec<DeviceInfo> {
    let mut all = Vec::new();
    // JACK first: its client library, once asked, keeps its chatter from stderr, also within an ALSA plug.
    let jack = jack_host().and_then(|host| host.default_output_device());
    let _quiet = Quiet::new();
    if let Ok(host) = cpal::host_from_id(HostId::Alsa) {
        let default = host.default_output_device().into_iter();
        let others = host.devices().into_iter().flatten().filter(DeviceTrait::supports_output);
        for device in default.chain(others) {
            let name = id_of(&device);
            if !all.iter().any(|known: &DeviceInfo| known.name == name) {
                let is_default = name == "default";
                all.extend(info(Backend::Alsa, name, is_default, &device));
            }
        }
    }
    all.extend(jack.and_then(|device| info(Backend::Jack, "system".to_owned(), true, &device)));
    all
}

/// The same, as short names: `alsa:default`.
pub(super) fn names() -> Vec<String> {
    let backend = |info: &DeviceInfo| match info.backend {
        Backend::Alsa => "alsa",
        Backend::Jack => "jack",
        Backend::Auto | Backend::Null => "null",
    };
    let named = list().into_iter().map(|info| format!("{}:{}", backend(&info), info.name));
    named.chain(["null".to_owned()]).collect()
}

fn info(backend: Backend, name: String, is_default: bool, device: &Device) -> Option<DeviceInfo> {
    let configs: Vec<_> = device.supported_output_configs().ok()?.collect();
    let about = device.description().map(|about| about.name().to_owned()).unwrap_or_default();
    Some(DeviceInfo {
        backend,
        name,
        about,
        is_default,
        rates_hz: rates_hz(&configs),
        periods: periods(&configs),
        channels: configs.iter().map(SupportedStreamConfigRange::channels).max()?,
    })
}

/// The usual rates that any of these takes; where it is none of them, each one's least.
pub(super) fn rates_hz(configs: &[SupportedStreamConfigRange]) -> Vec<u32> {
    let takes = |rate_hz: &u32| configs.iter().any(|config| config.contains_rate(*rate_hz));
    let mut rates_hz: Vec<u32> = USUAL_RATES_HZ.into_iter().filter(takes).collect();
    if rates_hz.is_empty() {
        rates_hz = configs.iter().map(SupportedStreamConfigRange::min_sample_rate).collect();
        rates_hz.sort_unstable();
        rates_hz.dedup();
    }
    rates_hz
}

/// The least and most frames at once in any of these.
pub(super) fn periods(configs: &[SupportedStreamConfigRange]) -> Option<(u32, u32)> {
    let known = configs.iter().filter_map(|config| match config.buffer_size() {
        SupportedBufferSize::Range { min, max } => Some((*min, *max)),
        SupportedBufferSize::Unknown => None,
    });
    known
        .reduce(|(least, most), (min, max)| (least.min(min), most.max(max)))
        .map(|(least, most)| (least, most.min(PERIOD_MAX)))
}
