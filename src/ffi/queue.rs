//! Where everything asynchronous arrives.

use super::event::{self, consul_event};
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_queue;
use super::status::consul_status;
use super::{input, output};
use crate::error::{Error, Result, Status};
use crate::runtime::queue::Queue;
use std::ffi::c_char;
use std::path::Path;
use std::time::Duration;

impl Handle for consul_queue {
    type Object = Queue;
    const BELONGS_TO_PROCESS: bool = true;

    /// Who waits in `consul_queue_next` wakes, and what is in flight ends silently.
    fn freed(queue: &Queue) {
        queue.close();
    }
}

/// Makes an empty queue. Starts no thread. Free it with `consul_queue_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_queue_new(out: *mut *mut consul_queue) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out) }?.give(Queue::new()))
}

/// How many operations may be in flight in this queue, 1024 unless set: those that have begun and
/// whose event was not taken yet. A call past it gives `CONSUL_ERR_BUSY`. 1 at least.
#[unsafe(no_mangle)]
pub extern "C" fn consul_queue_set_max_in_flight(
    queue: *const consul_queue,
    max_in_flight: u32,
) -> consul_status {
    guard(|| {
        let queue = handle::get(queue)?;
        if max_in_flight == 0 {
            return Err(Error::argument("max_in_flight is 0, it takes 1 or more"));
        }
        queue.set_most(max_in_flight as usize);
        Ok(Status::Ok)
    })
}

/// Takes the next event, waiting this long for it at most; 0 does not wait, -1 waits for ever.
/// `CONSUL_NO_CHANGE`, with `out` NULL, when there was none, or somebody called
/// `consul_queue_wake`. `CONSUL_ERR_CLOSED` when the queue is freed meanwhile. Free the event with
/// `consul_event_free`.
///
/// The answer of an operation is decoded here, on the caller's thread. While it waits, this thread may
/// do the work of the library's I/O thread, which saves a wake-up an answer: a signal handler must not
/// jump out of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_queue_next(
    queue: *const consul_queue,
    timeout_ms: i64,
    out: *mut *mut consul_event,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let queue = handle::get(queue)?;
        match queue.next(wait(timeout_ms)?)? {
            Some(event) => out.give(event::Object::new(event)),
            None => Ok(Status::NoChange),
        }
    })
}

/// Ends the wait of one thread in `consul_queue_next`, or of the next that would wait there.
#[unsafe(no_mangle)]
pub extern "C" fn consul_queue_wake(queue: *const consul_queue) -> consul_status {
    guard(|| {
        handle::get(queue)?.wake();
        Ok(Status::Ok)
    })
}

/// A descriptor for `poll`, `epoll` and event loops: it is readable as long as events wait,
/// level-triggered, so that nothing is missed. Take events with a `timeout_ms` of 0 when it is. It
/// belongs to the queue and ends with it: neither read, write nor close it. -1 for a handle that is
/// not live, or where no descriptor is left.
#[unsafe(no_mangle)]
pub extern "C" fn consul_queue_fd(queue: *const consul_queue) -> i32 {
    handle::read(queue, -1, |queue| queue.fd().unwrap_or(-1))
}

/// Serves the news at a unix socket of this path and mode 0600, for a host that can read sockets
/// but not wait on a descriptor, such as nginx's Lua. Whoever connects reads one byte, 1, each time
/// that events come to wait where none did before, and one at once where some wait already. Having
/// read any number of bytes, take events with a `timeout_ms` of 0 until there are no more. Nothing
/// is to be written.
///
/// Any number may connect; each is told. A file of the path that a dead process left behind is
/// replaced; `CONSUL_ERR_IO` when the path is in use or cannot be made. Serving again at another
/// path ends the first. It ends with the queue, and the file is removed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_queue_serve(
    queue: *const consul_queue,
    path: *const c_char,
) -> consul_status {
    guard(|| {
        let queue = handle::get(queue)?;
        // SAFETY: pointers as the header asks for.
        let path = unsafe { input::required_str(path, "path") }?;
        if path.is_empty() {
            return Err(Error::argument("path is empty"));
        }
        queue.serve(Path::new(path))?;
        Ok(Status::Ok)
    })
}

/// Cancels everything in flight in this queue that has this tag. Each ends at once with its last
/// event, `CONSUL_ERR_CANCELLED` unless it had ended already. `CONSUL_OK` also when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn consul_queue_cancel(queue: *const consul_queue, tag: u64) -> consul_status {
    guard(|| {
        handle::get(queue)?.cancel(tag);
        Ok(Status::Ok)
    })
}

/// Ends a queue. What is in flight in it is cancelled and ends silently; events that were taken
/// stay. Before or after the clients, whatever is in flight. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_queue_free(queue: *mut consul_queue) {
    handle::free(queue);
}

/// A time in milliseconds, -1 for ever.
pub(super) fn wait(timeout_ms: i64) -> Result<Duration> {
    match u64::try_from(timeout_ms) {
        Ok(timeout_ms) => Ok(Duration::from_millis(timeout_ms)),
        Err(_) if timeout_ms == -1 => Ok(Duration::MAX),
        Err(_) => Err(Error::argument(format!(
            "timeout_ms {timeout_ms} is not allowed, -1 waits for ever"
        ))),
    }
}
