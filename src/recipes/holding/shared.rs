//! The state of what can be held, and every way in which it changes.

use super::claim::Claim;
use super::disown::Disown;
use super::expiry::Expiry;
use super::monitor::{self, Monitor};
use super::reason::LostReason;
use super::resource::Resource;
use crate::client::{Client, Either};
use crate::config::{Consistency, Options};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::observe::{Progress, Stats};
use crate::recipes::loss::{Listening, Loss};
use crate::recipes::owned::Background;
use crate::recipes::session::{GivingBack, SessionEnd, Tenant};
use crate::runtime::{Leaving, Order, Resident, Signal, Standing, Task, TaskId, Upkeep};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::CancelToken;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What can be held, shared by its handle, the calls in flight and the lane.
pub(in crate::recipes) struct Shared<R: Resource> {
    pub(in crate::recipes) client: Client,
    pub(in crate::recipes) spec: R,
    state: Mutex<State<R>>,
    pub(super) changed: Signal,
    expiry: TaskId,
    me: Weak<Shared<R>>,
}

pub(in crate::recipes) struct State<R: Resource> {
    pub(super) phase: Phase<R>,
    /// The sessions that held it when an acquire looked last.
    pub(in crate::recipes) holders: Vec<String>,
    /// The index of the write of the last acquisition.
    pub(in crate::recipes) token: Option<u64>,
    /// How often `stop` was called.
    pub(super) stops: u64,
    /// Its last handle is gone: what would be won is nobody's.
    freed: bool,
    progress: Progress,
    pub(super) listening: Listening,
}

pub(super) enum Phase<R: Resource> {
    Free,
    Acquiring {
        cancel: CancelToken,
        /// Held until it is over, once nobody wants it any more.
        leaving: Option<Leaving>,
    },
    Held(Held<R>),
    Releasing,
    Lost(LostReason),
}

/// What is known while it is held.
pub(super) struct Held<R: Resource> {
    pub(super) claim: Arc<Claim>,
    /// The write that acquired it.
    pub(super) mark: R::Mark,
    /// When Consul said last that it is ours.
    verified: Duration,
    /// How long that counts.
    window: Duration,
}

impl<R: Resource> Held<R> {
    fn deadline(&self) -> Duration {
        self.verified.saturating_add(self.window)
    }
}

/// What was won, before it is held.
pub(super) struct Won<R: Resource> {
    claim: Arc<Claim>,
    mark: R::Mark,
    /// A borrowed session that is freed now ends after it.
    _session: Option<GivingBack>,
}

impl<R: Resource> Won<R> {
    pub(super) fn new(claim: Arc<Claim>, mark: R::Mark) -> Won<R> {
        let session = claim.begin_giving_back();
        Won { claim, mark, _session: session }
    }
}

impl<R: Resource> Shared<R> {
    pub(super) fn new(client: Client, spec: R) -> Arc<Shared<R>> {
        let upkeep = client.upkeep().clone();
        let shared = Arc::new_cyclic(|me| Shared {
            client: client.unbounded(),
            spec,
            state: Mutex::new(State {
                phase: Phase::Free,
                holders: Vec::new(),
                token: None,
                stops: 0,
                freed: false,
                progress: Progress::default(),
                listening: Listening::default(),
            }),
            changed: Signal::default(),
            expiry: TaskId::new(),
            me: me.clone(),
        });
        let resident: Weak<dyn Resident> = shared.me.clone();
        upkeep.enter(resident);
        shared
    }

    /// For how long it may be unreadable.
    pub(super) fn window(&self, claim: &Claim) -> Duration {
        self.spec.monitor_retry().unwrap_or_else(|| claim.window())
    }

    /// The options of a read that must be true at this moment.
    pub(super) fn consistent(&self) -> Options {
        self.spec.options().clone().consistency(Consistency::Consistent)
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }

