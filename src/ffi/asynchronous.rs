//! # Asynchronous calls
//!
//! Every call that waits for Consul takes a `consul_async`. NULL makes it a blocking call. Otherwise
//! it checks what it is given, as always, and returns `CONSUL_PENDING`; its end arrives in the queue
//! as a `consul_event` with the same status and the same result as the blocking call has. `out` is
//! not used then, may be NULL, and is set to NULL where it is not. What such a call returns
//! other than `CONSUL_PENDING` is an error, and nothing arrives.
//!
//! What waits for something else than an answer, such as `consul_lock_wait_lost`, has a second form for
//! it, whose name ends with `_async`; `consul_view_wait` has `consul_watch_wait_newer`. What has none
//! returns at once, or reads local files, such as `consul_client_new` and `consul_snapshot_inspect`.
//!
//! No callback, no foreign thread: whoever has the queue takes its events when it wants to, on any
//! thread, with a descriptor to sleep on.
//!
//! ```c
//! consul_queue *queue = NULL;
//! consul_event *event = NULL;
//! consul_queue_new(&queue);
//! consul_async async = {queue, 7};
//! consul_kv_get(client, "app/greeting", NULL, &async, NULL);
//! if (consul_queue_next(queue, 5000, &event) == CONSUL_OK) {
//!     consul_kv *kv = NULL;
//!     if (consul_event_tag(event) == 7 && consul_event_status(event) == CONSUL_OK &&
//!         consul_event_take_kv(event, &kv) == CONSUL_OK)
//!         puts((const char *)consul_kv_at(kv, 0)->value);
//!     consul_kv_free(kv);
//!     consul_event_free(event);
//! }
//! consul_queue_free(queue);
//! ```

use super::event::Given;
use super::handle::{self, Handle};
use super::kind::consul_queue;
use super::output::Out;
use crate::client::{Either, Operation, Outcome};
use crate::error::{Error, Result, Status};
use crate::runtime::queue::{Content, EventKind, Flight, Queue};
use crate::sync::Mutex;
use crate::sys;
use crate::transport::Interrupt;
use std::sync::Arc;

/// Where the end of an asynchronous call arrives. This layout never changes.
#[repr(C)]
#[derive(Debug)]
pub struct consul_async {
    /// The queue it arrives in.
    pub queue: *mut consul_queue,
    /// The caller's own number for the call. Several calls may have the same.
    pub tag: u64,
}

/// How a call ends: before it returns, or later, in a queue.
pub(super) struct Ending(Option<(Queue, u64)>);

/// How this call ends.
///
/// # Safety
/// `request` is NULL or points to a `consul_async`.
pub(super) unsafe fn ending(request: *const consul_async) -> Result<Ending> {
    // SAFETY: the caller's promise.
    let Some(request) = (unsafe { request.as_ref() }) else { return Ok(Ending(None)) };
    let queue = handle::get(request.queue.cast_const())?;
    Ok(Ending(Some((queue.clone(), request.tag))))
}

impl Ending {
    /// The style of the client to call through.
    pub(super) fn style(&self) -> Either {
        if self.0.is_none() { Either::Blocks } else { Either::Defers }
    }

