//! The log's records on their way to a queue: one event says that there are some, and gives those that
//! wait when it is taken. So what nobody takes stays within the log's own bounds.

use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Record};
use crate::runtime::queue::{Content, EventKind, Flight, Queue};
use crate::sync::Mutex;
use crate::sys::fork_generation;
use crate::transport::Interrupt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};

/// Where the records go.
pub(super) struct Feed {
    /// None once it has ended.
    flight: Mutex<Option<Flight>>,
    unread: AtomicBool,
    /// The process whose queue it is.
    process: u32,
}

/// Sends them to this queue from now on, and nowhere else.
pub(super) fn attach(queue: &Queue, tag: u64) -> Result<()> {
    let flight = queue.attach(tag)?;
    let token = flight.cancel_token().clone();
    let feed = Arc::new(Feed {
        flight: Mutex::new(Some(flight)),
        unread: AtomicBool::new(false),
        process: fork_generation(),
    });
    let stopper = Arc::new(Stopper(Arc::downgrade(&feed)));
    let hearing = feed.clone();
    log::set_listener(Some(Box::new(move || hearing.hear())));
    if let Err(error) = token.attach(stopper.clone()) {
        stopper.interrupt(&error);
    }
    Ok(())
}

impl Feed {
    fn hear(self: &Arc<Feed>) {
        // A forked child's records stay in its log: the queue is its parent's.
        if self.process != fork_generation() || self.unread.swap(true, SeqCst) {
            return;
        }
        let feed = Arc::downgrade(self);
        if let Some(flight) = &*self.flight.lock() {
            flight.tell(EventKind::Log, move || {
                feed.upgrade().map_or_else(nothing, |feed| feed.read())
            });
        }
    }

    /// The records that wait.
    fn read(&self) -> Content {
        // Before anything is taken: what comes from here on is told again.
        self.unread.store(false, SeqCst);
        let records: Vec<Record> = std::iter::from_fn(log::take).take(log::CAPACITY).collect();
        match records.is_empty() {
            true => nothing(),
            false => Content { outcome: Ok(Status::Ok), result: Some(Box::new(records)) },
        }
    }

    fn end(&self) {
        if let Some(flight) = self.flight.lock().take() {
            let error = Error::new(Status::Cancelled, "cancelled");
            flight.end(EventKind::Log, || Content::plain(Err(error)));
        }
    }
}

/// Another one took its place: who asked for that knows.
impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.get_mut().take() {
            flight.call_off();
        }
    }
}

/// Somebody else has the records, or is to have them.
fn nothing() -> Content {
    Content::plain(Ok(Status::NoChange))
}

/// Its tag was cancelled, or its queue is gone.
struct Stopper(Weak<Feed>);

impl Interrupt for Stopper {
    fn interrupt(&self, _reason: &Error) {
        if let Some(feed) = self.0.upgrade() {
            feed.end();
        }
    }
}
