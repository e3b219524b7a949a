//! # Consistent-hash rings
//!
//! A ring tells which node a key belongs to, the same in every program and language: by MurmurHash3
//! x64 128, as published, over 160 points for each unit of a node's weight. A node that goes gives
//! away its own keys alone. Nothing here asks Consul; `consul_cluster_node_for_key` looks up in a ring
//! that follows the living members of a cluster.
//!
//! Any thread may look up while another one changes the ring: a look-up takes no lock.
//!
//! ```c
//! consul_ring *ring = NULL;
//! consul_ring_new(0, &ring);
//! consul_ring_add(ring, "cache-1", 1);
//! consul_ring_add(ring, "cache-2", 2);
//! puts(consul_ring_node_for_key(ring, (const uint8_t *)"user/17", 7));
//! consul_ring_free(ring);
//! ```

use super::guard::guard;
use super::handle::{self, Handle};
use super::keys::{self, consul_keys};
pub use super::kind::consul_ring;
use super::lent::lend;
use super::status::consul_status;
use super::{input, output};
use crate::error::Status;
use crate::ring::{DEFAULT_VIRTUAL_NODES, Ring, RingNode};
use std::ffi::c_char;
use std::ptr;

impl Handle for consul_ring {
    type Object = Ring;
}

/// Makes a ring without nodes. `virtual_nodes` is how many points a node has for each unit of its
/// weight, 1 to 10,000; 0 for 160. Programs that share keys must use the same number. Free it with
/// `consul_ring_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_new(
    virtual_nodes: u32,
    out: *mut *mut consul_ring,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let count = if virtual_nodes == 0 { DEFAULT_VIRTUAL_NODES } else { virtual_nodes };
        out.give(Ring::with_virtual_nodes(count)?)
    })
}

/// Adds a node of this weight, 1 to 1,000, or gives one that is there this weight.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_add(
    ring: *const consul_ring,
    node: *const c_char,
    weight: u32,
) -> consul_status {
    guard(|| {
        let ring = handle::get(ring)?;
        // SAFETY: pointers as the header asks for.
        ring.add(unsafe { input::required_str(node, "node") }?, weight)?;
        Ok(Status::Ok)
    })
}

/// Removes a node. `CONSUL_NOT_FOUND` when it was not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_remove(
    ring: *const consul_ring,
    node: *const c_char,
) -> consul_status {
    guard(|| {
        let ring = handle::get(ring)?;
        // SAFETY: pointers as the header asks for.
        let removed = ring.remove(unsafe { input::required_str(node, "node") }?);
        Ok(if removed { Status::Ok } else { Status::NotFound })
    })
}

/// Gives the ring these nodes and no others, in one step. `weights`, one for each node, may be NULL,
/// for 1 each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_set(
    ring: *const consul_ring,
    nodes: *const *const c_char,
    node_count: usize,
    weights: *const u32,
) -> consul_status {
    guard(|| {
        let ring = handle::get(ring)?;
        // SAFETY: pointers as the header asks for.
        let nodes = unsafe { input::str_list(nodes, node_count, "nodes") }?;
        let weights = match weights.is_null() {
            true => vec![1; nodes.len()],
            // SAFETY: as above.
            false => unsafe { input::numbers(weights, node_count, "weights") }?.to_vec(),
        };
        ring.set(nodes.into_iter().zip(weights))?;
        Ok(Status::Ok)
    })
}

/// The node that a key belongs to; NULL where there are no nodes. Borrowed: valid until the calling
/// thread looks up again, in any ring or cluster.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_node_for_key(
    ring: *const consul_ring,
    key: *const u8,
    key_len: usize,
) -> *const c_char {
    handle::read(ring, ptr::null(), |ring| {
        // SAFETY: pointers as the header asks for.
        let Ok(key) = (unsafe { input::bytes(key, key_len, "key") }) else { return ptr::null() };
        let state = ring.glance();
        let node = state.node_for_key(key).map(RingNode::c_name);
        node.filter(|_| lend(&state)).map_or(ptr::null(), |name| name.as_ptr())
    })
}

/// The node that a key belongs to, and those that it would belong to without the ones before: `count`
/// different nodes, or all where there are fewer. Free it with `consul_keys_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_replicas_for_key(
    ring: *const consul_ring,
    key: *const u8,
    key_len: usize,
    count: usize,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let ring = handle::get(ring)?;
        // SAFETY: as above.
        let key = unsafe { input::bytes(key, key_len, "key") }?;
        let state = ring.state();
        out.give(names(&state.replicas_for_key(key, count)))
    })
}

/// The names of the nodes, sorted byte by byte. Free it with `consul_keys_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_nodes(
    ring: *const consul_ring,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let state = handle::get(ring)?.state();
        out.give(names(&state.nodes().iter().collect::<Vec<_>>()))
    })
}

/// How many nodes there are.
#[unsafe(no_mangle)]
pub extern "C" fn consul_ring_count(ring: *const consul_ring) -> usize {
    handle::read(ring, 0, |ring| ring.glance().nodes().len())
}

/// The weight of a node; 0 when it is not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_ring_weight(ring: *const consul_ring, node: *const c_char) -> u32 {
    handle::read(ring, 0, |ring| {
        // SAFETY: pointers as the header asks for.
        let Ok(node) = (unsafe { input::required_str(node, "node") }) else { return 0 };
        ring.glance().node(node).map_or(0, RingNode::weight)
    })
}

/// 0 for a ring that never had a node, and one more with each change.
#[unsafe(no_mangle)]
pub extern "C" fn consul_ring_version(ring: *const consul_ring) -> u64 {
    handle::read(ring, 0, |ring| ring.glance().version())
}

/// Ends a ring. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_ring_free(ring: *mut consul_ring) {
    handle::free(ring);
}

fn names(nodes: &[&RingNode]) -> <consul_keys as Handle>::Object {
    keys::plain(nodes.iter().map(|node| node.name()))
}
