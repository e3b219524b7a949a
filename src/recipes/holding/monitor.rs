//! Watches what a client holds of one kind, with few connections for any number of them.
//!
//! One has a blocking query of its own, which tells of a change at once. All others are checked together twice a second, by transactions that only read. A check that fails is followed
//! by a read that decides. A request that fails decides nothing: that is left to the deadline.

use super::claim::Claim;
use super::resource::{Resource, Sight};
use super::shared::Shared;
use crate::api::txn::{Txn, TxnError, TxnOutcome, TxnResult};
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::recipes::session::SessionEnd;
use crate::runtime::{Places, Task, TaskId, Upkeep, at_once, backoff};
use crate::sync::Mutex;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often those are checked that share their requests.
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

/// The monitor of a client's locks, or of its semaphores.
pub(super) struct Monitor<R: Resource> {
    state: Mutex<State<R>>,
    poll: TaskId,
    sweep: TaskId,
}

struct State<R: Resource> {
    /// The one with a query of its own. The task of the query replaces it when it is over.
    polled: Option<Watch<R>>,
    swept: Vec<Watch<R>>,
    poll_failures: u32,
    sweep_failures: u32,
}

/// One acquisition, watched for as long as it lasts.
struct Watch<R: Resource> {
    shared: Weak<Shared<R>>,
    claim: Weak<Claim>,
    /// The index to wait on.
    index: u64,
}

/// An acquisition that lasts.
struct Live<R: Resource> {
    shared: Arc<Shared<R>>,
    claim: Arc<Claim>,
}

/// One that is looked at.
struct Look<'a, R: Resource> {
    shared: &'a Arc<Shared<R>>,
    claim: &'a Arc<Claim>,
    style: Either,
}

impl<R: Resource> Monitor<R> {
    pub(super) fn of(upkeep: &Upkeep) -> Arc<Monitor<R>> {
        upkeep.shared(|| Monitor {
            state: Mutex::new(State {
                polled: None,
                swept: Vec::new(),
                poll_failures: 0,
                sweep_failures: 0,
            }),
            poll: TaskId::new(),
            sweep: TaskId::new(),
        })
    }

    /// Watches what was acquired by the write of this index.
    pub(super) fn watch(
        self: &Arc<Monitor<R>>,
        shared: &Arc<Shared<R>>,
        claim: &Arc<Claim>,
        index: u64,
    ) {
        let watch = Watch { shared: Arc::downgrade(shared), claim: Arc::downgrade(claim), index };
        let upkeep = shared.upkeep();
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

    /// The one that has a query of its own, another one when the last is over.
    fn polled(&self) -> Option<(Live<R>, u64)> {
        let mut state = self.state.lock();
        loop {
            let watch = state.polled.as_ref()?;
            if let Some(live) = watch.live() {
                return Some((live, watch.index));
            }
            state.polled = state.swept.pop();
        }
    }

    fn swept(&self) -> Vec<Live<R>> {
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
    fn query(&self, live: &Live<R>, index: u64) -> Result<Option<Duration>> {
        let window = live.shared.window(&live.claim);
        let place = WAITING.enter(PLACES);
        let options = live.shared.consistent();
        let options = options
            .index(if place.is_some() { index } else { 0 })
            .wait((window / 5 * 2).min(LONGEST_WAIT))
            .timeout(patience(window));
        let started = Instant::now();
        let client = live.client().styled(Either::Blocks);
        let answer = at_once(live.shared.spec.inspect(&client, live.claim.id(), &options));
        // After a failure the next one is answered at once; so it is when the index went down.
        let found = answer.as_ref().map_or(0, |answer| answer.meta.index);
        let next = if found < index { 0 } else { found };
        if let Some(watch) = self.state.lock().polled.as_mut().filter(|watch| watch.is(live)) {
            watch.index = next;
        }
        let seen = answer?.value;
        at_once(async {
            live.look().judge(seen).await;
            Ok(())
        })?;
        let news = next != index || started.elapsed() >= BLOCKED;
        Ok(if place.is_none() { Some(SWEEP) } else { news.then_some(Duration::ZERO) })
    }
}

impl<R: Resource> Watch<R> {
    fn live(&self) -> Option<Live<R>> {
        let live = Live { shared: self.shared.upgrade()?, claim: self.claim.upgrade()? };
        live.shared.holds(&live.claim).then_some(live)
    }

    fn is(&self, live: &Live<R>) -> bool {
        std::ptr::eq(self.claim.as_ptr(), Arc::as_ptr(&live.claim))
    }
}

impl<R: Resource> Live<R> {
    fn client(&self) -> Client {
        self.shared.client.on_upkeep()
    }

    fn now(&self) -> Duration {
        self.shared.upkeep().clock.now()
    }

    fn look(&self) -> Look<'_, R> {
        Look { shared: &self.shared, claim: &self.claim, style: Either::Blocks }
    }
}

impl<R: Resource> Look<'_, R> {
    fn client(&self) -> Client<Either> {
        let patience = patience(self.shared.window(self.claim));
        self.shared.client.on_upkeep().until(Instant::now() + patience).styled(self.style)
    }

    /// Reads it and decides.
    async fn examine(&self) -> Result<()> {
        let options = self.shared.consistent();
        let read = self.shared.spec.inspect(&self.client(), self.claim.id(), &options).await?;
        self.judge(read.value).await;
        Ok(())
    }

