//! # How things are getting on
//!
//! Sessions, locks, semaphores and services that the library keeps up, and the addresses of a client, as
//! they are at this moment. Asking makes
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
use super::client::consul_client;
use super::cluster::consul_cluster;
use super::election::consul_election;
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
use crate::client::EndpointStats;
use crate::error::{Error, Status};
use crate::observe::Stats;
use std::ffi::c_char;
use std::ptr;

/// How something is getting on. New fields come at its end.
#[repr(C)]
#[derive(Debug)]
pub struct consul_progress {
    /// What it is, in a word. A session: `kept`, `stopped`, `ending`, `ended`, `recreating`. A
    /// lock or a semaphore: `free`, `acquiring`, `held`, `releasing`, `lost`. An election:
    /// `campaigning`, `leading`, `observing`, `closed`. A service: `stopped`, `registering`,
    /// `registered`, `leaving`, `closed`. A cluster: `joining`, `joined`, `leaving`, `left`. An
    /// address of a client: `up`, `no leader`, `down`.
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
    /// Of an address of a client: the address, `http://127.0.0.1:8500`. Empty otherwise.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// The requests that were sent there. 0 where it is no address.
    pub requests: u64,
    /// Those of them that were not served there: no answer, no leader, or beyond its limits.
    pub failures: u64,
    /// Whether calls go there at the moment.
    pub is_in_use: bool,
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
        Object::new(stats, None)
    }
}

impl From<EndpointStats> for Object {
    fn from(endpoint: EndpointStats) -> Object {
        let stats = Stats {
            state: endpoint.condition.as_str(),
            last_success: endpoint.last_answer,
            consecutive_failures: u32::try_from(endpoint.consecutive_failures).unwrap_or(u32::MAX),
            last_error: endpoint.last_error.clone(),
            next_try: None,
        };
        Object::new(stats, Some(&endpoint))
    }
}

impl Object {
    fn new(stats: Stats, endpoint: Option<&EndpointStats>) -> Object {
        let arena = Arena::default();
        let error = stats.last_error.unwrap_or_else(|| Error::new(Status::Ok, ""));
        let error = ErrorRow::new(&error);
        let state = arena.text(stats.state);
        let address = arena.text(endpoint.map_or("", |endpoint| &endpoint.address));
        let row = arena.row(consul_progress {
            state: state.ptr,
            state_len: state.len,
            last_success_ms: milliseconds(stats.last_success),
            next_try_ms: milliseconds(stats.next_try),
            consecutive_failures: stats.consecutive_failures,
            last_error: error.as_ptr(),
            address: address.ptr,
            address_len: address.len,
            requests: endpoint.map_or(0, |endpoint| endpoint.requests),
            failures: endpoint.map_or(0, |endpoint| endpoint.failures),
            is_in_use: endpoint.is_some_and(|endpoint| endpoint.in_use),
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

/// How a campaign is getting on, or to see who leads. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_election_stats(
    election: *const consul_election,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(election)?.stats().into()) })
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

/// How a node's own part in a cluster is getting on. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_cluster_stats(
    cluster: *const consul_cluster,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(cluster)?.stats().into()) })
}

/// How many addresses a client has. 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_client_endpoint_count(client: *const consul_client) -> usize {
    handle::read(client, 0, |client| client.endpoints().len())
}

/// How one of the addresses of a client is getting on, in the order of the setting `address`.
/// `CONSUL_NOT_FOUND` past the last; `out` is NULL then. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_client_endpoint_stats(
    client: *const consul_client,
    position: usize,
    out: *mut *mut consul_stats,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        match handle::get(client)?.endpoints().into_iter().nth(position) {
            Some(endpoint) => out.give(endpoint.into()),
            None => Ok(Status::NotFound),
        }
    })
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
