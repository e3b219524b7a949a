//! What is sent about a service that stays registered: one exchange after the other, on the lane or
//! for a call of the program.

use super::found::Found;
use super::shared::{Phase, Report, Shared};
use crate::api::CheckStatus;
use crate::api::agent::ServiceDefinition;
use crate::client::{Client, Either};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::runtime::{Task, at_once};
use scopeguard::{ScopeGuard, guard};
use std::sync::Arc;
use std::time::Duration;

const AREA: &str = "registration";

/// How long the lane leaves it alone while the program itself has an exchange about it.
const BUSY: Duration = Duration::from_millis(50);

/// For how long a write without an answer may still be carried out: its request is at the agent, or never
/// comes there.
const LATE: Duration = Duration::from_millis(500);

/// Looks after a service, and deregisters it in the end.
pub(super) struct Tending(pub(super) Arc<Shared>);

impl Task for Tending {
    fn step(&self) -> Option<Duration> {
        let Some(_turn) = self.0.turn.try_take() else {
            return Some(self.0.now() + BUSY);
        };
        let phase = self.0.state().phase;
        match phase {
            Phase::Kept => self.0.settle(&at_once(self.0.tend(&self.0.on_lane()))),
            Phase::Leaving(_) => match at_once(self.0.deregister(&self.0.on_lane())) {
                Ok(Some(again)) => Some(again),
                outcome => self.0.settle(&outcome.map(|_| ())),
            },
            Phase::Idle | Phase::Gone => None,
        }
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.0.settle(&Err(error))
    }
}

/// What one step sends, as it was when the step began.
struct Plan {
    definition: ServiceDefinition,
    options: Options,
    revision: u64,
    report: Report,
    must_write: bool,
}

impl Shared {
    /// Sends what is due. Whoever calls has the turn.
    pub(super) async fn tend(&self, client: &Client<Either>) -> Result<()> {
        self.find_home();
        self.find_token();
        let (plan, registered, beats, looks) = {
            let (state, now) = (self.state(), self.now());
            if state.phase != Phase::Kept {
                return Ok(());
            }
            let plan = Plan {
                definition: state.definition.clone(),
                options: state.options.clone(),
                revision: state.revision,
                report: self.report(&state, now),
                must_write: state.must_write || state.restoring.is_some(),
            };
            let beats = state.told.as_ref() != Some(&plan.report) || state.beat_due <= now;
            let registered = state.registered == Some(state.revision);
            (plan, registered, beats && self.kept.schedule.beats(), state.look_due <= now)
        };
        if !registered || looks {
            return self.register(&plan, client).await;
        }
        if !beats {
            return Ok(());
        }
        match self.beat(&plan, client).await {
            Err(error) if error.status() == Status::NotFound => {
                self.lost("its check");
                self.register(&plan, client).await
            }
            outcome => outcome,
        }
    }

    /// Sees to it that the agent has it as it should be, and says how it is.
    async fn register(&self, plan: &Plan, client: &Client<Either>) -> Result<()> {
        let found = self.look(plan, client).await?;
        let wanted = self.kept.definition(&plan.definition, plan.report.status);
        let is_there = found.as_ref().is_some_and(|found| found.is(&wanted));
        if !is_there && self.state().registered == Some(plan.revision) {
            self.lost(if found.is_some() { "a part of it" } else { "it" });
        }
        if !is_there || plan.must_write {
            self.write(plan, found.as_ref(), client).await?;
        }
        {
            let mut state = self.state();
            state.registered = Some(plan.revision);
            state.must_write &= state.revision != plan.revision;
            state.look_due = self.now() + self.kept.schedule.look(self.unit());
        }
        self.beat(plan, client).await?;
        self.leave_others(&plan.options, client).await;
        Ok(())
    }

    async fn look(&self, plan: &Plan, client: &Client<Either>) -> Result<Option<Found>> {
        let client = self.hurried(client);
        let health = client.agent().service_health(self.id(), &plan.options)?.await?;
        let found = health.map(Found::new);
        let mut state = self.state();
        match &found {
            Some(found) => state.maintenance = found.maintenance(),
            None => state.restoring = state.maintenance.take().or(state.restoring.take()),
        }
        Ok(found)
    }

    /// Writes it to the agent. What is in maintenance stays so: replacing all checks would end it.
    async fn write(
        &self,
        plan: &Plan,
        found: Option<&Found>,
        client: &Client<Either>,
    ) -> Result<()> {
        let now_in = found.and_then(Found::maintenance);
        let restore = self.state().restoring.clone();
        // Nobody shall come before it is back in maintenance.
        let status = if restore.is_some() { CheckStatus::Critical } else { plan.report.status };
        let wanted = self.kept.definition(&plan.definition, status);
        let replaces = wanted.clone().replace_existing_checks(now_in.is_none());
        let unsure = guard(self, Shared::unsure);
        let write = self.hurried(client).agent().register_service(&replaces, &plan.options)?.await;
        if !write.as_ref().is_err_and(Error::is_outcome_unknown) {
            ScopeGuard::into_inner(unsure);
        }
        write?;
        self.written();
        if now_in.is_some() {
            for id in found.iter().flat_map(|found| found.leftovers(&wanted)) {
                self.hurried(client).agent().deregister_check(&id, &plan.options)?.await?;
            }
        }
        let Some(reason) = restore else { return Ok(()) };
        let client = self.hurried(client);
        client.agent().service_maintenance(self.id(), true, &reason, &plan.options)?.await?;
        let mut state = self.state();
        (state.maintenance, state.restoring) = (Some(reason), None);
        Ok(())
    }

    /// Whether the agent takes it is not known, and it may do so yet.
    fn unsure(&self) {
        self.state().unsure_until = self.now() + LATE;
    }

