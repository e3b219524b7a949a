//! The exchanges of a transport that were started: how many have not ended yet, and that each gets
//! its answer.

use super::{Done, Response};
use crate::error::{Error, Result, Status};
use crate::runtime::io;
use crate::sync::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Instant;

#[derive(Default)]
pub(super) struct Tasks {
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
    pub(super) fn wait_ended(&self, deadline: Instant) -> bool {
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

/// Tells what has become of an exchange, once in any case.
pub(super) struct Finish(Option<Done>);

impl Finish {
    pub(super) fn new(done: Done) -> Finish {
        Finish(Some(done))
    }

    pub(super) fn with(mut self, answer: Result<Response>) {
        if let Some(done) = self.0.take() {
            done(answer);
        }
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(Error::new(Status::Internal, "the I/O thread ended before the exchange")));
        }
    }
}
