//! One watch: its newest state, which anyone reads without a lock, and how it gets there.

use super::content::Content;
use super::delivery::{Delivery, Parcel, ParcelKind};
use super::discovery::Bench;
use super::hub::Hub;
use super::keeper::Keeper;
use super::pulse::Pulse;
use super::query::Found;
use super::state::{Dresser, Freshness, State};
use super::turns::Id;
use super::{Notice, NoticeKind, WatchStats};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::runtime::{Clock, Leaving, Order, Resident, Signal};
use crate::sync::{Mutex, MutexGuard};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

/// Who is told of everything that happens to a watch.
pub(super) type Listener = Box<dyn Fn(Notice) + Send + Sync>;

/// One watch.
pub(super) struct Watched {
    pub(super) id: Id,
    pub(super) hub: Arc<Hub>,
    pub(super) pulse: Arc<Pulse>,
    client: Client,
    clock: Arc<dyn Clock>,
    current: ArcSwap<State>,
    version: AtomicU64,
    /// How old what was read from a file is at this time of the clock.
    kept: Option<(Duration, Duration)>,
    delivery: Mutex<Delivery>,
    /// A loss above the floor is held back.
    holding: AtomicBool,
    /// The thread that delivers at this moment, 0 when none does.
    deliverer: AtomicUsize,
    stopped: AtomicBool,
    ended: ArcSwapOption<Error>,
    listener: Option<Listener>,
    dresser: Option<Dresser>,
    keeper: Option<Keeper>,
    /// Of whom picks are made; locked only while a state is made.
    bench: Mutex<Bench>,
    near: bool,
    changed: Signal,
}

/// What a watch is made from.
pub(super) struct Parts {
    pub(super) id: Id,
    pub(super) hub: Arc<Hub>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) delivery: Delivery,
    pub(super) kept: Option<Duration>,
    pub(super) base: u64,
    pub(super) listener: Option<Listener>,
    pub(super) dresser: Option<Dresser>,
    pub(super) keeper: Option<Keeper>,
    pub(super) near: bool,
}