    /// The agent has taken it.
    fn written(&self) {
        let (before, now) = {
            let mut state = self.state();
            state.registrations += 1;
            state.told = None;
            (state.home.take(), state.home.now().cloned())
        };
        match before.zip(now) {
            Some((from, to)) => log::add(Level::Warning, AREA, || {
                format!("{} has moved from {from} to {to}", self.id())
            }),
            None => log::add(Level::Info, AREA, || format!("{} is registered", self.id())),
        }
    }

    /// Tells the agent how the program is.
    async fn beat(&self, plan: &Plan, client: &Client<Either>) -> Result<()> {
        if !self.kept.schedule.beats() {
            return Ok(());
        }
        let (id, report, sent) = (self.check_id(), &plan.report, self.now());
        let is_news = self.state().told.as_ref() != Some(report);
        let client = self.hurried(client);
        let client = if is_news { client } else { client.heartbeat() };
        client.agent().check_update(&id, report.status, &report.note, &plan.options)?.await?;
        let mut state = self.state();
        state.told = Some(report.clone());
        state.beat_due = sent + self.kept.schedule.beat(self.unit());
        Ok(())
    }

    /// Sees which agent is to have it. Another one than before has nothing of it.
    fn find_home(&self) {
        let mut state = self.state();
        let Some(home) = self.client.home(state.home.now()) else { return };
        if !state.home.move_to(&home) {
            return;
        }
        (state.registered, state.told) = (None, None);
        state.restoring = state.maintenance.take().or(state.restoring.take());
        state.write_anew();
    }

    /// Sends what is due for the first time: to the first agent that answers.
    pub(super) async fn tend_anywhere(&self, client: &Client<Either>) -> Result<()> {
        let mut outcome = self.tend(client).await;
        while outcome.is_err() && self.has_another_home() {
            outcome = self.tend(client).await;
        }
        outcome
    }

    /// Whether its agent does not answer, and there is one that it was not tried with.
    fn has_another_home(&self) -> bool {
        let state = self.state();
        let home = self.client.home(state.home.now());
        home.is_some_and(|home| state.home.is_new(&home))
    }

    /// Sees whether the client's token is another one: an agent syncs with the token of the
    /// registration, so it is written anew.
    fn find_token(&self) {
        let revision = self.client.token_revision();
        let mut state = self.state();
        if state.token == revision {
            return;
        }
        state.token = revision;
        if state.options.token.is_none() {
            state.write_anew();
        }
    }

    /// Deregisters it from the agents that it was registered with before, those that answer. The
    /// others are asked at another time.
    async fn leave_others(&self, options: &Options, client: &Client<Either>) {
        let left = self.state().home.left();
        for address in left {
            let done = match self.client.answers(&address) {
                None => true,
                Some(false) => false,
                Some(true) => self.leave_one(&address, options, client).await.is_ok(),
            };
            if done {
                self.state().home.forget(&address);
            }
        }
    }

    async fn leave_one(
        &self,
        address: &Arc<str>,
        options: &Options,
        client: &Client<Either>,
    ) -> Result<()> {
        let there = self.hurried(client).pinned_to(address);
        there.agent().deregister_service(self.id(), options)?.await
    }

    /// The agent does not have it any more.
    fn lost(&self, what: &str) {
        {
            let mut state = self.state();
            (state.registered, state.told) = (None, None);
        }
        log::add(Level::Warning, AREA, || {
            format!("the agent has lost {what}: {} is registered again", self.id())
        });
    }

    /// Deregisters it, and gives when that is to be done once more: a write without an answer may come
    /// after it. Whoever calls has the turn.
    pub(super) async fn deregister(&self, client: &Client<Either>) -> Result<Option<Duration>> {
        let options = self.state().options.clone();
        self.hurried(client).agent().deregister_service(self.id(), &options)?.await?;
        self.leave_others(&options, client).await;
        let unsure_until = self.state().unsure_until;
        if self.now() < unsure_until {
            return Ok(Some(unsure_until));
        }
        log::add(Level::Info, AREA, || format!("{} is deregistered", self.id()));
        self.finish();
        Ok(None)
    }

    /// Takes down how a step went; gives when the next one is due.
    pub(super) fn settle(&self, outcome: &Result<()>) -> Option<Duration> {
        let now = self.now();
        let (failures, had_failed) = {
            let mut state = self.state();
            let before = state.progress.failures();
            match outcome {
                Err(error) => state.progress.failed(error.clone()),
                Ok(()) if state.phase == Phase::Kept => state.progress.succeeded(now),
                Ok(()) => {}
            }
            (state.progress.failures(), before > 0)
        };
        match outcome {
            Err(error) => log::failed(AREA, failures, || format!("{}: {error}", self.id())),
            Ok(()) if had_failed && failures == 0 => {
                log::add(Level::Info, AREA, || format!("{} is well again", self.id()));
            }
            Ok(()) => {}
        }
        self.next(outcome.is_ok(), failures, now)
    }

    fn next(&self, well: bool, failures: u32, now: Duration) -> Option<Duration> {
        let mut state = self.state();
        let next = match state.phase {
            Phase::Idle | Phase::Gone => None,
            Phase::Leaving(until) if until <= now => {
                drop(state);
                self.finish();
                return None;
            }
            _ if !well => Some(now + self.kept.schedule.retry(failures, self.unit())),
            _ if self.has_news(&state, now) => Some(now),
            _ => {
                let beat = self.kept.schedule.beats().then_some(state.beat_due);
                let silent = self.silent_from(&state, now);
                [beat, silent].into_iter().flatten().chain([state.look_due]).min()
            }
        };
        state.progress.next(next);
        next
    }
}
