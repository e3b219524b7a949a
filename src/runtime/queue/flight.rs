//! An activity that has begun and whose last event has not come yet.

use super::Queue;
use super::event::{Arrival, Content, EventKind};
use crate::error::{Error, Status};
use crate::transport::CancelToken;

/// An activity in flight. It ends with [`Flight::end`]; one that is dropped before ends with an
/// error.
pub struct Flight {
    queue: Queue,
    id: u64,
    tag: u64,
    counted: bool,
    cancel: CancelToken,
    ended: bool,
}

impl Flight {
    pub(super) fn new(
        queue: Queue,
        id: u64,
        tag: u64,
        counted: bool,
        cancel: CancelToken,
    ) -> Flight {
        Flight { queue, id, tag, counted, cancel, ended: false }
    }

    /// What ends the activity early: its tag was cancelled, or the queue is gone.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// Tells something while the activity goes on. What it says is made when it is read.
    pub fn tell(&self, kind: EventKind, content: impl FnOnce() -> Content + Send + 'static) {
        self.queue.arrive(self.arrival(kind, false, content), None);
    }

    /// The last event.
    pub fn end(mut self, kind: EventKind, content: impl FnOnce() -> Content + Send + 'static) {
        self.ended = true;
        self.queue.arrive(self.arrival(kind, self.counted, content), Some(self.id));
    }

    /// As if it had never begun: it could not be started, and who asked for it knows.
    pub fn call_off(mut self) {
        self.ended = true;
        let mut state = self.queue.0.state.lock();
        state.flights.remove(&self.id);
        state.operations -= usize::from(self.counted);
    }

    fn arrival(
        &self,
        kind: EventKind,
        counted: bool,
        content: impl FnOnce() -> Content + Send + 'static,
    ) -> Arrival {
        Arrival { kind, tag: self.tag, counted, content: Box::new(content) }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let content = || {
            let message = "a fault in the library: the operation was given up";
            Content::plain(Err(Error::new(Status::Internal, message)))
        };
        let arrival = self.arrival(EventKind::Done, self.counted, content);
        self.queue.arrive(arrival, Some(self.id));
    }
}
