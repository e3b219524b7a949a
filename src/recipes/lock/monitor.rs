//! Watches the locks that a client holds, with few connections for any number of them.
//!
//! One lock has a blocking query of its own, which tells of a change at once. All others are
//! checked together twice a second, by transactions that only read. A check that fails is followed
//! by a read that decides. A request that fails decides nothing: that is left to the deadline.

use super::claim::Claim;
use super::seen::Seen;
use super::shared::Shared;
use crate::api::kv::KvPair;
use crate::api::txn::{Txn, TxnError, TxnOutcome};
use crate::client::{Client, Either};
use crate::config::{Consistency, Options};
use crate::error::{Error, Result, Status};
use crate::recipes::session::SessionEnd;
use crate::runtime::{Places, Task, TaskId, Upkeep, at_once, backoff};
use crate::sync::Mutex;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often the locks are checked that share their requests.
const SWEEP: Duration = Duration::from_millis(500);

/// The longest time that one request is given, its wait for a change aside.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest wait of the blocking query. Consul 1.8 keeps the place of one that was ended early
/// until its wait is over.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The blocking queries of all clients. They leave room for renewals among the connections that are
/// set apart for upkeep; who finds no place asks twice a second.
static WAITING: Places = Places::new();

const PLACES: usize = 4;

/// A blocking query that ends sooner than this, with nothing new, did not block.
const BLOCKED: Duration = Duration::from_millis(50);

/// The monitor of a client's locks.
pub(super) struct Monitor {
    state: Mutex<State>,
    poll: TaskId,
    sweep: TaskId,
}

#[derive(Default)]
struct State {
    /// The one with a query of its own. The task of the query replaces it when it is over.
    polled: Option<Watch>,
    swept: Vec<Watch>,
    poll_failures: u32,
    sweep_failures: u32,
}

/// One acquisition, watched for as long as it lasts.
struct Watch {
    lock: Weak<Shared>,
    claim: Weak<Claim>,
    /// The index to wait on.
    index: u64,
}

/// An acquisition that lasts.
struct Live {
    lock: Arc<Shared>,
    claim: Arc<Claim>,
}

/// One that is looked at.
struct Look<'a> {
    lock: &'a Arc<Shared>,
    claim: &'a Arc<Claim>,
    style: Either,
}

impl Monitor {
    pub(super) fn of(upkeep: &Upkeep) -> Arc<Monitor> {
        upkeep.shared(|| Monitor {
            state: Mutex::default(),
            poll: TaskId::new(),
            sweep: TaskId::new(),
        })
    }

    /// Watches a lock that was acquired by the write of this index.
    pub(super) fn watch(self: &Arc<Monitor>, lock: &Arc<Shared>, claim: &Arc<Claim>, index: u64) {
        let watch = Watch { lock: Arc::downgrade(lock), claim: Arc::downgrade(claim), index };
        let upkeep = lock.upkeep();
        let now = upkeep.clock.now();
        let mut state = self.state.lock();
        // Where no thread can be started at all the deadline is still kept by whoever asks.
        if state.polled.is_none() {
            state.polled = Some(watch);
            drop(state);
            let poll: Arc<dyn Task> = Arc::new(Poll(self.clone()));
            let _ = upkeep.lane.schedule(self.poll, &poll, now);
            return;
        }
        let first = state.swept.is_empty();
        state.swept.push(watch);
        drop(state);
        if first {
            let sweep: Arc<dyn Task> = Arc::new(Sweep(self.clone()));
            let _ = upkeep.lane.schedule(self.sweep, &sweep, now + SWEEP);
        }
    }

    /// The lock that has a query of its own, another one when the last is over.
    fn polled(&self) -> Option<(Live, u64)> {
        let mut state = self.state.lock();
        loop {
            let watch = state.polled.as_ref()?;
            if let Some(live) = watch.live() {
                return Some((live, watch.index));
            }
            state.polled = state.swept.pop();
        }
    }

    fn swept(&self) -> Vec<Live> {
        let mut live = Vec::new();
        self.state.lock().swept.retain(|watch| {
            live.extend(watch.live());
            // Not `live()` again: what is held now may be over by then.
            live.last().is_some_and(|last| watch.is(last))
        });
        live
    }

