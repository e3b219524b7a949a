//! A semaphore.

use super::asynchronous::{self, consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
use super::keys::{self, consul_keys};
use super::kind::consul_queue;
pub use super::kind::consul_semaphore;
use super::lock::{CONSUL_LOST_NONE, held_unless, text};
use super::loss_feed;
use super::semaphore_spec::consul_semaphore_spec;
use super::status::consul_status;
use super::text::consul_text;
use super::{output, queue};
use crate::api::{Answer, Meta};
use crate::error::Status;
use crate::recipes::semaphore::Semaphore;
use crate::runtime::queue::{EventKind, Queue};
use std::ptr;
use std::time::Duration;

impl Handle for consul_semaphore {
    type Object = Semaphore;
    const BELONGS_TO_PROCESS: bool = true;

    /// Calls in flight on other threads end at once.
    fn freed(semaphore: &Semaphore) {
        semaphore.abandon();
    }
}

/// Makes a semaphore from a copy of its description. Sends nothing. `CONSUL_ERR_ARGUMENT` when a
/// prefix, limit, TTL or window cannot be. Free it with `consul_semaphore_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_new(
    client: *const consul_client,
    spec: *const consul_semaphore_spec,
    out: *mut *mut consul_semaphore,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let spec = handle::get(spec)?.clone();
        out.give(client.semaphore(spec)?)
    })
}

/// Acquires a slot, waiting this long for it at most; 0 tries once, `UINT64_MAX` waits for ever.
/// `CONSUL_HELD` when others held all of them until the time was over: `consul_semaphore_holders`
/// tells who.
///
/// While it waits it rides out failures that pass; when Consul cannot be asked until the time is
/// over, that failure is the error. `CONSUL_ERR_LIMIT_CONFLICT` when the semaphore exists with
/// another limit, `CONSUL_ERR_LOCK_CONFLICT` when its key is used for something else,
/// `CONSUL_ERR_ALREADY_HELD` when a slot is held, `CONSUL_ERR_BUSY` while another call acquires or
/// releases it, `CONSUL_ERR_SESSION_INVALID` when a borrowed session does not exist,
/// `CONSUL_ERR_CANCELLED` after `consul_semaphore_stop`.
///
/// An acquire that ends without a slot leaves nothing behind: its own session is destroyed, and what
/// a request without an answer may have got is given back, in the background. A slot that was lost
/// can be acquired again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_acquire(
    semaphore: *const consul_semaphore,
    timeout_ms: u64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let semaphore = handle::get(semaphore)?.styled(ending.style());
        let won = match timeout_ms {
            0 => semaphore.try_acquire()?,
            u64::MAX => semaphore.acquire(Duration::MAX)?,
            timeout_ms => semaphore.acquire(Duration::from_millis(timeout_ms))?,
        };
        ending.end(won, held_unless)
    })
}

/// Acquires a slot if one is free, without waiting; as `consul_semaphore_acquire`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_try_acquire(
    semaphore: *const consul_semaphore,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let semaphore = handle::get(semaphore)?.styled(ending.style());
        ending.end(semaphore.try_acquire()?, held_unless)
    })
}

/// Releases the slot, then destroys its own session. `CONSUL_ERR_NOT_HELD` when none was held,
/// `CONSUL_ERR_LOCK_LOST` when it was lost before. After any other error the slot is not held
/// either, its state at Consul is unknown, and the library goes on releasing it in the background
/// until it is not its own or the TTL is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_release(
    semaphore: *const consul_semaphore,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let semaphore = handle::get(semaphore)?.styled(ending.style());
        ending.end(semaphore.release()?, ok)
    })
}

/// Ends a `consul_semaphore_acquire` and a `consul_semaphore_wait_lost` that wait on other threads
/// with `CONSUL_ERR_CANCELLED`. Returns at once. A held slot stays held.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_stop(semaphore: *const consul_semaphore) -> consul_status {
    guard(|| {
        handle::get(semaphore)?.stop();
        Ok(Status::Ok)
    })
}