    pub(in crate::recipes) fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock()
    }

    /// How long it is known to be held from this moment on; zero when it is not. When its
    /// deadline has passed, that ends it.
    pub(in crate::recipes) fn remaining(&self) -> Duration {
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
            // Whoever ended it may not have come to tell of it yet.
            let end = claim.keeper().and_then(|keeper| keeper.ended());
            self.lose(&claim, end.map_or(LostReason::Deadline, LostReason::from));
        }
        session.min(window)
    }

    /// Begins an acquire; who calls ends it by dropping what this gives.
    pub(super) fn begin_acquire(&self, cancel: CancelToken) -> Result<Acquiring<'_, R>> {
        self.upkeep().lane.check_open()?;
        // A deadline that has passed unnoticed does not stand in the way.
        self.remaining();
        let mut state = self.state();
        let wrong = |status, message| Err(Error::new(status, message));
        let what = R::NOUN;
        if state.freed {
            return wrong(Status::Cancelled, freed::<R>());
        }
        match &state.phase {
            Phase::Free | Phase::Lost(_) => {}
            Phase::Held(_) => {
                return wrong(Status::AlreadyHeld, format!("the {what} is held already"));
            }
            Phase::Acquiring { .. } => {
                return wrong(Status::Busy, format!("another call is acquiring the {what}"));
            }
            Phase::Releasing => {
                return wrong(Status::Busy, format!("another call is releasing the {what}"));
            }
        }
        state.phase = Phase::Acquiring { cancel: cancel.clone(), leaving: None };
        state.holders.clear();
        Ok(Acquiring { shared: self, cancel })
    }

    /// What was won is held from now on, unless the acquire was cancelled meanwhile.
    fn hold(&self, won: Won<R>, cancel: &CancelToken) -> Result<()> {
        let (claim, index) = (won.claim.clone(), R::index(&won.mark));
        let window = self.window(&claim);
        {
            let mut state = self.state();
            if let Err(cancelled) = cancel.check() {
                drop(state);
                Disown::start(self, won.claim, won.mark, None);
                return Err(cancelled);
            }
            state.holders.clear();
            state.token = Some(index);
            let verified = self.upkeep().clock.now();
            state.progress.succeeded(verified);
            state.phase = Phase::Held(Held { claim: won.claim, mark: won.mark, verified, window });
        }
        self.attend(&claim, index);
        Ok(())
    }

    /// Has everything told to what is held now.
    fn attend(&self, claim: &Arc<Claim>, index: u64) {
        let Some(me) = self.me.upgrade() else { return };
        let upkeep = self.upkeep();
        let expiry: Arc<dyn Task> = Arc::new(Expiry(me.clone()));
        // Where no thread can be started at all the deadline is still kept by whoever asks.
        let _ = upkeep.lane.schedule(self.expiry, &expiry, upkeep.clock.now());
        Monitor::of(upkeep).watch(&me, claim, index);
        if let Some(keeper) = claim.keeper() {
            let tenant: Weak<dyn Tenant> = self.me.clone();
            keeper.admit(tenant);
        }
    }

    /// The claim with which it is held.
    pub(in crate::recipes) fn claim(&self) -> Option<Arc<Claim>> {
        match &self.state().phase {
            Phase::Held(held) => Some(held.claim.clone()),
            _ => None,
        }
    }

    pub(super) fn holds(&self, claim: &Arc<Claim>) -> bool {
        self.state().holds(claim)
    }

    /// Consul says that it is ours. When that comes too late it takes nothing back.
    pub(super) fn verified(&self, claim: &Arc<Claim>) {
        let mut state = self.state();
        let Phase::Held(held) = &mut state.phase else { return };
        if !Arc::ptr_eq(&held.claim, claim) {
            return;
        }
        // The clock is read while the state is locked, so that nobody has seen it lost and held again.
        let now = self.upkeep().clock.now();
        if now < held.deadline() {
            held.verified = now;
            return state.progress.succeeded(now);
        }
        drop(state);
        self.lose(claim, LostReason::Deadline);
    }

    /// A check that began at this time is over, for this one and others; the next one comes then.
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
        log::failed(R::NOUN, failures, || format!("{}: {error}", self.spec.name()));
    }

    /// How it is getting on.
    pub(in crate::recipes) fn stats(&self) -> Stats {
        self.remaining();
        let now = self.upkeep().clock.now();
        let state = self.state();
        let word = match &state.phase {
            Phase::Free => "free",
            Phase::Acquiring { .. } => "acquiring",
            Phase::Held(_) => "held",
            Phase::Releasing => "releasing",
            Phase::Lost(_) => "lost",
        };
        state.progress.stats(word, now)
    }

    /// It is lost. Only the first time counts.
    pub(super) fn lose(&self, claim: &Arc<Claim>, reason: LostReason) {
        let Some(held) = self.take_held(Some(claim), Phase::Lost(reason)) else { return };
        let level = if reason == LostReason::Closed { Level::Info } else { Level::Error };
        log::add(level, R::NOUN, || {
            format!("{} is lost: {}", self.spec.name(), reason.error(R::NOUN))
        });
        // A borrowed session may go on holding it, and keep everybody else waiting.
        if reason == LostReason::Deadline && !claim.is_own() && !claim.remaining().is_zero() {
            Disown::start(self, held.claim, held.mark, None);
        }
    }

    /// Begins a release: from now on it is not held.
    pub(super) fn begin_release(&self) -> Result<Held<R>> {
        self.remaining();
        self.take_held(None, Phase::Releasing).ok_or_else(|| self.not_held())
    }

    /// Ends a release; with a reason when it turned out to be lost before.
    pub(super) fn end_release(&self, lost: Option<LostReason>) {
        let listening = {
            let mut state = self.state();
            state.phase = lost.map_or(Phase::Free, Phase::Lost);
            state.listening.clone()
        };
        self.changed.ring();
        if let Some(reason) = lost {
            listening.tell(Loss::Lost(reason.error(R::NOUN)));
        }
    }

    /// Takes what is known of it while it is held, if that is with this claim.
    fn take_held(&self, claim: Option<&Arc<Claim>>, next: Phase<R>) -> Option<Held<R>> {
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
        self.changed.ring();
        self.upkeep().lane.end(self.expiry);
        if let Some(reason) = lost {
            listening.tell(Loss::Lost(reason.error(R::NOUN)));
        }
        Some(held)
    }

    /// Why it was lost, if it was.
    pub(in crate::recipes) fn lost_reason(&self) -> Option<LostReason> {
        self.remaining();
        match self.state().phase {
            Phase::Lost(reason) => Some(reason),
            _ => None,
        }
    }

    /// The error of who lost it.
    pub(in crate::recipes) fn lost_error(&self) -> Option<Error> {
        self.lost_reason().map(|reason| reason.error(R::NOUN))
    }

    /// Reads whether it is still held. If it cannot be read the lane finds out.
    pub(in crate::recipes) async fn examine(self: &Arc<Self>, style: Either) {
        if let Some(claim) = self.claim() {
            let _ = monitor::examine(self, &claim, style).await;
        }
    }

    /// The error of who needs it held.
    pub(super) fn not_held(&self) -> Error {
        match self.state().phase {
            Phase::Lost(reason) => reason.error(R::NOUN),
            _ => never_held::<R>(),
        }
    }

    /// Has the end of the client wait for an acquire in flight: it may win something yet, which is given
    /// back then.
    fn leave_acquire(&self, held: impl FnOnce() -> Leaving) {
        if let Phase::Acquiring { leaving, .. } = &mut self.state().phase {
            leaving.get_or_insert_with(held);
        }
    }

    /// Ends waiting calls with this status.
    pub(super) fn stop(&self, status: Status, message: &str) {
        let mut state = self.state();
        state.stops += 1;
        if let Phase::Acquiring { cancel, .. } = &state.phase {
            cancel.cancel(status, message);
        }
        drop(state);
        self.changed.ring();
    }
}

