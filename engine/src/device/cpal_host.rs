//! Sound cards through ALSA and servers of JACK, by cpal. Takes the rate and the period exactly as wished or not at all,
//! and never another device than the one named.
//!
//! A stream is built, and so the device is really opened, by [`open`]; it stands still until its feed comes.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, ErrorKind, Host, HostId, SampleFormat, Stream, StreamConfig, SupportedStreamConfigRange,
};
use rtrb::{Producer, RingBuffer};

use super::callback::{Callback, Pace};
use super::listing;
use super::watch::{News, Watch};
use super::{Backend, DeviceError, DeviceEvent, Opened, Playing, Wish};
use crate::ear::Mouth;
use crate::feed::{Feed, SIDES};

/// For ALSA the longest time in which a dead card goes unnoticed by cpal's thread; for JACK how long a server may
/// take to let us in.
const ALSA_POLL: Duration = Duration::from_millis(500);
const JACK_ANSWER: Duration = Duration::from_secs(3);
/// A host that does not let go of a stream in this time keeps it: better a leak than an engine that hangs.
const LET_GO: Duration = Duration::from_secs(2);
/// What the callback can make of a sample; the first that the device takes.
const FORMATS: [SampleFormat; 3] = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];

/// Opens an ALSA device or a JACK server.
///
/// # Errors
/// As [`super::open`].
pub(super) fn open(wish: &Wish) -> Result<Box<dyn Opened>, DeviceError> {
    let jack = wish.backend == Backend::Jack;
    let quiet = Quiet::new();
    let name = name_of(wish);
    let device = if jack { find_jack(wish) } else { find_alsa(wish) };
    let device = device.ok_or_else(|| not_found(wish))?;
    let configs: Vec<_> = match device.supported_output_configs() {
        Ok(configs) => configs.collect(),
        Err(e) if e.kind() == ErrorKind::DeviceNotAvailable => return Err(not_found(wish)),
        Err(e) => return Err(DeviceError::Host { device: name, reason: quiet.reason(&e) }),
    };
    let unfit = |takes: String| {
        let asked = format!("{} hz with a period of {}", wish.rate_hz, wish.period);
        DeviceError::Unfit { device: name.clone(), asked, takes }
    };
    let config = choose(&configs, wish).ok_or_else(|| unfit(describe(&configs)))?;

    let news = Arc::new(News::default());
    let (outbox, inbox) = RingBuffer::new(1);
    let channels = config.channels();
    let pace = (!jack).then(|| Pace::new(wish.rate_hz, wish.period));
    let mut callback = Callback::new(inbox, usize::from(channels), wish.period, pace, Arc::clone(&news));
    let stream_config =
        StreamConfig { channels, sample_rate: wish.rate_hz, buffer_size: BufferSize::Fixed(wish.period) };
    let on_error = {
        let news = Arc::clone(&news);
        move |e: cpal::Error| match e.kind() {
            ErrorKind::Xrun => news.xrun(),
            // The sound plays on, only less safely; [`News::take_priority`] has noted it.
            ErrorKind::RealtimeDenied => {}
            _ => news.lost(e.to_string()),
        }
    };
    let timeout = Some(if jack { JACK_ANSWER } else { ALSA_POLL });
    let stream = match config.sample_format() {
        SampleFormat::I16 => {
            let play = move |out: &mut [i16], _: &_| callback.play_as(out);
            device.build_output_stream(stream_config, play, on_error, timeout)
        }
        SampleFormat::I32 => {
            let play = move |out: &mut [i32], _: &_| callback.play_as(out);
            device.build_output_stream(stream_config, play, on_error, timeout)
        }
        _ => {
            let play = move |out: &mut [f32], _: &_| callback.play(out);
            device.build_output_stream(stream_config, play, on_error, timeout)
        }
    };
    let stream = match stream {
        Ok(stream) => Held(Some(stream)),
        Err(e) if e.kind() == ErrorKind::UnsupportedConfig => {
            return Err(unfit(own_period(&device, &config, wish.rate_hz).unwrap_or_else(|| describe(&configs))));
        }
        Err(e) => return Err(DeviceError::Host { device: name, reason: quiet.reason(&e) }),
    };
    // ALSA takes the nearest period that the card can do, and says nothing.
    let period = stream.get().and_then(|stream| stream.buffer_size().ok()).unwrap_or(wish.period);
    if period != wish.period {
        return Err(unfit(format!("a period of {period}")));
    }
    Ok(Box::new(Ready { name, rate_hz: wish.rate_hz, period, stream, outbox, news, wish: wish.clone(), input: None }))
}

/// Why ALSA's default was not taken, for a note of one line.
pub(super) fn in_short(wrong: &DeviceError) -> String {
    match wrong {
        DeviceError::NotFound { .. } => "there is no sound device".to_owned(),
        other => other.to_string(),
    }
}

