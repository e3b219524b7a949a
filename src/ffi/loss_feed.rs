//! The losses of a lock, a semaphore or a kept session on their way to a queue: never more than one unread, which
//! tells of the last.

use super::outlet::Outlet;
use crate::error::{Error, Result, Status};
use crate::recipes::loss::{Loss, LossListener};
use crate::runtime::queue::{Content, EventKind, Queue};
use crate::sync::Mutex;
use std::sync::Arc;

/// Where the losses go.
struct Feed {
    kind: EventKind,
    outlet: Arc<Outlet>,
    unread: Arc<Mutex<Option<Error>>>,
}

/// What listens for this queue.
pub(super) fn attach(queue: &Queue, tag: u64, kind: EventKind) -> Result<LossListener> {
    let outlet = Outlet::attach(queue, tag, kind)?;
    let feed = Feed { kind, outlet, unread: Arc::default() };
    Ok(Box::new(move |loss| feed.hear(loss)))
}

impl Feed {
    fn hear(&self, loss: Loss) {
        match loss {
            Loss::Lost(error) => self.tell(error),
            Loss::Ended(error) => self.outlet.end(error),
        }
    }

    fn tell(&self, error: Error) {
        if self.unread.lock().replace(error).is_some() {
            return;
        }
        let unread = self.unread.clone();
        self.outlet.tell(self.kind, move || {
            Content::plain(unread.lock().take().map_or(Ok(Status::NoChange), Err))
        });
    }
}
