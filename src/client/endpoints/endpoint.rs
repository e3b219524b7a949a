//! One address of a client: what carries requests to it, and how it is getting on.

use super::breaker::{Breaker, Condition};
use super::outcome::Outcome;
use crate::client::contact::Contact;
use crate::config::{Location, Settings};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::sync::Mutex;
use crate::sys::PerProcess;
use crate::transport::{self, CancelToken, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::{Duration, Instant};

const AREA: &str = "endpoint";

/// One address of a client, as it was when this was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointStats {
    /// The address: `http://127.0.0.1:8500`.
    pub address: String,
    /// How its agent is.
    pub condition: Condition,
    /// Whether calls go there at the moment.
    pub in_use: bool,
    /// Whether it answered last, a probe included, whatever the answer; `None` before the first.
    pub reachable: Option<bool>,
    /// Requests that were sent to it.
    pub requests: u64,
    /// Those of them that it did not serve: no answer, no leader, or beyond its limits.
    pub failures: u64,
    /// How many failed since the last one that was served.
    pub consecutive_failures: u64,
    /// How long ago it answered last; `None` when it never did.
    pub last_answer: Option<Duration>,
    /// What went wrong last, however long ago.
    pub last_error: Option<Error>,
    /// The requests that are with it now, of all clients of the process and of what the library keeps
    /// up for them, from connecting on; who waits for one of `max_connections` is not among them. 0
    /// where the agent is embedded.
    pub in_flight: u32,
    /// The open connections to it, idle ones included, of all clients of the process. One that the
    /// agent has closed counts until that is noticed, by the next call at the latest. 0 where the agent
    /// is embedded.
    pub connections: u32,
}

pub(in crate::client) struct Endpoint {
    pub(in crate::client) transport: Arc<dyn Transport>,
    pub(super) breaker: Breaker,
    pub(super) contact: Contact,
    since: Instant,
    requests: AtomicU64,
    failures: AtomicU64,
    in_a_row: AtomicU64,
    /// Until when it has asked not to be asked, in ms since it was made.
    limited_until: AtomicU64,
    last_error: PerProcess<Mutex<Option<Error>>>,
    /// Ends the reads that wait for an agent which was found not to answer any more.
    reads: PerProcess<Mutex<CancelToken>>,
    probing: PerProcess<AtomicBool>,
}

impl Endpoint {
    pub(super) fn open(address: &Location, settings: &Settings) -> Result<Endpoint> {
        Ok(Endpoint::with(transport::open(address, settings)?))
    }

    pub(super) fn with(transport: Arc<dyn Transport>) -> Endpoint {
        Endpoint {
            transport,
            breaker: Breaker::new(),
            contact: Contact::new(),
            since: Instant::now(),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            in_a_row: AtomicU64::new(0),
            limited_until: AtomicU64::new(0),
            last_error: PerProcess::new(),
            reads: PerProcess::new(),
            probing: PerProcess::new(),
        }
    }

    /// The address for messages.
    pub(in crate::client) fn shown(&self) -> &str {
        self.transport.endpoint()
    }

    pub(in crate::client) fn condition(&self) -> Condition {
        self.breaker.condition()
    }

    /// Takes down whether it has answered.
    pub(in crate::client) fn heard<T>(&self, answer: &Result<T>) {
        self.contact.heard(answer);
    }

    /// For how long it has asked not to be asked from now on.
    pub(in crate::client) fn limited_for(&self) -> Duration {
        match self.limited_until.load(Relaxed) {
            0 => Duration::ZERO,
            until => Duration::from_millis(until).saturating_sub(self.since.elapsed()),
        }
    }

    /// What a read is to be ended by when the agent is found not to answer any more.
    pub(in crate::client) fn reads(&self) -> CancelToken {
        self.reads.get_or_init(Mutex::default).lock().clone()
    }

    fn last_error(&self) -> &Mutex<Option<Error>> {
        self.last_error.get_or_init(Mutex::default)
    }