    /// Asks once, for as long as nothing changes. Gives how long to pause; `None` when it did not
    /// wait as it should have.
    fn query(&self, live: &Live, index: u64) -> Result<Option<Duration>> {
        let window = live.lock.window(&live.claim);
        let place = WAITING.enter(PLACES);
        let options = consistent(&live.lock)
            .index(if place.is_some() { index } else { 0 })
            .wait((window * 2 / 5).min(LONGEST_WAIT))
            .timeout(patience(window));
        let started = Instant::now();
        let answer = live.client().kv().get(live.lock.key(), &options);
        // After a failure the next one is answered at once; so it is when the index went down.
        let found = answer.as_ref().map_or(0, |answer| answer.meta.index);
        let next = if found < index { 0 } else { found };
        if let Some(watch) = self.state.lock().polled.as_mut().filter(|watch| watch.is(live)) {
            watch.index = next;
        }
        let pair = answer?.value;
        at_once(async {
            live.look().judge(pair).await;
            Ok(())
        })?;
        let news = next != index || started.elapsed() >= BLOCKED;
        Ok(if place.is_none() { Some(SWEEP) } else { news.then_some(Duration::ZERO) })
    }
}

impl Watch {
    fn live(&self) -> Option<Live> {
        let live = Live { lock: self.lock.upgrade()?, claim: self.claim.upgrade()? };
        live.lock.holds(&live.claim).then_some(live)
    }

    fn is(&self, live: &Live) -> bool {
        std::ptr::eq(self.claim.as_ptr(), Arc::as_ptr(&live.claim))
    }
}

impl Live {
    fn client(&self) -> Client {
        self.lock.client.on_upkeep()
    }

    fn now(&self) -> Duration {
        self.lock.upkeep().clock.now()
    }

    fn look(&self) -> Look<'_> {
        Look { lock: &self.lock, claim: &self.claim, style: Either::Blocks }
    }
}

impl Look<'_> {
    fn client(&self) -> Client<Either> {
        let patience = patience(self.lock.window(self.claim));
        self.lock.client.on_upkeep().until(Instant::now() + patience).styled(self.style)
    }

    /// Reads the key and decides.
    async fn examine(&self) -> Result<()> {
        let read = self.client().kv().get(self.lock.key(), &consistent(self.lock))?;
        self.judge(read.await?.value).await;
        Ok(())
    }

    /// What a read means.
    async fn judge(&self, pair: Option<KvPair>) {
        let seen = Seen::by_holder(pair, Some(self.claim.id()));
        if let Seen::Ours(_) = seen {
            return self.lock.verified(self.claim);
        }
        let exists = self.session_exists().await;
        if let (false, Some(keeper)) = (exists, self.claim.keeper()) {
            // Tells every lock that it holds, this one too.
            keeper.lose(SessionEnd::Invalid);
        }
        if let Some(reason) = seen.loss(exists) {
            self.lock.lose(self.claim, reason);
        }
    }

    /// When Consul cannot be asked the key alone tells the reason.
    async fn session_exists(&self) -> bool {
        let client = self.client();
        match client.session().info(self.claim.id(), &consistent(self.lock)) {
            Ok(info) => info.await.map_or(true, |answer| answer.value.is_some()),
            Err(_) => true,
        }
    }
}

/// Decides by a read whether the lock is still held.
pub(super) async fn examine(lock: &Arc<Shared>, claim: &Arc<Claim>, style: Either) -> Result<()> {
    Look { lock, claim, style }.examine().await
}

/// Whether the session still exists; when Consul cannot be asked the key alone tells what happened.
pub(super) async fn session_exists(lock: &Arc<Shared>, claim: &Arc<Claim>, style: Either) -> bool {
    Look { lock, claim, style }.session_exists().await
}

/// Checks locks that share their token and their datacenter by one transaction.
fn check(locks: &[&Live]) -> Result<()> {
    let Some(first) = locks.first() else { return Ok(()) };
    let window = locks.iter().map(|live| live.lock.window(&live.claim)).min();
    let client = first.client().until(Instant::now() + patience(window.unwrap_or(PATIENCE)));
    let mut txn = Txn::new();
    for live in locks {
        txn.check_session(live.lock.key(), live.claim.id())?;
    }
    match client.commit(&txn, &consistent(&first.lock))?.value {
        TxnOutcome::Committed(_) => {
            locks.iter().for_each(|live| live.lock.verified(&live.claim));
            Ok(())
        }
        TxnOutcome::RolledBack(errors) => suspect(locks, &errors),
    }
}

