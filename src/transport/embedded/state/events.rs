//! Events: the latest ones that this agent has heard.

use super::{super::go, State};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many the agent keeps.
const MOST: usize = 256;

/// An event. Its payload may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::transport::embedded) struct Event {
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) name: String,
    pub(in crate::transport::embedded) payload: Vec<u8>,
    pub(in crate::transport::embedded) node_filter: String,
    pub(in crate::transport::embedded) service_filter: String,
    pub(in crate::transport::embedded) tag_filter: String,
    /// The place in the order of all events of the cluster.
    pub(in crate::transport::embedded) ltime: u64,
}

impl Event {
    /// The index of a list that this event ends: both halves of its id, mixed.
    pub(in crate::transport::embedded) fn index(&self) -> u64 {
        let bytes = go::parse_uuid(&self.id).unwrap_or_default();
        let half =
            |bytes: &[u8]| bytes.iter().fold(0_u64, |half, &byte| half << 8 | u64::from(byte));
        let (low, high) = bytes.split_at(bytes.len() / 2);
        half(low) ^ half(high)
    }
}

/// What the agent has heard, and how far the cluster's count of events is.
#[derive(Clone, Debug)]
pub(in crate::transport::embedded) struct Events {
    heard: VecDeque<Event>,
    ltime: u64,
}

impl Default for Events {
    fn default() -> Events {
        // An agent has counted itself when it joined.
        Events { heard: VecDeque::new(), ltime: 1 }
    }
}

impl Events {
    /// From the oldest to the latest.
    pub(in crate::transport::embedded) fn heard(&self) -> impl Iterator<Item = &Event> {
        self.heard.iter()
    }
}

impl State {
    pub(in crate::transport::embedded) fn events(&self) -> &Events {
        &self.events
    }

    /// Sends an event to every agent, which is this one; it keeps it when it is meant.
    pub(in crate::transport::embedded) fn fire(&mut self, event: Event, is_meant: bool) {
        self.note_change();
        let events = Arc::make_mut(&mut self.events);
        events.ltime += 1;
        if !is_meant {
            return;
        }
        if events.heard.len() == MOST {
            events.heard.pop_front();
        }
        events.heard.push_back(Event { ltime: events.ltime, ..event });
    }
}