    /// What a read means.
    async fn judge(&self, seen: Sight<R::Mark>) {
        if let Sight::Ours(_) = seen {
            return self.shared.verified(self.claim);
        }
        let exists = self.session_exists().await;
        if let (false, Some(keeper)) = (exists, self.claim.keeper()) {
            // Tells all that it holds, this one too.
            keeper.lose(SessionEnd::Invalid);
        }
        if let Some(reason) = seen.loss(exists) {
            self.shared.lose(self.claim, reason);
        }
    }

    /// When Consul cannot be asked what was seen alone tells the reason.
    async fn session_exists(&self) -> bool {
        let client = self.client();
        match client.session().info(self.claim.id(), &self.shared.consistent()) {
            Ok(info) => info.await.map_or(true, |answer| answer.value.is_some()),
            Err(_) => true,
        }
    }
}

/// Decides by a read whether it is still held.
pub(super) async fn examine<R: Resource>(
    shared: &Arc<Shared<R>>,
    claim: &Arc<Claim>,
    style: Either,
) -> Result<()> {
    Look { shared, claim, style }.examine().await
}

/// Whether the session still exists; when Consul cannot be asked what was seen alone tells what
/// happened.
pub(super) async fn session_exists<R: Resource>(
    shared: &Arc<Shared<R>>,
    claim: &Arc<Claim>,
    style: Either,
) -> bool {
    Look { shared, claim, style }.session_exists().await
}

/// Checks those that share their token and their datacenter by one transaction.
fn check<R: Resource>(lives: &[&Live<R>]) -> Result<()> {
    let Some(first) = lives.first() else { return Ok(()) };
    let window = lives.iter().map(|live| live.shared.window(&live.claim)).min();
    let client = first.client().until(Instant::now() + patience(window.unwrap_or(PATIENCE)));
    let mut txn = Txn::new();
    for live in lives {
        live.shared.spec.add_check(&mut txn, live.claim.id())?;
    }
    match client.commit(&txn, &first.shared.consistent())?.value {
        TxnOutcome::Committed(results) => confirm(lives, &results),
        TxnOutcome::RolledBack(errors) => suspect(lives, &errors),
    }
}

/// All operations have passed; what some of them read decides.
fn confirm<R: Resource>(lives: &[&Live<R>], results: &[TxnResult]) -> Result<()> {
    let mut outcome = Ok(());
    for live in lives {
        if live.shared.spec.is_confirmed(results, live.claim.id()) {
            live.shared.verified(&live.claim);
        } else {
            outcome = at_once(live.look().examine()).and(outcome);
        }
    }
    outcome
}

/// Decides about those whose check failed one by one, and checks the others again: where the
/// token may not read a key nothing else was checked.
fn suspect<R: Resource>(lives: &[&Live<R>], errors: &[TxnError]) -> Result<()> {
    let failed: HashSet<u64> =
        errors.iter().map(|error| error.op_index / R::CHECKS as u64).collect();
    let (suspects, rest): (Vec<_>, Vec<_>) =
        (0..).zip(lives.iter().copied()).partition(|(index, _)| failed.contains(index));
    if suspects.is_empty() {
        return Err(Error::new(Status::Decode, "a transaction failed without saying where"));
    }
    let mut outcome = Ok(());
    for (_, live) in suspects {
        if live.shared.holds(&live.claim) {
            // That one cannot be read does not hold up the others.
            outcome = at_once(live.look().examine()).and(outcome);
        }
    }
    let rest: Vec<_> = rest.into_iter().map(|(_, live)| live).collect();
    check(&rest).and(outcome)
}

/// A third of the time after which nobody counts on the answer any more.
fn patience(window: Duration) -> Duration {
    PATIENCE.min(window / 3)
}

/// Those that can share a request.
fn groups<R: Resource>(lives: &[Live<R>]) -> Vec<Vec<&Live<R>>> {
    let scope = |live: &Live<R>| {
        let options = live.shared.spec.options();
        let Options { token, datacenter, namespace, partition, .. } = options;
        [token, datacenter, namespace, partition].map(Clone::clone)
    };
    let mut groups: Vec<Vec<&Live<R>>> = Vec::new();
    for live in lives {
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
struct Poll<R: Resource>(Arc<Monitor<R>>);

impl<R: Resource> Task for Poll<R> {
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
                Ok(None) | Err(_) => retry(live.shared.upkeep(), failures),
            }
        };
        live.shared.checked(&live.claim, began, outcome.as_ref().err(), next);
        Some(next)
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        let (live, _) = self.0.polled()?;
        Some(retry(live.shared.upkeep(), &mut self.0.state.lock().poll_failures))
    }
}

/// The checks of all others.
struct Sweep<R: Resource>(Arc<Monitor<R>>);

impl<R: Resource> Task for Sweep<R> {
    fn step(&self) -> Option<Duration> {
        let lives = self.0.swept();
        let first = &lives.first()?.shared;
        let upkeep = first.upkeep();
        let began = upkeep.clock.now();
        let most = (first.client.settings().max_txn_operations / R::CHECKS).max(1);
        let mut groups = groups(&lives).into_iter();
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
        for live in &lives {
            live.shared.checked(&live.claim, began, outcome.as_ref().err(), next);
        }
        Some(next)
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        let lives = self.0.swept();
        let upkeep = lives.first()?.shared.upkeep();
        Some(retry(upkeep, &mut self.0.state.lock().sweep_failures))
    }
}
