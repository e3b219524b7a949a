//! Where a feed's events go: one attachment to a queue, which ends with its last event, with its tag, or
//! with the queue.

use crate::error::{Error, Result};
use crate::runtime::queue::{Content, EventKind, Flight, Queue};
use crate::sync::Mutex;
use crate::transport::Interrupt;
use std::sync::{Arc, Weak};

/// A feed's end of a queue.
pub(super) struct Outlet {
    /// None once it has ended.
    flight: Mutex<Option<Flight>>,
    /// The kind of its last event.
    ended: EventKind,
}

impl Outlet {
    /// Begins under this tag.
    pub(super) fn attach(queue: &Queue, tag: u64, ended: EventKind) -> Result<Arc<Outlet>> {
        let flight = queue.attach(tag)?;
        let token = flight.cancel_token().clone();
        let outlet = Arc::new(Outlet { flight: Mutex::new(Some(flight)), ended });
        let stopper = Arc::new(Stopper(Arc::downgrade(&outlet)));
        if let Err(error) = token.attach(stopper.clone()) {
            stopper.interrupt(&error);
        }
        Ok(outlet)
    }

    /// Puts an event into the queue; `content` is asked when it is read.
    pub(super) fn tell(&self, kind: EventKind, content: impl FnOnce() -> Content + Send + 'static) {
        if let Some(flight) = &*self.flight.lock() {
            flight.tell(kind, content);
        }
    }

    /// The last event, which says why.
    pub(super) fn end(&self, error: Error) {
        if let Some(flight) = self.flight.lock().take() {
            flight.end(self.ended, || Content::plain(Err(error)));
        }
    }
}

/// Another one took its place: who asked for that knows.
impl Drop for Outlet {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.get_mut().take() {
            flight.call_off();
        }
    }
}

/// Its tag was cancelled, or its queue is gone.
struct Stopper(Weak<Outlet>);

impl Interrupt for Stopper {
    fn interrupt(&self, reason: &Error) {
        if let Some(outlet) = self.0.upgrade() {
            outlet.end(reason.clone());
        }
    }
}