/// Deletes the semaphore if nobody holds a slot, whatever its limit: after that it can be used with
/// another one. `CONSUL_OK` also when it did not exist, `CONSUL_HELD` when it is in use,
/// `CONSUL_ERR_ALREADY_HELD` when this one holds a slot, `CONSUL_ERR_LOCK_CONFLICT` when its key is
/// used for something else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_destroy(
    semaphore: *const consul_semaphore,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let semaphore = handle::get(semaphore)?.styled(ending.style());
        ending.end(semaphore.destroy()?, held_unless)
    })
}

/// True while a slot is held, judged by the clock at this moment.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_is_held(semaphore: *const consul_semaphore) -> bool {
    handle::read(semaphore, false, Semaphore::is_held)
}

/// How long the slot is known to be held if nothing is heard of Consul from now on; 0 when it is
/// not held.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_remaining_ms(semaphore: *const consul_semaphore) -> u64 {
    handle::read(semaphore, 0, |semaphore| {
        u64::try_from(semaphore.remaining().as_millis()).unwrap_or(u64::MAX)
    })
}

/// Why the slot was lost, `CONSUL_LOST_...`; `CONSUL_LOST_NONE` when it was not, from the next
/// acquire on, and for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_lost_reason(semaphore: *const consul_semaphore) -> i32 {
    handle::read(semaphore, CONSUL_LOST_NONE, |semaphore| {
        semaphore.lost_reason().map_or(CONSUL_LOST_NONE, |reason| reason.code())
    })
}

/// The id of the session that holds the slot. `CONSUL_NOT_FOUND` while it is not held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_session_id(
    semaphore: *const consul_semaphore,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { text(output::out(out)?, handle::get(semaphore)?.session_id()) })
}

/// The ids of the sessions that held all slots when an acquire looked last; none where one was free.
/// Free them with `consul_keys_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_holders(
    semaphore: *const consul_semaphore,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let value = handle::get(semaphore)?.holders();
        out.give(keys::listing(Answer { value, meta: Meta::default() }))
    })
}

/// Waits until the slot is lost: `CONSUL_ERR_LOCK_LOST`, with the reason in the message and in
/// `consul_semaphore_lost_reason`. `CONSUL_NO_CHANGE` when it is still held after this time; -1 waits
/// for ever. `CONSUL_ERR_NOT_HELD` when it was never held or is released, `CONSUL_ERR_CANCELLED`
/// after `consul_semaphore_stop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_wait_lost(
    semaphore: *const consul_semaphore,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_semaphore_wait_lost_async(semaphore, timeout_ms, ptr::null()) }
}

/// As `consul_semaphore_wait_lost`, which it is where `async` is NULL; else the end of the wait arrives
/// in a queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_wait_lost_async(
    semaphore: *const consul_semaphore,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let semaphore = handle::get(semaphore)?.styled(ending.style());
        let lost = semaphore.wait_lost(queue::wait(timeout_ms)?)?;
        ending.end_or_fail(lost, |lost| match lost {
            Some(reason) => Err(reason.error("semaphore")),
            None => Ok(Status::NoChange),
        })
    })
}

/// Has each loss of the slot arrive in a queue from now on, as an event of the type
/// `CONSUL_EVENT_LOCK_LOST` under `tag`, without counting among the calls in flight; at once where it
/// is lost already. It also comes when nobody calls into the semaphore. A release is no loss. In one
/// queue at a time; `queue` may be NULL, which ends that without an event. A last event of the same
/// type comes with the status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag and
/// `consul_semaphore_free`, with `CONSUL_ERR_CLOSED` when the client is closed, which is an error here
/// from then on.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_set_queue(
    semaphore: *const consul_semaphore,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let semaphore = handle::get(semaphore)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let attach = |queue: &Queue| loss_feed::attach(queue, tag, EventKind::LockLost);
        semaphore.set_listener(queue.as_deref().map(attach).transpose()?)?;
        Ok(Status::Ok)
    })
}

/// Ends a semaphore: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and a slot that it holds
/// is released in the background. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_free(semaphore: *mut consul_semaphore) {
    handle::free(semaphore);
}
