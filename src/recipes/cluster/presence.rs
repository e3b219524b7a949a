//! The key of this member, held by its session: what is sent about it, one exchange after the other.

use super::shared::{Phase, Shared};
use crate::api::txn::{Txn, TxnError, TxnOutcome, TxnResult};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::recipes::session::{Keeper, OwnSession, SessionEnd, Tenant};
use crate::runtime::{Task, at_once, backoff};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

const AREA: &str = "cluster";

/// How long the lane leaves it alone while the program itself has an exchange about it.
const BUSY: Duration = Duration::from_millis(50);

/// The longest time that an exchange is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sees to it that the key is held, and deletes it in the end.
pub(super) struct Tending(pub(super) Arc<Shared>);

impl Task for Tending {
    fn step(&self) -> Option<Duration> {
        let Some(_turn) = self.0.turn.try_take() else {
            return Some(self.0.now() + BUSY);
        };
        let client = self.0.client.styled(Either::Blocks);
        let phase = self.0.presence().phase;
        match phase {
            Phase::Joining => self.0.settle_presence(&at_once(self.0.register(&client))),
            Phase::Leaving(_) => self.0.settle_presence(&at_once(self.0.withdraw(&client))),
            Phase::Joined | Phase::Gone => None,
        }
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.0.settle_presence(&Err(error))
    }
}

impl Shared {
    /// Takes the key, with a session that is made where there is none. Whoever calls has the turn.
    async fn register(&self, client: &Client<Either>) -> Result<()> {
        let session = self.session(client).await?;
        let (value, revision) = {
            let presence = self.presence();
            (presence.record.to_json(), presence.revision)
        };
        let mut txn = Txn::new();
        txn.lock(&self.place.node_key, &value, 0, session.id())?;
        let client = self.hurried(client);
        match client.commit(&txn, &self.options)?.await?.value {
            TxnOutcome::Committed(results) => {
                self.registered(revision, written(&results));
                Ok(())
            }
            TxnOutcome::RolledBack(errors) => Err(self.not_registered(&session, &errors)),
        }
    }

    /// Its session, made where there is none.
    async fn session(&self, client: &Client<Either>) -> Result<Arc<Keeper>> {
        let kept = self.presence().session.as_ref().map(|own| own.0.clone());
        if let Some(keeper) = kept.filter(|keeper| keeper.is_valid()) {
            return Ok(keeper);
        }
        let client = self.hurried(client);
        let keeper = Keeper::create(&client, &self.session, &self.options).await?;
        let before = self.presence().session.replace(OwnSession(keeper.clone()));
        drop(before);
        let tenant: Weak<dyn Tenant> = self.me.clone();
        keeper.admit(tenant);
        Ok(keeper)
    }

    /// Its key was written, at this index.
    fn registered(&self, revision: u64, index: u64) {
        let mut presence = self.presence();
        // What became of it until now nobody minded: it had not joined.
        let is_lost = self.is_lost_since(index, &presence);
        if presence.phase == Phase::Joining && presence.revision == revision && !is_lost {
            presence.phase = Phase::Joined;
        }
        let first = !std::mem::replace(&mut presence.told, true);
        drop(presence);
        if first {
            log::add(Level::Info, AREA, || format!("{} has joined", self.place.node_key));
        }
    }

    /// Why the key was not taken, in words of our own where Consul's are known.
    fn not_registered(&self, session: &Keeper, errors: &[TxnError]) -> Error {
        if let Some(denied) = errors.iter().find(|error| error.is_denied()) {
            return Error::new(Status::Denied, &denied.what);
        }
        let what = errors.first().map_or("no reason given", |error| error.what.as_str());
        if what.contains("already held") {
            let message = format!(
                "another session holds {}: a member of this id is in the cluster, or was and its TTL is not over",
                self.place.node_key
            );
            return Error::new(Status::AlreadyHeld, message);
        }
        if what.contains("invalid session") || what.contains("session lookup") {
            session.lose(SessionEnd::Invalid);
            return Error::new(Status::SessionInvalid, what);
        }
        Error::new(Status::Http, format!("the key was not taken: {what}")).with_http_status(409)
    }

    /// Deletes the key where it is ours, and destroys the session. Whoever calls has the turn.
    pub(super) async fn withdraw(&self, client: &Client<Either>) -> Result<()> {
        let keeper = self.presence().session.as_ref().map(|own| own.0.clone());
        let Some(keeper) = keeper else {
            self.finish();
            return Ok(());
        };
        if keeper.is_valid() {
            let mut txn = Txn::new();
            txn.check_session(&self.place.node_key, keeper.id())?.delete(&self.place.node_key)?;
            // One that is rolled back was not ours.
            self.hurried(client).commit(&txn, &self.options)?.await?;
        }
        keeper.destroy(client).await?;
        log::add(Level::Info, AREA, || format!("{} has left", self.place.node_key));
        self.finish();
        Ok(())
    }

    /// Takes down how a step went; gives when the next one is due.
    fn settle_presence(&self, outcome: &Result<()>) -> Option<Duration> {
        let (now, unit) = (self.now(), self.client.upkeep().jitter.unit());
        let mut presence = self.presence();
        match outcome {
            Ok(()) => presence.progress.succeeded(now),
            Err(error) => presence.progress.failed(error.clone()),
        }
        let failures = presence.progress.failures();
        let pause = backoff(failures, Duration::from_millis(200), LONGEST_PAUSE, unit);
        let next = match presence.phase {
            Phase::Joined | Phase::Gone => None,
            Phase::Leaving(until) if until <= now => {
                drop(presence);
                self.finish();
                return None;
            }
            // Something changed meanwhile.
            _ if outcome.is_ok() => Some(now),
            _ => Some(now + pause),
        };
        presence.progress.next(next);
        drop(presence);
        if let Err(error) = outcome {
            log::failed(AREA, failures, || format!("{}: {error}", self.place.node_key));
        }
        self.changed.ring();
        next
    }

    /// The client for one exchange, which holds up nothing else for long.
    fn hurried(&self, client: &Client<Either>) -> Client<Either> {
        let patience = PATIENCE.min(self.session.time_to_live() / 3);
        let client = self.client.cancelled_by(&client.cancel()).styled(client.style());
        client.until(Instant::now() + patience)
    }
}

/// The index of the write.
fn written(results: &[TxnResult]) -> u64 {
    match results.last() {
        Some(TxnResult::Kv(pair)) => pair.modify_index,
        _ => 0,
    }
}

impl Tenant for Shared {
    fn session_ended(&self, id: &str, _: SessionEnd) {
        let mut presence = self.presence();
        let is_ours = presence.session.as_ref().is_some_and(|own| own.0.id() == id);
        if !is_ours || !matches!(presence.phase, Phase::Joined | Phase::Joining) {
            return;
        }
        let ended = presence.session.take();
        presence.phase = Phase::Joining;
        drop(presence);
        drop(ended);
        log::add(Level::Warning, AREA, || {
            format!("the session of {} ended: it joins again", self.place.node_key)
        });
        self.wake_tending();
    }
}
