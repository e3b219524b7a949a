//! The losses of a lock, a semaphore or a kept session on their way to a queue: never more than one unread, which
//! tells of the last.

use crate::error::{Error, Result, Status};
use crate::recipes::loss::{Loss, LossListener};
use crate::runtime::queue::{Content, EventKind, Flight, Queue};
use crate::sync::Mutex;
use crate::transport::Interrupt;
use std::sync::{Arc, Weak};

/// Where the losses go.
struct Feed {
    kind: EventKind,
    /// None once it has ended.
    flight: Mutex<Option<Flight>>,
    unread: Arc<Mutex<Option<Error>>>,
}

/// What listens for this queue.
pub(super) fn attach(queue: &Queue, tag: u64, kind: EventKind) -> Result<LossListener> {
    let flight = queue.attach(tag)?;
    let token = flight.cancel_token().clone();
    let feed = Arc::new(Feed { kind, flight: Mutex::new(Some(flight)), unread: Arc::default() });
    let stopper = Arc::new(Stopper(Arc::downgrade(&feed)));
    if let Err(error) = token.attach(stopper.clone()) {
        stopper.interrupt(&error);
    }
    Ok(Box::new(move |loss| feed.hear(loss)))
}

impl Feed {
    fn hear(&self, loss: Loss) {
        match loss {
            Loss::Lost(error) => self.tell(error),
            Loss::Ended(error) => self.end(error),
        }
    }

    fn tell(&self, error: Error) {
        if self.unread.lock().replace(error).is_some() {
            return;
        }
        let unread = self.unread.clone();
        if let Some(flight) = &*self.flight.lock() {
            flight.tell(self.kind, move || {
                Content::plain(unread.lock().take().map_or(Ok(Status::NoChange), Err))
            });
        }
    }

    fn end(&self, error: Error) {
        if let Some(flight) = self.flight.lock().take() {
            flight.end(self.kind, || Content::plain(Err(error)));
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

/// Its tag was cancelled, or its queue is gone.
struct Stopper(Weak<Feed>);

impl Interrupt for Stopper {
    fn interrupt(&self, reason: &Error) {
        if let Some(feed) = self.0.upgrade() {
            feed.end(reason.clone());
        }
    }
}
