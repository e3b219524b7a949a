//! What arrives in a queue.

use crate::error::{Error, Result, Status};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an event tells. Numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum EventKind {
    /// An operation ended.
    Done = 1,
    /// The first state of a watch is complete.
    WatchReady = 2,
    /// What is watched has changed.
    WatchChanged = 3,
    /// Consul cannot be asked, or can be asked again.
    WatchHealth = 4,
    /// A watch has ended.
    WatchEnded = 5,
    /// The log has records.
    Log = 6,
    /// A lock, or a semaphore's slot, was lost.
    LockLost = 7,
    /// A kept session was lost.
    SessionLost = 8,
    /// Addresses of a client have changed.
    EndpointChanged = 9,
    /// Nothing more is told of a client's addresses.
    EndpointEnded = 10,
    /// Another one leads, or nobody.
    ElectionChanged = 12,
    /// This candidate leads.
    ElectionWon = 13,
    /// It does not lead any more.
    ElectionLost = 14,
    /// An election has ended.
    ElectionEnded = 15,
    /// Nodes have joined a cluster.
    ClusterJoined = 16,
    /// Nodes have left a cluster.
    ClusterLeft = 17,
    /// Nodes of a cluster are otherwise than before.
    ClusterChanged = 18,
    /// Another node of a cluster leads.
    ClusterLeader = 19,
    /// Some keys belong to another node of a cluster.
    ClusterRing = 20,
    /// A cluster was left.
    ClusterEnded = 21,
}

/// One thing that arrived.
pub struct Event {
    /// What it tells.
    pub kind: EventKind,
    /// The tag of its activity.
    pub tag: u64,
    /// What it says.
    pub content: Content,
}

/// What an event says.
pub struct Content {
    /// How it went.
    pub outcome: Result<Status>,
    /// What came out of it, for who knows the type.
    pub result: Option<Box<dyn Any + Send>>,
}

impl Content {
    /// Nothing but how it went.
    pub fn plain(outcome: Result<Status>) -> Content {
        Content { outcome, result: None }
    }
}

/// An event that nobody has read yet.
pub(super) struct Arrival {
    pub(super) kind: EventKind,
    pub(super) tag: u64,
    /// With it an operation ends.
    pub(super) counted: bool,
    pub(super) content: Box<dyn FnOnce() -> Content + Send>,
}

impl Arrival {
    /// Makes what it says. An activity has its last event even where this panics.
    pub(super) fn read(self) -> Event {
        let content = catch_unwind(AssertUnwindSafe(self.content)).unwrap_or_else(|payload| {
            std::mem::forget(payload); // Its own drop could panic.
            let message = "a fault in the library: an answer could not be read";
            Content::plain(Err(Error::new(Status::Internal, message)))
        });
        Event { kind: self.kind, tag: self.tag, content }
    }
}
