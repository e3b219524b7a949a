//! How many tasks of a transport have not ended yet.

use crate::runtime::io;
use crate::sync::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Instant;

#[derive(Default)]
pub(in crate::transport::http) struct Tasks {
    count: Mutex<usize>,
    fewer: Condvar,
}

/// Counts as a task until it is dropped.
pub(super) struct Counted(Arc<Tasks>);

impl Tasks {
    pub(super) fn enter(self: &Arc<Self>) -> Counted {
        *self.count.lock() += 1;
        Counted(self.clone())
    }

    /// Waits until no task is left. False when that takes longer. On the I/O thread itself there is
    /// no waiting for it.
    pub(in crate::transport::http) fn wait_ended(&self, deadline: Instant) -> bool {
        if io::is_io_thread() {
            return false;
        }
        let mut count = self.count.lock();
        while *count > 0 {
            if self.fewer.wait_until(&mut count, deadline).timed_out() {
                return false;
            }
        }
        true
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.count.lock() -= 1;
        self.0.fewer.notify_all();
    }
}
