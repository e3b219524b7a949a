//! The state of a lock, and every way in which it changes.

use super::claim::Claim;
use super::disown::Disown;
use super::expiry::Expiry;
use super::monitor::Monitor;
use super::spec::{LockSpec, LostReason, check_value};
use crate::client::Client;
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::observe::{Progress, Stats};
use crate::recipes::loss::{Listening, Loss};
use crate::recipes::session::{SessionEnd, Tenant};
use crate::runtime::{Leaving, Naps, Order, Resident, Standing, Task, TaskId, Upkeep};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::transport::CancelToken;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

const AREA: &str = "lock";

/// A lock, shared by its handle, the calls in flight and the lane.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) spec: LockSpec,
    state: Mutex<State>,
    changed: Condvar,
    expiry: TaskId,
    me: Weak<Shared>,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// Who held the key when an acquire looked last.
    pub(super) holder: Option<String>,
    /// The fencing token of the last acquisition.
    pub(super) token: Option<u64>,
    /// The value of the key from the next write on.
    value: Vec<u8>,
    /// How often `stop` was called.
    pub(super) stops: u64,
    progress: Progress,
    pub(super) listening: Listening,
}

pub(super) enum Phase {
    Free,
    Acquiring(CancelToken),
    Held(Held),
    Releasing,
    Lost(LostReason),
}

/// What is known of a lock while it is held.
pub(super) struct Held {
    pub(super) claim: Arc<Claim>,
    /// The index of the write that acquired it.
    pub(super) token: u64,
    /// When Consul said last that the key is ours.
    verified: Duration,
    /// How long that counts.
    window: Duration,
}

impl Held {
    fn deadline(&self) -> Duration {
        self.verified + self.window
    }
}

/// A lock that was won, before it is held.
pub(super) struct Won {
    pub(super) claim: Arc<Claim>,
    pub(super) token: u64,
    /// The value that was written with it, which may have been replaced meanwhile.
    pub(super) value: Vec<u8>,
}

impl Shared {
    pub(super) fn new(client: Client, spec: LockSpec) -> Result<Arc<Shared>> {
        let spec = spec.checked(client.settings())?;
        let upkeep = client.upkeep().clone();
        let shared = Arc::new_cyclic(|me| Shared {
            client: client.unbounded(),
            state: Mutex::new(State {
                phase: Phase::Free,
                holder: None,
                token: None,
                value: spec.value.clone(),
                stops: 0,
                progress: Progress::default(),
                listening: Listening::default(),
            }),
            changed: Condvar::new(),
            spec,
            expiry: TaskId::new(),
            me: me.clone(),
        });
        let resident: Weak<dyn Resident> = shared.me.clone();
        upkeep.enter(resident);
        Ok(shared)
    }

    pub(super) fn key(&self) -> &str {
        &self.spec.key
    }

    /// What it is made of, with the value that the key is to have now.
    pub(super) fn current_spec(&self) -> LockSpec {
        LockSpec { value: self.value(), ..self.spec.clone() }
    }

    /// The value that the key is to have now.
    pub(super) fn value(&self) -> Vec<u8> {
        self.state().value.clone()
    }

    /// The key is to have this value from the next write on.
    pub(super) fn replace_value(&self, value: Vec<u8>) -> Result<()> {
        check_value(&value, self.client.settings())?;
        self.state().value = value;
        Ok(())
    }

    /// For how long the key may be unreadable.
    pub(super) fn window(&self, claim: &Claim) -> Duration {
        self.spec.monitor_retry.unwrap_or_else(|| claim.window())
    }

