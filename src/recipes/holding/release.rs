//! The way back: release the key, then destroy the own session.

use super::claim::Claim;
use super::disown::Disown;
use super::monitor;
use super::reason::LostReason;
use super::resource::{GivenBack, Resource, Sight};
use super::shared::{Held, Shared};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::recipes::session::GivingBack;
use crate::runtime::Leaving;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that it is given on the caller's thread.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn release<R: Resource>(
    shared: &Arc<Shared<R>>,
    client: &Client<Either>,
) -> Result<()> {
    let held = shared.begin_release()?;
    let (session, leaving) = (held.claim.begin_giving_back(), shared.upkeep().give_back());
    let releasing = Releasing { shared, held: Some(held), _session: session, _leaving: leaving };
    releasing.run(client).await
}

/// A release in flight. Whatever happens, it does not stay in it.
struct Releasing<'a, R: Resource> {
    shared: &'a Arc<Shared<R>>,
    held: Option<Held<R>>,
    /// The session ends after it, and so does the client.
    _session: Option<GivingBack>,
    _leaving: Leaving,
}

impl<R: Resource> Releasing<'_, R> {
    async fn run(mut self, client: &Client<Either>) -> Result<()> {
        let Some(held) = &self.held else { return Ok(()) };
        let (claim, mark) = (held.claim.clone(), held.mark.clone());
        match give_back(self.shared, &claim, mark, client).await {
            Ok(reason) => {
                self.held = None;
                end_session(&claim, client).await;
                self.shared.end_release(reason);
                reason.map_or(Ok(()), |reason| Err(reason.error(R::NOUN)))
            }
            // Dropping this hands it to the lane.
            Err(error) => Err(error
                .with_outcome_unknown(true)
                .context(format_args!("the release of \"{}\" goes on", self.shared.spec.name()))),
        }
    }
}

impl<R: Resource> Drop for Releasing<'_, R> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            Disown::start(self.shared, held.claim, held.mark, None);
            self.shared.end_release(None);
        }
    }
}

/// Gives it back; a reason when it was not ours any more.
async fn give_back<R: Resource>(
    shared: &Arc<Shared<R>>,
    claim: &Arc<Claim>,
    mut mark: R::Mark,
    client: &Client<Either>,
) -> Result<Option<LostReason>> {
    let patience = PATIENCE.min(claim.window() / 3);
    let client = client.on_upkeep().until(Instant::now() + patience);
    for _ in 0..R::TRIES {
        if shared.spec.give_back(&client, claim.id(), &mark).await? == GivenBack::Released {
            return Ok(None);
        }
        let seen = shared.spec.inspect(&client, claim.id(), &shared.consistent()).await?.value;
        match seen {
            Sight::Ours(changed) => mark = changed,
            Sight::Gone(_) => {
                let exists = monitor::session_exists(shared, claim, client.style()).await;
                return Ok(seen.loss(exists));
            }
        }
    }
    Err(Error::new(Status::Busy, format!("the {} is being changed again and again", R::NOUN)))
}

/// The caller may be about to exit, so an own session is destroyed before it goes on; when that
/// fails the lane goes on with it.
async fn end_session(claim: &Claim, client: &Client<Either>) {
    if let Claim::Own(own) = claim {
        let _ = own.0.destroy(client).await;
    }
}
