//! # Live views
//!
//! A view is a reader's own look at what a watch has found. It stands still: its rows are valid, and
//! say the same, until `consul_view_refresh` or `consul_view_wait` moves it to a newer state, or it
//! is freed. So one thread at a time uses a view, and each thread that reads has one of its own;
//! that costs a few bytes, since all views of a watch share its rows. Reading takes no lock and
//! makes no system call.
//!
//! What was found stays when Consul cannot be asked: the view is `CONSUL_VIEW_STALE` then and says
//! how old it is. An error never empties it, unless the watch was given an age beyond which it is not to
//! be read (`consul_watch_spec_set_max_age_ms`). It can be read when its watch is freed, too. In a forked
//! child a view goes on with what it has, and its watch begins anew when it is refreshed.
//!
//! ```c
//! consul_view_refresh(view); // costs next to nothing when nothing is new
//! if (consul_view_state(view) == CONSUL_VIEW_STALE)
//!     fprintf(stderr, "as of %llu ms ago\n", (unsigned long long)consul_view_age_ms(view));
//! for (size_t i = 0; i < consul_view_count(view); i++)
//!     puts(consul_view_kv_at(view, i)->key);
//! ```

use super::arena::Rows;
use super::catalog::consul_service_name;
use super::checks::consul_check;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_view;
use super::kv::consul_kv_pair;
use super::nodes::consul_node;
use super::service_entries::consul_service_entry;
use super::status::consul_status;
use super::user_events::consul_user_event;
use super::view_rows::{Dressed, Kinds};
use super::watch::{consul_watch, milliseconds};
use super::{output, queue};
use crate::error::{Result, Status};
use crate::watch::{Freshness, State, Watch};
use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::Arc;

/// Nothing was found yet, not even that there is nothing.
pub const CONSUL_VIEW_PENDING: i32 = 1;
/// Consul's last answer.
pub const CONSUL_VIEW_FRESH: i32 = 2;
/// Consul's last answer, which was that there is nothing.
pub const CONSUL_VIEW_EMPTY: i32 = 3;
/// Consul cannot be asked, the watch has ended, or the state comes from a file: it was found
/// `consul_view_age_ms` ago.
pub const CONSUL_VIEW_STALE: i32 = 4;

/// As `CONSUL_VIEW_STALE`, for longer than the watch's `max_age_ms` allows: it is not read any more, as if
/// there were nothing, and `consul_view_check` tells why.
pub const CONSUL_VIEW_EXPIRED: i32 = 5;

/// A look at one state of a watch.
pub struct View {
    watch: Watch,
    pub(super) state: Arc<State>,
    rows: Option<Arc<Dressed>>,
}

impl View {
    fn new(watch: Watch) -> View {
        let mut view = View { state: watch.state(), watch, rows: None };
        view.dress();
        view
    }

    /// Moves to the newest state; false when it is there.
    fn refresh(&mut self) -> bool {
        if self.watch.version() == self.state.version() {
            return false;
        }
        // A view that is made just before the version of its state is told has that state already.
        let newest = self.watch.state();
        if newest.version() == self.state.version() {
            return false;
        }
        self.state = newest;
        self.dress();
        true
    }

    fn dress(&mut self) {
        let companion = self.state.companion().clone();
        self.rows = companion.and_then(|rows| rows.downcast().ok());
    }

    fn freshness(&self) -> i32 {
        let empty = self.state.content().is_some_and(|content| content.is_empty());
        match self.watch.freshness() {
            _ if self.state.version() == 0 => CONSUL_VIEW_PENDING,
            Freshness::Stale(_) if self.watch.is_expired() => CONSUL_VIEW_EXPIRED,
            Freshness::Stale(_) => CONSUL_VIEW_STALE,
            _ if empty => CONSUL_VIEW_EMPTY,
            _ => CONSUL_VIEW_FRESH,
        }
    }

    /// What may be read.
    #[inline]
    pub(super) fn rows(&self) -> Option<&Arc<Dressed>> {
        self.rows.as_ref().filter(|_| !self.watch.is_expired())
    }

    pub(super) fn check(&self) -> Result<()> {
        self.watch.check_age()
    }

    fn pairs(&self) -> Option<&Rows<consul_kv_pair>> {
        match &self.rows()?.rows {
            Kinds::Pairs(rows) => Some(rows),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> Option<&Rows<consul_service_entry>> {
        match &self.rows()?.rows {
            Kinds::Entries(rows) => Some(rows),
            _ => None,
        }
    }

    /// # Safety
    /// `name` is NULL or NUL-terminated.
    unsafe fn place(&self, name: *const c_char) -> Option<usize> {
        if name.is_null() {
            return None;
        }
        // SAFETY: the caller's promise. Compared as bytes, so it need not be UTF-8.
        let name = unsafe { CStr::from_ptr(name) };
        self.rows()?.place(name.to_bytes())
    }
}

impl Handle for consul_view {
    type Object = View;
}

/// Makes a view of a watch, at its newest state. Free it with `consul_view_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_watch_view(
    watch: *const consul_watch,
    out: *mut *mut consul_view,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let watch = handle::get(watch)?.watch.clone();
        out.give(View::new(watch))
    })
}

/// Moves a view to the newest state, and ends the rows that were read from it. `CONSUL_NO_CHANGE`,
/// and nothing is ended, when it is there already.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_refresh(view: *mut consul_view) -> consul_status {
    guard(|| {
        let moved = handle::get_mut(view)?.refresh();
        Ok(if moved { Status::Ok } else { Status::NoChange })
    })
}

