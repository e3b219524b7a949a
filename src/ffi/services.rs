//! Services of an agent or of a node, as an answer gave them.

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Row, RowsBuilder};
use super::handle::{self, Handle};
pub use super::kind::consul_services;
use super::nodes::{self, consul_node};
use crate::api::agent::AgentService;
use crate::api::catalog::NodeServices;
use crate::api::{Answer, Service, ServiceAddress};
use std::ffi::c_char;
use std::ptr;

/// One of a service's addresses.
#[repr(C)]
#[derive(Debug)]
pub struct consul_service_address {
    /// Its name, such as `lan` or `wan`.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// The host.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// The port.
    pub port: u32,
}

/// An instance of a service.
#[repr(C)]
#[derive(Debug)]
pub struct consul_service {
    /// Its id, unique on its node.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// The name of the service.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// Where it listens; empty means at its node's address.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// What it is when it is no plain service, such as `connect-proxy`.
    pub kind: *const c_char,
    /// The bytes in `kind`.
    pub kind_len: usize,
    /// Its tags.
    pub tags: *const *const c_char,
    /// How many `tags` there are.
    pub tag_count: usize,
    /// The keys of its metadata.
    pub meta_keys: *const *const c_char,
    /// Their values, as many.
    pub meta_values: *const *const c_char,
    /// How many `meta_keys` there are.
    pub meta_count: usize,
    /// Its addresses by name.
    pub tagged_addresses: *const *const consul_service_address,
    /// How many `tagged_addresses` there are.
    pub tagged_address_count: usize,
    /// How a proxy is set up, as JSON; empty for what is no proxy.
    pub proxy_json: *const c_char,
    /// The bytes in `proxy_json`.
    pub proxy_json_len: usize,
    /// How it takes part in the service mesh, as JSON; empty where the answer does not tell.
    pub connect_json: *const c_char,
    /// The bytes in `connect_json`.
    pub connect_json_len: usize,
    /// What `consul_agent_service` compares to tell whether it has changed; empty elsewhere.
    pub content_hash: *const c_char,
    /// The bytes in `content_hash`.
    pub content_hash_len: usize,
    /// The index of the write that made it; 0 from an agent, which has no indexes.
    pub create_index: u64,
    /// The index of the last write to it; 0 from an agent.
    pub modify_index: u64,
    /// The port it listens at, 0 when it has none.
    pub port: u32,
    /// How much of the traffic it shall get while it is passing, compared with other instances.
    pub weight_passing: u32,
    /// The same while it is warning.
    pub weight_warning: u32,
    /// Whether its tags may be changed in the catalog, past its agent.
    pub enable_tag_override: bool,
}

// SAFETY: `row` fills it from the arena of its answer alone.
unsafe impl Row for consul_service {}

/// Services with the node that they are on, where the answer is about one.
#[derive(Debug)]
pub struct Services {
    listing: Listing<consul_service>,
    node: *const consul_node,
}

// SAFETY: the node is in the arena of the listing, which moves and is freed with it.
unsafe impl Send for Services {}
// SAFETY: as above, and all of it is read-only.
unsafe impl Sync for Services {}

impl Handle for consul_services {
    type Object = Services;
}

/// The services of an agent.
pub(super) fn of_agent(services: &[Service]) -> Services {
    let mut rows = RowsBuilder::with_capacity(services.len(), services.len() * 256);
    for service in services {
        let row = row(&rows.arena, service, "");
        rows.push(row);
    }
    Services { listing: Listing::plain(rows.finish()), node: ptr::null() }
}

/// One service of an agent, or none.
pub(super) fn one_of_agent(found: Option<AgentService>) -> Services {
    let mut rows = RowsBuilder::with_capacity(1, 256);
    if let Some(found) = found {
        let row = row(&rows.arena, &found.service, &found.content_hash);
        rows.push(row);
    }
    Services { listing: Listing::plain(rows.finish()), node: ptr::null() }
}

/// The services of a node, or nothing.
pub(super) fn of_node(answer: Answer<Option<NodeServices>>) -> Services {
    let mut node = ptr::null();
    let listing = Listing::new(answer, |found| {
        let count = found.as_ref().map_or(0, |found| found.services.len());
        let mut rows = RowsBuilder::with_capacity(count, (count + 1) * 256);
        if let Some(found) = found {
            node = rows.arena.row(nodes::row(&rows.arena, &found.node));
            for service in &found.services {
                let row = row(&rows.arena, service, "");
                rows.push(row);
            }
        }
        rows.finish()
    });
    Services { listing, node }
}

/// One service as a row of an arena.
pub(super) fn row(arena: &Arena, service: &Service, content_hash: &str) -> consul_service {
    let id = arena.text(&service.id);
    let name = arena.text(&service.name);
    let address = arena.text(&service.address);
    let kind = arena.text(&service.kind);
    let tags = arena.texts(service.tags.iter().map(String::as_str));
    let meta_keys = arena.texts(service.meta.keys().map(String::as_str));
    let meta_values = arena.texts(service.meta.values().map(String::as_str));
    let tagged = service.tagged_addresses.iter();
    let tagged = arena.rows(tagged.map(|(name, address)| address_row(arena, name, address)));
    let proxy = json(arena, &service.proxy);
    let connect = json(arena, &service.connect);
    let content_hash = arena.text(content_hash);
    consul_service {
        id: id.ptr,
        id_len: id.len,
        name: name.ptr,
        name_len: name.len,
        address: address.ptr,
        address_len: address.len,
        kind: kind.ptr,
        kind_len: kind.len,
        tags: tags.ptr,
        tag_count: tags.count,
        meta_keys: meta_keys.ptr,
        meta_values: meta_values.ptr,
        meta_count: meta_keys.count,
        tagged_addresses: tagged.ptr,
        tagged_address_count: tagged.count,
        proxy_json: proxy.ptr,
        proxy_json_len: proxy.len,
        connect_json: connect.ptr,
        connect_json_len: connect.len,
        content_hash: content_hash.ptr,
        content_hash_len: content_hash.len,
        create_index: service.create_index,
        modify_index: service.modify_index,
        port: service.port.into(),
        weight_passing: service.weights.passing.into(),
        weight_warning: service.weights.warning.into(),
        enable_tag_override: service.enable_tag_override,
    }
}

fn address_row(arena: &Arena, name: &str, address: &ServiceAddress) -> consul_service_address {
    let name = arena.text(name);
    let host = arena.text(&address.address);
    consul_service_address {
        name: name.ptr,
        name_len: name.len,
        address: host.ptr,
        address_len: host.len,
        port: address.port.into(),
    }
}

fn json(arena: &Arena, value: &serde_json::Value) -> super::arena::Text {
    match value.is_null() {
        true => arena.text(""),
        false => arena.text(&value.to_string()),
    }
}

/// How many services there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_services_count(services: *const consul_services) -> usize {
    handle::read(services, 0, |services| services.listing.count())
}

/// One of the services; NULL past the end. Borrowed: valid until `services` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_services_at(
    services: *const consul_services,
    index: usize,
) -> *const consul_service {
    handle::read(services, ptr::null(), |services| services.listing.at(index))
}

/// The node that the services are on; NULL where the answer is not about a node. Borrowed: valid
/// until `services` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_services_node(services: *const consul_services) -> *const consul_node {
    handle::read(services, ptr::null(), |services| services.node)
}

/// What the answer's headers say. Borrowed: valid until `services` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_services_meta(services: *const consul_services) -> *const consul_meta {
    handle::read(services, ptr::null(), |services| services.listing.meta())
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_services_free(services: *mut consul_services) {
    handle::free(services);
}
