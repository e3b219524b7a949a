//! What the agent knows: one index for all changes, and the tables.

mod agenda;
mod alias;
mod catalog;
mod events;
mod kv;
mod local;
mod sessions;
mod sync;

pub(super) use agenda::{Agenda, Due};
pub(super) use catalog::*;
pub(super) use events::{Event, Events};
pub(super) use kv::{Entry, Kv, Written};
pub(super) use local::Local;
pub(super) use sessions::{Behavior, ServiceCheck, Session, Sessions};

use crate::sync::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// What the agent knows. A clone is cheap, and is what the state was at that moment: a table is
/// copied by the first change after it.
#[derive(Clone)]
pub(super) struct State {
    /// The index of the latest change.
    pub(super) index: u64,
    /// The agent's time, as whoever looks at the state has set it.
    pub(super) now: Instant,
    began: Instant,
    /// False where a test has ordered that there is none.
    pub(super) has_leader: bool,
    /// The shortest TTL of a session, in nanoseconds: Consul's `session_ttl_min`.
    pub(super) shortest_ttl: i64,
    /// Counts up with everything that a blocked query may wait for.
    pub(super) version: u64,
    pub(super) agenda: Agenda,
    kv: Arc<Kv>,
    sessions: Arc<Sessions>,
    catalog: Arc<Catalog>,
    local: Arc<Local>,
    events: Arc<Events>,
    /// What an agent's cache would have: what was asked of it.
    pub(super) cached: Arc<Mutex<BTreeSet<String>>>,
    /// Where nodes are, until the next batch.
    coordinates: Vec<Coordinate>,
}

impl State {
    pub(super) fn new(now: Instant) -> State {
        let mut state = State {
            // What a Consul has written by itself before anybody can ask.
            index: 10,
            now,
            began: now,
            has_leader: true,
            shortest_ttl: 10_000_000_000,
            version: 0,
            agenda: Agenda::default(),
            kv: Arc::default(),
            sessions: Arc::default(),
            catalog: Arc::default(),
            local: Arc::default(),
            events: Arc::default(),
            cached: Arc::default(),
            coordinates: Vec::new(),
        };
        state.found();
        state
    }

    /// Begins a change: its index.
    pub(super) fn next_index(&mut self) -> u64 {
        self.index += 1;
        self.version += 1;
        self.index
    }

    /// Takes back what has changed since `before`, but for the count of changes.
    pub(super) fn roll_back(&mut self, before: State) {
        let (index, version) = (self.index, self.version);
        *self = State { index, version, ..before };
    }

    /// Something changed that has no index: what only the agent itself knows.
    pub(super) fn note_change(&mut self) {
        self.version += 1;
    }

    pub(super) fn kv(&self) -> &Kv {
        &self.kv
    }

    pub(super) fn kv_mut(&mut self) -> &mut Kv {
        Arc::make_mut(&mut self.kv)
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) fn sessions_mut(&mut self) -> &mut Sessions {
        Arc::make_mut(&mut self.sessions)
    }

    fn has_node(&self, name: &str) -> bool {
        self.catalog.node(name).is_some()
    }

    fn check_status(&self, node: &str, check: &str) -> Option<&str> {
        self.catalog.check(node, check).map(|check| check.status.as_str())
    }

    /// Lets the time go on to `now`: does what was due until then, each at its own time.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some((at, due)) = self.agenda.take_due(now) {
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = self.now.max(now);
        self.follow_aliases();
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::CheckOutput(id) => self.output_due(&id),
            Due::CheckTtl(id) => self.check_expired(&id),
            Due::Coordinates => self.coordinates_due(),
            Due::Reap(id) => self.reap(&id),
            Due::Sync => self.sync_all(),
            Due::Session(id) => {
                let index = self.next_index();
                // Its id was good when it was made.
                let _ = self.session_destroy(index, &id);
            }
            Due::Tombstones(index) => {
                self.next_index();
                self.kv_mut().reap(index);
            }
        }
    }
}
