//! A lock.

use super::asynchronous::{self, consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_lock;
use super::kind::consul_queue;
use super::lock_spec::consul_lock_spec;
use super::loss_feed;
use super::options::{self, consul_options};
use super::status::consul_status;
use super::text::consul_text;
use super::{call, input, output, queue};
use crate::error::{Result, Status};
use crate::recipes::fence::Fenced;
use crate::recipes::lock::Lock;
use crate::runtime::queue::{EventKind, Queue};
use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

/// Nothing is lost.
pub const CONSUL_LOST_NONE: i32 = 0;
/// Its session ended: destroyed, expired, or one of its checks turned critical.
pub const CONSUL_LOST_SESSION_INVALID: i32 = 1;
/// Somebody deleted the key; of a semaphore, its `.lock` or the holder's entry.
pub const CONSUL_LOST_KEY_DELETED: i32 = 2;
/// Another session holds the key.
pub const CONSUL_LOST_KEY_TAKEN: i32 = 3;
/// Consul could not be asked for too long: it may still be held, but nobody can count on it.
pub const CONSUL_LOST_DEADLINE: i32 = 4;
/// The client was closed.
pub const CONSUL_LOST_CLOSED: i32 = 5;
/// Somebody released the key with the lock's own session; of a semaphore, somebody took the session
/// out of the holders.
pub const CONSUL_LOST_KEY_RELEASED: i32 = 6;

/// A lock, or a semaphore's slot, is lost: the status is `CONSUL_ERR_LOCK_LOST`, the error's message
/// tells why, and so does `consul_lock_lost_reason` or `consul_semaphore_lost_reason`. However often it is lost before the event is taken, there is one, about
/// the last time. With any other status it is the last event of its tag.
pub const CONSUL_EVENT_LOCK_LOST: i32 = 7;

impl Handle for consul_lock {
    type Object = Lock;
    const BELONGS_TO_PROCESS: bool = true;

    /// Calls in flight on other threads end at once.
    fn freed(lock: &Lock) {
        lock.abandon();
    }
}

/// Makes a lock from a copy of its description. Sends nothing. `CONSUL_ERR_ARGUMENT` when a key,
/// TTL, lock-delay or window cannot be. Free it with `consul_lock_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_new(
    client: *const consul_client,
    spec: *const consul_lock_spec,
    out: *mut *mut consul_lock,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = handle::get(client)?;
        let spec = handle::get(spec)?.clone();
        out.give(client.lock(spec)?)
    })
}

/// Acquires the lock, waiting this long for it at most; 0 tries once, `UINT64_MAX` waits for ever.
/// `CONSUL_HELD` when somebody else held it, or its lock-delay lasted, until the time was over:
/// `consul_lock_holder` tells which.
///
/// While it waits it rides out failures that pass; when Consul cannot be asked until the time is
/// over, that failure is the error. `CONSUL_ERR_ALREADY_HELD` when this lock is held,
/// `CONSUL_ERR_BUSY` while another call acquires or releases it, `CONSUL_ERR_LOCK_CONFLICT` when
/// the key is used for something else, `CONSUL_ERR_SESSION_INVALID` when a borrowed session does
/// not exist, `CONSUL_ERR_CANCELLED` after `consul_lock_stop`.
///
/// An acquire that ends without the lock leaves nothing behind: its own session is destroyed, and
/// what a request without an answer may have got is given back, in the background. A lock that was
/// lost can be acquired again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_acquire(
    lock: *const consul_lock,
    timeout_ms: u64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        let won = match timeout_ms {
            0 => lock.try_acquire()?,
            u64::MAX => lock.acquire(Duration::MAX)?,
            timeout_ms => lock.acquire(Duration::from_millis(timeout_ms))?,
        };
        ending.end(won, held_unless)
    })
}

/// Acquires the lock if nobody else holds it, without waiting; as `consul_lock_acquire`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_try_acquire(
    lock: *const consul_lock,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        ending.end(lock.try_acquire()?, held_unless)
    })
}

/// Releases the lock, then destroys its own session. `CONSUL_ERR_NOT_HELD` when it was not held,
/// `CONSUL_ERR_LOCK_LOST` when it was lost before. After any other error the lock is not held
/// either, its state at Consul is unknown, and the library goes on releasing it in the background
/// until the key is not its own or the TTL is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_release(
    lock: *const consul_lock,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        ending.end(lock.release()?, ok)
    })
}

/// Ends a `consul_lock_acquire` and a `consul_lock_wait_lost` that wait on other threads with
/// `CONSUL_ERR_CANCELLED`. Returns at once. A held lock stays held.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_stop(lock: *const consul_lock) -> consul_status {
    guard(|| {
        handle::get(lock)?.stop();
        Ok(Status::Ok)
    })
}

/// Deletes the key if nobody holds it. `CONSUL_OK` also when it did not exist, `CONSUL_HELD` when
/// it is in use, `CONSUL_ERR_ALREADY_HELD` when this lock is held, `CONSUL_ERR_LOCK_CONFLICT` when
/// the key is used for something else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_destroy(
    lock: *const consul_lock,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        ending.end(lock.destroy()?, held_unless)
    })
}

/// True while it is held, judged by the clock at this moment.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_is_held(lock: *const consul_lock) -> bool {
    handle::read(lock, false, Lock::is_held)
}

/// How long it is known to be held if nothing is heard of Consul from now on; 0 when it is not
/// held.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_remaining_ms(lock: *const consul_lock) -> u64 {
    handle::read(lock, 0, |lock| u64::try_from(lock.remaining().as_millis()).unwrap_or(u64::MAX))
}

