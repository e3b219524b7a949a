//! The log's records on their way to a queue: one event says that there are some, and gives those that
//! wait when it is taken. So what nobody takes stays within the log's own bounds.

use super::outlet::Outlet;
use crate::error::{Result, Status};
use crate::observe::log::{self, Record};
use crate::runtime::queue::{Content, EventKind, Queue};
use crate::sys::fork_generation;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Where the records go.
struct Feed {
    outlet: Arc<Outlet>,
    unread: AtomicBool,
    /// The process whose queue it is.
    process: u32,
}

/// Sends them to this queue from now on, and nowhere else.
pub(super) fn attach(queue: &Queue, tag: u64) -> Result<()> {
    let feed = Arc::new(Feed {
        outlet: Outlet::attach(queue, tag, EventKind::Log)?,
        unread: AtomicBool::new(false),
        process: fork_generation(),
    });
    log::set_listener(Some(Box::new(move || feed.hear())));
    Ok(())
}

impl Feed {
    fn hear(self: &Arc<Feed>) {
        // A forked child's records stay in its log: the queue is its parent's.
        if self.process != fork_generation() || self.unread.swap(true, SeqCst) {
            return;
        }
        let feed = Arc::downgrade(self);
        self.outlet
            .tell(EventKind::Log, move || feed.upgrade().map_or_else(nothing, |feed| feed.read()));
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
}

/// Somebody else has the records, or is to have them.
fn nothing() -> Content {
    Content::plain(Ok(Status::NoChange))
}
