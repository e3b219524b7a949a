//! What the lane does for a session: renews it, notices its deadline, and destroys it in the end.

use super::end::SessionEnd;
use super::keeper::{AREA, Keeper, Phase};
use super::lease::Lease;
use crate::api::session::Session;
use crate::error::{Error, Status};
use crate::observe::log::{self, Level};
use crate::runtime::{Task, backoff};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Keeper {
    /// Renews it once; gives when to do it again.
    fn renew(&self, lease: Lease) -> Option<Duration> {
        let upkeep = self.upkeep();
        let sent = upkeep.clock.now();
        if lease.is_over(sent) {
            self.lose(SessionEnd::Deadline);
            return None;
        }
        let patience = lease.patience(sent, self.client.settings().timeout);
        let client = self.client.until(Instant::now() + patience);
        match client.session().renew(&self.id, &self.options) {
            Ok(renewed) => self.renewed(&renewed.value, sent),
            Err(error) if error.status() == Status::SessionInvalid => {
                self.lose(SessionEnd::Invalid);
                None
            }
            Err(error) => self.retry(error),
        }
    }

    fn renewed(&self, session: &Session, sent: Duration) -> Option<Duration> {
        let upkeep = self.upkeep();
        let mut state = self.state.lock();
        let Phase::Kept(lease) = state.phase else { return None };
        // The clock is read under the lock, so that nobody has seen it expired and alive again.
        let Some(lease) = lease.renewed(session.ttl, sent, upkeep.clock.now()) else {
            drop(state);
            self.lose(SessionEnd::Deadline);
            return None;
        };
        state.phase = Phase::Kept(lease);
        let next = lease.renewal(upkeep.jitter.unit());
        let had_failed = state.progress.failures() > 0;
        state.progress.succeeded(sent);
        state.progress.next(Some(next));
        drop(state);
        if had_failed {
            log::add(Level::Info, AREA, || format!("{} is renewed again", self.id));
        }
        Some(next)
    }

    /// When to try again what failed.
    fn retry(&self, error: Error) -> Option<Duration> {
        let upkeep = self.upkeep();
        let failures = {
            let mut state = self.state.lock();
            state.progress.failed(error.clone());
            state.progress.failures()
        };
        log::failed(AREA, failures, || format!("{}: {error}", self.id));
        let mut state = self.state.lock();
        let (now, unit) = (upkeep.clock.now(), upkeep.jitter.unit());
        let next = match state.phase {
            Phase::Kept(lease) => Some(lease.retry(now, failures, unit)),
            Phase::Ending(until) if now < until => {
                let (first, most) = (Duration::from_millis(200), Duration::from_secs(15));
                Some(now + backoff(failures, first, most, unit))
            }
            Phase::Ending(_) => {
                drop(state);
                self.finish();
                return None;
            }
            Phase::Left(_) | Phase::Expired(_) | Phase::Gone => None,
        };
        state.progress.next(next);
        next
    }

    /// Destroys it once; gives when to try again.
    fn end(&self) -> Option<Duration> {
        match self.hurried().session().destroy(&self.id, &self.options) {
            Ok(_) => {
                self.finish();
                None
            }
            Err(error) => self.retry(error),
        }
    }
}

/// Renews a session, and destroys it in the end: one after the other, so there is never more than
/// one request about it in flight.
pub(super) struct Renewal(pub(super) Arc<Keeper>);

impl Task for Renewal {
    fn step(&self) -> Option<Duration> {
        match self.0.phase() {
            Phase::Kept(lease) => self.0.renew(lease),
            Phase::Ending(_) => self.0.end(),
            Phase::Left(_) | Phase::Expired(_) | Phase::Gone => None,
        }
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.0.retry(error)
    }
}

/// Notices the deadline though every request hangs.
pub(super) struct Expiry(pub(super) Arc<Keeper>);

impl Task for Expiry {
    fn uses_network(&self) -> bool {
        false
    }

    fn step(&self) -> Option<Duration> {
        // Asking for it is enough to end it in time.
        let _ = self.0.is_valid();
        match self.0.phase() {
            Phase::Kept(lease) | Phase::Left(lease) => lease.deadline(),
            Phase::Expired(_) | Phase::Ending(_) | Phase::Gone => None,
        }
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        None
    }
}
