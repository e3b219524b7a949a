//! What the handle of a cluster, its watch and the lane share.

use super::leaving::left;
use super::member::Record;
use super::presence::Tending;
use super::roster::Roster;
use super::spec::{Checked, Place};
use super::state::{ClusterListener, ClusterNews, ClusterState};
use crate::api::session::SessionSpec;
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::recipes::election::{Election, ElectionSpec};
use crate::recipes::owned::Background;
use crate::recipes::session::OwnSession;
use crate::recipes::turn::Turn;
use crate::ring::Ring;
use crate::runtime::{Leaving, Order, Resident, Signal, Task, TaskId};
use crate::sync::{Mutex, MutexGuard};
use crate::watch::{Notice, Watch, WatchSpec};
use arc_swap::{ArcSwap, ArcSwapOption};
use once_cell::sync::OnceCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A cluster, shared.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) place: Place,
    pub(super) session: SessionSpec,
    pub(super) options: Options,
    pub(super) min_nodes: usize,
    presence: Mutex<Presence>,
    /// Held during every exchange about its own key. The lane waits for nobody who has it.
    pub(super) turn: Turn,
    pub(super) current: ArcSwap<ClusterState>,
    /// Only who makes a new state has it.
    pub(super) roll: Mutex<Roll>,
    pub(super) ring: Ring,
    pub(super) watch: OnceCell<Watch>,
    pub(super) election: OnceCell<Election>,
    pub(super) listener: Mutex<Option<Arc<ClusterListener>>>,
    pub(super) changed: Signal,
    pub(super) ended: ArcSwapOption<Error>,
    pub(super) tending: TaskId,
    pub(super) settling: TaskId,
    pub(super) me: Weak<Shared>,
}

/// This member's own key.
pub(super) struct Presence {
    pub(super) phase: Phase,
    pub(super) record: Record,
    /// One more with each change of the record.
    pub(super) revision: u64,
    pub(super) session: Option<OwnSession>,
    pub(super) progress: Progress,
    /// The log has it that it joined.
    pub(super) told: bool,
    pub(super) leaving: Option<Leaving>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The key is to be taken, or written anew.
    Joining,
    Joined,
    /// It is to be deleted; given up after this time, when the session has ended by itself.
    Leaving(Duration),
    Gone,
}

pub(super) struct Roll {
    pub(super) roster: Roster,
    /// The state of the watch that the roster has.
    pub(super) seen: u64,
}

impl Shared {
    pub(super) fn start(client: &Client, spec: Checked) -> Result<Arc<Shared>> {
        client.upkeep().lane.check_open()?;
        let shared = Arc::new_cyclic(|me| Shared {
            client: client.unbounded().on_upkeep(),
            place: spec.place,
            session: spec.session,
            options: spec.options,
            min_nodes: spec.min_nodes,
            presence: Mutex::new(Presence {
                phase: Phase::Joining,
                record: spec.record,
                revision: 1,
                session: None,
                progress: Progress::default(),
                told: false,
                leaving: None,
            }),
            turn: Turn::default(),
            current: ArcSwap::default(),
            roll: Mutex::new(Roll { roster: Roster::new(spec.damping), seen: 0 }),
            ring: Ring::new(),
            watch: OnceCell::new(),
            election: OnceCell::new(),
            listener: Mutex::new(None),
            changed: Signal::default(),
            ended: ArcSwapOption::empty(),
            tending: TaskId::new(),
            settling: TaskId::new(),
            me: me.clone(),
        });
        shared.watch_nodes(client)?;
        shared.run_for_leader(client, spec.campaigns, spec.lock_delay)?;
        let resident: Weak<dyn Resident> = shared.me.clone();
        client.upkeep().enter(resident);
        shared.schedule_tending()?;
        Ok(shared)
    }

    fn watch_nodes(&self, client: &Client) -> Result<()> {
        let spec = WatchSpec::prefix(&self.place.nodes_prefix).options(&self.options);
        let me = self.me.clone();
        let watch = client.watch_with(spec, move |_: Notice| {
            if let Some(shared) = me.upgrade() {
                shared.wake_settling();
            }
        })?;
        let _ = self.watch.set(watch);
        // What was found before it could be reached from here.
        self.wake_settling();
        Ok(())
    }

    /// Sees who leads, and campaigns where it is to.
    fn run_for_leader(&self, client: &Client, campaigns: bool, delay: Duration) -> Result<()> {
        let spec = ElectionSpec::new(&self.place.leader_key)
            .value(self.place.id.as_bytes())
            .session_ttl(self.session.time_to_live())
            .lock_delay(delay)
            // Of a cluster that nobody is in any more nothing stays.
            .ephemeral(true)
            .observe_only(!campaigns)
            .options(&self.options);
        let election = client.election(spec)?;
        let me = self.me.clone();
        election.set_listener(Some(Box::new(move |_| {
            if let Some(shared) = me.upgrade() {
                shared.wake_settling();
            }
        })))?;
        let _ = self.election.set(election);
        self.wake_settling();
        Ok(())
    }

    pub(super) fn is_leader(&self) -> bool {
        self.election.get().is_some_and(Election::is_leader)
    }