    /// Who held the key when an acquire looked last.
    pub(super) fn holder(&self) -> Option<String> {
        self.state().holder.clone()
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// How long the lock is known to be held from this moment on; zero when it is not. When its
    /// deadline has passed, that ends it.
    pub(super) fn remaining(&self) -> Duration {
        let (claim, window) = {
            let state = self.state();
            let Phase::Held(held) = &state.phase else { return Duration::ZERO };
            let window = held.deadline().saturating_sub(self.upkeep().clock.now());
            (held.claim.clone(), window)
        };
        if window.is_zero() {
            self.lose(&claim, LostReason::Deadline);
        }
        let session = claim.remaining();
        if session.is_zero() {
            // Whoever ended it may not have come to tell this lock yet.
            let end = claim.keeper().and_then(|keeper| keeper.ended());
            self.lose(&claim, end.map_or(LostReason::Deadline, LostReason::from));
        }
        session.min(window)
    }

    /// Begins an acquire; who calls ends it by dropping what this gives.
    pub(super) fn begin_acquire(&self, cancel: CancelToken) -> Result<Acquiring<'_>> {
        self.upkeep().lane.check_open()?;
        // A deadline that has passed unnoticed does not stand in the way.
        self.remaining();
        let mut state = self.state();
        let wrong = |status, message: &str| Err(Error::new(status, message));
        match &state.phase {
            Phase::Free | Phase::Lost(_) => {}
            Phase::Held(_) => return wrong(Status::AlreadyHeld, "the lock is held already"),
            Phase::Acquiring(_) => {
                return wrong(Status::Busy, "another call is acquiring the lock");
            }
            Phase::Releasing => return wrong(Status::Busy, "another call is releasing the lock"),
        }
        state.phase = Phase::Acquiring(cancel.clone());
        state.holder = None;
        Ok(Acquiring { lock: self, cancel })
    }

    /// Turns what was won into a held lock, unless the acquire was cancelled meanwhile.
    fn hold(&self, won: Won, cancel: &CancelToken) -> Result<()> {
        let (claim, token) = (won.claim.clone(), won.token);
        let window = self.window(&claim);
        {
            let mut state = self.state();
            if let Err(cancelled) = cancel.check() {
                drop(state);
                Disown::start(self, won.claim, Some(won.token), None);
                return Err(cancelled);
            }
            state.holder = None;
            state.token = Some(token);
            let verified = self.upkeep().clock.now();
            state.progress.succeeded(verified);
            state.phase = Phase::Held(Held { claim: won.claim, token, verified, window });
        }
        self.attend(&claim, token);
        Ok(())
    }

    /// Has everything told to a lock that is held now.
    fn attend(&self, claim: &Arc<Claim>, token: u64) {
        let Some(me) = self.me.upgrade() else { return };
        let upkeep = self.upkeep();
        let expiry: Arc<dyn Task> = Arc::new(Expiry(me.clone()));
        // Where no thread can be started at all the deadline is still kept by whoever asks.
        let _ = upkeep.lane.schedule(self.expiry, &expiry, upkeep.clock.now());
        Monitor::of(upkeep).watch(&me, claim, token);
        if let Some(keeper) = claim.keeper() {
            let tenant: Weak<dyn Tenant> = self.me.clone();
            keeper.admit(tenant);
        }
    }

    /// The claim with which the lock is held.
    pub(super) fn claim(&self) -> Option<Arc<Claim>> {
        match &self.state().phase {
            Phase::Held(held) => Some(held.claim.clone()),
            _ => None,
        }
    }

    pub(super) fn holds(&self, claim: &Arc<Claim>) -> bool {
        self.state().holds(claim)
    }

    /// Consul says that the key is ours. When that comes too late it takes nothing back.
    pub(super) fn verified(&self, claim: &Arc<Claim>) {
        let mut state = self.state();
        let Phase::Held(held) = &mut state.phase else { return };
        if !Arc::ptr_eq(&held.claim, claim) {
            return;
        }
        // The clock is read under the lock, so that nobody has seen it lost and held again.
        let now = self.upkeep().clock.now();
        if now < held.deadline() {
            held.verified = now;
            return state.progress.succeeded(now);
        }
        drop(state);
        self.lose(claim, LostReason::Deadline);
    }

    /// A check that began at this time is over, for this and other locks; the next one comes then.
    pub(super) fn checked(
        &self,
        claim: &Arc<Claim>,
        began: Duration,
        error: Option<&Error>,
        next: Duration,
    ) {
        let mut state = self.state();
        let verified = match &state.phase {
            Phase::Held(held) if Arc::ptr_eq(&held.claim, claim) => held.verified,
            _ => return,
        };
        state.progress.next(Some(next));
        // It may be the error of another one.
        let Some(error) = error.filter(|_| verified <= began) else { return };
        state.progress.failed(error.clone());
        let failures = state.progress.failures();
        drop(state);
        log::failed(AREA, failures, || format!("{}: {error}", self.key()));
    }

