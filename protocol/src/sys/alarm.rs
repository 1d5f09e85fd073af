//! An alarm that a real-time thread rings and another waits for together with other descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::EventfdFlags;

/// Rung any number of times before it is silenced, it is heard once.
pub struct Alarm(OwnedFd);

impl Alarm {
    /// A silent alarm.
    ///
    /// # Errors
    /// As the system says it.
    pub fn new() -> io::Result<Alarm> {
        Ok(Alarm(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Makes the descriptor readable. Never blocks.
    pub fn ring(&self) {
        // It fails only when nobody has listened 2^64 times: it is readable then.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Makes it unreadable again.
    pub fn silence(&self) {
        // It fails only when it is silent already.
        let _ = rustix::io::read(&self.0, &mut [0u8; 8]);
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