    /// Takes down how one try went that was sent at this time. True when its condition has changed.
    pub(super) fn note(&self, outcome: &Outcome<'_>, sent: Instant, patience: Duration) -> bool {
        self.requests.fetch_add(1, Relaxed);
        let changed = match outcome {
            Outcome::Served { needs_leader } => {
                if self.in_a_row.load(Relaxed) != 0 {
                    self.in_a_row.store(0, Relaxed);
                }
                self.breaker.served(*needs_leader)
            }
            Outcome::Limited { retry_after, .. } => {
                self.limit(*retry_after);
                false
            }
            Outcome::NoLeader(_) => self.breaker.leaderless(Instant::now()),
            Outcome::Slow(_) => {
                let now = Instant::now();
                self.breaker.slow(now.duration_since(sent) >= patience, now)
            }
            Outcome::Unreachable(_) => self.breaker.failed(Instant::now()),
            Outcome::NotItsFault => false,
        };
        if let Some(error) = outcome.error() {
            self.failures.fetch_add(1, Relaxed);
            self.in_a_row.fetch_add(1, Relaxed);
            *self.last_error().lock() = Some(error.clone());
        }
        self.tell(changed, outcome.error());
        changed
    }

    /// False when it is being asked already.
    pub(super) fn begin_probe(&self) -> bool {
        !self.probing.get_or_init(|| AtomicBool::new(false)).swap(true, AcqRel)
    }

    /// Takes down how a probe went: whether there is a leader, or why nobody answered; `None` when
    /// it was called off. True when its condition has changed.
    pub(super) fn end_probe(&self, answer: Option<Result<bool>>) -> bool {
        self.probing.get_or_init(|| AtomicBool::new(false)).store(false, Release);
        answer.is_some_and(|answer| self.probed(&answer))
    }

    fn probed(&self, answer: &Result<bool>) -> bool {
        let changed = match answer {
            Ok(has_leader) => self.breaker.probed(*has_leader, Instant::now()),
            Err(_) => self.breaker.failed(Instant::now()),
        };
        self.tell(changed, answer.as_ref().err());
        let Err(error) = answer else { return changed };
        *self.last_error().lock() = Some(error.clone());
        // Others may serve what waits here.
        let reads = std::mem::take(&mut *self.reads.get_or_init(Mutex::default).lock());
        reads.cancel(Status::Timeout, format!("{}: it does not answer any more", self.shown()));
        changed
    }

    fn tell(&self, changed: bool, error: Option<&Error>) {
        if !changed {
            return;
        }
        let condition = self.condition();
        let level = if condition == Condition::Up { Level::Info } else { Level::Warning };
        log::add(level, AREA, || {
            let cause = error.map(|error| format!(" ({error})")).unwrap_or_default();
            format!("{} is {}{cause}", self.shown(), condition.as_str())
        });
    }

    fn limit(&self, retry_after: Option<Duration>) {
        let Some(time) = retry_after else { return };
        // No part of a millisecond earlier than it asks for.
        let until = self.since.elapsed().saturating_add(time).as_millis() + 1;
        self.limited_until.store(u64::try_from(until).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn stats(&self, in_use: bool) -> EndpointStats {
        let contact = self.contact.reachability();
        let usage = self.transport.usage();
        EndpointStats {
            address: self.shown().to_string(),
            condition: self.condition(),
            in_use,
            reachable: contact.reachable,
            requests: self.requests.load(Relaxed),
            failures: self.failures.load(Relaxed),
            consecutive_failures: self.in_a_row.load(Relaxed),
            last_answer: contact.last_answer,
            last_error: self.last_error().lock().clone(),
            in_flight: usage.in_flight,
            connections: usage.connections,
        }
    }
}

impl EndpointStats {
    /// What is wrong with it now: an error that was got over is no news.
    pub fn problem(&self) -> Option<&Error> {
        let is_wrong = self.condition != Condition::Up || self.consecutive_failures > 0;
        self.last_error.as_ref().filter(|_| is_wrong)
    }
}
