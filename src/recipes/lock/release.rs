//! The way back: release the key, then destroy the own session.

use super::attempt::{self, GivenBack};
use super::claim::Claim;
use super::disown::Disown;
use super::monitor;
use super::seen::{self, LOCK_FLAG, Seen};
use super::shared::{Held, Shared};
use super::spec::LostReason;
use crate::client::Client;
use crate::config::{Consistency, Options};
use crate::error::{Error, Result, Status};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that it is given on the caller's thread.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the holder's own writes may come in between.
const TRIES: u32 = 5;

pub(super) fn release(lock: &Arc<Shared>) -> Result<()> {
    let held = lock.begin_release()?;
    let releasing = Releasing { lock, held: Some(held) };
    releasing.run()
}

/// A release in flight. Whatever happens, the lock does not stay in it.
struct Releasing<'a> {
    lock: &'a Arc<Shared>,
    held: Option<Held>,
}

impl Releasing<'_> {
    fn run(mut self) -> Result<()> {
        let Some(held) = &self.held else { return Ok(()) };
        let claim = held.claim.clone();
        match give_back(self.lock, &claim, held.token) {
            Ok(reason) => {
                self.held = None;
                end_session(&claim);
                self.lock.end_release(reason);
                reason.map_or(Ok(()), |reason| Err(reason.into()))
            }
            // Dropping this hands it to the lane.
            Err(error) => Err(error
                .with_outcome_unknown(true)
                .context(format_args!("the release of \"{}\" goes on", self.lock.key()))),
        }
    }
}

impl Drop for Releasing<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            Disown::start(self.lock, held.claim, Some(held.token), None);
            self.lock.end_release(None);
        }
    }
}

/// Gives the key back; a reason when it was not ours any more.
fn give_back(lock: &Arc<Shared>, claim: &Arc<Claim>, token: u64) -> Result<Option<LostReason>> {
    let patience = PATIENCE.min(claim.window() / 3);
    let client = lock.client.on_upkeep().until(Instant::now() + patience);
    let mut index = token;
    for _ in 0..TRIES {
        let given = attempt::give_back(&client, &lock.spec, claim.id(), index)?;
        if given == GivenBack::Released {
            return Ok(None);
        }
        match look(&client, lock, claim.id())? {
            Seen::Ours(changed) => index = changed,
            other => return Ok(other.loss(monitor::session_exists(lock, claim))),
        }
    }
    Err(Error::new(Status::Busy, "the key is being changed again and again"))
}

fn look(client: &Client, lock: &Shared, session: &str) -> Result<Seen> {
    let pair = client.kv().get(lock.key(), &consistent(lock))?.value;
    Ok(Seen::by_holder(pair, Some(session)))
}

/// The caller may be about to exit, so an own session is destroyed before it goes on; when that
/// fails the lane goes on with it.
fn end_session(claim: &Claim) {
    if let Claim::Own(own) = claim {
        let _ = own.0.destroy();
    }
}

pub(super) fn destroy(lock: &Arc<Shared>) -> Result<bool> {
    if lock.claim().is_some_and(|_| lock.remaining() > Duration::ZERO) {
        return Err(Error::new(Status::AlreadyHeld, "the lock is held: release it first"));
    }
    let kv = lock.client.kv();
    let found = kv.get(lock.key(), &consistent(lock))?.value;
    let Some(pair) = found else { return Ok(true) };
    if pair.flags != LOCK_FLAG && !lock.spec.adopt {
        return Err(seen::conflict(lock.key(), pair.flags));
    }
    if pair.session.is_some_and(|session| !session.is_empty()) {
        return Ok(false);
    }
    Ok(kv.delete_cas(lock.key(), pair.modify_index, &lock.spec.options)?.value)
}

fn consistent(lock: &Shared) -> Options {
    lock.spec.options.clone().consistency(Consistency::Consistent)
}