    /// How it is getting on.
    pub(super) fn stats(&self) -> Stats {
        self.remaining();
        let now = self.upkeep().clock.now();
        let state = self.state();
        let word = match &state.phase {
            Phase::Free => "free",
            Phase::Acquiring(_) => "acquiring",
            Phase::Held(_) => "held",
            Phase::Releasing => "releasing",
            Phase::Lost(_) => "lost",
        };
        state.progress.stats(word, now)
    }

    /// The lock is lost. Only the first time counts.
    pub(super) fn lose(&self, claim: &Arc<Claim>, reason: LostReason) {
        let Some(held) = self.take_held(Some(claim), Phase::Lost(reason)) else { return };
        let level = if reason == LostReason::Closed { Level::Info } else { Level::Error };
        log::add(level, AREA, || format!("{} is lost: {}", self.key(), Error::from(reason)));
        // A borrowed session may go on holding the key, and keep everybody else waiting.
        if reason == LostReason::Deadline && !claim.is_own() && !claim.remaining().is_zero() {
            Disown::start(self, held.claim, Some(held.token), None);
        }
    }

    /// Begins a release: from now on the lock is not held.
    pub(super) fn begin_release(&self) -> Result<Held> {
        self.remaining();
        self.take_held(None, Phase::Releasing).ok_or_else(|| self.not_held())
    }

    /// Ends a release; with a reason when the lock turned out to be lost before.
    pub(super) fn end_release(&self, lost: Option<LostReason>) {
        let listening = {
            let mut state = self.state();
            state.phase = lost.map_or(Phase::Free, Phase::Lost);
            state.listening.clone()
        };
        self.changed.notify_all();
        if let Some(reason) = lost {
            listening.tell(Loss::Lost(reason.into()));
        }
    }

    /// Takes what is known of a held lock out of it, if it is held with this claim.
    fn take_held(&self, claim: Option<&Arc<Claim>>, next: Phase) -> Option<Held> {
        let mut state = self.state();
        if claim.is_some_and(|claim| !state.holds(claim)) {
            return None;
        }
        let Phase::Held(_) = state.phase else { return None };
        let lost = if let Phase::Lost(reason) = next { Some(reason) } else { None };
        let Phase::Held(held) = std::mem::replace(&mut state.phase, next) else { return None };
        state.progress.next(None);
        // Taken with the phase, so that who begins to listen is told once.
        let listening = state.listening.clone();
        drop(state);
        self.changed.notify_all();
        self.upkeep().lane.end(self.expiry);
        if let Some(reason) = lost {
            listening.tell(Loss::Lost(reason.into()));
        }
        Some(held)
    }

    /// Why the lock was lost, if it was.
    pub(super) fn lost_reason(&self) -> Option<LostReason> {
        self.remaining();
        match self.state().phase {
            Phase::Lost(reason) => Some(reason),
            _ => None,
        }
    }

    /// The error of who needs the lock held.
    pub(super) fn not_held(&self) -> Error {
        match self.state().phase {
            Phase::Lost(reason) => reason.into(),
            _ => Error::new(Status::NotHeld, "the lock is not held"),
        }
    }

