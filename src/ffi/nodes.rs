//! Nodes, as an answer gave them.

use super::answer::{Listing, consul_meta};
use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::handle::{self, Handle};
pub use super::kind::consul_nodes;
use crate::api::{Answer, Node};
use std::ffi::c_char;
use std::ptr;

/// A node: a machine that an agent runs on, or one that was registered from outside.
#[repr(C)]
#[derive(Debug)]
pub struct consul_node {
    /// Its name.
    pub name: *const c_char,
    /// The bytes in `name`.
    pub name_len: usize,
    /// Its UUID; empty where it was registered without one.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// Its address.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// The datacenter it is in.
    pub datacenter: *const c_char,
    /// The bytes in `datacenter`.
    pub datacenter_len: usize,
    /// The names of its addresses, such as `lan` and `wan`.
    pub tagged_address_names: *const *const c_char,
    /// These addresses, as many.
    pub tagged_addresses: *const *const c_char,
    /// How many `tagged_addresses` there are.
    pub tagged_address_count: usize,
    /// The keys of its metadata.
    pub meta_keys: *const *const c_char,
    /// Their values, as many.
    pub meta_values: *const *const c_char,
    /// How many `meta_keys` there are.
    pub meta_count: usize,
    /// The index of the write that made it; 0 where the answer does not tell.
    pub create_index: u64,
    /// The index of the last write to it; 0 where the answer does not tell.
    pub modify_index: u64,
}

// SAFETY: `row` fills it from the arena of its answer alone.
unsafe impl Row for consul_node {}

impl Handle for consul_nodes {
    type Object = Listing<consul_node>;
}

/// Nodes as the object behind a handle.
pub(super) fn listing(answer: Answer<Vec<Node>>) -> Listing<consul_node> {
    Listing::new(answer, |nodes| rows(&nodes))
}

/// Nodes as rows.
pub(super) fn rows(nodes: &[Node]) -> Rows<consul_node> {
    let mut rows = RowsBuilder::with_capacity(nodes.len(), nodes.len() * 256);
    for node in nodes {
        let row = row(&rows.arena, node);
        rows.push(row);
    }
    rows.finish()
}

/// One node as a row of an arena.
pub(super) fn row(arena: &Arena, node: &Node) -> consul_node {
    let name = arena.text(&node.name);
    let id = arena.text(&node.id);
    let address = arena.text(&node.address);
    let datacenter = arena.text(&node.datacenter);
    let address_names = arena.texts(node.tagged_addresses.keys().map(String::as_str));
    let addresses = arena.texts(node.tagged_addresses.values().map(String::as_str));
    let meta_keys = arena.texts(node.meta.keys().map(String::as_str));
    let meta_values = arena.texts(node.meta.values().map(String::as_str));
    consul_node {
        name: name.ptr,
        name_len: name.len,
        id: id.ptr,
        id_len: id.len,
        address: address.ptr,
        address_len: address.len,
        datacenter: datacenter.ptr,
        datacenter_len: datacenter.len,
        tagged_address_names: address_names.ptr,
        tagged_addresses: addresses.ptr,
        tagged_address_count: addresses.count,
        meta_keys: meta_keys.ptr,
        meta_values: meta_values.ptr,
        meta_count: meta_keys.count,
        create_index: node.create_index,
        modify_index: node.modify_index,
    }
}

/// How many nodes there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_nodes_count(nodes: *const consul_nodes) -> usize {
    handle::read(nodes, 0, Listing::count)
}

/// One of the nodes; NULL past the end. Borrowed: valid until `nodes` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_nodes_at(nodes: *const consul_nodes, index: usize) -> *const consul_node {
    handle::read(nodes, ptr::null(), |nodes| nodes.at(index))
}

/// What the answer's headers say. Borrowed: valid until `nodes` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_nodes_meta(nodes: *const consul_nodes) -> *const consul_meta {
    handle::read(nodes, ptr::null(), Listing::meta)
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_nodes_free(nodes: *mut consul_nodes) {
    handle::free(nodes);
}
