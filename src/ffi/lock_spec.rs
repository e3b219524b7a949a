//! # Locks
//!
//! A lock is a key that a session holds, the same as the official client's: both exclude each
//! other. While it is held the library renews its session and watches its key. It counts as held
//! only as long as that is known to succeed; `consul_lock_is_held` asks the clock each time.
//!
//! ```c
//! consul_lock_spec *spec = NULL;
//! consul_lock *lock = NULL;
//! consul_lock_spec_new("app/leader", &spec);
//! consul_lock_new(client, spec, &lock);
//! consul_lock_spec_free(spec);
//! if (consul_lock_acquire(lock, 5000, NULL) == CONSUL_OK) {
//!     printf("fencing token %llu\n", (unsigned long long)consul_lock_fencing_token(lock));
//!     consul_lock_release(lock, NULL);
//! }
//! consul_lock_free(lock);
//! ```

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
use super::kept_session::consul_session;
pub use super::kind::consul_lock_spec;
use super::options::{self, consul_options};
use super::session::consul_session_spec;
use super::status::consul_status;
use super::{input, output};
use crate::recipes::lock::LockSpec;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_lock_spec {
    type Object = LockSpec;
}

/// Makes the description of a lock on this key, with an empty value and a session of its own: TTL
/// 15 s, lock-delay 15 s, behavior release. Everything in it is checked by `consul_lock_new`. Free
/// it with `consul_lock_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_spec_new(
    key: *const c_char,
    out: *mut *mut consul_lock_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let key = unsafe { input::required_str(key, "key") }?;
        out.give(LockSpec::new(key))
    })
}

/// The value of the key while it is held, and after its release. With an own session of the behavior
/// `CONSUL_BEHAVIOR_DELETE` the key goes with the lock: nothing is left after a release either.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_spec_set_value(
    spec: *mut consul_lock_spec,
    value: *const u8,
    value_len: usize,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.value(input::bytes(value, value_len, "value")?)) })
}

/// What its own session shall be. The TTL is 15 s where none was set; 0 means none, and such a
/// session stays for ever when the process dies.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_set_session_spec(
    spec: *mut consul_lock_spec,
    session_spec: *const consul_session_spec,
) -> consul_status {
    change(spec, |spec| Ok(spec.session_spec(handle::get(session_spec)?.clone())))
}

/// Holds it with this session, which the lock never destroys. When the session ends or its handle
/// is freed, the lock is lost.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_set_session(
    spec: *mut consul_lock_spec,
    session: *const consul_session,
) -> consul_status {
    change(spec, |spec| Ok(spec.session(&*handle::get(session)?)))
}

/// Holds it with the session of this id, which the lock neither renews nor destroys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_spec_set_session_id(
    spec: *mut consul_lock_spec,
    session_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        Ok(spec.session_id(input::required_str(session_id, "session_id")?))
    })
}

/// Takes the key over even if it was used for something else than a lock.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_set_adopt(
    spec: *mut consul_lock_spec,
    adopt: bool,
) -> consul_status {
    change(spec, |spec| Ok(spec.adopt(adopt)))
}

/// For how long the key may be unreadable before the lock counts as lost, 1000 ms at least; the
/// session's TTL by default, 15 s where that is not known. The session's own deadline ends the lock
/// in any case.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_set_monitor_retry_ms(
    spec: *mut consul_lock_spec,
    monitor_retry_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.monitor_retry(Duration::from_millis(monitor_retry_ms))))
}

/// With what token, datacenter, namespace and partition the lock calls; `options` may be NULL, for
/// the client's. The rest of the options is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_set_options(
    spec: *mut consul_lock_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Ends the description of a lock; locks that were made from it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lock_spec_free(spec: *mut consul_lock_spec) {
    handle::free(spec);
}
