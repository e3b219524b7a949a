//! How a query is doing, for anyone to read without a lock.

use crate::error::Error;
use arc_swap::ArcSwapOption;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::Duration;

/// How a query is doing.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// The time of the last good answer in microseconds plus one; 0 before the first.
    success: AtomicU64,
    failures: AtomicU32,
    index: AtomicU64,
    requests: AtomicU64,
    in_flight: AtomicBool,
    /// When it is asked next in microseconds plus one; 0 where that is not known.
    next: AtomicU64,
    error: ArcSwapOption<Error>,
}

impl Pulse {
    pub(super) fn sent(&self) {
        self.requests.fetch_add(1, Relaxed);
        self.in_flight.store(true, Relaxed);
        self.next.store(0, Relaxed);
    }

    /// It is asked again at this time, unless others are in its way.
    pub(super) fn due(&self, at: Duration) {
        self.next.store(at.as_micros() as u64 + 1, Relaxed);
    }

    /// In how long it is asked again; `None` while it is being asked.
    pub(super) fn next_try(&self, now: Duration) -> Option<Duration> {
        let at = self.next.load(Relaxed).checked_sub(1)?;
        Some(Duration::from_micros(at).saturating_sub(now))
    }

    /// A good answer; whether there were failures before it.
    pub(super) fn succeeded(&self, index: u64, now: Duration) -> bool {
        self.in_flight.store(false, Relaxed);
        self.index.store(index, Relaxed);
        self.success.store(now.as_micros() as u64 + 1, Relaxed);
        self.failures.swap(0, Relaxed) > 0
    }

    pub(super) fn failed(&self, error: &Error) {
        self.in_flight.store(false, Relaxed);
        self.error.store(Some(Arc::new(error.clone())));
        self.failures.fetch_add(1, Relaxed);
    }

    /// How long ago the last good answer came.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        let at = self.success.load(Relaxed).checked_sub(1)?;
        Some(now.saturating_sub(Duration::from_micros(at)))
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures.load(Relaxed)
    }

    pub(super) fn index(&self) -> u64 {
        self.index.load(Relaxed)
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    pub(super) fn in_flight(&self) -> bool {
        self.in_flight.load(Relaxed)
    }

    /// The last failure, even when all is well again.
    pub(super) fn error(&self) -> Option<Arc<Error>> {
        self.error.load_full()
    }
}
