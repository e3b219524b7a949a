//! # Operators
//!
//! The servers of Raft, autopilot, and the keys that gossip is encrypted with. A token needs the right
//! `operator`, for the keys `keyring`.

use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::asynchronous::{consul_async, done, ok};
use super::client::consul_client;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_raft_peers;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use crate::api::operator::RaftPeer;
use std::ffi::c_char;
use std::ptr;

/// A server as Raft has it.
#[repr(C)]
#[derive(Debug)]
pub struct consul_raft_peer {
    /// Its id, which is that of its node.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// The name of its node; `(unknown)` for one that is no member any more.
    pub node: *const c_char,
    /// The bytes in `node`.
    pub node_len: usize,
    /// Its address for Raft: `address:port`.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// The version of Raft's protocol.
    pub protocol_version: *const c_char,
    /// The bytes in `protocol_version`.
    pub protocol_version_len: usize,
    /// Whether it leads.
    pub is_leader: bool,
    /// Whether it votes.
    pub is_voter: bool,
}

// SAFETY: `row` fills it from its arena alone.
unsafe impl Row for consul_raft_peer {}

impl Handle for consul_raft_peers {
    type Object = Rows<consul_raft_peer>;
}

fn row(arena: &Arena, peer: &RaftPeer) -> consul_raft_peer {
    let id = arena.text(&peer.id);
    let node = arena.text(&peer.node);
    let address = arena.text(&peer.address);
    let protocol_version = arena.text(&peer.protocol_version);
    consul_raft_peer {
        id: id.ptr,
        id_len: id.len,
        node: node.ptr,
        node_len: node.len,
        address: address.ptr,
        address_len: address.len,
        protocol_version: protocol_version.ptr,
        protocol_version_len: protocol_version.len,
        is_leader: peer.leader,
        is_voter: peer.voter,
    }
}

fn rows(peers: &[RaftPeer]) -> Rows<consul_raft_peer> {
    let mut rows = RowsBuilder::with_capacity(peers.len(), peers.len() * 128);
    for peer in peers {
        let row = row(&rows.arena, peer);
        rows.push(row);
    }
    rows.finish()
}

/// Reads the servers of Raft, those among them that are gone included. With the consistency `stale` any
/// server answers, also while there is no leader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_raft_peers(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_raft_peers,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        let peers = client.operator().raft_peers(&options)?;
        ending.give(out, peers, |peers| done(rows(&peers)))
    })
}

/// Removes a server that is gone for good from Raft, by its id. One that lives is to leave by itself.
/// `CONSUL_ERR_HTTP` when Raft does not have it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_raft_peer_remove(
    client: *const consul_client,
    id: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, "id") }?;
        ending.end(client.operator().remove_raft_peer(id, &options)?, ok)
    })
}

/// As `consul_operator_raft_peer_remove`, by the address for Raft: `address:port`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_operator_raft_address_remove(
    client: *const consul_client,
    address: *const c_char,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let address = unsafe { input::required_str(address, "address") }?;
        ending.end(client.operator().remove_raft_peer_at(address, &options)?, ok)
    })
}

/// How many servers there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_raft_peers_count(peers: *const consul_raft_peers) -> usize {
    handle::read(peers, 0, Rows::count)
}

/// One of the servers; NULL past the end. Borrowed: valid until `peers` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_raft_peers_at(
    peers: *const consul_raft_peers,
    index: usize,
) -> *const consul_raft_peer {
    handle::read(peers, ptr::null(), |peers| peers.at(index))
}

/// Ends an answer. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_raft_peers_free(peers: *mut consul_raft_peers) {
    handle::free(peers);
}
