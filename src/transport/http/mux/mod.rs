//! Exchanges that were started: tasks on the process's I/O thread, over non-blocking sockets.
//!
//! ureq-proto speaks the protocol, without I/O of its own. Everything else is shared with the
//! exchanges that block: messages, failures, TLS, look-ups, the number of connections. Only the
//! idle connections are kept apart, for they are non-blocking.

mod connect;
mod connection;
mod exchange;
mod link;
mod pool;
mod socket;

pub(super) use exchange::start;
pub(super) use pool::Pool;

use super::call::Call;
use crate::error::Result;
use crate::runtime::io::Io;
use std::future::poll_fn;
use std::time::Instant;

/// Waits for [`Call::signal`] until `until` at most, in a task. True when it came.
pub(super) async fn wait_in_task(io: &Io, call: &Call, until: Instant) -> Result<bool> {
    let mut timer = None;
    poll_fn(|context| {
        let waited = call.poll_wait(until);
        if waited.is_pending() {
            timer.get_or_insert_with(|| io.wake_at(until, context.waker()));
        }
        waited
    })
    .await
}
