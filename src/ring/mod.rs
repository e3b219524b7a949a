//! A ring of consistent hashes: which node a key belongs to, the same in every program and language.
//!
//! A node of weight `w` has `w` times 160 points: the first halves of the MurmurHash3 x64 128 (seed
//! 0, as its author published it) of `NAME#0`, `NAME#1` and so on, in UTF-8. A key belongs to the
//! node of the first point that is not below the first half of its own hash; past the last point the
//! first one follows. Of points that fall together that of the lesser name, byte by byte, comes
//! first, so the order in which nodes come decides nothing.
//!
//! ```
//! use consul_ffi::ring::Ring;
//!
//! # fn main() -> consul_ffi::Result<()> {
//! let ring = Ring::new();
//! ring.set([("cache-1", 1), ("cache-2", 1), ("cache-3", 2)])?;
//! let state = ring.state();
//! let node = state.node_for_key(b"user/17").map(|node| node.name());
//! let replicas = state.replicas_for_key(b"user/17", 2);
//! assert_eq!(node, Some(replicas[0].name()));
//! # Ok(())
//! # }
//! ```

pub(crate) mod murmur;
pub(crate) mod points;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::sync::Mutex;
use arc_swap::{ArcSwap, Guard};
use points::{POINTS, Points};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;

/// The greatest weight of a node.
pub const MAX_WEIGHT: u32 = 1000;

/// Points of a node for each unit of its weight, where nobody says otherwise.
pub const DEFAULT_VIRTUAL_NODES: u32 = POINTS;

/// The most points for each unit of weight.
pub const MAX_VIRTUAL_NODES: u32 = 10_000;

/// The most points of a ring: 256 MiB of them.
const MAX_POINTS: u64 = 1 << 24;

/// A ring. Any thread may look up while another one changes it: a look-up takes no lock.
pub struct Ring {
    virtual_nodes: u32,
    changing: Mutex<()>,
    current: ArcSwap<RingState>,
}

/// A node of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingNode {
    name: CString,
    weight: u32,
}

/// A ring as it was at one moment. It never changes.
#[derive(Default)]
pub struct RingState {
    version: u64,
    /// By name.
    nodes: Vec<RingNode>,
    points: Points,
}

impl Default for Ring {
    fn default() -> Ring {
        Ring::new()
    }
}

impl Ring {
    /// A ring without nodes.
    pub fn new() -> Ring {
        let (changing, current) = (Mutex::new(()), ArcSwap::default());
        Ring { virtual_nodes: DEFAULT_VIRTUAL_NODES, changing, current }
    }

    /// A ring whose nodes have this many points for each unit of their weight, 1 to
    /// [`MAX_VIRTUAL_NODES`]. Programs that share keys must use the same number.
    pub fn with_virtual_nodes(virtual_nodes: u32) -> Result<Ring> {
        if !(1..=MAX_VIRTUAL_NODES).contains(&virtual_nodes) {
            return Err(Error::argument(format!(
                "{virtual_nodes} virtual nodes are not allowed, a ring takes 1 to {MAX_VIRTUAL_NODES}"
            )));
        }
        Ok(Ring { virtual_nodes, ..Ring::new() })
    }

    /// Adds a node of this weight, 1 to [`MAX_WEIGHT`], or gives one that is there this weight. Its
    /// name is not empty and has no NUL.
    pub fn add(&self, name: &str, weight: u32) -> Result<()> {
        let node = RingNode::new(name, weight)?;
        let _changing = self.changing.lock();
        let state = self.current.load();
        let (kept, at) = match state.find(name) {
            Ok(at) if state.nodes[at].weight == weight => return Ok(()),
            Ok(at) => (state.without(at), at),
            Err(at) => (state.copy(), at),
        };
        let count = weight * self.virtual_nodes;
        check_points(kept.points.len() as u64 + u64::from(count))?;
        let RingState { mut nodes, points, .. } = kept;
        nodes.insert(at, node);
        self.put(nodes, points.with(at as u32, name, count));
        Ok(())
    }

    /// Removes a node. False when it was not there.
    pub fn remove(&self, name: &str) -> bool {
        let _changing = self.changing.lock();
        let state = self.current.load();
        let Ok(at) = state.find(name) else { return false };
        let RingState { nodes, points, .. } = state.without(at);
        self.put(nodes, points);
        true
    }

