//! What the handle of a cluster, its watch and the lane share, and how its state comes about.

use super::member::{Member, Record, Seen};
use super::presence::Tending;
use super::roster::{Entry, Roster};
use super::spec::{Checked, Place};
use super::state::{ClusterListener, ClusterNews, ClusterState, news, same};
use crate::api::session::SessionSpec;
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::recipes::election::{Election, ElectionSpec};
use crate::recipes::session::OwnSession;
use crate::recipes::turn::Turn;
use crate::ring::Ring;
use crate::runtime::{Leaving, Order, Resident, Signal, Task, TaskId};
use crate::sync::{Mutex, MutexGuard};
use crate::sys::fork_generation;
use crate::watch::{Content, Notice, State, Watch, WatchSpec};
use arc_swap::{ArcSwap, ArcSwapOption};
use once_cell::sync::OnceCell;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

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
    current: ArcSwap<ClusterState>,
    /// Only who makes a new state has it.
    roll: Mutex<Roll>,
    ring: Ring,
    watch: OnceCell<Watch>,
    election: OnceCell<Election>,
    listener: Mutex<Option<Arc<ClusterListener>>>,
    pub(super) changed: Signal,
    ended: ArcSwapOption<Error>,
    tending: TaskId,
    settling: TaskId,
    process: u32,
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
    leaving: Option<Leaving>,
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

struct Roll {
    roster: Roster,
    /// The state of the watch that the roster has.
    seen: u64,
}

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
            process: fork_generation(),
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

    /// The id of the leader, as it was seen last: what it wrote.
    fn leader(&self) -> Option<String> {
        let leader = self.election.get()?.leadership().leader?;
        Some(String::from_utf8_lossy(&leader.value).into_owned())
    }

    /// An error in a forked child, where nothing is kept up and nothing of it may be touched.
    pub(super) fn check_process(&self) -> Result<()> {
        match self.is_inherited() {
            true => {
                Err(Error::new(Status::Forked, "the cluster belongs to the parent of this process"))
            }
            false => Ok(()),
        }
    }

    pub(super) fn is_inherited(&self) -> bool {
        self.process != fork_generation()
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
        // To ask a watch in a forked child is to start it anew there.
        self.watch.get().filter(|_| !self.is_inherited())?.age()
    }

    /// Changes what it says of itself, and has that written.
    pub(super) fn change(&self, change: impl FnOnce(&mut Record)) -> Result<()> {
        self.check_process()?;
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
        if self.is_inherited() {
            return Progress::default().stats("forked", Duration::ZERO);
        }
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
        let look = || match (holds(), self.ended.load_full()) {
            (true, _) => Ok(Some(())),
            (false, Some(error)) => Err(Error::clone(&error)),
            (false, None) => Ok(None),
        };
        Ok(client.wait(&self.changed, timeout, look).await?.is_some())
    }

    /// Has this listener told from now on, and no other.
    pub(super) fn listen(&self, listener: Option<ClusterListener>) -> Result<()> {
        self.check_process()?;
        // Under the lock of the roll, so that nothing is told twice or not at all.
        let _roll = self.roll.lock();
        if let Some(error) = self.ended.load_full() {
            return Err(Error::clone(&error));
        }
        let before = std::mem::replace(&mut *self.listener.lock(), listener.map(Arc::new));
        drop(before);
        Ok(())
    }

    fn tell(&self, news: Vec<ClusterNews>) {
        let listener = self.listener.lock().clone();
        let Some(listener) = listener else { return };
        for news in news {
            listener(news);
        }
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
        let (before, leader, leads) = (self.state(), self.leader(), self.is_leader());
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

    /// Leaves, and says how that went.
    pub(super) async fn leave(&self, client: &Client<Either>) -> Result<()> {
        self.check_process()?;
        if !self.begin_leaving(None) {
            return Ok(());
        }
        self.end(&left());
        let handover = Handover(Some(self));
        self.client.upkeep().lane.end(self.tending);
        let _turn = self.turn.take(client).await?;
        let resigned = self.resign(client).await;
        let outcome = self.withdraw(client).await.and(resigned);
        match &outcome {
            Ok(()) => handover.done(),
            Err(error) => self.presence().progress.failed(error.clone()),
        }
        outcome
    }

    /// Gives up the lead, so that another one has it at once, and the election.
    async fn resign(&self, client: &Client<Either>) -> Result<()> {
        let Some(election) = self.election.get() else { return Ok(()) };
        let resigned = match election.styled(client.style()).resign() {
            Ok(resigned) => resigned.await,
            Err(error) => Err(error),
        };
        election.abandon();
        resigned
    }

    /// Leaves in the background.
    pub(super) fn abandon(&self, leaving: Option<Leaving>) {
        if self.is_inherited() {
            return;
        }
        if self.begin_leaving(leaving) {
            if let Some(election) = self.election.get() {
                election.abandon();
            }
            self.end(&left());
            self.wake_tending();
        }
    }

    /// False when it is gone already.
    fn begin_leaving(&self, leaving: Option<Leaving>) -> bool {
        let until = self.now() + self.session.time_to_live() * 2;
        let mut presence = self.presence();
        match presence.phase {
            Phase::Gone => return false,
            Phase::Leaving(_) => {}
            Phase::Joining | Phase::Joined => {
                presence.phase = Phase::Leaving(until);
                presence.progress.begin_anew();
            }
        }
        presence.leaving = leaving.or(presence.leaving.take());
        true
    }

    /// Its key is gone, or given up.
    pub(super) fn finish(&self) {
        let (session, leaving) = {
            let mut presence = self.presence();
            presence.phase = Phase::Gone;
            presence.progress.next(None);
            (presence.session.take(), presence.leaving.take())
        };
        self.client.upkeep().lane.end(self.tending);
        drop((session, leaving));
    }

    /// Nothing more is found or told.
    fn end(&self, error: &Error) {
        if self.ended.compare_and_swap(&None::<Arc<Error>>, Some(Arc::new(error.clone()))).is_some()
        {
            return;
        }
        if let Some(watch) = self.watch.get() {
            watch.stop();
        }
        self.client.upkeep().lane.end(self.settling);
        // Who tells something at this moment does so before.
        let _roll = self.roll.lock();
        let listener = self.listener.lock().take();
        if let Some(listener) = listener {
            listener(ClusterNews::Ended(error.clone()));
        }
        self.changed.ring();
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

    fn wake_settling(&self) {
        let Some(me) = self.me.upgrade() else { return };
        let task: Arc<dyn Task> = Arc::new(Settling(me));
        let _ = self.client.upkeep().lane.schedule(self.settling, &task, self.now());
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

/// What a call has begun the lane goes on with when the call is given up.
struct Handover<'a>(Option<&'a Shared>);

impl Handover<'_> {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Handover<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.wake_tending();
        }
    }
}

/// Its key is a lock, so it is given back before the sessions end.
impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Locks
    }

    fn leave(&self, leaving: Leaving) {
        self.abandon(Some(leaving));
    }

    fn evict(&self) {
        self.end(&Error::new(Status::Closed, "the client is closed"));
        self.finish();
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

fn left() -> Error {
    Error::new(Status::Cancelled, "the cluster was left")
}
