//! # How things are getting on
//!
//! Sessions, locks, semaphores, elections, clusters, services and watches that the library keeps up, and
//! the addresses of a client, as they are at this moment. Asking makes no request and never blocks.
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
use super::error::{ErrorRow, NO_ERROR, consul_error};
use super::guard::guard;
use super::handle::{self, Handle};
use super::kept_service::consul_kept_service;
use super::kept_session::consul_session;
pub use super::kind::consul_stats;
use super::lock::consul_lock;
use super::output;
use super::semaphore::consul_semaphore;
use super::status::consul_status;
use super::watch::{consul_watch, milliseconds};
use crate::client::EndpointStats;
use crate::error::Status;
use crate::observe::{self, Stats};
use crate::watch::WatchStats;
use std::ffi::c_char;
use std::ptr;

/// How something is getting on. New fields come at its end.
#[repr(C)]
#[derive(Debug)]
pub struct consul_progress {
    /// What it is, in a word. A session: `kept`, `stopped`, `ending`, `ended`, `recreating`. A
    /// lock or a semaphore: `free`, `acquiring`, `held`, `releasing`, `lost`. An election:
    /// `campaigning`, `leading`, `observing`, `closed`. A service: `stopped`, `registering`,
    /// `registered`, `leaving`, `closed`. A cluster: `joining`, `joined`, `leaving`, `left`. A watch:
    /// `pending`, `fresh`, `empty`, `stale`, `expired`, `ended`. An address of a client: `up`, `no leader`,
    /// `down`.
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
    /// The requests that were sent to an address, or made for a watch and all others of the same thing.
    /// 0 otherwise.
    pub requests: u64,
    /// Those of them that an address did not serve: no answer, no leader, or beyond its limits.
    pub failures: u64,
    /// Whether calls go there at the moment.
    pub is_in_use: bool,
    /// Of a watch: the index of the last good answer. It fills 64 bits.
    pub index: u64,
    /// Of a watch: the version of its newest state.
    pub version: u64,
    /// Of a watch: whether a request is with Consul.
    pub is_in_flight: bool,
    /// Of a watch: whether a loss above the floor is held back.
    pub is_holding_back: bool,
    /// Of a watch: why its last-good file could not be written the last time. Never NULL; its status
    /// is `CONSUL_OK` when it could.
    pub last_good_error: *const consul_error,
    /// Of an address of a client: the requests that are with it now, of all clients of the process and
    /// of what the library keeps up for them, from connecting on. Who waits for one of
    /// `max_connections` is not among them. 0 otherwise, and for an `embedded:` address.
    pub in_flight: u32,
    /// Of an address of a client: the open connections to it, idle ones included, of all clients of
    /// the process. One that the agent has closed counts until that is noticed, by the next call at the
    /// latest. 0 otherwise, and for an `embedded:` address.
    pub connections: u32,
}

/// A row and what it points to.
#[derive(Debug)]
pub struct Object {
    row: *const consul_progress,
    _errors: Vec<ErrorRow>,
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
        Object::new(stats, |_, _, _| {})
    }
}

impl From<EndpointStats> for Object {
    fn from(endpoint: EndpointStats) -> Object {
        let stats = Stats {
            state: endpoint.condition.as_str(),
            last_success: endpoint.last_answer,
            consecutive_failures: u32::try_from(endpoint.consecutive_failures).unwrap_or(u32::MAX),
            last_error: endpoint.last_error,
            next_try: None,
        };
        Object::new(stats, |row, arena, _| {
            let address = arena.text(&endpoint.address);
            row.address = address.ptr;
            row.address_len = address.len;
            row.requests = endpoint.requests;
            row.failures = endpoint.failures;
            row.is_in_use = endpoint.in_use;
            row.in_flight = endpoint.in_flight;
            row.connections = endpoint.connections;
        })
    }
}

impl From<WatchStats> for Object {
    fn from(watch: WatchStats) -> Object {
        let stats = Stats {
            state: watch.state,
            last_success: watch.last_success_age,
            consecutive_failures: watch.consecutive_failures,
            last_error: watch.last_error.as_deref().cloned(),
            next_try: watch.next_try,
        };
        Object::new(stats, |row, _, errors| {
            row.requests = watch.requests;
            row.index = watch.index;
            row.version = watch.version;
            row.is_in_flight = watch.in_flight;
            row.is_holding_back = watch.holding_back;
            if let Some(error) = &watch.last_good_error {
                let error = ErrorRow::new(error);
                row.last_good_error = error.as_ptr();
                errors.push(error);
            }
        })
    }
}

impl Object {
    /// What all have, to which `add` adds what only some have.
    fn new(
        stats: Stats,
        add: impl FnOnce(&mut consul_progress, &Arena, &mut Vec<ErrorRow>),
    ) -> Object {
        let arena = Arena::default();
        let mut errors: Vec<_> = stats.last_error.iter().map(ErrorRow::new).collect();
        let (state, nothing) = (arena.text(stats.state), arena.text(""));
        let mut row = consul_progress {
            state: state.ptr,
            state_len: state.len,
            last_success_ms: milliseconds(stats.last_success),
            next_try_ms: milliseconds(stats.next_try),
            consecutive_failures: stats.consecutive_failures,
            last_error: errors.first().map_or(&raw const NO_ERROR, ErrorRow::as_ptr),
            address: nothing.ptr,
            address_len: nothing.len,
            requests: 0,
            failures: 0,
            is_in_use: false,
            index: 0,
            version: 0,
            is_in_flight: false,
            is_holding_back: false,
            last_good_error: &raw const NO_ERROR,
            in_flight: 0,
            connections: 0,
        };
        add(&mut row, &arena, &mut errors);
        Object { row: arena.row(row), _errors: errors, _arena: arena }
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

/// How a watch is getting on. Free it with `consul_stats_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_stats(
    watch: *const consul_watch,
    out: *mut *mut consul_stats,
) -> consul_status {
    // SAFETY: pointers as the header asks for.
    guard(|| unsafe { output::out(out)?.give(handle::get(watch)?.watch.stats().into()) })
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

/// How many threads the library runs in this process now. Makes no request and never blocks.
///
/// There is one `consul-io`, which all that is asynchronous, watches and probes share; a few
/// `consul-lane` of each client that keeps something up, which leave soon after that has ended; a
/// `consul-queue` for each queue that is served at a unix socket; a `consul-dns` while a host's name is
/// looked up; and a `consul-snapshot` or a `consul-close` for a snapshot or the end of a client that is
/// to arrive in a queue.
///
/// 0 before the first use, once the last client is closed, and in a forked child that has used none.
/// Only a look-up cannot be cut short, and may outlast its client.
#[unsafe(no_mangle)]
pub extern "C" fn consul_library_threads() -> u32 {
    observe::library_threads()
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