/// Waits this long for a newer state and moves there; -1 waits for ever. `CONSUL_NO_CHANGE` when
/// there was none. `CONSUL_ERR_CANCELLED` once the watch is stopped or freed, `CONSUL_ERR_CLOSED`
/// once its client is closed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_wait(view: *mut consul_view, timeout_ms: i64) -> consul_status {
    guard(|| {
        let timeout = queue::wait(timeout_ms)?;
        let (watch, version) = wait_for(view)?;
        if watch.wait_newer(version, timeout)?.is_none() {
            return Ok(Status::NoChange);
        }
        handle::get_mut(view)?.refresh();
        Ok(Status::Ok)
    })
}

/// Whose newer state to wait for: the view itself is not kept from its free meanwhile.
fn wait_for(view: *const consul_view) -> Result<(Watch, u64)> {
    let view = handle::get(view)?;
    Ok((view.watch.clone(), view.state.version()))
}

/// The version of the state that the view stands at; 0 before anything was found.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_version(view: *const consul_view) -> u64 {
    handle::read(view, 0, |view| view.state.version())
}

/// The index of the answer that it stands at; 0 when it had none or comes from a file.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_index(view: *const consul_view) -> u64 {
    handle::read(view, 0, |view| view.state.index())
}

/// How far it can be trusted, `CONSUL_VIEW_...`; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_state(view: *const consul_view) -> i32 {
    handle::read(view, 0, View::freshness)
}

/// Whether it may be read: always, but in the state `CONSUL_VIEW_EXPIRED`. Then this is the error for
/// which Consul cannot be asked, such as `CONSUL_ERR_CONNECT`, with the age in its message.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_check(view: *const consul_view) -> consul_status {
    guard(|| handle::get(view)?.check().map(|()| Status::Ok))
}

/// How long ago Consul confirmed the watch's newest state, as far as an answer can tell: a query
/// that is held confirms nothing until it ends. `UINT64_MAX` when it never did.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_age_ms(view: *const consul_view) -> u64 {
    handle::read(view, 0, |view| milliseconds(view.watch.age()))
}

/// How many things there are: pairs, instances, names, nodes, checks or events; of a path 1, or 0
/// when it was answered with a 404.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_count(view: *const consul_view) -> usize {
    handle::read(view, 0, |view| match view.rows() {
        Some(_) => view.state.content().map_or(0, |content| content.len()),
        None => 0,
    })
}

/// The pair of a key, in a view of a key or a prefix; NULL when there is none. Borrowed: valid until
/// the view moves or is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_view_find_kv(
    view: *const consul_view,
    key: *const c_char,
) -> *const consul_kv_pair {
    handle::read(view, ptr::null(), |view| {
        // SAFETY: pointers as the header asks for.
        let place = unsafe { view.place(key) };
        place.and_then(|place| Some(view.pairs()?.at(place))).unwrap_or(ptr::null())
    })
}

/// The instance of this id, in a view of a service; the first one where several nodes use the same
/// id. As `consul_view_find_kv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_view_find_service_entry(
    view: *const consul_view,
    service_id: *const c_char,
) -> *const consul_service_entry {
    handle::read(view, ptr::null(), |view| {
        // SAFETY: pointers as the header asks for.
        let place = unsafe { view.place(service_id) };
        place.and_then(|place| Some(view.entries()?.at(place))).unwrap_or(ptr::null())
    })
}

/// One of the pairs, sorted by key, in a view of a key or a prefix; NULL past the end. Borrowed:
/// valid until the view moves or is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_kv_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_kv_pair {
    handle::read(view, ptr::null(), |view| view.pairs().map_or(ptr::null(), |rows| rows.at(index)))
}

/// One of the instances, in a view of a service: sorted by node and id, or by distance where the
/// options say near. As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_service_entry_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_service_entry {
    handle::read(view, ptr::null(), |view| {
        view.entries().map_or(ptr::null(), |rows| rows.at(index))
    })
}

/// One of the names, sorted, in a view of the services. As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_service_name_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_service_name {
    row_at(view, |rows| match rows {
        Kinds::Names(rows) => rows.at(index),
        _ => ptr::null(),
    })
}

/// One of the nodes, sorted by name, in a view of the nodes. As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_node_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_node {
    row_at(view, |rows| match rows {
        Kinds::Nodes(rows) => rows.at(index),
        _ => ptr::null(),
    })
}

/// One of the checks, sorted by node and id, in a view of checks. As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_check_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_check {
    row_at(view, |rows| match rows {
        Kinds::Checks(rows) => rows.at(index),
        _ => ptr::null(),
    })
}

/// One of the user events, the oldest first, in a view of them. As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_user_event_at(
    view: *const consul_view,
    index: usize,
) -> *const consul_user_event {
    row_at(view, |rows| match rows {
        Kinds::Events(rows) => rows.at(index),
        _ => ptr::null(),
    })
}

/// The body of the answer with a NUL after its last byte, in a view of a path; NULL in any other.
/// As `consul_view_kv_at`.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_body(view: *const consul_view) -> *const c_char {
    row_at(view, |rows| match rows {
        Kinds::Body(body) => body.as_ptr().cast(),
        _ => ptr::null(),
    })
}

/// How many bytes the body has, without the NUL.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_body_len(view: *const consul_view) -> usize {
    handle::read(view, 0, |view| match view.rows().map(|rows| &rows.rows) {
        Some(Kinds::Body(body)) => body.len() - 1,
        _ => 0,
    })
}

/// Ends a view, and the rows that were read from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_view_free(view: *mut consul_view) {
    handle::free(view);
}

fn row_at<R>(view: *const consul_view, row: impl FnOnce(&Kinds) -> *const R) -> *const R {
    handle::read(view, ptr::null(), |view| view.rows().map_or(ptr::null(), |rows| row(&rows.rows)))
}
