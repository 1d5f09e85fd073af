//! Carries word from a device's own threads to the session. The real-time side only counts and wakes; a thread of ordinary
//! priority tells, so what it calls may allocate and log.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::futex;
use tine_protocol::sys::sched::{self, Policy};

use super::DeviceEvent;

/// How often the watcher looks whether the device still takes sound.
const LOOK_NS: u64 = 500_000_000;
/// A device that took nothing at so many looks is gone, whatever its host says: some ALSA plugs fall silent without a
/// word. Looks and not time, as a process that was stopped for a minute has lost nothing. 2.5 s is far above any stall
/// of a machine that still plays, and above the longest period, a second.
const SILENT_LOOKS: u32 = 5;

/// What the device's threads note.
#[derive(Default)]
pub(super) struct News {
    /// Changes with each piece of news; the watcher waits on it.
    word: AtomicU32,
    xruns: AtomicU64,
    /// Periods taken.
    beats: AtomicU64,
    /// Frames of the last one.
    period: AtomicU32,
    /// 0: not yet known; 1: ordinary; 2: real-time.
    scheduling: AtomicU8,
    over: AtomicBool,
    lost: Mutex<Option<String>>,
}

impl News {
    /// A period was taken. Real-time safe.
    pub(super) fn beat(&self, frames: u32) {
        self.beats.fetch_add(1, Ordering::Relaxed);
        self.period.store(frames, Ordering::Relaxed);
    }

    /// The device lost sound by itself. Real-time safe.
    pub(super) fn xrun(&self) {
        self.xruns.fetch_add(1, Ordering::Relaxed);
        self.wake();
    }

    /// The device is gone; the first reason stands. Not for real-time threads with sound still to give.
    #[cfg(feature = "devices")]
    pub(super) fn lost(&self, reason: String) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.wake();
    }

    /// Takes real-time priority for this thread unless it has it, and notes whether it has. Once, at the first period.
    pub(super) fn take_priority(&self) {
        let real_time =
            matches!(sched::policy(), Policy::RealTime(_)) || sched::set_fifo(0, sched::priority::CALLBACK).is_ok();
        self.scheduling.store(1 + u8::from(real_time), Ordering::Relaxed);
    }

    pub(super) fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    /// Frames of the last period; 0 before the first.
    #[cfg(feature = "devices")]
    pub(super) fn period(&self) -> u32 {
        self.period.load(Ordering::Relaxed)
    }

    pub(super) fn real_time(&self) -> Option<bool> {
        match self.scheduling.load(Ordering::Relaxed) {
            0 => None,
            known => Some(known == 2),
        }
    }

    fn wake(&self) {
        // SYNC device-news: pairs with Watch's look at the word.
        self.word.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.word);
    }
}

/// The thread that tells. Dropping it ends it.
pub(super) struct Watch {
    news: Arc<News>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(news: Arc<News>, tell: Box<dyn Fn(DeviceEvent) + Send + Sync>) -> std::io::Result<Watch> {
        let watched = Arc::clone(&news);
        let thread = thread::Builder::new().name("device-news".to_owned()).spawn(move || watch(&watched, &*tell))?;
        Ok(Watch { news, thread: Some(thread) })
    }
}

fn watch(news: &News, tell: &dyn Fn(DeviceEvent)) {
    let (mut told, mut beats, mut silent_looks, mut look_ns) = (0, 0, 0, now_ns() + LOOK_NS);
    loop {
        // SYNC device-news: what is noted before the word changed is seen after it.
        let seen = news.word.load(Ordering::Acquire);
        if news.over.load(Ordering::Acquire) {
            return;
        }
        let xruns = news.xruns();
        if xruns > told {
            told = xruns;
            tell(DeviceEvent::Xrun);
        }
        let lost = news.lost.lock().unwrap_or_else(PoisonError::into_inner).take();
        let beats_now = news.beats.load(Ordering::Relaxed);
        if beats_now != beats {
            (beats, silent_looks) = (beats_now, 0);
        } else if now_ns() >= look_ns {
            silent_looks += 1;
        }
        if now_ns() >= look_ns {
            look_ns = now_ns() + LOOK_NS;
        }
        let silent = (silent_looks >= SILENT_LOOKS).then(|| "it takes no sound any more".to_owned());
        if let Some(reason) = lost.or(silent) {
            tell(DeviceEvent::Lost(reason));
            return;
        }
        futex::wait(&news.word, seen, Some(look_ns));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.news.over.store(true, Ordering::Release);
        self.news.wake();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A watcher that panicked in `tell` has said so on stderr; there is nothing left to end.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn what_a_device_notes_is_told_on_another_thread() {
        let news = Arc::new(News::default());
        let (sender, events) = mpsc::channel();
        let watch = Watch::start(Arc::clone(&news), Box::new(move |event| sender.send(event).unwrap())).unwrap();
        news.xrun();
        assert_eq!(events.recv().unwrap(), DeviceEvent::Xrun);
        drop(watch);
        assert!(events.recv().is_err(), "nothing is told after the end");
    }

    #[cfg(feature = "devices")]
    #[test]
    fn a_loss_is_told_once() {
        let news = Arc::new(News::default());
        let (sender, events) = mpsc::channel();
        let _watch = Watch::start(Arc::clone(&news), Box::new(move |event| sender.send(event).unwrap())).unwrap();
        news.lost("unplugged".to_owned());
        assert_eq!(events.recv().unwrap(), DeviceEvent::Lost("unplugged".to_owned()));
        news.lost("again".to_owned());
        assert!(events.recv().is_err());
    }

    #[test]
    fn a_device_that_takes_nothing_any_more_is_lost() {
        let (sender, events) = mpsc::channel();
        let tell = Box::new(move |event| sender.send(event).unwrap());
        let _watch = Watch::start(Arc::default(), tell).unwrap();
        assert!(matches!(events.recv().unwrap(), DeviceEvent::Lost(_)));
    }
}
