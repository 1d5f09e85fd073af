//! What the journal's thread and the session both see: figures for `stats`, and two words between them.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::answer::Stat;

/// Longest fdatasync that is told apart, in microseconds.
const SYNC_MAX_US: u64 = 60_000_000;

/// Shared by both threads; neither is a real-time one.
pub struct Shared {
    /// Requests accepted and not yet answered.
    pub unanswered: AtomicUsize,
    /// The thread wants the patch as it stands.
    pub wants_snapshot: AtomicBool,
    /// Errors of the disk.
    pub errors: AtomicU64,
    records: AtomicU64,
    sync_us: Mutex<Histogram<u64>>,
}

impl Default for Shared {
    fn default() -> Shared {
        let histogram = Histogram::new_with_max(SYNC_MAX_US, 3).expect("these bounds are legal");
        Shared {
            unanswered: AtomicUsize::new(0),
            wants_snapshot: AtomicBool::new(false),
            errors: AtomicU64::new(0),
            records: AtomicU64::new(0),
            sync_us: Mutex::new(histogram),
        }
    }
}

impl Shared {
    /// So many records are on disk, after one write that took so long.
    pub fn record_sync(&self, records: u64, took: Duration) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.sync_us().saturating_record(took.as_micros() as u64);
    }

    /// All figures by name.
    pub fn figures(&self) -> Vec<Stat> {
        let sync_us = self.sync_us();
        let ms = |quantile| sync_us.value_at_quantile(quantile) as f64 / 1000.0;
        [
            ("journal_records", self.records.load(Ordering::Relaxed) as f64),
            ("journal_errors", self.errors.load(Ordering::Relaxed) as f64),
            ("journal_sync_count", sync_us.len() as f64),
            ("journal_sync_p50_ms", ms(0.5)),
            ("journal_sync_p99_ms", ms(0.99)),
        ]
        .map(|(name, value)| Stat { name: name.to_owned(), value })
        .to_vec()
    }

    fn sync_us(&self) -> MutexGuard<'_, Histogram<u64>> {
        self.sync_us.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