/// What `--device` calls it.
pub(super) fn id_of(device: &Device) -> String {
    device.id().map(|id| id.id().to_owned()).unwrap_or_default()
}

/// `None` where no server runs, or there is no client library.
pub(super) fn jack_host() -> Option<Host> {
    cpal::host_from_id(HostId::Jack).ok()
}

fn name_of(wish: &Wish) -> String {
    match (wish.backend, wish.device.as_deref()) {
        (Backend::Jack, name) => format!("jack:{}", name.unwrap_or("system")),
        (_, name) => format!("alsa:{}", name.unwrap_or("default")),
    }
}

fn not_found(wish: &Wish) -> DeviceError {
    DeviceError::NotFound { wanted: name_of(wish), has: listing::names() }
}

fn find_jack(wish: &Wish) -> Option<Device> {
    // A server is chosen by JACK_DEFAULT_SERVER, as for any client, and has one output.
    if wish.device.as_deref().is_some_and(|name| name != "system") {
        return None;
    }
    jack_host()?.default_output_device()
}

fn find_alsa(wish: &Wish) -> Option<Device> {
    let host = cpal::host_from_id(HostId::Alsa).ok()?;
    match wish.device.as_deref() {
        None | Some("default") => host.default_output_device(),
        // By any spelling that ALSA knows (`hw:0`), else by what `tine devices` says of it.
        Some(name) => {
            let id = cpal::DeviceId::new(HostId::Alsa, name);
            let is_called = |device: &Device| device.description().is_ok_and(|about| about.name() == name);
            host.device_by_id(&id).or_else(|| host.devices().ok()?.find(is_called))
        }
    }
}

/// The simplest for us that the device takes: floats first, and as few channels as hold left and right.
fn choose(configs: &[SupportedStreamConfigRange], wish: &Wish) -> Option<SupportedStreamConfigRange> {
    let fits = |config: &&SupportedStreamConfigRange| {
        let alone = [**config];
        let period = listing::periods(&alone).is_none_or(|(min, max)| (min..=max).contains(&wish.period));
        // cpal itself takes the nearest rate, and says nothing.
        config.contains_rate(wish.rate_hz) && period && FORMATS.contains(&config.sample_format())
    };
    let format = |config: &SupportedStreamConfigRange| FORMATS.iter().position(|&f| f == config.sample_format());
    let channels = |config: &SupportedStreamConfigRange| match usize::from(config.channels()) {
        too_few if too_few < SIDES => usize::MAX - too_few,
        enough => enough,
    };
    configs.iter().filter(fits).min_by_key(|config| (channels(config), format(config))).copied()
}

/// Opens what the same device, or server, hears: at the same rate and period, or not at all.
fn hear(wish: &Wish, mut mouth: Mouth, news: &Arc<News>) -> Result<Held, String> {
    let jack = wish.backend == Backend::Jack;
    let device = if jack { jack_host().and_then(|host| host.default_input_device()) } else { find_alsa(wish) };
    let device = device.ok_or("there is no input")?;
    let configs: Vec<_> = device.supported_input_configs().map_err(|e| e.to_string())?.collect();
    let config = choose(&configs, wish).ok_or_else(|| format!("it hears {}", describe(&configs)))?;
    let channels = usize::from(config.channels());
    let stream_config = StreamConfig {
        channels: config.channels(),
        sample_rate: wish.rate_hz,
        buffer_size: BufferSize::Fixed(wish.period),
    };
    let on_error = {
        let news = Arc::clone(news);
        move |e: cpal::Error| {
            if e.kind() == ErrorKind::Xrun {
                news.xrun();
            }
        }
    };
    let timeout = Some(if jack { JACK_ANSWER } else { ALSA_POLL });
    let mut floats = vec![0.0; wish.period as usize * channels];
    let stream = match config.sample_format() {
        SampleFormat::I16 => {
            let hear = move |heard: &[i16], _: &_| mouth.hear_as(heard, channels, &mut floats, 1.0 / 32_768.0);
            device.build_input_stream(stream_config, hear, on_error, timeout)
        }
        SampleFormat::I32 => {
            let hear = move |heard: &[i32], _: &_| mouth.hear_as(heard, channels, &mut floats, 1.0 / 2_147_483_648.0);
            device.build_input_stream(stream_config, hear, on_error, timeout)
        }
        _ => {
            let hear = move |heard: &[f32], _: &_| mouth.hear(heard, channels);
            device.build_input_stream(stream_config, hear, on_error, timeout)
        }
    };
    stream.map(|stream| Held(Some(stream))).map_err(|e| e.to_string())
}

