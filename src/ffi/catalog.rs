//! # The catalog
//!
//! What the servers know of nodes and services. A service belongs into the catalog through its
//! agent (`consul_agent_service_register`). What is written here directly is for nodes without an
//! agent; for others their agent soon undoes it.

use super::answer::{Listing, consul_meta};
use super::arena::{Row, Rows, RowsBuilder};
use super::asynchronous::{consul_async, done, found, ok};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
use super::keys::{self, consul_keys};
pub use super::kind::consul_service_names;
use super::nodes::{self, consul_nodes};
use super::options::consul_options;
use super::registration::consul_registration;
use super::service_entries::{self, consul_service_entries};
use super::services::{self, consul_services};
use super::status::consul_status;
use super::{call, input};
use crate::api::Answer;
use std::collections::BTreeMap;
use std::ffi::c_char;
use std::ptr;

/// The name of a service with the tags of all its instances.
#[repr(C)]
#[derive(Debug)]
pub struct consul_service_name {
    /// The name of the service.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// Every tag that one of its instances has.
    pub tags: *const *const c_char,
    /// How many `tags` there are.
    pub tag_count: usize,
}

// SAFETY: `rows` fills it from its arena alone.
unsafe impl Row for consul_service_name {}

impl Handle for consul_service_names {
    type Object = Listing<consul_service_name>;
}

fn listing(answer: Answer<BTreeMap<String, Vec<String>>>) -> Listing<consul_service_name> {
    Listing::new(answer, |services| rows(&services))
}

/// Names of services as rows.
pub(super) fn rows(services: &BTreeMap<String, Vec<String>>) -> Rows<consul_service_name> {
    let mut rows = RowsBuilder::with_capacity(services.len(), services.len() * 64);
    for (name, tags) in services {
        let name = rows.arena.text(name);
        let tags = rows.arena.texts(tags.iter().map(String::as_str));
        rows.push(consul_service_name {
            name: name.ptr,
            name_len: name.len,
            tags: tags.ptr,
            tag_count: tags.count,
        });
    }
    rows.finish()
}

/// Reads the nodes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_nodes(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_nodes,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.catalog().nodes(&options)?, |found| done(nodes::listing(found)))
    })
}

/// Reads the names of the services. Older versions of Consul ignore a filter here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_services(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_names,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.catalog().services(&options)?, |found| done(listing(found)))
    })
}

/// Reads the instances of a service that have all of these tags (NULL and 0: whatever their tags),
/// whatever their health. Finding none is `CONSUL_OK` with a count of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_service(
    client: *const consul_client,
    service: *const c_char,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        // SAFETY: as above.
        let tags = unsafe { input::str_list(tags, tag_count, "tags") }?;
        let answer = client.catalog().service(service, &tags, &options)?;
        ending.give(out, answer, |answer| done(service_entries::of_catalog(answer)))
    })
}

/// Reads what to connect to in the service mesh for a service: its proxies, and those instances
/// that speak for themselves.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_connect(
    client: *const consul_client,
    service: *const c_char,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_service_entries,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let service = unsafe { input::required_str(service, "service") }?;
        // SAFETY: as above.
        let tags = unsafe { input::str_list(tags, tag_count, "tags") }?;
        let answer = client.catalog().connect(service, &tags, &options)?;
        ending.give(out, answer, |answer| done(service_entries::of_catalog(answer)))
    })
}

/// Reads a node (`consul_services_node`) with the services on it. `CONSUL_NOT_FOUND` when it does
/// not exist: `out` then has no services, but the index to wait on, and is the caller's to free all
/// the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_node(
    client: *const consul_client,
    node: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_services,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        let answer = client.catalog().node(node, &options)?;
        ending.give(out, answer, |answer| found(answer.value.is_some(), services::of_node(answer)))
    })
}

/// As `consul_catalog_node`, with the services of every namespace that the options name (Consul
/// Enterprise).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_node_services(
    client: *const consul_client,
    node: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_services,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        let answer = client.catalog().node_services(node, &options)?;
        ending.give(out, answer, |answer| found(answer.value.is_some(), services::of_node(answer)))
    })
}

/// Reads the known datacenters, the nearest first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_datacenters(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending
            .give(out, client.catalog().datacenters(&options)?, |found| done(keys::listing(found)))
    })
}

/// Writes a node, a service and checks in one step. Doing it again changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_register(
    client: *const consul_client,
    registration: *const consul_registration,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        let registration = handle::get(registration)?;
        ending.end(client.catalog().register(&registration, &options)?, ok)
    })
}

/// Removes a node with all its services and checks. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_deregister_node(
    client: *const consul_client,
    node: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        ending.end(client.catalog().deregister_node(node, &options)?, ok)
    })
}

/// Removes a service from a node, with its checks. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_deregister_service(
    client: *const consul_client,
    node: *const c_char,
    service_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        // SAFETY: as above.
        let service_id = unsafe { input::required_str(service_id, "service_id") }?;
        ending.end(client.catalog().deregister_service(node, service_id, &options)?, ok)
    })
}

/// Removes a check from a node. `CONSUL_OK` also when it does not exist.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_catalog_deregister_check(
    client: *const consul_client,
    node: *const c_char,
    check_id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        // SAFETY: as above.
        let check_id = unsafe { input::required_str(check_id, "check_id") }?;
        ending.end(client.catalog().deregister_check(node, check_id, &options)?, ok)
    })
}

/// How many names there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_names_count(names: *const consul_service_names) -> usize {
    handle::read(names, 0, Listing::count)
}

/// One of the names; NULL past the end. Borrowed: valid until `names` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_names_at(
    names: *const consul_service_names,
    index: usize,
) -> *const consul_service_name {
    handle::read(names, ptr::null(), |names| names.at(index))
}

/// What the answer's headers say. Borrowed: valid until `names` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_names_meta(
    names: *const consul_service_names,
) -> *const consul_meta {
    handle::read(names, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_service_names_free(names: *mut consul_service_names) {
    handle::free(names);
}
