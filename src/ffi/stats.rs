//! # How things are getting on
//!
//! Sessions, locks, semaphores and services that the library keeps up, as they are at this moment. Asking makes
//! no request and never blocks.
//!
//! ```c
//! consul_stats *stats = NULL;
//! if (consul_lock_stats(lock, &stats) == CONSUL_OK) {
//!     const consul_progress *progress = consul_stats_row(stats);
//!     if (progress->consecutive_failures > 0)
//!         fprintf(stderr, "%s: %s\n", progress->state, progress->last_error->message);
//! }
//! consul_stats_free(stats);
//! ```

use super::arena::Arena;
use super::error::{ErrorRow, consul_error};
use super::guard::guard;
use super::handle::{self, Handle};
use super::kept_service::consul_kept_service;
use super::kept_session::consul_session;
pub use super::kind::consul_stats;
use super::lock::consul_lock;
use super::output;
use super::semaphore::consul_semaphore;
use super::status::consul_status;
use super::watch::milliseconds;
use crate::error::{Error, Status};
use crate::observe::Stats;
use std::ffi::c_char;
use std::ptr;

/// How something is getting on.
#[repr(C)]
#[derive(Debug)]
pub struct consul_progress {
    /// What it is, in a word. A session: `kept`, `stopped`, `ending`, `ended`, `recreating`. A
    /// lock or a semaphore: `free`, `acquiring`, `held`, `releasing`, `lost`. A service: `stopped`, `registering`,
    /// `registered`, `leaving`, `closed`.
    pub state: *const c_char,
    /// The bytes in `state`.
    pub state_len: usize,
    /// How long ago Consul said last that all is well, in ms; `UINT64_MAX` when it never did.
    pub last_success_ms: u64,
    /// In how long Consul is asked again, in ms; `UINT64_MAX` when it is not.
    pub next_try_ms: u64,
    /// How many tries have failed since the last success.
    pub consecutive_failures: u32,
    /// What went wrong last, however long ago. Never NULL; its status is `CONSUL_OK` when nothing
    /// has.
    pub last_error: *const consul_error,
}

/// A row and what it points to.
#[derive(Debug)]
pub struct Object {
    row: *const consul_progress,
    _error: ErrorRow,
    _arena: Arena,
}

// SAFETY: the row is read-only and lives in the arena.
unsafe impl Send for Object {}
// SAFETY: as above, and nothing reaches the arena any more.
unsafe impl Sync for Object {}

impl Handle for consul_stats {
    type Object = Object;
}

impl From<Stats> for Object {
    fn from(stats: Stats) -> Object {
        let arena = Arena::default();
        let error = stats.last_error.unwrap_or_else(|| Error::new(Status::Ok, ""));
        let error = ErrorRow::new(&error);
        let state = arena.text(stats.state);
        let row = arena.row(consul_progress {
            state: state.ptr,
            state_len: state.len,
            last_success_ms: milliseconds(stats.last_success),
            next_try_ms: milliseconds(stats.next_try),
            consecutive_failures: stats.consecutive_failures,
            last_error: error.as_ptr(),
        });
        Object { row, _error: error, _arena: arena }
    }
}

/// How the renewal of a session is getting on. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_session_stats(
    session: *const consul_session,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(session)?.stats().into()) })
}

/// How it is getting on to see that a lock is still held. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_lock_stats(
    lock: *const consul_lock,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(lock)?.stats().into()) })
}

/// How it is getting on to see that a semaphore's slot is still held. Free it with
/// `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_semaphore_stats(
    semaphore: *const consul_semaphore,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(semaphore)?.stats().into()) })
}

/// How a service that stays registered is getting on. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_kept_service_stats(
    service: *const consul_kept_service,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(service)?.stats().into()) })
}

/// What was asked for; NULL for a handle that is not live. Borrowed: valid until `stats` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_stats_row(stats: *const consul_stats) -> *const consul_progress {
    handle::read(stats, ptr::null(), |stats| stats.row)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_stats_free(stats: *mut consul_stats) {
    handle::free(stats);
}
