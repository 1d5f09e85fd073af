//! Keeps the sound going somewhere: to the device that was asked for, and while that one is gone to [`null`], which keeps time, until it is
//! back. Never to another.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};
use rtrb::{Consumer, Producer, RingBuffer};
use tine_protocol::sys::clock::now_ns;

use crate::batch::Telemetry;
use crate::conductor::Outlet;
use crate::device::null::Null;
use crate::device::{self, DeviceError, DeviceEvent, Opened, Opening, Playing, Wish};
use crate::ear::{self, Lost};
use crate::feed::{self, Feed, Taken};

/// How long the first blocks may take before the device starts without them.
const FILL_NS: u64 = 1_000_000_000;

/// How often a device that is gone is asked for again.
const RETRY: Duration = Duration::from_secs(1);

/// Told by devices and not yet heard, at most. One that says more than that loses it: what counts, [`DeviceEvent::Lost`], comes once.
const EVENTS_MAX: usize = 64;

/// Told when the sound goes elsewhere: in words, for the player.
pub type Tell = Box<dyn Fn(String) + Send>;

/// How sound leaves the engine.
pub struct Plan {
    /// The device that was asked for.
    pub wish: Wish,
    /// Blocks to be ahead of it.
    pub lead: u32,
    /// Frames of a block.
    pub frames: usize,
    /// Blocks after which sound ends by itself.
    pub blocks_max: Option<u64>,
    /// Sound is to go on where an engine died: a device that is not there is waited for.
    pub is_resumed: bool,
}

/// What all devices so far have taken.
#[derive(Default)]
pub struct Books {
    present: Mutex<Option<Arc<Taken>>>,
    past: Mutex<[u64; 2]>,
    unheard: Arc<Lost>,
}

impl Books {
    /// Frames missed, and periods in which any was.
    pub fn missed(&self) -> (u64, u64) {
        let [frames, periods] = *lock(&self.past);
        let (more_frames, more_periods) = lock(&self.present).as_ref().map_or((0, 0), |taken| taken.missed());
        (frames + more_frames, periods + more_periods)
    }

    /// Frames that devices heard and the patch did not.
    pub fn unheard(&self) -> &Arc<Lost> {
        &self.unheard
    }

    /// Wakes a conductor that waits for the device.
    pub fn nudge(&self) {
        if let Some(taken) = &*lock(&self.present) {
            taken.nudge();
        }
    }

