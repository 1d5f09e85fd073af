//! A word that is rung: wakes a thread that does many things, from real-time threads too.

use std::sync::atomic::{AtomicU32, Ordering};

use tine_protocol::sys::futex;

/// Rings are never lost: whoever looks at [`Bell::rings`] before it looks for work sleeps only if nobody rang since.
#[derive(Default)]
pub struct Bell(AtomicU32);

impl Bell {
    /// Wakes the listener, or keeps it from falling asleep.
    pub fn ring(&self) {
        self.0.fetch_add(1, Ordering::Release);
        futex::wake_all(&self.0);
    }

    /// How often it rang so far.
    pub fn rings(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Sleeps until it rings after `seen`, or until `deadline_ns`.
    pub fn wait(&self, seen: u32, deadline_ns: Option<u64>) {
        futex::wait(&self.0, seen, deadline_ns);
    }
}
