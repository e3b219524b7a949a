//! What a watch has found, as the rows that C reads: made once for each state, before anybody can
//! read it, and shared by all views.

use super::arena::Rows;
use super::catalog::{self, consul_service_name};
use super::checks::{self, consul_check};
use super::kv::{self, consul_kv_pair};
use super::nodes::{self, consul_node};
use super::service_entries::{self, consul_service_entry};
use super::user_events::{self, consul_user_event};
use crate::watch::{Companion, Content};
use std::collections::HashMap;
use std::sync::Arc;

/// The rows of one state.
pub(super) struct Dressed {
    pub(super) rows: Kinds,
    /// Where the row of a key is, or of an instance's id: the first one of several.
    places: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
}

/// Rows of each kind.
pub(super) enum Kinds {
    Pairs(Rows<consul_kv_pair>),
    Entries(Rows<consul_service_entry>),
    Names(Rows<consul_service_name>),
    Nodes(Rows<consul_node>),
    Checks(Rows<consul_check>),
    Events(Rows<consul_user_event>),
    /// A body with a NUL after its last byte.
    Body(Vec<u8>),
}

/// Makes the rows of a content.
pub(super) fn dress(content: &Content) -> Companion {
    Some(Arc::new(Dressed::new(content)))
}

impl Dressed {
    fn new(content: &Content) -> Dressed {
        Dressed { rows: Kinds::new(content), places: places(content) }
    }

    /// Where the row of this key or id is.
    #[inline]
    pub(super) fn place(&self, name: &[u8]) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl Kinds {
    fn new(content: &Content) -> Kinds {
        match content {
            Content::Key(_) | Content::Pairs(_) => Kinds::Pairs(kv::rows(content.pairs())),
            Content::Entries(entries) => Kinds::Entries(service_entries::of_health(entries)),
            Content::Services(names) => Kinds::Names(catalog::rows(names)),
            Content::Nodes(nodes) => Kinds::Nodes(nodes::rows(nodes)),
            Content::Checks(checks) => Kinds::Checks(checks::rows(checks)),
            Content::Events(events) => Kinds::Events(user_events::rows(events)),
            Content::Raw(answer) => {
                let mut body = answer.body.clone();
                body.push(0);
                Kinds::Body(body)
            }
        }
    }
}

fn places(content: &Content) -> HashMap<Box<[u8]>, usize, foldhash::fast::RandomState> {
    let pairs = content.pairs().iter().map(|pair| pair.key.as_bytes());
    let entries = content.entries().iter().map(|entry| entry.service.id.as_bytes());
    let mut places = HashMap::default();
    for (place, name) in pairs.enumerate().chain(entries.enumerate()) {
        places.entry(Box::from(name)).or_insert(place);
    }
    places
}