    /// Returns those of the device before.
    fn begin(&self, taken: Arc<Taken>) -> Option<Arc<Taken>> {
        let old = lock(&self.present).replace(taken)?;
        let (frames, periods) = old.missed();
        let mut past = lock(&self.past);
        *past = [past[0] + frames, past[1] + periods];
        Some(old)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An opened device, and both ends of the way to it.
struct Ready {
    device: Box<dyn Opened>,
    feed: Feed,
}

/// The conductor's side of all this.
pub struct ConductorEnd {
    /// The way to the first device.
    pub outlet: Outlet,
    /// Further ones.
    pub outlets: Consumer<Outlet>,
    /// Where those before go.
    pub outlets_back: Producer<Outlet>,
}

/// A device that is about to play.
pub struct Way {
    plan: Plan,
    ready: Ready,
    books: Arc<Books>,
    to_conductor: Producer<Outlet>,
    back: Consumer<Outlet>,
    lost: Option<String>,
}

impl Way {
    /// Opens the device. With a line about it, where there is something to say.
    ///
    /// # Errors
    /// If it cannot be had as wished, unless sound is resumed.
    pub fn open(plan: Plan, books: Arc<Books>) -> Result<(Way, ConductorEnd, Option<String>), DeviceError> {
        let mut plan = plan;
        let (opened, note, lost) = match device::open(&plan.wish) {
            Ok(Opening { device, backend, note }) => {
                // From now on this one: also where it was left open which.
                plan.wish.backend = backend;
                (device, note, None)
            }
            Err(error) if plan.is_resumed => (null(&plan.wish)?, None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        let (to_conductor, outlets) = RingBuffer::new(2);
        let (outlets_back, back) = RingBuffer::new(4);
        let (outlet, ready, _) = lay(&plan, opened, &books);
        let way = Way { plan, ready, books, to_conductor, back, lost };
        Ok((way, ConductorEnd { outlet, outlets, outlets_back }, note))
    }

    /// Starts the device once the blocks that it takes first are there, and looks after it from then on.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(self, telemetry: Arc<Telemetry>, first: u64, tell: Tell) -> Result<Outlets, DeviceError> {
        let Way { plan, ready, books, to_conductor, back, lost } = self;
        let (events, heard) = bounded(EVENTS_MAX);
        let (stop, stopped) = bounded(0);
        let mut keeper =
            Keeper { plan, books, to_conductor, back, telemetry, events, number: 0, playing: None, lost: None, tell };
        keeper.wait_until_filled(first, ready.device.period());
        keeper.play(ready)?;
        if let Some(why) = lost {
            keeper.miss(why);
        }
        let refused =
            |e: std::io::Error| DeviceError::Host { device: "the thread for it".to_owned(), reason: e.to_string() };
        let work = move || keeper.run(&heard, &stopped);
        let thread = std::thread::Builder::new().name("outlets".into()).spawn(work).map_err(refused)?;
        Ok(Outlets { stop: Some(stop), thread: Some(thread) })
    }
}

/// Looks after the device. Dropping it stops the sound.
pub struct Outlets {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Outlets {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has dropped its device too.
            let _ = thread.join();
        }
    }
}

struct Keeper {
    plan: Plan,
    books: Arc<Books>,
    to_conductor: Producer<Outlet>,
    back: Consumer<Outlet>,
    telemetry: Arc<Telemetry>,
    events: Sender<(u64, DeviceEvent)>,
    /// Of the present device: what one before still has to say concerns nobody.
    number: u64,
    playing: Option<Box<dyn Playing>>,
    /// Why the device that was asked for is not the one that plays.
    lost: Option<String>,
    tell: Tell,
}

impl Keeper {
    fn run(mut self, heard: &Receiver<(u64, DeviceEvent)>, stopped: &Receiver<()>) {
        // Ready when `stop` is dropped, as nobody ever sends there.
        loop {
            crossbeam::select! {
                recv(stopped) -> _ => return,
                recv(heard) -> event => match event {
                    Ok((number, event)) if number == self.number => self.hear(event),
                    _ => {}
                },
                default(RETRY) => if self.lost.is_some() {
                    self.try_again();
                },
            }
        }
    }

    fn hear(&mut self, event: DeviceEvent) {
        match event {
            DeviceEvent::Xrun => tracing::warn!("the device lost frames by itself"),
            DeviceEvent::Lost(why) => {
                let dead = self.playing.take();
                match null(&self.plan.wish).and_then(|null| self.go_over(null)) {
                    Ok(()) => {}
                    Err(error) => tracing::error!("nothing keeps time: {error}"),
                }
                // Not sooner: a host that is gone may take its time to let go.
                drop(dead);
                self.miss(why);
            }
        }
    }

    fn miss(&mut self, why: String) {
        let name = self.plan.wish.device.as_deref().unwrap_or("the device");
        (self.tell)(format!("{name} is gone ({why}): the clock goes on, and sound when it is back"));
        self.lost = Some(why);
    }

    /// Asks for the device that was wished for, and for no other.
    fn try_again(&mut self) {
        let Ok(Opening { device, .. }) = device::open(&self.plan.wish) else { return };
        let name = device.name().to_owned();
        let silent = self.playing.take();
        match self.go_over(device) {
            Ok(()) => {
                self.lost = None;
                (self.tell)(format!("{name} is back"));
            }
            // It stays lost, and is asked for again; until then the clock has to go on.
            Err(_) => match null(&self.plan.wish).and_then(|null| self.go_over(null)) {
                Ok(()) => {}
                Err(error) => tracing::error!("nothing keeps time: {error}"),
            },
        }
        drop(silent);
    }

    /// Lets the conductor play to `device`, and starts it.
    fn go_over(&mut self, device: Box<dyn Opened>) -> Result<(), DeviceError> {
        while self.back.pop().is_ok() {}
        let period = device.period();
        let (outlet, ready, old) = lay(&self.plan, device, &self.books);
        let first = self.telemetry.blocks.load(Ordering::Acquire);
        if self.to_conductor.push(outlet).is_err() {
            return Err(DeviceError::Host {
                device: ready.device.name().to_owned(),
                reason: "the conductor has stopped".to_owned(),
            });
        }
        // The conductor waits for the old one until it looks up.
        if let Some(old) = old {
            old.nudge();
        }
        self.wait_until_filled(first, period);
        self.play(ready)
    }

    /// Waits for what is to be there before the device takes its first frame: with less, the first blocks would be late.
    fn wait_until_filled(&self, first: u64, period: u32) {
        let ahead = u64::from(period).div_ceil(self.plan.frames as u64) + u64::from(self.plan.lead);
        let blocks = self.plan.blocks_max.map_or(first + ahead, |max| (first + ahead).min(max));
        let until_ns = now_ns() + FILL_NS;
        while self.telemetry.blocks.load(Ordering::Acquire) < blocks && now_ns() < until_ns {
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn play(&mut self, ready: Ready) -> Result<(), DeviceError> {
        self.number += 1;
        let (number, events) = (self.number, self.events.clone());
        let tell = Box::new(move |event| drop(events.try_send((number, event))));
        self.playing = Some(ready.device.start(ready.feed, tell)?);
        Ok(())
    }
}

/// Both ends of the way to a device, and the books of the one before.
fn lay(plan: &Plan, device: Box<dyn Opened>, books: &Books) -> (Outlet, Ready, Option<Arc<Taken>>) {
    let period = device.period();
    let room = (period as usize + (plan.lead as usize + 1) * plan.frames).next_multiple_of(plan.frames);
    let (sink, feed) = feed::feed(room);
    let old = books.begin(Arc::clone(sink.taken()));
    let mut device = device;
    let ear = plan.wish.is_heard.then(|| {
        let (mouth, ear) = ear::ear(period as usize, plan.frames, books.unheard());
        match device.listen(mouth) {
            None => Some(ear),
            Some(why) => {
                tracing::warn!("no input: {why}");
                None
            }
        }
    });
    (Outlet { sink, period, ear: ear.flatten() }, Ready { device, feed }, old)
}

fn null(wish: &Wish) -> Result<Box<dyn Opened>, DeviceError> {
    Ok(Box::new(Null::new(wish.rate_hz, wish.period)?))
}
