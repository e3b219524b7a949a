//! How much each instance is in use, across the states of a watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many leases of an instance there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage(Arc<AtomicU32>);

/// A use of an instance, which ends when it is dropped.
#[derive(Debug, Default)]
pub struct Lease(Usage);

impl Usage {
    pub(super) fn count(&self) -> u32 {
        self.0.load(Relaxed)
    }

    pub(super) fn lease(&self) -> Lease {
        self.0.fetch_add(1, Relaxed);
        Lease(self.clone())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // One that was made without an instance counts for itself alone.
        let _ = self.0.0.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
    }
}
