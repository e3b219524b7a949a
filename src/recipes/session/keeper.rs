//! Keeps one session alive, from its making to its end.

use super::end::{SessionEnd, Tenant};
use super::lease::Lease;
use super::renewal::{Expiry, Renewal};
use crate::api::session::SessionSpec;
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::Result;
use crate::observe::log::{self, Level};
use crate::observe::{Progress, Stats};
use crate::runtime::{Kept, Leaving, Order, Resident, Standing, Task, TaskId, Upkeep};
use crate::sync::Mutex;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub(super) const AREA: &str = "session";

/// The longest time that an attempt to destroy a session is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// One session and its renewal.
pub(crate) struct Keeper {
    pub(super) client: Client,
    pub(super) options: Options,
    pub(super) id: String,
    patience: Duration,
    renewal: TaskId,
    expiry: TaskId,
    pub(super) state: Mutex<State>,
    me: Weak<Keeper>,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// Why it is not valid any more.
    end: Option<SessionEnd>,
    pub(super) progress: Progress,
    tenants: Vec<Weak<dyn Tenant>>,
    /// An attempt to take something with it is in flight.
    in_use: bool,
    /// How much that was taken with it is being given back.
    giving_back: usize,
    /// It is to be destroyed after that.
    ends_after: bool,
    leaving: Option<Leaving>,
}

#[derive(Clone, Copy)]
pub(super) enum Phase {
    /// It is renewed.
    Kept(Lease),
    /// It is not renewed any more and stays at Consul.
    Left(Lease),
    /// Its deadline is over: it is to be destroyed as soon as nothing uses it.
    Expired(Duration),
    /// It is to be destroyed; not after this time, since it has ended by itself then.
    Ending(Duration),
    Gone,
}

impl Keeper {
    /// Makes a session with the bounds of this handle of the client, and keeps it from then on.
    pub(crate) async fn create(
        client: &Client<Either>,
        spec: &SessionSpec,
        options: &Options,
    ) -> Result<Arc<Keeper>> {
        let upkeep = client.upkeep();
        let sent = upkeep.clock.now();
        let id = client.session().create(spec, options)?.await?.value;
        let keeper = Arc::new_cyclic(|me| Keeper {
            client: client.blocking().unbounded().on_upkeep(),
            options: options.clone(),
            id,
            patience: match spec.time_to_live() {
                Duration::ZERO => PATIENCE,
                ttl => PATIENCE.min(ttl / 3),
            },
            renewal: TaskId::new(),
            expiry: TaskId::new(),
            state: Mutex::new(State {
                phase: Phase::Kept(Lease::new(spec.time_to_live(), sent)),
                end: None,
                progress: begun_at(sent),
                tenants: Vec::new(),
                in_use: false,
                giving_back: 0,
                ends_after: false,
                leaving: None,
            }),
            me: me.clone(),
        });
        match keeper.start() {
            Ok(()) => Ok(keeper),
            Err(error) => {
                let _ = keeper.destroy(client).await;
                Err(error)
            }
        }
    }

