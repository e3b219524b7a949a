//! The state of an election, and every way in which it changes.

use super::leadership::{Leader, Leadership};
use super::listening::{ElectionListener, Listening, News};
use super::spec::ElectionSpec;
use super::{campaign, observe};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::observe::{Progress, Stats};
use crate::recipes::lock::Lock;
use crate::recipes::owned::Background;
use crate::runtime::{Leaving, Order, Resident, Signal, Task, TaskId, Upkeep, spawn};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::CancelToken;
use crate::watch::{Freshness, Watch, WatchSpec};
use std::sync::{Arc, Weak};
use std::time::Duration;

const AREA: &str = "election";

/// When what has ended by itself is begun anew.
const ANEW: Duration = Duration::from_secs(1);

/// An election, shared by its handle and by what goes on in the background.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) spec: ElectionSpec,
    /// Held while this candidate leads.
    pub(super) lock: Lock,
    pub(super) watch: Watch,
    pub(super) signal: Arc<Signal>,
    state: Mutex<State>,
    tending: TaskId,
    me: Weak<Shared>,
}

#[derive(Default)]
struct State {
    /// It is to campaign.
    wanted: bool,
    campaign: Option<CancelToken>,
    observation: Option<CancelToken>,
    /// That it leads was told.
    leads: bool,
    published: Arc<Leadership>,
    progress: Progress,
    listening: Listening,
    /// Held until no campaign goes on.
    leaving: Option<Leaving>,
    ended: Option<Error>,
}

/// What goes on in the background.
#[derive(Clone, Copy)]
enum Pursuit {
    Campaign,
    Observation,
}

impl State {
    fn running(&mut self, pursuit: Pursuit) -> &mut Option<CancelToken> {
        match pursuit {
            Pursuit::Campaign => &mut self.campaign,
            Pursuit::Observation => &mut self.observation,
        }
    }
}

impl Shared {
    pub(super) fn start(client: &Client, spec: ElectionSpec) -> Result<Arc<Shared>> {
        let client = client.unbounded();
        let signal = Arc::new(Signal::default());
        let lock = client.lock(spec.lock())?;
        let (news, losses) = (signal.clone(), signal.clone());
        let watch = WatchSpec::key(&spec.key).options(&spec.options);
        let watch = client.watch_with(watch, move |_| news.ring())?;
        lock.set_listener(Some(Box::new(move |_| losses.ring())))?;
        let state = State { wanted: !spec.observes_only, ..State::default() };
        let shared = Arc::new_cyclic(|me| Shared {
            client,
            spec,
            lock,
            watch,
            signal,
            state: Mutex::new(state),
            tending: TaskId::new(),
            me: me.clone(),
        });
        let resident: Weak<dyn Resident> = shared.me.clone();
        shared.upkeep().enter(resident);
        shared.tend();
        Ok(shared)
    }

