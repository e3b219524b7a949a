//! Waiting for a change of what can be held.

use super::reason::LostReason;
use super::resource::Resource;
use super::shared::{Phase, Shared, never_held};
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::transport::CancelToken;
use std::time::{Duration, Instant};

impl<R: Resource> Shared<R> {
    /// Waits on this thread until `ready` gives something, the acquire is cancelled, or the time is
    /// over.
    pub(super) fn wait_for<T>(
        &self,
        cancel: &CancelToken,
        deadline: Option<Instant>,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>> {
        let interruptible = self.client.settings().interruptible;
        self.changed.wait(rest_until(deadline), interruptible, || match ready() {
            Some(result) => Ok(Some(result)),
            None => cancel.check().map(|()| None),
        })
    }

    /// Waits until it is lost; `None` when the time is over before. `Status::Cancelled` when it is
    /// stopped more often than so.
    pub(super) async fn wait_lost(
        &self,
        client: &Client<Either>,
        timeout: Duration,
        stops: u64,
    ) -> Result<Option<LostReason>> {
        let until = Instant::now().checked_add(timeout);
        loop {
            // Its deadline is another clock's; this one may stand still while that one goes on.
            let nap = self.remaining().max(Duration::from_millis(1));
            let nap = nap.min(self.upkeep().clock.tick()).min(rest_until(until));
            let lost = client.wait(&self.changed, nap, || self.lost_since(stops)).await?;
            if lost.is_some() || rest_until(until).is_zero() {
                return Ok(lost);
            }
        }
    }

    /// Why it was lost; `None` while it is held. An error where it is neither, and once it was
    /// stopped more often than so.
    fn lost_since(&self, stops: u64) -> Result<Option<LostReason>> {
        self.remaining();
        let state = self.state();
        match state.phase {
            Phase::Lost(reason) => Ok(Some(reason)),
            // First of all: who frees it stops it, and then it is not held.
            _ if state.stops != stops => Err(Error::new(Status::Cancelled, "the wait was stopped")),
            Phase::Held(_) => Ok(None),
            _ => Err(never_held::<R>()),
        }
    }
}

/// The time left; `Duration::MAX` when there is no end.
fn rest_until(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}
