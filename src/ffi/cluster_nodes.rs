//! Nodes of a cluster, as they were at one moment.

use super::arena::{Arena, Row, Rows, RowsBuilder};
use super::handle::{self, Handle};
pub use super::kind::consul_cluster_nodes;
use crate::recipes::cluster::{ClusterState, Member, MemberState};
use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

/// Its session lives.
pub const CONSUL_CLUSTER_NODE_ALIVE: i32 = 1;
/// Its session has ended, and it stays in the ring as long as it may come back soon; or it came back,
/// and has to last for a while before it is in the ring again.
pub const CONSUL_CLUSTER_NODE_SUSPECT: i32 = 2;
/// It is not in the cluster any more.
pub const CONSUL_CLUSTER_NODE_LEFT: i32 = 3;

/// A node of a cluster.
#[repr(C)]
#[derive(Debug)]
pub struct consul_cluster_node {
    /// Its id, which no other member has.
    pub id: *const c_char,
    /// The bytes in `id`.
    pub id_len: usize,
    /// Where it is reached, in its own words.
    pub address: *const c_char,
    /// The bytes in `address`.
    pub address_len: usize,
    /// How large its share of the keys is, beside the others' weights.
    pub weight: u32,
    /// How it is, `CONSUL_CLUSTER_NODE_...`.
    pub state: i32,
    /// The id of the session that it lives by; empty when that has ended.
    pub session_id: *const c_char,
    /// The bytes in `session_id`.
    pub session_id_len: usize,
    /// The keys of its metadata.
    pub meta_keys: *const *const c_char,
    /// Their values, as many.
    pub meta_values: *const *const c_char,
    /// How many `meta_keys` there are.
    pub meta_count: usize,
    /// Since when its state is so, by this machine's clock, in ms since 1970.
    pub since_ms: u64,
    /// Whether it led when this was found.
    pub is_leader: bool,
}

// SAFETY: `row` fills it from an arena alone.
unsafe impl Row for consul_cluster_node {}

/// The rows of one state of a cluster.
pub struct Dressed {
    pub(super) state: Arc<ClusterState>,
    rows: Rows<consul_cluster_node>,
}

impl Dressed {
    pub(super) fn new(state: Arc<ClusterState>) -> Dressed {
        let rows = rows(state.members(), state.leader());
        Dressed { state, rows }
    }

    /// One row, valid as long as `self`; null past the end.
    pub(super) fn at(&self, place: usize) -> *const consul_cluster_node {
        self.rows.at(place)
    }
}

/// Some nodes of a state.
pub struct Nodes {
    dressed: Arc<Dressed>,
    places: Vec<usize>,
}

impl Nodes {
    /// All of them.
    pub(super) fn all(dressed: Arc<Dressed>) -> Nodes {
        let places = (0..dressed.state.members().len()).collect();
        Nodes { dressed, places }
    }

    /// Those in these places.
    pub(super) fn some(dressed: Arc<Dressed>, places: Vec<usize>) -> Nodes {
        Nodes { dressed, places }
    }
}

/// Where nodes come from.
pub enum Object {
    /// A state that others read too.
    State(Nodes),
    /// An event.
    Told(Rows<consul_cluster_node>),
}

impl Object {
    fn count(&self) -> usize {
        match self {
            Object::State(nodes) => nodes.places.len(),
            Object::Told(rows) => rows.count(),
        }
    }

    fn at(&self, index: usize) -> *const consul_cluster_node {
        match self {
            Object::State(nodes) => {
                let place = nodes.places.get(index);
                place.map_or(ptr::null(), |&place| nodes.dressed.at(place))
            }
            Object::Told(rows) => rows.at(index),
        }
    }
}

impl Handle for consul_cluster_nodes {
    type Object = Object;
}

/// Members as rows.
pub(super) fn rows(members: &[Member], leader: Option<&str>) -> Rows<consul_cluster_node> {
    let mut rows = RowsBuilder::with_capacity(members.len(), members.len() * 256);
    for member in members {
        let row = row(&rows.arena, member, leader);
        rows.push(row);
    }
    rows.finish()
}

fn row(arena: &Arena, member: &Member, leader: Option<&str>) -> consul_cluster_node {
    let id = arena.text(&member.id);
    let address = arena.text(&member.address);
    let session_id = arena.text(member.session.as_deref().unwrap_or_default());
    let meta_keys = arena.texts(member.metadata.keys().map(String::as_str));
    let meta_values = arena.texts(member.metadata.values().map(String::as_str));
    consul_cluster_node {
        id: id.ptr,
        id_len: id.len,
        address: address.ptr,
        address_len: address.len,
        weight: member.weight,
        state: match member.state {
            MemberState::Alive => CONSUL_CLUSTER_NODE_ALIVE,
            MemberState::Suspect => CONSUL_CLUSTER_NODE_SUSPECT,
            MemberState::Left => CONSUL_CLUSTER_NODE_LEFT,
        },
        session_id: session_id.ptr,
        session_id_len: session_id.len,
        meta_keys: meta_keys.ptr,
        meta_values: meta_values.ptr,
        meta_count: meta_keys.count,
        since_ms: member.since_ms,
        is_leader: leader == Some(member.id.as_str()),
    }
}

/// How many nodes there are; 0 for a handle that is not live.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_nodes_count(nodes: *const consul_cluster_nodes) -> usize {
    handle::read(nodes, 0, Object::count)
}

/// One of the nodes; NULL past the end. Borrowed: valid until `nodes` is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_nodes_at(
    nodes: *const consul_cluster_nodes,
    index: usize,
) -> *const consul_cluster_node {
    handle::read(nodes, ptr::null(), |nodes| nodes.at(index))
}

/// Ends a list of nodes. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_cluster_nodes_free(nodes: *mut consul_cluster_nodes) {
    handle::free(nodes);
}
