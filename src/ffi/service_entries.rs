//! Instances of a service with their node and checks, as an answer gave them.

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::checks::{self, consul_check, status_text};
use super::handle::{self, Handle};
pub use super::kind::consul_service_entries;
use super::nodes::{self, consul_node};
use super::services::{self, consul_service};
use crate::api::agent::ServiceHealth;
use crate::api::catalog::ServiceOfNode;
use crate::api::health::ServiceEntry;
use crate::api::{Answer, Check, Node, Service};
use std::ffi::{CStr, c_char};
use std::ptr;

/// An instance of a service with its node and the checks of both.
#[repr(C)]
#[derive(Debug)]
pub struct consul_service_entry {
    /// The instance. Never NULL.
    pub service: *const consul_service,
    /// The node it runs on. Never NULL; empty from an agent, which tells of its own node only.
    pub node: *const consul_node,
    /// Where to connect to: the instance's address, or else its node's.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// The checks of the instance and of its node; the catalog tells none.
    pub checks: *const *const consul_check,
    /// How many `checks` there are.
    pub check_count: usize,
    /// What the checks come to: `passing`, `warning`, `critical` or `maintenance`. Empty from the
    /// catalog, and when a check has a status that is none of Consul's words.
    pub status: *const c_char,
    /// The bytes in `status`.
    pub status_len: usize,
}

// SAFETY: `row` fills it from the arena of its answer, and with a static status.
unsafe impl Row for consul_service_entry {}

impl Handle for consul_service_entries {
    type Object = Listing<consul_service_entry>;
}

/// The parts of one row.
struct Parts<'a> {
    service: &'a Service,
    node: &'a Node,
    checks: &'a [Check],
    status: &'static CStr,
}

/// Instances with their health.
pub(super) fn listing(answer: Answer<Vec<ServiceEntry>>) -> Listing<consul_service_entry> {
    Listing::new(answer, |entries| of_health(&entries))
}

/// Instances with their health, as rows.
pub(super) fn of_health(entries: &[ServiceEntry]) -> Rows<consul_service_entry> {
    rows(entries.iter().map(|entry| Parts {
        service: &entry.service,
        node: &entry.node,
        checks: &entry.checks,
        status: status_text(entry.status()),
    }))
}

/// Instances as the catalog knows them.
pub(super) fn of_catalog(answer: Answer<Vec<ServiceOfNode>>) -> Listing<consul_service_entry> {
    Listing::new(answer, |entries| {
        rows(entries.iter().map(|entry| Parts {
            service: &entry.service,
            node: &entry.node,
            checks: &[],
            status: c"",
        }))
    })
}

/// Instances as their agent knows them.
pub(super) fn of_agent(entries: &[ServiceHealth]) -> Listing<consul_service_entry> {
    let node = Node::default();
    Listing::plain(rows(entries.iter().map(|entry| Parts {
        service: &entry.service,
        node: &node,
        checks: &entry.checks,
        status: status_text(entry.status),
    })))
}

fn rows<'a>(entries: impl ExactSizeIterator<Item = Parts<'a>>) -> Rows<consul_service_entry> {
    let mut rows = RowsBuilder::with_capacity(entries.len(), entries.len() * 1024);
    for parts in entries {
        let row = row(&rows.arena, &parts);
        rows.push(row);
    }
    rows.finish()
}

fn row(arena: &Arena, parts: &Parts<'_>) -> consul_service_entry {
    let address = arena.text(parts.service.address_at(parts.node));
    let checks = arena.rows(parts.checks.iter().map(|check| checks::row(arena, check)));
    consul_service_entry {
        service: arena.row(services::row(arena, parts.service, "")),
        node: arena.row(nodes::row(arena, parts.node)),
        address: address.ptr,
        address_len: address.len,
        checks: checks.ptr,
        check_count: checks.count,
        status: parts.status.as_ptr(),
        status_len: parts.status.count_bytes(),
    }
}

/// How many instances there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_entries_count(entries: *const consul_service_entries) -> usize {
    handle::read(entries, 0, Listing::count)
}

/// One of the instances; NULL past the end. Borrowed: valid until `entries` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_entries_at(
    entries: *const consul_service_entries,
    index: usize,
) -> *const consul_service_entry {
    handle::read(entries, ptr::null(), |entries| entries.at(index))
}

/// What the answer's headers say. Borrowed: valid until `entries` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_entries_meta(
    entries: *const consul_service_entries,
) -> *const consul_meta {
    handle::read(entries, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_entries_free(entries: *mut consul_service_entries) {
    handle::free(entries);
}
