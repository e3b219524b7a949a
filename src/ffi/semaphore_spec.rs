//! # Semaphores
//!
//! A semaphore has a number of slots, and a session that holds one of them. It is the official
//! client's: both share the slots of one semaphore, whose keys begin with its prefix. While a slot
//! is held the library renews its session and watches its keys. It counts as held only as long as
//! that is known to succeed; `consul_semaphore_is_held` asks the clock each time. For two slots,
//! make two semaphores of one description.
//!
//! ```c
//! consul_semaphore_spec *spec = NULL;
//! consul_semaphore *semaphore = NULL;
//! consul_semaphore_spec_new("app/jobs", 3, &spec);
//! consul_semaphore_new(client, spec, &semaphore);
//! consul_semaphore_spec_free(spec);
//! if (consul_semaphore_acquire(semaphore, 5000, NULL) == CONSUL_OK) {
//!     work();
//!     consul_semaphore_release(semaphore, NULL);
//! }
//! consul_semaphore_free(semaphore);
//! ```

use super::description::change;
use super::guard::guard;
use super::handle::{self, Handle};
use super::kept_session::consul_session;
pub use super::kind::consul_semaphore_spec;
use super::options::{self, consul_options};
use super::session::consul_session_spec;
use super::status::consul_status;
use super::{input, output};
use crate::recipes::semaphore::SemaphoreSpec;
use std::ffi::c_char;
use std::time::Duration;

impl Handle for consul_semaphore_spec {
    type Object = SemaphoreSpec;
}

/// Makes the description of a semaphore with so many slots, 1 at least, the same for all who use it,
/// whose keys begin with this prefix and a slash. The session is its own: TTL 15 s, behavior delete.
/// Everything in it is checked by `consul_semaphore_new`. Free it with `consul_semaphore_spec_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_spec_new(
    prefix: *const c_char,
    limit: u64,
    out: *mut *mut consul_semaphore_spec,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        // SAFETY: as above.
        let prefix = unsafe { input::required_str(prefix, "prefix") }?;
        out.give(SemaphoreSpec::new(prefix, limit))
    })
}

/// The value of the holder's entry, the key `<prefix>/<session>`, while a slot is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_spec_set_value(
    spec: *mut consul_semaphore_spec,
    value: *const u8,
    value_len: usize,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe { Ok(spec.value(input::bytes(value, value_len, "value")?)) })
}

/// What its own session shall be. The TTL is 15 s and the behavior delete where none was set; a TTL
/// of 0 means none, and such a session stays for ever when the process dies.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_spec_set_session_spec(
    spec: *mut consul_semaphore_spec,
    session_spec: *const consul_session_spec,
) -> consul_status {
    change(spec, |spec| Ok(spec.session_spec(handle::get(session_spec)?.clone())))
}

/// Holds a slot with this session, which the semaphore never destroys. A session holds one slot of a
/// semaphore at most. When the session ends or its handle is freed, the slot is lost.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_spec_set_session(
    spec: *mut consul_semaphore_spec,
    session: *const consul_session,
) -> consul_status {
    change(spec, |spec| Ok(spec.session(&*handle::get(session)?)))
}

/// Holds a slot with the session of this id, which the semaphore neither renews nor destroys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_spec_set_session_id(
    spec: *mut consul_semaphore_spec,
    session_id: *const c_char,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    change(spec, |spec| unsafe {
        Ok(spec.session_id(input::required_str(session_id, "session_id")?))
    })
}

/// For how long Consul may be unreadable before the slot counts as lost, 1000 ms at least; the
/// session's TTL by default, 15 s where that is not known. The session's own deadline ends it in any
/// case.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_spec_set_monitor_retry_ms(
    spec: *mut consul_semaphore_spec,
    monitor_retry_ms: u64,
) -> consul_status {
    change(spec, |spec| Ok(spec.monitor_retry(Duration::from_millis(monitor_retry_ms))))
}

/// With what token, datacenter, namespace and partition the semaphore calls; `options` may be NULL,
/// for the client's. The rest of the options is not used.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_spec_set_options(
    spec: *mut consul_semaphore_spec,
    options: *const consul_options,
) -> consul_status {
    change(spec, |spec| Ok(spec.options(&*options::chosen(options)?)))
}

/// Ends the description of a semaphore; semaphores that were made from it stay. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_semaphore_spec_free(spec: *mut consul_semaphore_spec) {
    handle::free(spec);
}