    /// Ends a call without a result.
    pub(super) fn end<T: Send + 'static>(
        self,
        outcome: Outcome<T>,
        status: impl FnOnce(T) -> Status + Send + 'static,
    ) -> Result<Status> {
        self.end_or_fail(outcome, |answer| Ok(status(answer)))
    }

    /// As [`Ending::end`], where an answer may be an error.
    pub(super) fn end_or_fail<T: Send + 'static>(
        self,
        outcome: Outcome<T>,
        status: impl FnOnce(T) -> Result<Status> + Send + 'static,
    ) -> Result<Status> {
        match outcome {
            Outcome::Ready(answer) => status(answer),
            Outcome::Later(operation) => {
                self.start(operation, |answer| Content::plain(answer.and_then(status)))
            }
        }
    }

    /// Ends what blocks: here, or on a thread of its own with this name. Who cancels it is told at
    /// once, and it goes on to its end.
    pub(super) fn work(
        self,
        name: &'static str,
        work: impl FnOnce() -> Result<()> + Send + 'static,
    ) -> Result<Status> {
        let Some((queue, tag)) = self.0 else { return work().map(|()| Status::Ok) };
        let flight = queue.begin(tag)?;
        let cancel = flight.cancel_token().clone();
        let working = Arc::new(Working(Mutex::new(Some(flight))));
        let worker = Worker(working.clone());
        let spawned =
            sys::spawn_then(name, work, move |ended| worker.0.end(ended.map(|()| Status::Ok)));
        // Without a thread, dropping its side has told.
        drop(spawned);
        if let Err(error) = cancel.attach(working.clone()) {
            working.interrupt(&error);
        }
        Ok(Status::Pending)
    }

    /// Ends a call with a result.
    pub(super) fn give<T: Send + 'static, H: Handle>(
        self,
        out: Out<H>,
        outcome: Outcome<T>,
        result: impl FnOnce(T) -> (Status, Option<H::Object>) + Send + 'static,
    ) -> Result<Status> {
        self.give_or_fail(out, outcome, |answer| {
            let (status, object) = result(answer);
            (Ok(status), object)
        })
    }

    /// As [`Ending::give`], where an error may have a result.
    pub(super) fn give_or_fail<T: Send + 'static, H: Handle>(
        self,
        out: Out<H>,
        outcome: Outcome<T>,
        result: impl FnOnce(T) -> (Result<Status>, Option<H::Object>) + Send + 'static,
    ) -> Result<Status> {
        match outcome {
            Outcome::Ready(answer) => {
                let (ended, object) = result(answer);
                match object {
                    Some(object) => out.give(object).and(ended),
                    None => ended,
                }
            }
            Outcome::Later(operation) => self.start(operation, |answer| match answer.map(result) {
                Ok((outcome, object)) => Content {
                    outcome,
                    result: object.map(|object| Box::new(Given::new::<H>(object)) as _),
                },
                Err(error) => Content::plain(Err(error)),
            }),
        }
    }

    fn start<T: Send + 'static>(
        self,
        operation: Operation<T>,
        content: impl FnOnce(Result<T>) -> Content + Send + 'static,
    ) -> Result<Status> {
        // Only a call that has a queue is deferred.
        let Some((queue, tag)) = self.0 else { return Ok(Status::Internal) };
        let flight = queue.begin(tag)?;
        let cancel = flight.cancel_token().clone();
        operation.start(cancel, move |arrived| {
            flight.end(EventKind::Done, move || content(arrived()));
        });
        Ok(Status::Pending)
    }
}

/// What goes on on a thread of its own: it ends once.
struct Working(Mutex<Option<Flight>>);

impl Working {
    fn end(&self, outcome: Result<Status>) {
        if let Some(flight) = self.0.lock().take() {
            flight.end(EventKind::Done, || Content::plain(outcome));
        }
    }
}

/// The thread's side: who waits is told also when the work panics.
struct Worker(Arc<Working>);

impl Drop for Worker {
    fn drop(&mut self) {
        let gave_up = "a fault in the library: the work was given up";
        self.0.end(Err(Error::new(Status::Internal, gave_up)));
    }
}

impl Interrupt for Working {
    fn interrupt(&self, reason: &Error) {
        self.end(Err(reason.clone()));
    }
}

/// A result with `CONSUL_OK`.
pub(super) fn done<O>(object: O) -> (Status, Option<O>) {
    (Status::Ok, Some(object))
}

/// A result that says itself that there was nothing.
pub(super) fn found<O>(is_found: bool, object: O) -> (Status, Option<O>) {
    (if is_found { Status::Ok } else { Status::NotFound }, Some(object))
}

/// The status of a call that says nothing but that it is done.
pub(super) fn ok(_: ()) -> Status {
    Status::Ok
}