impl<R: Resource> Background for Shared<R> {
    const NOUN: &'static str = R::NOUN;

    fn client(&self) -> &Client {
        &self.client
    }

    /// Ends waiting calls and gives it back from the lane.
    fn abandon(&self) {
        let freed = freed::<R>();
        self.state().freed = true;
        self.leave_acquire(|| self.upkeep().give_back());
        self.stop(Status::Cancelled, &freed);
        if let Some(held) = self.take_held(None, Phase::Free) {
            Disown::start(self, held.claim, held.mark, None);
        }
        self.end_listening(Status::Cancelled, &freed);
    }
}

fn freed<R: Resource>() -> String {
    format!("the {} was freed", R::NOUN)
}

pub(super) fn never_held<R: Resource>() -> Error {
    Error::new(Status::NotHeld, format!("the {} is not held", R::NOUN))
}

impl<R: Resource> State<R> {
    fn holds(&self, claim: &Arc<Claim>) -> bool {
        matches!(&self.phase, Phase::Held(held) if Arc::ptr_eq(&held.claim, claim))
    }
}

/// An acquire in flight. Dropped, it is over.
pub(super) struct Acquiring<'a, R: Resource> {
    shared: &'a Shared<R>,
    pub(super) cancel: CancelToken,
}

impl<R: Resource> Acquiring<'_, R> {
    /// It is won.
    pub(super) fn hold(self, won: Won<R>) -> Result<()> {
        self.shared.hold(won, &self.cancel)
    }
}

impl<R: Resource> Drop for Acquiring<'_, R> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if matches!(state.phase, Phase::Acquiring { .. }) {
            state.phase = Phase::Free;
        }
    }
}

impl<R: Resource> Tenant for Shared<R> {
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

impl<R: Resource> Resident for Shared<R> {
    fn order(&self) -> Order {
        R::ORDER
    }

    fn stop_waiting(&self) {
        if let Phase::Acquiring { cancel, .. } = &self.state().phase {
            cancel.cancel(Status::Closed, "the client is closed");
        }
    }

    fn leave(&self, leaving: Leaving) {
        self.leave_acquire(|| leaving.clone());
        self.stop(Status::Closed, "the client is closed");
        if let Some(held) = self.take_held(None, Phase::Lost(LostReason::Closed)) {
            Disown::start(self, held.claim, held.mark, Some(leaving));
        }
        self.end_listening(Status::Closed, "the client is closed");
    }

    fn evict(&self) {
        self.stop(Status::Closed, "the client is closed");
        self.take_held(None, Phase::Lost(LostReason::Closed));
        self.end_listening(Status::Closed, "the client is closed");
    }

    fn standing(&self) -> Option<Standing> {
        let (order, name) = (R::ORDER, self.spec.name().to_string());
        Some(Standing { order, name, stats: self.stats() })
    }
}
