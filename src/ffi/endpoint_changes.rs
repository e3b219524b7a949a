//! # Addresses that fail and come back
//!
//! A client tells in a queue when one of its addresses fails or serves again, and when calls go to
//! another one, as `consul_client_endpoint_stats` shows it.
//!
//! ```c
//! consul_client_set_endpoint_queue(client, queue, 9);
//! // ... an event of the type CONSUL_EVENT_ENDPOINT_CHANGED arrives under the tag 9:
//! consul_endpoint_changes *changes = NULL;
//! size_t i;
//! if (consul_event_take_endpoint_changes(event, &changes) == CONSUL_OK)
//!     for (i = 0; i < consul_endpoint_changes_count(changes); i++) {
//!         const consul_endpoint_change *change = consul_endpoint_changes_at(changes, i);
//!         if (change->condition == CONSUL_ENDPOINT_DOWN)
//!             fprintf(stderr, "%s: %s\n", change->address, change->reason->message);
//!     }
//! consul_endpoint_changes_free(changes);
//! ```

use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::client::consul_client;
use super::endpoint_feed::{self, Change};
use super::error::{ErrorRow, NO_ERROR, consul_error};
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_endpoint_changes;
use super::kind::consul_queue;
use super::status::consul_status;
use crate::client::Condition;
use crate::error::Status;
use std::ffi::c_char;
use std::ptr;

/// An address serves.
pub const CONSUL_ENDPOINT_UP: i32 = 1;
/// It answers, and says that the cluster has no leader, or that it cannot reach one.
pub const CONSUL_ENDPOINT_NO_LEADER: i32 = 2;
/// It does not answer: the circuit breaker has put it behind the others.
pub const CONSUL_ENDPOINT_DOWN: i32 = 3;

/// Addresses of a client have changed. Its result is which, for `consul_event_take_endpoint_changes`:
/// all that has changed before the event is taken, a row for each address. However often they change,
/// there is one such event.
pub const CONSUL_EVENT_ENDPOINT_CHANGED: i32 = 9;
/// Nothing more is told of a client's addresses: its status says why.
pub const CONSUL_EVENT_ENDPOINT_ENDED: i32 = 10;

/// An address that is not as it was when it was told of last.
#[repr(C)]
#[derive(Debug)]
pub struct consul_endpoint_change {
    /// The address: `http://127.0.0.1:8500`.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// How it is now, `CONSUL_ENDPOINT_...`.
    pub condition: i32,
    /// How it was. The same as `condition` where it has changed and changed back, or where calls
    /// began or ceased to go there and nothing else.
    pub condition_before: i32,
    /// Whether calls go there now.
    pub is_in_use: bool,
    /// Whether they did.
    pub was_in_use: bool,
    /// How many changes have come together.
    pub changes: u32,
    /// What is wrong with it, or was at the last change that said so. Never NULL; its status is
    /// `CONSUL_OK` where nothing was.
    pub reason: *const consul_error,
}

// SAFETY: `row` fills it from the arena of its answer, and from an error that lives as long, or always.
unsafe impl Row for consul_endpoint_change {}

/// Rows and the errors that they point to.
#[derive(Debug)]
pub struct Object {
    rows: Rows<consul_endpoint_change>,
    _reasons: Vec<ErrorRow>,
}

impl Handle for consul_endpoint_changes {
    type Object = Object;
}

impl Object {
    pub(super) fn new(changes: &[Change]) -> Object {
        let mut rows = RowsBuilder::with_capacity(changes.len(), changes.len() * 64);
        let mut reasons = Vec::with_capacity(changes.len());
        for change in changes {
            let reason = change.reason.as_ref().map(ErrorRow::new);
            let row = row(&rows.arena, change, reason.as_ref());
            rows.push(row);
            reasons.extend(reason);
        }
        Object { rows: rows.finish(), _reasons: reasons }
    }
}

fn row(arena: &Arena, change: &Change, reason: Option<&ErrorRow>) -> consul_endpoint_change {
    let address = arena.text(&change.address);
    consul_endpoint_change {
        address: address.ptr,
        address_len: address.len,
        condition: number(change.after.condition),
        condition_before: number(change.before.condition),
        is_in_use: change.after.in_use,
        was_in_use: change.before.in_use,
        changes: change.count,
        reason: reason.map_or(&raw const NO_ERROR, ErrorRow::as_ptr),
    }
}

fn number(condition: Condition) -> i32 {
    match condition {
        Condition::Up => CONSUL_ENDPOINT_UP,
        Condition::NoLeader => CONSUL_ENDPOINT_NO_LEADER,
        Condition::Down => CONSUL_ENDPOINT_DOWN,
    }
}

/// Has changes of the client's addresses arrive in a queue from now on, as events of the type
/// `CONSUL_EVENT_ENDPOINT_CHANGED` under `tag`, without counting among the calls in flight. A client of
/// one address tells as well when that fails and serves again. In one queue at a time; `queue` may be
/// NULL, which ends that without an event. A last event, `CONSUL_EVENT_ENDPOINT_ENDED`, comes with the
/// status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag, with `CONSUL_ERR_CLOSED` when
/// the client is closed or freed; once it is closed this is an error.
///
/// It goes on when the client is configured anew. A forked child's client tells its parent nothing: it
/// has a queue of its own set.
#[unsafe(no_mangle)]
pub extern "C" fn consul_client_set_endpoint_queue(
    client: *const consul_client,
    queue: *mut consul_queue,
    tag: u64,
) -> consul_status {
    guard(|| {
        let client = handle::get(client)?;
        let queue = handle::get_optional(queue.cast_const())?;
        let listener =
            queue.as_deref().map(|queue| endpoint_feed::attach(queue, tag)).transpose()?;
        client.set_endpoint_listener(listener)?;
        Ok(Status::Ok)
    })
}

/// How many addresses have changed; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_endpoint_changes_count(changes: *const consul_endpoint_changes) -> usize {
    handle::read(changes, 0, |changes| changes.rows.count())
}

/// One of the addresses, in the order in which they changed first; NULL past the end. Borrowed: valid
/// until `changes` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_endpoint_changes_at(
    changes: *const consul_endpoint_changes,
    index: usize,
) -> *const consul_endpoint_change {
    handle::read(changes, ptr::null(), |changes| changes.rows.at(index))
}

/// Ends a list of changes. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_endpoint_changes_free(changes: *mut consul_endpoint_changes) {
    handle::free(changes);
}
