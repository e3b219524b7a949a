//! The way back: release the key, then destroy the own session.

use super::attempt::{self, GivenBack};
use super::claim::Claim;
use super::disown::Disown;
use super::monitor;
use super::seen::{self, Seen};
use super::shared::{Held, Shared};
use super::spec::LostReason;
use crate::client::{Client, Either};
use crate::config::{Consistency, Options};
use crate::error::{Error, Result, Status};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that it is given on the caller's thread.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the holder's own writes may come in between.
const TRIES: u32 = 5;

pub(super) async fn release(lock: &Arc<Shared>, client: &Client<Either>) -> Result<()> {
    let held = lock.begin_release()?;
    let releasing = Releasing { lock, held: Some(held) };
    releasing.run(client).await
}

/// A release in flight. Whatever happens, the lock does not stay in it.
struct Releasing<'a> {
    lock: &'a Arc<Shared>,
    held: Option<Held>,
}

impl Releasing<'_> {
    async fn run(mut self, client: &Client<Either>) -> Result<()> {
        let Some(held) = &self.held else { return Ok(()) };
        let (claim, token) = (held.claim.clone(), held.token);
        match give_back(self.lock, &claim, token, client).await {
            Ok(reason) => {
                self.held = None;
                end_session(&claim, client).await;
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
async fn give_back(
    lock: &Arc<Shared>,
    claim: &Arc<Claim>,
    token: u64,
    client: &Client<Either>,
) -> Result<Option<LostReason>> {
    let patience = PATIENCE.min(claim.window() / 3);
    let client = client.on_upkeep().until(Instant::now() + patience);
    let mut index = token;
    for _ in 0..TRIES {
        let given = attempt::give_back(&client, &lock.current_spec(), claim.id(), index).await?;
        if given == GivenBack::Released {
            return Ok(None);
        }
        match look(&client, lock, claim.id()).await? {
            Seen::Ours(changed) => index = changed,
            other => {
                return Ok(other.loss(monitor::session_exists(lock, claim, client.style()).await));
            }
        }
    }
    Err(Error::new(Status::Busy, "the key is being changed again and again"))
}

async fn look(client: &Client<Either>, lock: &Shared, session: &str) -> Result<Seen> {
    let pair = client.kv().get(lock.key(), &consistent(lock))?.await?.value;
    Ok(Seen::by_holder(pair, Some(session)))
}

/// The caller may be about to exit, so an own session is destroyed before it goes on; when that
/// fails the lane goes on with it.
async fn end_session(claim: &Claim, client: &Client<Either>) {
    if let Claim::Own(own) = claim {
        let _ = own.0.destroy(client).await;
    }
}

pub(super) async fn destroy(lock: &Arc<Shared>, client: &Client<Either>) -> Result<bool> {
    if lock.claim().is_some_and(|_| lock.remaining() > Duration::ZERO) {
        return Err(Error::new(Status::AlreadyHeld, "the lock is held: release it first"));
    }
    let kv = client.kv();
    let found = kv.get(lock.key(), &consistent(lock))?.await?.value;
    let Some(pair) = found else { return Ok(true) };
    if !lock.spec.adopt.takes(pair.flags) {
        return Err(seen::conflict(lock.key(), pair.flags));
    }
    if pair.session.is_some_and(|session| !session.is_empty()) {
        return Ok(false);
    }
    Ok(kv.delete_cas(lock.key(), pair.modify_index, &lock.spec.options)?.await?.value)
}

fn consistent(lock: &Shared) -> Options {
    lock.spec.options.clone().consistency(Consistency::Consistent)
}
