//! A cluster as it was at one moment, and what is told of its changes.

use super::member::{Member, MemberState};
use crate::error::Error;
use crate::ring::RingState;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A cluster as it was at one moment. It never changes; a newer one takes its place.
#[derive(Default)]
pub struct ClusterState {
    pub(super) version: u64,
    /// By id.
    pub(super) members: Vec<Member>,
    pub(super) leader: Option<String>,
    /// This node led; it is asked for anew by who wants to know.
    pub(super) leads: bool,
    pub(super) ring: Arc<RingState>,
    /// The member of each node of the ring.
    pub(super) seats: Vec<usize>,
}

impl ClusterState {
    pub(super) fn new(
        version: u64,
        members: Vec<Member>,
        (leader, leads): (Option<String>, bool),
        ring: Arc<RingState>,
    ) -> ClusterState {
        let seats = Vec::new();
        let mut state = ClusterState { version, members, leader, leads, ring, seats };
        let seat = |name| state.find(name).unwrap_or_default();
        state.seats = state.ring.nodes().iter().map(|node| seat(node.name())).collect();
        state
    }

    /// 0 before anything was found; it grows with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Everybody who is or was a member, by id: alive, suspect, and for ten minutes at least those
    /// that have left.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of this id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(self.find(id)?)
    }

    /// How many live.
    pub fn living(&self) -> usize {
        self.members.iter().filter(|member| member.session.is_some()).count()
    }

    /// The id of the leader, as it was seen last. Whether it is this node still tells
    /// [`Cluster::leader`](super::Cluster::leader).
    pub fn leader(&self) -> Option<&str> {
        self.leader.as_deref()
    }

    /// The ring that keys are looked up in; its version grows with each change of who owns what.
    pub fn ring(&self) -> &Arc<RingState> {
        &self.ring
    }

    /// The member that a key belongs to; `None` before anything was found.
    pub fn node_for_key(&self, key: &[u8]) -> Option<&Member> {
        self.members.get(self.place_for_key(key)?)
    }

    /// The member that a key belongs to, and those that it would belong to without the ones before:
    /// `count` different ones, or all of the ring where there are fewer.
    pub fn replicas_for_key(&self, key: &[u8], count: usize) -> Vec<&Member> {
        let places = self.places_for_key(key, count);
        places.into_iter().filter_map(|place| self.members.get(place)).collect()
    }

    /// The place among the members of the one that a key belongs to.
    pub(crate) fn place_for_key(&self, key: &[u8]) -> Option<usize> {
        self.seats.get(self.ring.place_for_key(key)?).copied()
    }

    /// The places of those that [`ClusterState::replicas_for_key`] gives.
    pub(crate) fn places_for_key(&self, key: &[u8], count: usize) -> Vec<usize> {
        let replicas = self.ring.replicas_for_key(key, count);
        replicas.into_iter().filter_map(|node| self.find(node.name())).collect()
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.members.binary_search_by(|member| member.id.as_str().cmp(id)).ok()
    }
}

/// What a listener is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClusterNews {
    /// They are members now.
    Joined(Vec<Member>),
    /// They are members no more.
    Left(Vec<Member>),
    /// They say something else of themselves, live by another session, or are suspect, or not any
    /// more.
    Changed(Vec<Member>),
    /// This member leads now, or none; told too when this node has begun or ceased to lead.
    Leader(Option<String>),
    /// Some keys belong to another member than before.
    Ring,
    /// Nothing more comes: it was left, dropped, or its client was closed.
    Ended(Error),
}

/// Hears of changes, on a thread of the library and one at a time; it must not block, nor
/// listen, leave or drop the cluster. The state has changed already.
pub type ClusterListener = Box<dyn Fn(ClusterNews) + Send + Sync>;

/// What has changed from one state to a later one.
pub(super) fn news(before: &ClusterState, after: &ClusterState) -> Vec<ClusterNews> {
    let known: BTreeMap<&str, &Member> =
        before.members.iter().map(|member| (member.id.as_str(), member)).collect();
    let was = |member: &Member| known.get(member.id.as_str()).copied();
    let was_there = |member: &Member| was(member).is_some_and(Member::is_present);
    let of = |wanted: &dyn Fn(&Member) -> bool| -> Vec<Member> {
        after.members.iter().filter(|member| wanted(member)).cloned().collect()
    };
    let joined = of(&|member| member.is_present() && !was_there(member));
    let left = of(&|member| !member.is_present() && was_there(member));
    let changed = of(&|member| {
        member.is_present()
            && was_there(member)
            && was(member).is_some_and(|was| differs(was, member))
    });
    let mut news = Vec::new();
    if !joined.is_empty() {
        news.push(ClusterNews::Joined(joined));
    }
    if !left.is_empty() {
        news.push(ClusterNews::Left(left));
    }
    if !changed.is_empty() {
        news.push(ClusterNews::Changed(changed));
    }
    if before.leader != after.leader || before.leads != after.leads {
        news.push(ClusterNews::Leader(after.leader.clone()));
    }
    if before.ring.version() != after.ring.version() {
        news.push(ClusterNews::Ring);
    }
    news
}

/// Whether there is something to tell; since when it is so follows from the rest.
fn differs(before: &Member, after: &Member) -> bool {
    Member { since_ms: after.since_ms, ..before.clone() } != *after
}

/// Whether two lists say the same. When somebody left is not told twice.
pub(super) fn same(before: &[Member], after: &[Member]) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|(before, after)| {
            !differs(before, after)
                && (before.since_ms == after.since_ms || after.state == MemberState::Left)
        })
}