    pub(super) fn key(&self) -> &str {
        &self.spec.key
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// An error once it has ended.
    fn check_open(&self) -> Result<()> {
        self.state().ended.clone().map_or(Ok(()), Err)
    }

    /// Begins what is to go on and does not.
    fn tend(&self) {
        self.pursue(Pursuit::Observation);
        self.pursue(Pursuit::Campaign);
    }

    fn pursue(&self, pursuit: Pursuit) {
        let Some(me) = self.me.upgrade() else { return };
        let cancel = CancelToken::new();
        {
            let mut state = self.state();
            let is_wanted = state.wanted || matches!(pursuit, Pursuit::Observation);
            let is_open = state.ended.is_none() && state.leaving.is_none();
            let running = state.running(pursuit);
            if !is_wanted || !is_open || running.is_some() {
                return;
            }
            *running = Some(cancel.clone());
        }
        let over = Over { election: me.clone(), pursuit, cancel: cancel.clone() };
        let going_on = async move {
            let _over = over;
            match pursuit {
                Pursuit::Campaign => campaign::run(&me, &cancel).await,
                Pursuit::Observation => observe::run(&me, &cancel).await,
            }
        };
        spawn(going_on, |_| ());
    }

    /// Campaigns from now on.
    pub(super) fn campaign(&self) -> Result<()> {
        self.check_open()?;
        self.upkeep().lane.check_open()?;
        self.state().wanted = true;
        self.pursue(Pursuit::Campaign);
        Ok(())
    }

    /// Calls the campaign off, and gives the key back where it was won.
    pub(super) async fn resign(&self, client: &Client<Either>) -> Result<()> {
        self.call_off();
        let is_over = || {
            let state = self.state();
            // Who campaigns again at the same time begins anew.
            (state.campaign.is_none() || state.wanted).then_some(())
        };
        client.wait(&self.signal, Duration::MAX, || Ok(is_over())).await?;
        self.state().leads = false;
        if !self.lock.is_held() {
            return Ok(());
        }
        log::add(Level::Info, AREA, || format!("{}: resigns", self.key()));
        let released = self.lock.styled(client.style()).release()?.await;
        match released {
            // Who resigns does not mind.
            Err(error) if matches!(error.status(), Status::LockLost | Status::NotHeld) => Ok(()),
            released => released,
        }
    }

    fn call_off(&self) {
        let campaign = {
            let mut state = self.state();
            state.wanted = false;
            state.campaign.clone()
        };
        if let Some(campaign) = campaign {
            campaign.cancel(Status::Cancelled, "the candidate resigned");
        }
    }

    /// Whether Consul says at this moment that nobody holds the key.
    pub(super) fn seems_free(&self) -> bool {
        if !matches!(self.watch.freshness(), Freshness::Fresh | Freshness::Empty) {
            return false;
        }
        let state = self.watch.state();
        let pair = state.content().and_then(|content| content.pair(self.key()));
        pair.and_then(Leader::of).is_none()
    }

    /// It leads.
    pub(super) fn won(&self) {
        let token = self.lock.fencing_token().unwrap_or_default();
        log::add(Level::Info, AREA, || format!("{}: won, token {token}", self.key()));
        let listening = {
            let mut state = self.state();
            state.leads = true;
            state.progress.succeeded(self.upkeep().clock.now());
            state.listening.clone()
        };
        self.signal.ring();
        listening.tell(News::Won);
    }

    /// It does not lead any more.
    pub(super) fn lost(&self) {
        let reason = self.lock.lost_reason().map(Error::from);
        let error = reason.unwrap_or_else(|| Error::new(Status::LockLost, "the lock was lost"));
        log::add(Level::Info, AREA, || format!("{}: lost: {error}", self.key()));
        let listening = {
            let mut state = self.state();
            state.leads = false;
            state.listening.clone()
        };
        self.signal.ring();
        listening.tell(News::Lost(error));
    }

    /// An attempt failed.
    pub(super) fn failed(&self, error: Error) {
        let failures = {
            let mut state = self.state();
            state.progress.failed(error.clone());
            state.progress.failures()
        };
        log::failed(AREA, failures, || format!("{}: {error}", self.key()));
    }

    /// The node of a session, where that is known.
    pub(super) fn node_of(&self, session: &str) -> Option<String> {
        let published = self.state().published.clone();
        let leader = published.leader.as_ref().filter(|leader| leader.session == session)?;
        Some(leader.node.clone()).filter(|node| !node.is_empty())
    }

    /// Consul says who leads.
    pub(super) fn publish(&self, leader: Option<Leader>) {
        let listening = {
            let mut state = self.state();
            let before = &state.published;
            let is_same = before.version > 0
                && match (&before.leader, &leader) {
                    (Some(before), Some(leader)) => before.is_same(leader),
                    (before, leader) => before.is_none() && leader.is_none(),
                };
            let version = before.version + u64::from(!is_same);
            state.published = Arc::new(Leadership { version, leader, is_self: false });
            if is_same {
                return;
            }
            state.listening.clone()
        };
        self.signal.ring();
        listening.tell(News::Changed);
    }

    /// Who leads. A candidate that was just elected knows it before Consul tells.
    pub(super) fn leadership(&self) -> Leadership {
        let published = Leadership::clone(&self.state().published);
        let Some(session) = self.lock.session_id().filter(|_| self.lock.is_held()) else {
            return published;
        };
        let told = published.leader.filter(|leader| leader.session == session);
        let leader = told.unwrap_or_else(|| Leader {
            value: self.lock.value(),
            session,
            modify_index: self.lock.fencing_token().unwrap_or_default(),
            ..Leader::default()
        });
        Leadership { leader: Some(leader), is_self: true, ..published }
    }

    /// Waits for something; `None` when the time is over before.
    pub(super) async fn wait<T>(
        &self,
        client: &Client<Either>,
        timeout: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>> {
        let look = || match ready() {
            Some(found) => Ok(Some(found)),
            None => self.check_open().map(|()| None),
        };
        client.wait(&self.signal, timeout, look).await
    }

    /// Has this one told from now on, and nobody else; at once of what is so already.
    pub(super) fn listen(&self, listener: Option<ElectionListener>) -> Result<()> {
        if listener.is_some() {
            self.check_open()?;
        }
        let listening = Listening::new(listener);
        let (before, leads, known) = {
            let mut state = self.state();
            let before = std::mem::replace(&mut state.listening, listening.clone());
            (before, state.leads, state.published.version > 0)
        };
        drop(before);
        if known {
            listening.tell(News::Changed);
        }
        if leads {
            listening.tell(News::Won);
        }
        Ok(())
    }

    /// How it is getting on.
    pub(super) fn stats(&self) -> Stats {
        if self.lock.is_held() {
            return Stats { state: "leading", ..self.lock.stats() };
        }
        let (watch, now) = (self.watch.stats(), self.upkeep().clock.now());
        let state = self.state();
        let word = match (&state.ended, state.wanted) {
            (Some(_), _) => "closed",
            (None, true) => "campaigning",
            (None, false) => "observing",
        };
        let own = state.progress.stats(word, now);
        let unheard = watch.last_error.as_deref().filter(|_| watch.consecutive_failures > 0);
        Stats {
            last_success: watch.last_success_age,
            consecutive_failures: own.consecutive_failures.max(watch.consecutive_failures),
            last_error: unheard.cloned().or(own.last_error),
            ..own
        }
    }

    /// Nothing goes on any more.
    pub(super) fn end(&self, status: Status, message: &str) {
        let error = Error::new(status, message);
        let (campaign, observation, listening, led) = {
            let mut state = self.state();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some(error.clone());
            state.wanted = false;
            if status == Status::Cancelled && state.campaign.is_some() {
                // It may win something yet.
                state.leaving.get_or_insert_with(|| self.upkeep().give_back());
            }
            let led = std::mem::take(&mut state.leads);
            let listening = std::mem::take(&mut state.listening);
            (state.campaign.clone(), state.observation.clone(), listening, led)
        };
        for token in [campaign, observation].into_iter().flatten() {
            token.cancel(status, message);
        }
        self.watch.stop();
        self.lock.abandon();
        self.signal.ring();
        // Who resigned knows.
        if led && status == Status::Closed {
            listening.tell(News::Lost(error.clone()));
        }
        listening.tell(News::Ended(error));
    }

    /// What went on has ended: as it was told to, or since the thread that it went on in has.
    fn over(&self, pursuit: Pursuit, cancel: &CancelToken) {
        let (leaving, ended) = {
            let mut state = self.state();
            *state.running(pursuit) = None;
            let leaving = matches!(pursuit, Pursuit::Campaign).then(|| state.leaving.take());
            (leaving.flatten(), state.ended.is_some())
        };
        if ended {
            // It may have been won in the last moment.
            self.lock.abandon();
        } else if cancel.is_cancelled() {
            self.pursue(pursuit);
        } else {
            self.begin_anew();
        }
        drop(leaving);
        self.signal.ring();
    }

    fn begin_anew(&self) {
        let Some(me) = self.me.upgrade() else { return };
        let tending: Arc<dyn Task> = Arc::new(Tending(me));
        let upkeep = self.upkeep();
        let _ = upkeep.lane.schedule(self.tending, &tending, upkeep.clock.now() + ANEW);
    }
}

/// Tells, when dropped, that something in the background has ended.
struct Over {
    election: Arc<Shared>,
    pursuit: Pursuit,
    cancel: CancelToken,
}

impl Drop for Over {
    fn drop(&mut self) {
        self.election.over(self.pursuit, &self.cancel);
    }
}

/// Begins anew what has ended by itself.
struct Tending(Arc<Shared>);

impl Task for Tending {
    fn uses_network(&self) -> bool {
        false
    }

    fn step(&self) -> Option<Duration> {
        self.0.tend();
        None
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        None
    }
}

impl Background for Shared {
    const NOUN: &'static str = "election";

    fn client(&self) -> &Client {
        &self.client
    }

    fn abandon(&self) {
        self.end(Status::Cancelled, "the election was freed");
    }
}

impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Elections
    }

    /// The lock is given back in its turn.
    fn leave(&self, leaving: Leaving) {
        let campaign = {
            let mut state = self.state();
            state.wanted = false;
            if state.campaign.is_some() {
                state.leaving = Some(leaving);
            }
            state.campaign.clone()
        };
        if let Some(campaign) = campaign {
            campaign.cancel(Status::Closed, "the client is closed");
        }
    }

    fn evict(&self) {
        self.end(Status::Closed, "the client is closed");
    }
}