/// The fencing token of the last acquisition: the index of the write that acquired the key; 0 when
/// there was none. It grows with each acquisition of the key by anybody, so a store that refuses
/// lower tokens than it has seen is safe from late writers. It fills 64 bits.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_fencing_token(lock: *const consul_lock) -> u64 {
    handle::read(lock, 0, |lock| lock.fencing_token().unwrap_or(0))
}

/// Why it was lost, `CONSUL_LOST_...`; `CONSUL_LOST_NONE` when it was not, from the next acquire
/// on, and for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_lost_reason(lock: *const consul_lock) -> i32 {
    handle::read(lock, CONSUL_LOST_NONE, |lock| {
        lock.lost_reason().map_or(CONSUL_LOST_NONE, |reason| reason.code())
    })
}

/// The id of the session that holds it. `CONSUL_NOT_FOUND` while it is not held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_session_id(
    lock: *const consul_lock,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { text(output::out(out)?, handle::get(lock)?.session_id()) })
}

/// The id of the session that held the key when an acquire looked last. `CONSUL_NOT_FOUND` where
/// nobody does, which while an acquire waits means the lock-delay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_holder(
    lock: *const consul_lock,
    out: *mut *mut consul_text,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { text(output::out(out)?, handle::get(lock)?.holder()) })
}

/// Waits until the lock is lost: `CONSUL_ERR_LOCK_LOST`, with the reason in the message and in
/// `consul_lock_lost_reason`. `CONSUL_NO_CHANGE` when it is still held after this time; -1 waits
/// for ever. `CONSUL_ERR_NOT_HELD` when it was never held or is released, `CONSUL_ERR_CANCELLED`
/// after `consul_lock_stop`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_wait_lost(
    lock: *const consul_lock,
    timeout_ms: i64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_lock_wait_lost_async(lock, timeout_ms, ptr::null()) }
}

/// As `consul_lock_wait_lost`, which it is where `async` is NULL; else the end of the wait arrives in a
/// queue. `consul_lock_set_queue` tells of each loss without being asked again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_wait_lost_async(
    lock: *const consul_lock,
    timeout_ms: i64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        let lost = lock.wait_lost(queue::wait(timeout_ms)?)?;
        ending.end_or_fail(lost, |lost| match lost {
            Some(reason) => Err(reason.into()),
            None => Ok(Status::NoChange),
        })
    })
}

/// Has each loss of the lock arrive in a queue from now on, as an event of the type
/// `CONSUL_EVENT_LOCK_LOST` under `tag`, without counting among the calls in flight; at once where it
/// is lost already. It also comes when nobody calls into the lock. A release is no loss. In one queue
/// at a time; `queue` may be NULL, which ends that without an event. A last event of the same type
/// comes with the status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag and
/// `consul_lock_free`, with `CONSUL_ERR_CLOSED` when the client is closed, which is an error here from
/// then on.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_set_queue(
    lock: *const consul_lock,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let lock = handle::get(lock)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let attach = |queue: &Queue| loss_feed::attach(queue, tag, EventKind::LockLost);
        lock.set_listener(queue.as_deref().map(attach).transpose()?)?;
        Ok(Status::Ok)
    })
}

/// Writes another key only while this lock is held, whatever its holder believes: Consul checks it
/// in the same transaction. `CONSUL_ERR_NOT_HELD` or `CONSUL_ERR_LOCK_LOST` when it is not held any
/// more; nothing was written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_put(
    lock: *const consul_lock,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let lock = handle::get(lock)?.styled(ending.style());
        let options = options::chosen(options)?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        // SAFETY: as above.
        let value = unsafe { input::bytes(value, value_len, "value") }?;
        ending.end(lock.put_fenced(key, value, flags, &options)?, ok)
    })
}

/// Writes a key only while this session holds the lock on `lock_key`, in one transaction: for who
/// knows a lock by its key and session alone. `CONSUL_CONFLICT` when the session does not hold it;
/// nothing was written then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kv_put_held(
    client: *const consul_client,
    key: *const c_char,
    value: *const u8,
    value_len: usize,
    flags: u64,
    lock_key: *const c_char,
    session_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        // SAFETY: as above.
        let value = unsafe { input::bytes(value, value_len, "value") }?;
        // SAFETY: as above.
        let lock_key = unsafe { input::required_str(lock_key, "lock_key") }?;
        // SAFETY: as above.
        let session_id = unsafe { input::required_str(session_id, "session_id") }?;
        let fenced = client.fence(lock_key, session_id).put(key, value, flags, &options)?;
        ending.end(fenced, |fenced| match fenced {
            Fenced::Done => Status::Ok,
            Fenced::Conflict | Fenced::NotHeld => Status::Conflict,
        })
    })
}

/// Ends a lock: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and if it is held it is
/// released in the background. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_free(lock: *mut consul_lock) {
    handle::free(lock);
}

pub(super) fn held_unless(won: bool) -> Status {
    if won { Status::Ok } else { Status::Held }
}

pub(super) fn text(out: output::Out<consul_text>, id: Option<String>) -> Result<Status> {
    match id {
        Some(id) => out.give(id.into_bytes().into()),
        None => Ok(Status::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipes::lock::LostReason;

    #[test]
    fn the_constants_are_the_reasons() {
        let constants = [
            (CONSUL_LOST_SESSION_INVALID, LostReason::SessionInvalid),
            (CONSUL_LOST_KEY_DELETED, LostReason::KeyDeleted),
            (CONSUL_LOST_KEY_TAKEN, LostReason::KeyTaken),
            (CONSUL_LOST_DEADLINE, LostReason::Deadline),
            (CONSUL_LOST_CLOSED, LostReason::Closed),
            (CONSUL_LOST_KEY_RELEASED, LostReason::KeyReleased),
        ];
        assert!(constants.iter().all(|&(constant, reason)| constant == reason.code()));
    }
}
