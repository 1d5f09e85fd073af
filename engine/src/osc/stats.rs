//! What the OSC server counts. Lock-free; read by anyone.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::answer::Stat;

/// Counters of one server; made before it, so that the session's `stats` can show them.
#[derive(Debug, Default)]
pub struct OscStats {
    received: AtomicU64,
    malformed: AtomicU64,
    refused_busy: AtomicU64,
    replies_lost: AtomicU64,
    echoes_merged: AtomicU64,
    dropped: AtomicU64,
}

/// One of the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Received,
    Malformed,
    RefusedBusy,
    RepliesLost,
    EchoesMerged,
}

impl OscStats {
    pub(super) fn add(&self, count: Count) {
        let counter = match count {
            Count::Received => &self.received,
            Count::Malformed => &self.malformed,
            Count::RefusedBusy => &self.refused_busy,
            Count::RepliesLost => &self.replies_lost,
            Count::EchoesMerged => &self.echoes_merged,
        };
        // Relaxed: counters order nothing.
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of `further` datagrams that the kernel dropped.
    pub(super) fn add_dropped(&self, further: u32) {
        self.dropped.fetch_add(further.into(), Ordering::Relaxed);
    }

    /// Datagrams that the kernel dropped, as they came faster than they could be read. Told with the next one that arrives.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Datagrams received.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Datagrams that could not be read.
    pub fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// Messages refused because a queue was full.
    pub fn refused_busy(&self) -> u64 {
        self.refused_busy.load(Ordering::Relaxed)
    }

    /// Datagrams that could not be sent.
    pub fn replies_lost(&self) -> u64 {
        self.replies_lost.load(Ordering::Relaxed)
    }

    /// Echoes that were not sent because a newer value of the same param was.
    pub fn echoes_merged(&self) -> u64 {
        self.echoes_merged.load(Ordering::Relaxed)
    }

    /// All of them by name, for `stats`.
    pub fn figures(&self) -> Vec<Stat> {
        [
            ("osc_received", self.received()),
            ("osc_dropped", self.dropped()),
            ("osc_malformed", self.malformed()),
            ("osc_refused_busy", self.refused_busy()),
            ("osc_replies_lost", self.replies_lost()),
            ("osc_echoes_merged", self.echoes_merged()),
        ]
        .map(|(name, value)| Stat { name: name.to_owned(), value: value as f64 })
        .to_vec()
    }
}
