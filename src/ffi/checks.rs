//! # Services, nodes and checks
//!
//! What answers about health, the agent and the catalog are made of. Strings come from Consul, so
//! each has its length beside it; none is NULL.

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::handle::{self, Handle};
pub use super::kind::consul_checks;
use crate::api::{AggregatedStatus, Answer, Check, Meta};
use std::ffi::{CStr, c_char};
use std::ptr;

/// A health check and what it found last.
#[repr(C)]
#[derive(Debug)]
pub struct consul_check {
    /// The node that it belongs to.
    pub node: *const c_char,
    /// The bytes in `node`.
    pub node_len: usize,
    /// Its id, unique on its node.
    pub check_id: *const c_char,
    /// The bytes in `check_id`.
    pub check_id_len: usize,
    /// Its name.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// `passing`, `warning` or `critical`. The catalog takes any other word too.
    pub status: *const c_char,
    /// The bytes in `status`.
    pub status_len: usize,
    /// What its owner wrote about it.
    pub notes: *const c_char,
    /// The bytes in `notes`.
    pub notes_len: usize,
    /// What it said last.
    pub output: *const c_char,
    /// The bytes in `output`.
    pub output_len: usize,
    /// The id of the service that it is about; empty when it is about the whole node.
    pub service_id: *const c_char,
    /// The bytes in `service_id`.
    pub service_id_len: usize,
    /// The name of that service.
    pub service: *const c_char,
    /// The bytes in `service`.
    pub service_len: usize,
    /// The tags of that service.
    pub service_tags: *const *const c_char,
    /// How many `service_tags` there are.
    pub service_tag_count: usize,
    /// How it checks, such as `ttl` or `http`; empty where Consul does not tell.
    pub kind: *const c_char,
    /// The bytes in `kind`.
    pub kind_len: usize,
    /// The index of the write that made it; 0 from an agent, which has no indexes.
    pub create_index: u64,
    /// The index of the last write to it; 0 from an agent.
    pub modify_index: u64,
}

// SAFETY: `row` fills it from the arena of its answer alone.
unsafe impl Row for consul_check {}

/// Checks with what they come to.
#[derive(Debug)]
pub struct Checks {
    listing: Listing<consul_check>,
    status: &'static CStr,
}

impl Handle for consul_checks {
    type Object = Checks;
}

/// Checks as the object behind a handle.
pub(super) fn listing(answer: Answer<Vec<Check>>) -> Checks {
    let status = status_text(AggregatedStatus::of(&answer.value));
    let listing = Listing::new(answer, |checks| rows(&checks));
    Checks { listing, status }
}

/// Checks as rows.
pub(super) fn rows(checks: &[Check]) -> Rows<consul_check> {
    let mut rows = RowsBuilder::with_capacity(checks.len(), checks.len() * 256);
    for check in checks {
        let row = row(&rows.arena, check);
        rows.push(row);
    }
    rows.finish()
}

/// The same of an agent's checks.
pub(super) fn of_agent(checks: Vec<Check>) -> Checks {
    listing(Answer { value: checks, meta: Meta::default() })
}

/// One check as a row of an arena.
pub(super) fn row(arena: &Arena, check: &Check) -> consul_check {
    let node = arena.text(&check.node);
    let id = arena.text(&check.id);
    let name = arena.text(&check.name);
    let status = arena.text(&check.status);
    let notes = arena.text(&check.notes);
    let output = arena.text(&check.output);
    let service_id = arena.text(&check.service_id);
    let service = arena.text(&check.service_name);
    let tags = arena.texts(check.service_tags.iter().map(String::as_str));
    let kind = arena.text(&check.kind);
    consul_check {
        node: node.ptr,
        node_len: node.len,
        check_id: id.ptr,
        check_id_len: id.len,
        name: name.ptr,
        name_len: name.len,
        status: status.ptr,
        status_len: status.len,
        notes: notes.ptr,
        notes_len: notes.len,
        output: output.ptr,
        output_len: output.len,
        service_id: service_id.ptr,
        service_id_len: service_id.len,
        service: service.ptr,
        service_len: service.len,
        service_tags: tags.ptr,
        service_tag_count: tags.count,
        kind: kind.ptr,
        kind_len: kind.len,
        create_index: check.create_index,
        modify_index: check.modify_index,
    }
}

/// Consul's word for what checks come to; empty when there is none.
pub(super) fn status_text(status: Option<AggregatedStatus>) -> &'static CStr {
    match status {
        Some(AggregatedStatus::Passing) => c"passing",
        Some(AggregatedStatus::Warning) => c"warning",
        Some(AggregatedStatus::Critical) => c"critical",
        Some(AggregatedStatus::Maintenance) => c"maintenance",
        None => c"",
    }
}

/// How many checks there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_checks_count(checks: *const consul_checks) -> usize {
    handle::read(checks, 0, |checks| checks.listing.count())
}

/// One of the checks; NULL past the end. Borrowed: valid until `checks` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_checks_at(
    checks: *const consul_checks,
    index: usize,
) -> *const consul_check {
    handle::read(checks, ptr::null(), |checks| checks.listing.at(index))
}

/// What the checks come to: `maintenance` is worse than `critical`, than `warning`, than `passing`,
/// which is also what no checks come to. Empty when one has a status that is none of Consul's
/// words; NULL for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_checks_aggregated_status(checks: *const consul_checks) -> *const c_char {
    handle::read(checks, ptr::null(), |checks| checks.status.as_ptr())
}

/// What the answer's headers say. Borrowed: valid until `checks` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_checks_meta(checks: *const consul_checks) -> *const consul_meta {
    handle::read(checks, ptr::null(), |checks| checks.listing.meta())
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_checks_free(checks: *mut consul_checks) {
    handle::free(checks);
}