    /// Ends waiting calls with this status.
    pub(super) fn stop(&self, status: Status, message: &str) {
        let mut state = self.state();
        state.stops += 1;
        if let Phase::Acquiring(cancel) = &state.phase {
            cancel.cancel(status, message);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Ends waiting calls and gives the key back from the lane.
    pub(super) fn abandon(&self) {
        self.stop(Status::Cancelled, "the lock was freed");
        if let Some(held) = self.take_held(None, Phase::Free) {
            Disown::start(self, held.claim, Some(held.token), None);
        }
        self.end_listening(Status::Cancelled, "the lock was freed");
    }

    /// Waits until `ready` gives something, the acquire is cancelled, or the time is over.
    pub(super) fn wait_for<T>(
        &self,
        cancel: &CancelToken,
        deadline: Option<Instant>,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>> {
        let mut naps = Naps::new();
        let mut state = self.state();
        loop {
            if let Some(result) = ready() {
                return Ok(Some(result));
            }
            cancel.check()?;
            let rest = rest_until(deadline);
            if rest.is_zero() {
                return Ok(None);
            }
            self.wait(&mut state, rest, &mut naps)?;
        }
    }

    /// Waits for a change, not longer than this.
    fn wait(
        &self,
        state: &mut MutexGuard<'_, State>,
        most: Duration,
        naps: &mut Naps,
    ) -> Result<()> {
        if self.client.settings().interruptible {
            return MutexGuard::unlocked(state, || naps.nap(most));
        }
        self.changed.wait_for(state, most);
        Ok(())
    }

    /// Wakes who waits in [`Shared::wait_for`].
    pub(super) fn wake(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    /// Waits until the lock is lost; `None` when the time is over before.
    pub(super) fn wait_lost(&self, timeout: Duration) -> Result<Option<LostReason>> {
        let until = Instant::now().checked_add(timeout);
        let stops = self.state().stops;
        let mut naps = Naps::new();
        loop {
            let remaining = self.remaining();
            let mut state = self.state();
            match state.phase {
                Phase::Lost(reason) => return Ok(Some(reason)),
                Phase::Held(_) if state.stops != stops => {
                    return Err(Error::new(Status::Cancelled, "the wait was stopped"));
                }
                Phase::Held(_) => {}
                _ => return Err(Error::new(Status::NotHeld, "the lock is not held")),
            }
            let rest = rest_until(until);
            if rest.is_zero() {
                return Ok(None);
            }
            // Its deadline is another clock's; this one may stand still while that one goes on.
            let nap = remaining.max(Duration::from_millis(1)).min(self.upkeep().clock.tick());
            self.wait(&mut state, nap.min(rest), &mut naps)?;
        }
    }
}

/// The time left; `Duration::MAX` when there is no end.
fn rest_until(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}

impl State {
    fn holds(&self, claim: &Arc<Claim>) -> bool {
        matches!(&self.phase, Phase::Held(held) if Arc::ptr_eq(&held.claim, claim))
    }
}

/// An acquire in flight. Dropped, it is over.
pub(super) struct Acquiring<'a> {
    lock: &'a Shared,
    pub(super) cancel: CancelToken,
}

impl Acquiring<'_> {
    /// The lock is won.
    pub(super) fn hold(self, won: Won) -> Result<()> {
        self.lock.hold(won, &self.cancel)
    }
}

impl Drop for Acquiring<'_> {
    fn drop(&mut self) {
        let mut state = self.lock.state();
        if matches!(state.phase, Phase::Acquiring(_)) {
            state.phase = Phase::Free;
        }
    }
}

impl Tenant for Shared {
    fn session_ended(&self, id: &str, end: SessionEnd) {
        if let Some(claim) = self.claim().filter(|claim| claim.id() == id) {
            self.lose(&claim, end.into());
        }
    }
}

impl From<SessionEnd> for LostReason {
    fn from(end: SessionEnd) -> LostReason {
        match end {
            SessionEnd::Invalid | SessionEnd::Destroyed => LostReason::SessionInvalid,
            SessionEnd::Deadline => LostReason::Deadline,
            SessionEnd::Closed => LostReason::Closed,
        }
    }
}

impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Locks
    }

    fn leave(&self, leaving: Leaving) {
        self.stop(Status::Closed, "the client is closed");
        if let Some(held) = self.take_held(None, Phase::Lost(LostReason::Closed)) {
            Disown::start(self, held.claim, Some(held.token), Some(leaving));
        }
        self.end_listening(Status::Closed, "the client is closed");
    }

    fn evict(&self) {
        self.stop(Status::Closed, "the client is closed");
        self.take_held(None, Phase::Lost(LostReason::Closed));
        self.end_listening(Status::Closed, "the client is closed");
    }

    fn standing(&self) -> Option<Standing> {
        let (order, name) = (Order::Locks, self.key().to_string());
        Some(Standing { order, name, stats: self.stats() })
    }
}