/// What a device that converts takes at this rate: it claims to take anything, and only by trying does one learn more.
fn own_period(device: &Device, config: &SupportedStreamConfigRange, rate_hz: u32) -> Option<String> {
    let settings = config.try_with_sample_rate(rate_hz)?.config();
    let nothing = |_: &mut cpal::Data, _: &_| {};
    let stream =
        device.build_output_stream_raw(settings, config.sample_format(), nothing, |_| {}, Some(JACK_ANSWER)).ok()?;
    let held = Held(Some(stream));
    let period = held.get()?.buffer_size().ok()?;
    Some(format!("{rate_hz} hz with a period of {period}"))
}

fn describe(configs: &[SupportedStreamConfigRange]) -> String {
    let rates = listing::rates_hz(configs);
    let rates = match rates[..] {
        [] => return "nothing that we can give".to_owned(),
        [only] => format!("{only} hz"),
        [least, .., most] => format!("{least} to {most} hz"),
    };
    match listing::periods(configs) {
        Some((least, most)) if least == most => format!("{rates} with a period of {least}"),
        Some((least, most)) => format!("{rates} with a period of {least} to {most}"),
        None => rates,
    }
}

/// Keeps what ALSA would print on stderr from this thread, and gives it as the reason of an error.
///
/// What libjack prints inside an ALSA plug where no server runs is not ALSA's, and still shows: the only way to hide it
/// would be to turn stderr off for the whole process.
pub(super) struct Quiet(Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>);

impl Quiet {
    pub(super) fn new() -> Quiet {
        Quiet(alsa::Output::local_error_handler().ok())
    }

    /// cpal's own words are general; ALSA's first line often names the file or the card at fault.
    fn reason(&self, e: &cpal::Error) -> String {
        let chatter = self.0.as_ref().map(|output| output.borrow().to_string()).unwrap_or_default();
        match chatter.lines().next() {
            Some(first) => format!("{e} ({first})"),
            None => e.to_string(),
        }
    }
}

/// A stream that is let go in bounded time.
struct Held(Option<Stream>);

impl Held {
    fn get(&self) -> Option<&Stream> {
        self.0.as_ref()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(stream) = self.0.take() else { return };
        // A JACK server that hangs, or a card that was pulled out, can hold its client for ever.
        let (done, is_done) = mpsc::channel::<()>();
        let closer = thread::Builder::new().name("device-close".to_owned()).spawn(move || {
            let _quiet = Quiet::new();
            drop(stream);
            drop(done);
        });
        if closer.is_ok() {
            // Either answer is an end: the stream is closed, or it stays with its thread.
            let _ = is_done.recv_timeout(LET_GO);
        }
    }
}

struct Ready {
    name: String,
    rate_hz: u32,
    period: u32,
    stream: Held,
    outbox: Producer<Feed>,
    news: Arc<News>,
    wish: Wish,
    input: Option<Held>,
}

impl Opened for Ready {
    fn name(&self) -> &str {
        &self.name
    }

    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn period(&self) -> u32 {
        self.period
    }

    fn listen(&mut self, mouth: Mouth) -> Option<String> {
        let _quiet = Quiet::new();
        match hear(&self.wish, mouth, &self.news) {
            Ok(stream) => {
                self.input = Some(stream);
                None
            }
            Err(why) => Some(format!("{}: {why}", self.name)),
        }
    }

    fn start(
        mut self: Box<Self>,
        feed: Feed,
        tell: Box<dyn Fn(DeviceEvent) + Send + Sync>,
    ) -> Result<Box<dyn Playing>, DeviceError> {
        let refused = |reason: String| DeviceError::Host { device: self.name.clone(), reason };
        // There is room: this is the one feed of this stream.
        if self.outbox.push(feed).is_err() {
            return Err(refused("it has a feed already".to_owned()));
        }
        match self.stream.get().map(StreamTrait::play) {
            Some(Ok(())) => {}
            Some(Err(e)) => return Err(refused(e.to_string())),
            None => return Err(refused("it is closed".to_owned())),
        }
        if let Some(Err(e)) = self.input.as_ref().and_then(Held::get).map(StreamTrait::play) {
            tracing::warn!("no input: {}: {e}", self.name);
        }
        let watch = Watch::start(Arc::clone(&self.news), tell).map_err(|e| refused(e.to_string()))?;
        Ok(Box::new(Sounding {
            name: self.name,
            rate_hz: self.rate_hz,
            period: self.period,
            news: self.news,
            _stream: self.stream,
            _input: self.input,
            _watch: watch,
        }))
    }
}

/// Fields drop in this order: the stream ends before the watch, so its last words are told.
struct Sounding {
    name: String,
    rate_hz: u32,
    period: u32,
    news: Arc<News>,
    _input: Option<Held>,
    _stream: Held,
    _watch: Watch,
}

impl Playing for Sounding {
    fn name(&self) -> &str {
        &self.name
    }

    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn period(&self) -> u32 {
        match self.news.period() {
            0 => self.period,
            last => last,
        }
    }

    fn real_time(&self) -> Option<bool> {
        self.news.real_time()
    }

    fn host_xruns(&self) -> u64 {
        self.news.xruns()
    }
}