    /// The id of the leader, as it was seen last, and whether it is this node. Its own key tells so a
    /// moment before this node knows it, and may tell so for a moment afterwards: nobody leads then.
    pub(super) fn lead(&self) -> (Option<String>, bool) {
        let leadership = self.election.get().map(Election::leadership).unwrap_or_default();
        let (leader, leads) = (leadership.leader, leadership.is_self);
        let id = leader.map(|leader| String::from_utf8_lossy(&leader.value).into_owned());
        (id.filter(|id| leads || *id != self.place.id), leads)
    }

    /// The id of the leader: as it was seen last where it is another node, at this moment where it is
    /// this one.
    pub(super) fn leader(&self) -> Option<String> {
        if self.is_leader() {
            return Some(self.place.id.clone());
        }
        let state = self.glance();
        state.leader.clone().filter(|_| !state.leads)
    }

    pub(super) fn now(&self) -> Duration {
        self.client.upkeep().clock.now()
    }

    pub(super) fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock()
    }

    pub(super) fn state(&self) -> Arc<ClusterState> {
        self.current.load_full()
    }

    /// The same without counting who has it.
    pub(super) fn glance(&self) -> arc_swap::Guard<Arc<ClusterState>> {
        self.current.load()
    }

    /// How long ago Consul confirmed the list of members.
    pub(super) fn age(&self) -> Option<Duration> {
        self.watch.get()?.age()
    }

    /// Changes what it says of itself, and has that written.
    pub(super) fn change(&self, change: impl FnOnce(&mut Record)) -> Result<()> {
        {
            let mut presence = self.presence();
            if !matches!(presence.phase, Phase::Joining | Phase::Joined) {
                return Err(left());
            }
            let before = presence.record.clone();
            change(&mut presence.record);
            if presence.record == before {
                return Ok(());
            }
            presence.revision += 1;
            presence.phase = Phase::Joining;
        }
        self.wake_tending();
        Ok(())
    }

    pub(super) fn stats(&self) -> Stats {
        let now = self.now();
        let presence = self.presence();
        let word = match presence.phase {
            Phase::Joining => "joining",
            Phase::Joined => "joined",
            Phase::Leaving(_) => "leaving",
            Phase::Gone => "left",
        };
        presence.progress.stats(word, now)
    }

    /// Whether Consul has its key, and the list of members has it too.
    fn is_joined(&self) -> bool {
        let session = {
            let presence = self.presence();
            let own = presence.session.as_ref().filter(|_| presence.phase == Phase::Joined);
            own.map(|own| own.0.id().to_string())
        };
        let state = self.current.load();
        session.is_some() && state.member(&self.place.id).is_some_and(|me| me.session == session)
    }

    /// Waits until it is a member that sees itself.
    pub(super) async fn wait_joined(
        &self,
        client: &Client<Either>,
        timeout: Duration,
    ) -> Result<()> {
        if self.wait(client, timeout, || self.is_joined()).await? {
            return Ok(());
        }
        let why = self.stats().last_error;
        let why = why.map_or("Consul has not answered yet".to_string(), |error| error.to_string());
        let message = format!("{} has not joined within {timeout:?}: {why}", self.place.node_key);
        Err(Error::new(Status::Timeout, message))
    }

    /// Waits for a state that is newer than this version. False when there was none in time.
    pub(super) async fn wait_newer(
        &self,
        client: &Client<Either>,
        version: u64,
        timeout: Duration,
    ) -> Result<bool> {
        self.wait(client, timeout, || self.current.load().version > version).await
    }

    async fn wait(
        &self,
        client: &Client<Either>,
        timeout: Duration,
        holds: impl Fn() -> bool,
    ) -> Result<bool> {
        client.wait_unless_ended(&self.changed, &self.ended, timeout, holds).await
    }

    /// Has this listener told from now on, and no other.
    pub(super) fn listen(&self, listener: Option<ClusterListener>) -> Result<()> {
        // Under the lock of the roll, so that nothing is told twice or not at all.
        let _roll = self.roll.lock();
        if let Some(error) = self.ended.load_full() {
            return Err(Error::clone(&error));
        }
        let before = std::mem::replace(&mut *self.listener.lock(), listener.map(Arc::new));
        drop(before);
        Ok(())
    }

    pub(super) fn tell(&self, news: Vec<ClusterNews>) {
        let listener = self.listener.lock().clone();
        let Some(listener) = listener else { return };
        for news in news {
            listener(news);
        }
    }

    pub(super) fn wake_tending(&self) {
        if self.schedule_tending().is_err() {
            // The client is closed, or no thread can be started at all.
            self.evict();
        }
    }

    fn schedule_tending(&self) -> Result<()> {
        let Some(me) = self.me.upgrade() else { return Ok(()) };
        let task: Arc<dyn Task> = Arc::new(Tending(me));
        self.client.upkeep().lane.schedule(self.tending, &task, self.now())
    }
}

impl Background for Shared {
    const NOUN: &'static str = "cluster";

    fn client(&self) -> &Client {
        &self.client
    }

    fn abandon(&self) {
        self.leave_on_lane(None);
    }
}

/// Its key is a lock, so it is given back before the sessions end.
impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Locks
    }

    fn leave(&self, leaving: Leaving) {
        self.leave_on_lane(Some(leaving));
    }

    fn evict(&self) {
        self.end(&Error::new(Status::Closed, "the client is closed"));
        self.finish();
    }
}
