//! The state of a service that stays registered, and every way in which it changes.

use super::home::Home;
use super::spec::{Checked, Heartbeat, Kept};
use super::tend::Tending;
use crate::api::CheckStatus;
use crate::api::agent::ServiceDefinition;
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::{Progress, Stats};
use crate::recipes::owned::Background;
use crate::recipes::turn::Turn;
use crate::runtime::{Leaving, Order, Resident, Standing, Task, TaskId, Upkeep};
use crate::sync::{Mutex, MutexGuard};
use scopeguard::{ScopeGuard, guard};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The note of a program that was not heard of.
const SILENT: &str = "the program has not reported for a TTL";

/// A kept service, shared by its handle and the lane.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) kept: Kept,
    state: Mutex<State>,
    /// Held during every exchange about it. The lane waits for nobody who has it.
    pub(super) turn: Turn,
    pub(super) task: TaskId,
    me: Weak<Shared>,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// The agent that has it, of a client with several addresses, and those that may still have it.
    pub(super) home: Home,
    /// Something about it may have been sent.
    pub(super) started: bool,
    pub(super) definition: ServiceDefinition,
    pub(super) options: Options,
    /// Of the client's token, as it was sent last.
    pub(super) token: u64,
    /// One more with each change of the two above.
    pub(super) revision: u64,
    /// The revision that the agent is known to have.
    pub(super) registered: Option<u64>,
    /// It is written though the agent seems to have it.
    pub(super) must_write: bool,
    /// Until then a write without an answer may be carried out; zero for none.
    pub(super) unsure_until: Duration,
    pub(super) said: Report,
    /// What the agent was told last.
    pub(super) told: Option<Report>,
    /// When the program was heard of last.
    patted: Duration,
    pub(super) beat_due: Duration,
    pub(super) look_due: Duration,
    /// Why it is in maintenance, as far as is known.
    pub(super) maintenance: Option<String>,
    /// Why it is to be put back into maintenance.
    pub(super) restoring: Option<String>,
    pub(super) registrations: u64,
    pub(super) progress: Progress,
    pub(super) leaving: Option<Leaving>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is let alone.
    Idle,
    /// It is kept registered.
    Kept,
    /// It is to be deregistered; given up after this time.
    Leaving(Duration),
    Gone,
}

/// How the program is, and what it says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) status: CheckStatus,
    pub(super) note: String,
}

impl Shared {
    pub(super) fn new(client: &Client, spec: Checked) -> Arc<Shared> {
        let shared = Arc::new_cyclic(|me| Shared {
            client: client.unbounded().on_upkeep(),
            kept: spec.kept,
            state: Mutex::new(State {
                phase: Phase::Idle,
                home: Home::default(),
                started: false,
                definition: spec.definition,
                options: spec.options,
                token: client.token_revision(),
                revision: 1,
                registered: None,
                must_write: true,
                unsure_until: Duration::ZERO,
                said: Report { status: spec.status, note: spec.note },
                told: None,
                patted: Duration::ZERO,
                beat_due: Duration::ZERO,
                look_due: Duration::ZERO,
                maintenance: None,
                restoring: None,
                registrations: 0,
                progress: Progress::default(),
                leaving: None,
            }),
            turn: Turn::default(),
            task: TaskId::new(),
            me: me.clone(),
        });
        let resident: Weak<dyn Resident> = shared.me.clone();
        client.upkeep().enter(resident);
        shared
    }

    pub(super) fn id(&self) -> &str {
        &self.kept.id
    }

    pub(super) fn check_id(&self) -> String {
        self.kept.check_id()
    }