impl Watched {
    pub(super) fn new(client: &Client, parts: Parts) -> Watched {
        let clock = client.upkeep().clock.clone();
        Watched {
            id: parts.id,
            hub: parts.hub,
            pulse: parts.pulse,
            kept: parts.kept.map(|age| (age, clock.now())),
            client: client.clone(),
            clock,
            current: ArcSwap::from_pointee(State::nothing()),
            version: AtomicU64::new(parts.base),
            delivery: Mutex::new(parts.delivery),
            holding: AtomicBool::new(false),
            deliverer: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            ended: ArcSwapOption::empty(),
            listener: parts.listener,
            dresser: parts.dresser,
            keeper: parts.keeper,
            bench: Mutex::default(),
            near: parts.near,
            changed: Signal::default(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    pub(super) fn state(&self) -> Arc<State> {
        self.current.load_full()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// How long ago it was found that the state holds.
    pub(super) fn age(&self) -> Option<Duration> {
        let now = self.clock.now();
        let kept = || self.kept.map(|(age, at)| age + now.saturating_sub(at));
        self.pulse.age(now).or_else(kept)
    }

    pub(super) fn freshness(&self) -> Freshness {
        if self.version() == 0 {
            return Freshness::Pending;
        }
        let live = !self.stopped.load(Relaxed)
            && self.pulse.failures() == 0
            && self.pulse.age(Duration::MAX).is_some();
        if !live {
            return Freshness::Stale(self.age().unwrap_or_default());
        }
        match self.current.load().is_empty() {
            true => Freshness::Empty,
            false => Freshness::Fresh,
        }
    }

    pub(super) fn stats(&self) -> WatchStats {
        let (pulse, now) = (&self.pulse, self.clock.now());
        let has_ended = self.ended.load().is_some();
        WatchStats {
            state: if has_ended { "ended" } else { self.freshness().as_str() },
            next_try: pulse.next_try(now).filter(|_| !has_ended),
            holding_back: self.holds_back(),
            last_success_age: pulse.age(now),
            last_error: pulse.error(),
            consecutive_failures: pulse.failures(),
            index: pulse.index(),
            in_flight: pulse.in_flight(),
            requests: pulse.requests(),
            version: self.version(),
            last_good_error: self.keeper.as_ref().and_then(Keeper::error),
        }
    }

    pub(super) fn holds_back(&self) -> bool {
        self.holding.load(Relaxed)
    }

    /// Begins with what was kept in a file.
    pub(super) fn begin_with(&self, content: Arc<Content>) {
        let Some(mut delivery) = self.enter() else { return };
        if let Some(parcel) = delivery.guard.begin_with(content) {
            self.put(parcel);
        }
    }

    /// Something was found. Gives when to come back for what is held back.
    pub(super) fn offer(&self, found: &Found, recovered: bool) -> Option<Duration> {
        let mut delivery = self.enter()?;
        // What came from a file counts as failing until Consul has spoken.
        let was_kept = delivery.guard.has_only_kept();
        if recovered || was_kept {
            self.tell(NoticeKind::Recovered, None);
        }
        // As the client encrypts now: it may have been configured anew since the watch began.
        let vault = self.client.vault();
        if let Some(parcel) = delivery.guard.offer(found, vault.as_deref(), self.clock.now()) {
            self.put(parcel);
        }
        delivery.guard.due()
    }

    /// Delivers what was held back for long enough. As [`Watched::offer`].
    pub(super) fn ripen(&self) -> Option<Duration> {
        let mut delivery = self.enter()?;
        if let Some(parcel) = delivery.guard.ripe(self.clock.now()) {
            self.put(parcel);
        }
        delivery.guard.due()
    }

    /// Consul could not be asked.
    pub(super) fn fail(&self, error: &Error) {
        if let Some(_delivery) = self.enter() {
            self.tell(NoticeKind::Failed, Some(error.clone()));
        }
    }

    /// Nothing more will be found. The last thing that is told.
    pub(super) fn end(&self, error: &Error) {
        let _delivering = (!self.is_delivering()).then(|| self.lock());
        if self.stopped.swap(true, Relaxed) {
            return;
        }
        self.ended.store(Some(Arc::new(error.clone())));
        self.tell(NoticeKind::Ended, Some(error.clone()));
        self.wake();
    }

    /// Nothing is told any more once this has returned.
    pub(super) fn stop(&self) {
        let first = !self.stopped.swap(true, Relaxed);
        if !self.is_delivering() {
            drop(self.delivery.lock());
        }
        if first {
            let error = Error::new(Status::Cancelled, "the watch was stopped");
            self.ended.store(Some(Arc::new(error)));
        }
        self.hub.leave(self.id);
        self.wake();
    }

    /// Waits until there is something to read that is newer than this version. False when there
    /// was nothing in time.
    pub(super) async fn wait_newer(
        &self,
        client: &Client<Either>,
        version: u64,
        timeout: Duration,
    ) -> Result<bool> {
        let is_newer = || self.version() > version;
        client.wait_unless_ended(&self.changed, &self.ended, timeout, is_newer).await
    }

    /// Why its state is stale.
    pub(super) fn why_stale(&self) -> Error {
        let failure = self.pulse.error().filter(|_| self.pulse.failures() > 0);
        let why = self.ended.load_full().or(failure);
        let unasked = || Error::new(Status::Timeout, "Consul has not answered yet");
        why.map_or_else(unasked, |why| Error::clone(&why))
    }

    /// Why there is nothing to read after this time.
    pub(super) fn not_ready(&self, timeout: Duration) -> Error {
        let error = self.pulse.error().filter(|_| self.pulse.failures() > 0);
        let why = match error {
            Some(error) => error.to_string(),
            None => "Consul has not answered yet".to_string(),
        };
        Error::new(Status::Timeout, format!("nothing was found within {timeout:?}: {why}"))
    }

    fn put(&self, parcel: Parcel) {
        let told = parcel.kind != ParcelKind::Rewritten;
        let version = self.version.load(Relaxed) + u64::from(told);
        let Found { content, index, body, .. } = parcel.found;
        let companion = self.dresser.and_then(|dress| dress(&content));
        if let (Some(keeper), Some(body)) = (&self.keeper, body) {
            keeper.keep(&self.hub, body);
        }
        let roster = match &*content {
            Content::Entries(entries) => Some(self.bench.lock().seat(entries, self.near)),
            _ => None,
        };
        let state = State { version, index, content: Some(content), roster, companion };
        self.current.store(Arc::new(state));
        self.version.store(version, Release);
        self.wake();
        match parcel.kind {
            ParcelKind::Initial => self.tell(NoticeKind::Initial, None),
            ParcelKind::KnownInitial | ParcelKind::Rewritten => {}
            ParcelKind::Change => self.tell(NoticeKind::Changed, None),
        }
    }

    fn tell(&self, kind: NoticeKind, error: Option<Error>) {
        if let Some(listener) = &self.listener {
            listener(Notice { kind, state: self.state(), error, age: self.age() });
        }
    }

    fn wake(&self) {
        self.changed.ring();
    }

    /// The right to deliver; none once it is stopped.
    fn enter(&self) -> Option<Delivering<'_>> {
        let delivering = self.lock();
        (!self.stopped.load(Relaxed)).then_some(delivering)
    }

    fn lock(&self) -> Delivering<'_> {
        let guard = self.delivery.lock();
        self.deliverer.store(this_thread(), Relaxed);
        Delivering { watched: self, guard }
    }

    /// Whether the thread that asks is the one that delivers: then it is in the listener.
    fn is_delivering(&self) -> bool {
        self.deliverer.load(Relaxed) == this_thread()
    }
}

/// Held while something is delivered.
struct Delivering<'a> {
    watched: &'a Watched,
    guard: MutexGuard<'a, Delivery>,
}

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        self.watched.holding.store(self.guard.holds_back(), Relaxed);
        self.watched.deliverer.store(0, Relaxed);
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.try_with(|mark| std::ptr::from_ref(mark).addr()).unwrap_or(1)
}

impl Resident for Watched {
    fn order(&self) -> Order {
        Order::Watches
    }

    fn leave(&self, _leaving: Leaving) {}

    fn evict(&self) {
        self.end(&Error::new(Status::Closed, "the client is closed"));
        self.hub.leave(self.id);
    }
}