    /// Has these nodes with their weights and no others, in one step. Of a name that comes twice the
    /// last weight counts.
    pub fn set<N: AsRef<str>>(&self, nodes: impl IntoIterator<Item = (N, u32)>) -> Result<()> {
        let mut by_name = BTreeMap::new();
        for (name, weight) in nodes {
            let node = RingNode::new(name.as_ref(), weight)?;
            by_name.insert(node.name.clone(), node);
        }
        let nodes: Vec<RingNode> = by_name.into_values().collect();
        let count = |node: &RingNode| u64::from(node.weight) * u64::from(self.virtual_nodes);
        check_points(nodes.iter().map(count).sum())?;
        let _changing = self.changing.lock();
        if self.current.load().nodes == nodes {
            return Ok(());
        }
        let points = nodes.iter().map(|node| (node.name(), node.weight * self.virtual_nodes));
        let points = Points::new(points);
        self.put(nodes, points);
        Ok(())
    }

    /// The ring as it is at this moment, for look-ups that belong together.
    pub fn state(&self) -> Arc<RingState> {
        self.current.load_full()
    }

    /// The same without counting who has it.
    pub(crate) fn glance(&self) -> Guard<Arc<RingState>> {
        self.current.load()
    }

    fn put(&self, nodes: Vec<RingNode>, points: Points) {
        let version = self.current.load().version + 1;
        self.current.store(Arc::new(RingState { version, nodes, points }));
    }
}

impl RingNode {
    fn new(name: &str, weight: u32) -> Result<RingNode> {
        check_node(name, weight)?;
        let name = CString::new(name)
            .map_err(|_| Error::argument("the name of a node has a NUL, which is not allowed"))?;
        Ok(RingNode { name, weight })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        // It was made of a text.
        self.name.to_str().unwrap_or_default()
    }

    /// The same for C.
    pub(crate) fn c_name(&self) -> &CStr {
        &self.name
    }

    /// How large its share is, beside the others' weights.
    pub fn weight(&self) -> u32 {
        self.weight
    }
}

impl RingState {
    /// 0 for a ring that never had a node, and one more with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Its nodes, by name.
    pub fn nodes(&self) -> &[RingNode] {
        &self.nodes
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&RingNode> {
        self.nodes.get(self.find(name).ok()?)
    }

    /// The node that a key belongs to; `None` where there are no nodes.
    pub fn node_for_key(&self, key: &[u8]) -> Option<&RingNode> {
        self.nodes.get(self.points.owner(key))
    }

    /// The place of that node among the nodes.
    pub(crate) fn place_for_key(&self, key: &[u8]) -> Option<usize> {
        (!self.nodes.is_empty()).then(|| self.points.owner(key))
    }

    /// The node that a key belongs to, and those that it would belong to without the ones before:
    /// `count` different nodes, or all where there are fewer.
    pub fn replicas_for_key(&self, key: &[u8], count: usize) -> Vec<&RingNode> {
        let owners = self.points.owners(key, count, self.nodes.len());
        owners.into_iter().filter_map(|at| self.nodes.get(at)).collect()
    }

    fn find(&self, name: &str) -> std::result::Result<usize, usize> {
        self.nodes.binary_search_by(|node| node.name.to_bytes().cmp(name.as_bytes()))
    }

    fn copy(&self) -> RingState {
        let points = self.points.clone();
        RingState { version: self.version, nodes: self.nodes.clone(), points }
    }

    fn without(&self, at: usize) -> RingState {
        let mut nodes = self.nodes.clone();
        nodes.remove(at);
        RingState { version: self.version, nodes, points: self.points.without(at as u32) }
    }
}

/// Refuses what cannot be a node of a ring.
pub(crate) fn check_node(name: &str, weight: u32) -> Result<()> {
    if name.is_empty() {
        return Err(Error::argument("the name of a node is empty"));
    }
    if !(1..=MAX_WEIGHT).contains(&weight) {
        return Err(Error::argument(format!(
            "node \"{}\": the weight {weight} is not allowed, it takes 1 to {MAX_WEIGHT}",
            name.escape_debug()
        )));
    }
    Ok(())
}

fn check_points(count: u64) -> Result<()> {
    if count <= MAX_POINTS {
        return Ok(());
    }
    Err(Error::argument(format!(
        "a ring of {count} points is not allowed, it takes {MAX_POINTS}: weights times virtual nodes"
    )))
}
