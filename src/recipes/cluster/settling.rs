//! How the state of a cluster comes about: from what its watch finds, and from what has lasted long enough.

use super::member::{Member, Record, Seen};
use super::roster::{Entry, Roster};
use super::shared::{Phase, Presence, Roll, Shared};
use super::state::{ClusterState, news, same};
use crate::error::Error;
use crate::runtime::Task;
use crate::watch::{Content, State, Watch};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What is to be done once the roll is not locked any more.
struct Settled {
    /// When to come back.
    due: Option<Duration>,
    /// Its own key was lost.
    is_lost: bool,
    /// Keys of members that died long ago, which are for this one to delete.
    abandoned: Vec<(String, u64)>,
}

impl Shared {
    pub(super) fn wake_settling(&self) {
        let Some(me) = self.me.upgrade() else { return };
        let task: Arc<dyn Task> = Arc::new(Settling(me));
        let _ = self.client.upkeep().lane.schedule(self.settling, &task, self.now());
    }

    /// Takes over what the watch has found, and what has settled. Gives when to come back.
    fn settle(&self) -> Option<Duration> {
        if self.ended.load().is_some() {
            return None;
        }
        let settled = self.settle_roll(&mut self.roll.lock());
        if settled.is_lost {
            self.wake_tending();
        }
        if !settled.abandoned.is_empty() {
            self.forget(settled.abandoned);
        }
        settled.due
    }

    fn settle_roll(&self, roll: &mut Roll) -> Settled {
        let (now, mut is_lost) = (self.now(), false);
        let state = self.watch.get().map(Watch::state);
        if let Some(state) = state.filter(|state| state.version() > roll.seen) {
            roll.seen = state.version();
            roll.roster.update(self.read(&state), now);
            is_lost = self.has_lost_key(&state);
        }
        let mut abandoned = roll.roster.abandoned(now);
        if !self.is_first(&roll.roster) {
            abandoned.clear();
        }
        let due = roll.roster.settle(now);
        if roll.seen > 0 {
            self.publish(&roll.roster, now);
        }
        Settled { due, is_lost, abandoned }
    }

    /// Whether it does what one of the members is to do.
    fn is_first(&self, roster: &Roster) -> bool {
        let first = roster.first().and_then(|entry| entry.session.as_deref());
        let presence = self.presence();
        let own = presence.session.as_ref().filter(|_| presence.phase == Phase::Joined);
        own.is_some_and(|own| Some(own.0.id()) == first)
    }

    fn read(&self, state: &State) -> Vec<Seen> {
        let pairs = state.content().map(Content::pairs).unwrap_or_default();
        pairs.iter().filter_map(|pair| Seen::of(pair, &self.place.nodes_prefix)).collect()
    }

    /// Whether somebody has deleted its key, or taken it: then it joins again.
    fn has_lost_key(&self, state: &State) -> bool {
        let mut presence = self.presence();
        if presence.phase != Phase::Joined || self.is_ours(state, &presence) {
            return false;
        }
        // What the watch found may be older than what was written, which costs a request.
        presence.phase = Phase::Joining;
        true
    }

    fn is_ours(&self, state: &State, presence: &Presence) -> bool {
        let own = state.content().and_then(|content| content.pair(&self.place.node_key));
        let holder = own.and_then(|pair| pair.session.as_deref());
        presence.session.as_ref().map(|own| own.0.id()) == holder
    }

    /// Whether the watch has seen since the write of this index that its key is not its own.
    pub(super) fn is_lost_since(&self, index: u64, presence: &Presence) -> bool {
        let state = self.watch.get().map(Watch::state);
        state.is_some_and(|state| state.index() >= index && !self.is_ours(&state, presence))
    }

    fn publish(&self, roster: &Roster, now: Duration) {
        let in_ring = roster.entries().filter(|entry| entry.in_ring);
        // Ids and weights were checked when they were read.
        let _ = self.ring.set(in_ring.map(|entry| (&entry.record.id, entry.record.weight)));
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let members = roster.entries().map(|entry| {
            let since = epoch.saturating_sub(now.saturating_sub(entry.since));
            member(entry, since)
        });
        let (before, (leader, leads)) = (self.state(), self.lead());
        let members = keep_times(&before.members, members.collect());
        let (ring, version) = (self.ring.state(), before.version + 1);
        let is_news = version == 1
            || before.ring.version() != ring.version()
            || before.leader != leader
            || before.leads != leads
            || !same(&before.members, &members);
        if !is_news {
            return;
        }
        let after = Arc::new(ClusterState::new(version, members, (leader, leads), ring));
        self.current.store(after.clone());
        self.changed.ring();
        self.tell(news(&before, &after));
    }
}

/// Makes a new state when there is something new, or something has lasted long enough.
struct Settling(Arc<Shared>);

impl Task for Settling {
    fn uses_network(&self) -> bool {
        false
    }

    fn step(&self) -> Option<Duration> {
        self.0.settle()
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        None
    }
}

fn member(entry: &Entry, since: Duration) -> Member {
    let Record { id, address, weight, metadata } = entry.record.clone();
    let since_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Member {
        id,
        address,
        weight,
        metadata,
        state: entry.state(),
        session: entry.session.clone(),
        since_ms,
    }
}

/// The clocks that a time is made of do not go alike: what has not changed keeps its time.
fn keep_times(before: &[Member], mut after: Vec<Member>) -> Vec<Member> {
    for member in &mut after {
        let known = before.binary_search_by(|known| known.id.cmp(&member.id));
        let known = known.ok().and_then(|at| before.get(at));
        if let Some(known) = known.filter(|known| known.state == member.state) {
            member.since_ms = known.since_ms;
        }
    }
    after
}