    pub(super) fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }

    pub(super) fn now(&self) -> Duration {
        self.upkeep().clock.now()
    }

    /// A number from 0 up to 1 by chance.
    pub(super) fn unit(&self) -> f64 {
        self.upkeep().jitter.unit()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) async fn start(&self, client: &Client<Either>) -> Result<()> {
        if !self.begin_keeping()? {
            return Ok(());
        }
        // What is begun the lane goes on with when the call is given up.
        let handover = guard(self, Shared::wake);
        let (outcome, next) = {
            let _turn = self.turn.take(client).await?;
            let outcome = self.tend_anywhere(client).await;
            let next = self.settle(&outcome);
            (outcome, next)
        };
        ScopeGuard::into_inner(handover);
        let next = next.unwrap_or_else(|| self.now());
        self.schedule(next).inspect_err(|_| self.finish())?;
        // That took the place of what others have set meanwhile. A start that failed rests first.
        if outcome.is_ok() || self.is_leaving() {
            self.wake_if_due();
        }
        outcome
    }

    /// False when it is kept already.
    fn begin_keeping(&self) -> Result<bool> {
        self.upkeep().lane.check_open()?;
        let mut state = self.state();
        match state.phase {
            Phase::Kept => return Ok(false),
            Phase::Leaving(_) | Phase::Gone => {
                return Err(Error::new(Status::Closed, "the service was closed"));
            }
            Phase::Idle => {}
        }
        state.phase = Phase::Kept;
        state.started = true;
        // What became of it meanwhile is not known.
        state.registered = None;
        state.must_write = true;
        state.patted = self.now();
        state.progress.begin_anew();
        Ok(true)
    }

    pub(super) fn stop(&self) {
        {
            let mut state = self.state();
            if state.phase != Phase::Kept {
                return;
            }
            state.phase = Phase::Idle;
            state.progress.next(None);
        }
        self.upkeep().lane.end(self.task);
    }

    pub(super) fn set_status(&self, status: CheckStatus, note: &str) -> Result<()> {
        if !self.kept.schedule.beats() {
            let message = format!("service \"{}\" has no TTL, so it reports nothing", self.id());
            return Err(Error::argument(message));
        }
        {
            let mut state = self.state();
            state.said = Report { status, note: note.to_string() };
            state.patted = self.now();
        }
        self.wake_if_due();
        Ok(())
    }

    pub(super) fn pat(&self) {
        self.state().patted = self.now();
        self.wake_if_due();
    }

    pub(super) fn update(&self, definition: &ServiceDefinition) -> Result<()> {
        self.kept.definition(definition, CheckStatus::Passing).validate()?;
        if definition.registered_id() != self.id() {
            return Err(Error::argument(format!(
                "the id \"{}\" is not allowed, it stays \"{}\"",
                definition.registered_id().escape_debug(),
                self.id()
            )));
        }
        {
            let mut state = self.state();
            if state.definition == *definition {
                return Ok(());
            }
            state.definition = definition.clone();
            state.write_anew();
        }
        self.wake_if_due();
        Ok(())
    }

    pub(super) fn set_token(&self, token: Option<&str>) {
        {
            let mut state = self.state();
            state.options.token = token.map(str::to_string);
            state.write_anew();
        }
        self.wake_if_due();
    }

    pub(super) async fn maintain(
        &self,
        enable: bool,
        reason: &str,
        client: &Client<Either>,
    ) -> Result<()> {
        let _turn = self.turn.take(client).await?;
        let (started, options) = {
            let state = self.state();
            (state.started, state.options.clone())
        };
        if !started {
            let message = format!("service \"{}\" was not started", self.id());
            return Err(Error::new(Status::NotFound, message));
        }
        let client = self.through(client);
        client.agent().service_maintenance(self.id(), enable, reason, &options)?.await?;
        self.state().maintenance = enable.then(|| reason.to_string());
        Ok(())
    }

    pub(super) fn status(&self) -> CheckStatus {
        self.report(&self.state(), self.now()).status
    }

    pub(super) fn is_registered(&self) -> bool {
        self.state().registered.is_some()
    }

    pub(super) fn registrations(&self) -> u64 {
        self.state().registrations
    }

    pub(super) fn stats(&self) -> Stats {
        let now = self.now();
        let state = self.state();
        let word = match (state.phase, state.registered) {
            (Phase::Idle, _) => "stopped",
            (Phase::Kept, Some(_)) => "registered",
            (Phase::Kept, None) => "registering",
            (Phase::Leaving(_), _) => "leaving",
            (Phase::Gone, _) => "closed",
        };
        state.progress.stats(word, now)
    }

    /// When the program counts as silent; `None` when it need not be heard of, or is silent.
    pub(super) fn silent_from(&self, state: &State, now: Duration) -> Option<Duration> {
        let from = state.patted + self.kept.ttl;
        (self.kept.heartbeat == Heartbeat::Program && now < from).then_some(from)
    }

    /// What the agent is to be told now.
    pub(super) fn report(&self, state: &State, now: Duration) -> Report {
        let must_pat = self.kept.heartbeat == Heartbeat::Program && state.phase == Phase::Kept;
        if must_pat && self.silent_from(state, now).is_none() {
            return Report { status: CheckStatus::Critical, note: SILENT.into() };
        }
        state.said.clone()
    }

    /// Whether something is to be sent before the next heartbeat.
    pub(super) fn has_news(&self, state: &State, now: Duration) -> bool {
        let report = self.kept.schedule.beats().then(|| self.report(state, now));
        state.registered != Some(state.revision) || state.told != report
    }

    fn is_leaving(&self) -> bool {
        matches!(self.state().phase, Phase::Leaving(_))
    }

    /// Has the lane send at once what there is to send.
    fn wake_if_due(&self) {
        let is_due = {
            let state = self.state();
            match state.phase {
                Phase::Kept => self.has_news(&state, self.now()),
                Phase::Leaving(_) => true,
                Phase::Idle | Phase::Gone => false,
            }
        };
        if is_due {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        if self.schedule(self.now()).is_err() {
            // The client is closed, or no thread can be started at all.
            self.evict();
        }
    }

    pub(super) fn schedule(&self, due: Duration) -> Result<()> {
        let Some(me) = self.me.upgrade() else { return Ok(()) };
        let task: Arc<dyn Task> = Arc::new(Tending(me));
        self.upkeep().lane.schedule(self.task, &task, due)
    }

    /// The client for what the lane sends.
    pub(super) fn on_lane(&self) -> Client<Either> {
        self.client.styled(Either::Blocks)
    }

    /// The client for what is sent for this one, in its style.
    fn through(&self, client: &Client<Either>) -> Client<Either> {
        let client = self.client.cancelled_by(&client.cancel()).styled(client.style());
        self.state().home.pin(client)
    }

    /// The same for one exchange, which holds up nothing else for long.
    pub(super) fn hurried(&self, client: &Client<Either>) -> Client<Either> {
        self.through(client).until(Instant::now() + self.kept.schedule.patience())
    }
}

impl State {
    pub(super) fn write_anew(&mut self) {
        self.revision += 1;
        self.must_write = true;
    }
}

impl Background for Shared {
    const NOUN: &'static str = "service";

    fn client(&self) -> &Client {
        &self.client
    }

    fn abandon(&self) {
        if !self.is_leaving() {
            self.leave_on_lane(None);
        }
    }
}

impl Resident for Shared {
    fn order(&self) -> Order {
        Order::Services
    }

    fn leave(&self, leaving: Leaving) {
        self.leave_on_lane(Some(leaving));
    }

    fn evict(&self) {
        self.finish();
    }

    fn token_changed(&self) {
        if self.state().phase == Phase::Kept {
            self.wake();
        }
    }

    fn standing(&self) -> Option<Standing> {
        let (order, name) = (Order::Services, self.id().to_string());
        Some(Standing { order, name, stats: self.stats() })
    }
}