    fn start(self: &Arc<Keeper>) -> Result<()> {
        let Phase::Kept(lease) = self.phase() else { return Ok(()) };
        let upkeep = self.upkeep();
        let first = lease.renewal(upkeep.jitter.unit());
        self.state.lock().progress.next(Some(first));
        let renewal: Arc<dyn Task> = Arc::new(Renewal(self.clone()));
        upkeep.lane.schedule(self.renewal, &renewal, first)?;
        if let Some(deadline) = lease.deadline() {
            let expiry: Arc<dyn Task> = Arc::new(Expiry(self.clone()));
            upkeep.lane.schedule(self.expiry, &expiry, deadline)?;
        }
        let (kept, resident): (Weak<dyn Kept>, Weak<dyn Resident>) =
            (self.me.clone(), self.me.clone());
        upkeep.keep(&self.id, kept);
        upkeep.enter(resident);
        Ok(())
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether it is valid at this moment. When its deadline has passed, that ends it.
    pub(crate) fn is_valid(&self) -> bool {
        !self.remaining().is_zero()
    }

    /// How long it is known to live; as [`Keeper::is_valid`].
    pub(crate) fn remaining(&self) -> Duration {
        let remaining = match self.phase() {
            Phase::Kept(lease) | Phase::Left(lease) => lease.remaining(self.upkeep().clock.now()),
            Phase::Expired(_) | Phase::Ending(_) | Phase::Gone => return Duration::ZERO,
        };
        if remaining.is_zero() {
            self.lose(SessionEnd::Deadline);
        }
        remaining
    }

    /// Why it is not valid any more, once that is so.
    pub(crate) fn ended(&self) -> Option<SessionEnd> {
        self.state.lock().end
    }

    /// The time to live that Consul gave it; zero for none, `None` when it ended.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        match self.phase() {
            Phase::Kept(lease) | Phase::Left(lease) => Some(lease.ttl()),
            Phase::Expired(_) | Phase::Ending(_) | Phase::Gone => None,
        }
    }

    /// Has this one told when the session ends; at once when it has ended.
    pub(crate) fn admit(&self, tenant: Weak<dyn Tenant>) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Kept(_) | Phase::Left(_)) {
            let is_same =
                |other: &Weak<dyn Tenant>| std::ptr::addr_eq(other.as_ptr(), tenant.as_ptr());
            state.tenants.retain(|other| other.strong_count() > 0 && !is_same(other));
            return state.tenants.push(tenant);
        }
        let end = state.end.unwrap_or(SessionEnd::Invalid);
        drop(state);
        if let Some(tenant) = tenant.upgrade() {
            tenant.session_ended(&self.id, end);
        }
    }

    /// Renews it no more, and leaves it at Consul.
    pub(crate) fn leave_alone(&self) {
        {
            let mut state = self.state.lock();
            let Phase::Kept(lease) = state.phase else { return };
            state.phase = Phase::Left(lease);
            state.progress.next(None);
        }
        self.upkeep().lane.end(self.renewal);
    }

    /// It ended, or must count as ended: tells its tenants, once. One that ended only here is
    /// destroyed at Consul too, where it would keep others waiting.
    pub(crate) fn lose(&self, end: SessionEnd) {
        let tenants = {
            let mut state = self.state.lock();
            match (state.phase, end) {
                (Phase::Kept(lease), SessionEnd::Deadline) => {
                    state.phase = Phase::Expired(self.end_by(lease));
                    state.progress.begin_anew();
                }
                (Phase::Kept(_) | Phase::Left(_), _) => {
                    state.phase = Phase::Gone;
                    state.progress.next(None);
                }
                (Phase::Expired(_) | Phase::Ending(_) | Phase::Gone, _) => return,
            }
            state.end = Some(end);
            std::mem::take(&mut state.tenants)
        };
        let level = match end {
            SessionEnd::Invalid | SessionEnd::Deadline => Level::Error,
            SessionEnd::Destroyed | SessionEnd::Closed => Level::Info,
        };
        log::add(level, AREA, || format!("{} ended: {}", self.id, end.as_str()));
        self.tell(&tenants, end);
    }

    /// From now on it is not valid, though Consul still has it.
    pub(crate) fn let_go(&self) {
        let tenants = {
            let mut state = self.state.lock();
            let lease = match state.phase {
                Phase::Kept(lease) | Phase::Left(lease) => lease,
                Phase::Expired(until) => return state.phase = Phase::Ending(until),
                Phase::Ending(_) | Phase::Gone => return,
            };
            state.phase = Phase::Ending(self.end_by(lease));
            state.progress.begin_anew();
            state.end = Some(SessionEnd::Destroyed);
            std::mem::take(&mut state.tenants)
        };
        self.tell(&tenants, SessionEnd::Destroyed);
    }

    /// Destroys it at Consul. When that fails the lane goes on with it.
    pub(crate) async fn destroy(&self, client: &Client<Either>) -> Result<()> {
        self.let_go();
        if !matches!(self.phase(), Phase::Ending(_)) {
            return Ok(());
        }
        let client = self.hurried().cancelled_by(&client.cancel()).styled(client.style());
        let destroyed = match client.session().destroy(&self.id, &self.options) {
            Ok(destroyed) => destroyed.await,
            Err(error) => Err(error),
        };
        match destroyed {
            Ok(_) => {
                self.finish();
                Ok(())
            }
            Err(error) => {
                self.end_on_lane(None);
                Err(error)
            }
        }
    }

    /// Destroys it at Consul from the lane, unless it shall stay there; after what is given back, for it
    /// would leave a lock-delay.
    pub(crate) fn end_unless_left(&self, leaving: Option<Leaving>) {
        if !matches!(self.phase(), Phase::Kept(_) | Phase::Expired(_) | Phase::Ending(_)) {
            return;
        }
        self.let_go();
        {
            let mut state = self.state.lock();
            if state.giving_back > 0 {
                state.ends_after = true;
                return self.set_leaving(&mut state, leaving);
            }
        }
        self.end_on_lane(leaving);
    }

    /// Something that was taken with it is being given back, until this is dropped.
    pub(crate) fn begin_giving_back(self: &Arc<Keeper>) -> GivingBack {
        self.state.lock().giving_back += 1;
        GivingBack(self.clone())
    }

    fn set_leaving(&self, state: &mut State, leaving: Option<Leaving>) {
        let known = leaving.or(state.leaving.take());
        state.leaving = known.or_else(|| Some(self.upkeep().give_back()));
    }

    /// Destroys it at Consul from the lane.
    pub(crate) fn end_on_lane(&self, leaving: Option<Leaving>) {
        self.let_go();
        let Some(me) = self.me.upgrade() else { return };
        {
            let mut state = self.state.lock();
            if matches!(state.phase, Phase::Gone) {
                return;
            }
            self.set_leaving(&mut state, leaving);
        }
        let renewal: Arc<dyn Task> = Arc::new(Renewal(me));
        let upkeep = self.upkeep();
        if upkeep.lane.schedule(self.renewal, &renewal, upkeep.clock.now()).is_err() {
            self.finish();
        }
    }

    fn tell(&self, tenants: &[Weak<dyn Tenant>], end: SessionEnd) {
        let upkeep = self.upkeep();
        upkeep.forget(&self.id);
        upkeep.lane.end(self.expiry);
        upkeep.lane.end(self.renewal);
        for tenant in tenants.iter().filter_map(Weak::upgrade) {
            tenant.session_ended(&self.id, end);
        }
        if end == SessionEnd::Deadline {
            self.end_unless_in_use();
        }
    }

    /// As long as it is in use its deadline does not have it destroyed at Consul.
    pub(super) fn set_in_use(&self, in_use: bool) {
        self.state.lock().in_use = in_use;
        self.end_unless_in_use();
    }

    /// Destroys at Consul from the lane what has ended here.
    fn end_unless_in_use(&self) {
        let is_due = {
            let state = self.state.lock();
            matches!(state.phase, Phase::Expired(_) | Phase::Ending(_)) && !state.in_use
        };
        if is_due {
            self.end_on_lane(None);
        }
    }

    /// It is gone at Consul, or given up.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Gone;
        state.progress.next(None);
        let leaving = state.leaving.take();
        drop(state);
        drop(leaving);
    }

    /// When it has ended by itself at the latest.
    fn end_by(&self, lease: Lease) -> Duration {
        self.upkeep().clock.now() + lease.end_within()
    }

    /// How it is getting on.
    pub(crate) fn stats(&self) -> Stats {
        let now = self.upkeep().clock.now();
        let state = self.state.lock();
        let word = match state.phase {
            Phase::Kept(lease) | Phase::Left(lease) if lease.is_over(now) => "ended",
            Phase::Kept(_) => "kept",
            Phase::Left(_) => "stopped",
            Phase::Expired(_) | Phase::Ending(_) => "ending",
            Phase::Gone => "ended",
        };
        state.progress.stats(word, now)
    }

    /// The client for a request that shall not hold up others: a third of the TTL at most.
    pub(super) fn hurried(&self) -> Client {
        self.client.until(Instant::now() + self.patience)
    }

    pub(super) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }
}

/// Something that was taken with a session is being given back.
pub(crate) struct GivingBack(Arc<Keeper>);

impl Drop for GivingBack {
    fn drop(&mut self) {
        let is_due = {
            let mut state = self.0.state.lock();
            state.giving_back -= 1;
            state.giving_back == 0 && std::mem::take(&mut state.ends_after)
        };
        if is_due {
            self.0.end_on_lane(None);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.upkeep().forget(&self.id);
    }
}

impl Resident for Keeper {
    fn order(&self) -> Order {
        Order::Sessions
    }

    fn leave(&self, leaving: Leaving) {
        self.end_unless_left(Some(leaving));
    }

    fn evict(&self) {
        self.lose(SessionEnd::Closed);
    }

    fn standing(&self) -> Option<Standing> {
        let (order, name) = (Order::Sessions, self.id.clone());
        Some(Standing { order, name, stats: self.stats() })
    }
}

impl Kept for Keeper {
    fn destroyed(&self) {
        self.lose(SessionEnd::Destroyed);
    }
}

fn begun_at(sent: Duration) -> Progress {
    let mut progress = Progress::default();
    progress.succeeded(sent);
    progress
}
