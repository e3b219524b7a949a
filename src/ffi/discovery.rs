//! # Picking an instance
//!
//! A view of a service picks one of its instances, without a lock and without a system call. Picked
//! is who passes, or warns where the watch takes those too; who is critical or in maintenance never
//! is. A pick reads what was found last, however old, unless the watch was given a maximal age: an error
//! alone never empties the list.
//!
//! ```c
//! consul_view_refresh(view);
//! const consul_service_entry *entry = consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0);
//! if (entry != NULL)
//!     printf("%s:%u\n", entry->address, (unsigned)entry->service->port);
//! ```

use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
pub use super::kind::consul_lease;
use super::service_entries::consul_service_entry;
use super::status::consul_status;
use super::view::{View, consul_view};
use super::view_rows::{Dressed, Kinds};
use super::{input, output};
use crate::error::{Error, Result, Status};
use crate::watch::{Lease, Strategy};
use std::ptr;
use std::sync::Arc;

/// One after the other.
pub const CONSUL_PICK_ROUND_ROBIN: i32 = 1;
/// Any.
pub const CONSUL_PICK_RANDOM: i32 = 2;
/// By chance, each as often as its weight says: that for passing or that for warning, as it is.
pub const CONSUL_PICK_WEIGHTED: i32 = 3;
/// The one with the fewest leases (`consul_view_lease`). Among more than 32 instances the better of
/// two.
pub const CONSUL_PICK_LEAST_CONNECTIONS: i32 = 4;
/// The nearest by the cluster's network coordinates, for a watch whose options say near.
pub const CONSUL_PICK_NEAREST: i32 = 5;
/// The one that `key` belongs to: it stays the same while the instance is there, and of the keys of
/// an instance that goes each goes to another one.
pub const CONSUL_PICK_HASH: i32 = 6;

/// An instance in use.
pub struct InUse {
    _lease: Lease,
    rows: Arc<Dressed>,
    at: usize,
}

impl Handle for consul_lease {
    type Object = InUse;
}

/// Picks an instance in this way, `CONSUL_PICK_...`; NULL when there is none to pick, when the view
/// is not one of a service, and for the nearest of a watch without near: `consul_view_lease` tells
/// which. Only `CONSUL_PICK_HASH` looks at `key`. Borrowed: valid until the view moves or is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_view_pick(
    view: *const consul_view,
    pick: i32,
    key: *const u8,
    key_len: usize,
) -> *const consul_service_entry {
    guard_or(ptr::null(), || {
        // Before the view is borrowed, which is an atomic change that everything after it waits for:
        // a key is hashed meanwhile.
        // SAFETY: pointers as the header asks for.
        let strategy = unsafe { strategy(pick, key, key_len) }.ok()?;
        Some(handle::read(view, ptr::null(), |view| {
            let Some(entries) = view.entries() else { return ptr::null() };
            let at = view.state.pick(strategy).ok().flatten();
            at.map_or(ptr::null(), |at| entries.at(at))
        }))
    })
}

/// As `consul_view_pick`, and counts a use of the instance until the lease is freed.
/// `CONSUL_NOT_FOUND` when there is none to pick, `CONSUL_ERR_ARGUMENT` when the view cannot pick in
/// this way, the error of `consul_view_check` when it may not be read. Free it with `consul_lease_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_view_lease(
    view: *const consul_view,
    pick: i32,
    key: *const u8,
    key_len: usize,
    out: *mut *mut consul_lease,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let view = handle::get(view)?;
        // SAFETY: as above.
        let strategy = unsafe { strategy(pick, key, key_len) }?;
        match in_use(&view, strategy)? {
            Some(lease) => out.give(lease),
            None => Ok(Status::NotFound),
        }
    })
}

/// The instance in use. Borrowed: valid until `lease` is freed, wherever the view moves.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lease_service_entry(
    lease: *const consul_lease,
) -> *const consul_service_entry {
    handle::read(lease, ptr::null(), |lease| match &lease.rows.rows {
        Kinds::Entries(rows) => rows.at(lease.at),
        _ => ptr::null(),
    })
}

/// Ends a use of an instance. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_lease_free(lease: *mut consul_lease) {
    handle::free(lease);
}

fn in_use(view: &View, strategy: Strategy) -> Result<Option<InUse>> {
    view.check()?;
    let Some(at) = view.state.pick(strategy)? else { return Ok(None) };
    let (lease, rows) = (view.state.lease(at), view.rows().cloned());
    Ok(lease.zip(rows).map(|(lease, rows)| InUse { _lease: lease, rows, at }))
}

/// # Safety
/// As for [`input::bytes`].
#[inline]
unsafe fn strategy(pick: i32, key: *const u8, key_len: usize) -> Result<Strategy> {
    Ok(match pick {
        CONSUL_PICK_ROUND_ROBIN => Strategy::RoundRobin,
        CONSUL_PICK_RANDOM => Strategy::Random,
        CONSUL_PICK_WEIGHTED => Strategy::Weighted,
        CONSUL_PICK_LEAST_CONNECTIONS => Strategy::LeastConnections,
        CONSUL_PICK_NEAREST => Strategy::Nearest,
        // SAFETY: the caller's promise.
        CONSUL_PICK_HASH => Strategy::of_key(unsafe { input::bytes(key, key_len, "key") }?),
        _ => return Err(unknown(pick)),
    })
}

#[cold]
fn unknown(pick: i32) -> Error {
    Error::argument(format!("the pick {pick} is none of CONSUL_PICK_..., 1 to 6"))
}