/// Decides about those whose check failed one by one, and checks the others again: where the
/// token may not read a key nothing else was checked.
fn suspect(locks: &[&Live], errors: &[TxnError]) -> Result<()> {
    let failed: HashSet<u64> = errors.iter().map(|error| error.op_index).collect();
    let (suspects, rest): (Vec<_>, Vec<_>) =
        (0..).zip(locks.iter().copied()).partition(|(index, _)| failed.contains(index));
    if suspects.is_empty() {
        return Err(Error::new(Status::Decode, "a transaction failed without saying where"));
    }
    let mut outcome = Ok(());
    for (_, live) in suspects {
        if live.lock.holds(&live.claim) {
            // That one cannot be read does not hold up the others.
            outcome = at_once(live.look().examine()).and(outcome);
        }
    }
    let rest: Vec<_> = rest.into_iter().map(|(_, live)| live).collect();
    check(&rest).and(outcome)
}

fn consistent(lock: &Shared) -> Options {
    lock.spec.options.clone().consistency(Consistency::Consistent)
}

/// A third of the time after which nobody counts on the answer any more.
fn patience(window: Duration) -> Duration {
    PATIENCE.min(window / 3)
}

/// Those that can share a request.
fn groups(locks: &[Live]) -> Vec<Vec<&Live>> {
    let scope = |live: &Live| {
        let options = &live.lock.spec.options;
        let Options { token, datacenter, namespace, partition, .. } = options;
        [token, datacenter, namespace, partition].map(Clone::clone)
    };
    let mut groups: Vec<Vec<&Live>> = Vec::new();
    for live in locks {
        match groups.iter_mut().find(|group| scope(group[0]) == scope(live)) {
            Some(group) => group.push(live),
            None => groups.push(vec![live]),
        }
    }
    groups
}

/// When to try again what failed.
fn retry(upkeep: &Upkeep, failures: &mut u32) -> Duration {
    *failures += 1;
    let (first, most) = (Duration::from_millis(200), Duration::from_secs(2));
    upkeep.clock.now() + backoff(*failures, first, most, upkeep.jitter.unit())
}

/// The blocking query.
struct Poll(Arc<Monitor>);

impl Task for Poll {
    fn step(&self) -> Option<Duration> {
        let (live, index) = self.0.polled()?;
        let began = live.now();
        let outcome = self.0.query(&live, index);
        let next = {
            let failures = &mut self.0.state.lock().poll_failures;
            match outcome {
                Ok(Some(pause)) => {
                    *failures = 0;
                    live.now() + pause
                }
                Ok(None) | Err(_) => retry(live.lock.upkeep(), failures),
            }
        };
        live.lock.checked(&live.claim, began, outcome.as_ref().err(), next);
        Some(next)
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        let (live, _) = self.0.polled()?;
        Some(retry(live.lock.upkeep(), &mut self.0.state.lock().poll_failures))
    }
}

/// The checks of all others.
struct Sweep(Arc<Monitor>);

impl Task for Sweep {
    fn step(&self) -> Option<Duration> {
        let locks = self.0.swept();
        let upkeep = locks.first()?.lock.upkeep();
        let began = upkeep.clock.now();
        let most = locks[0].lock.client.settings().max_txn_operations;
        let mut groups = groups(&locks).into_iter();
        let outcome = groups.try_for_each(|group| group.chunks(most).try_for_each(check));
        let next = {
            let failures = &mut self.0.state.lock().sweep_failures;
            match outcome {
                Ok(()) => {
                    *failures = 0;
                    let pause = upkeep.jitter.between(SWEEP.mul_f64(0.9), SWEEP.mul_f64(1.1));
                    upkeep.clock.now() + pause
                }
                Err(_) => retry(upkeep, failures),
            }
        };
        for live in &locks {
            live.lock.checked(&live.claim, began, outcome.as_ref().err(), next);
        }
        Some(next)
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        let locks = self.0.swept();
        let upkeep = locks.first()?.lock.upkeep();
        Some(retry(upkeep, &mut self.0.state.lock().sweep_failures))
    }
}
