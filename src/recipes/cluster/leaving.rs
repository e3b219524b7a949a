//! How a member leaves: by a call that says how it went, or in the background.

use super::shared::{Phase, Shared};
use super::state::ClusterNews;
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::runtime::Leaving;
use scopeguard::{ScopeGuard, guard};
use std::sync::Arc;

impl Shared {
    /// Leaves, and says how that went.
    pub(super) async fn leave(&self, client: &Client<Either>) -> Result<()> {
        if !self.begin_leaving(None) {
            return Ok(());
        }
        self.end(&left());
        // What is begun the lane goes on with when the call is given up.
        let handover = guard(self, Shared::wake_tending);
        self.client.upkeep().lane.end(self.tending);
        let _turn = self.turn.take(client).await?;
        let resigned = self.resign(client).await;
        let outcome = self.withdraw(client).await.and(resigned);
        match &outcome {
            Ok(()) => {
                ScopeGuard::into_inner(handover);
            }
            Err(error) => self.presence().progress.failed(error.clone()),
        }
        outcome
    }

    /// Gives up the lead, so that another one has it at once, and the election.
    async fn resign(&self, client: &Client<Either>) -> Result<()> {
        let Some(election) = self.election.get() else { return Ok(()) };
        let resigned = match election.styled(client.style()).resign() {
            Ok(resigned) => resigned.await,
            Err(error) => Err(error),
        };
        election.abandon();
        resigned
    }

    /// Leaves in the background.
    pub(super) fn leave_on_lane(&self, leaving: Option<Leaving>) {
        if self.begin_leaving(leaving) {
            if let Some(election) = self.election.get() {
                election.abandon();
            }
            self.end(&left());
            self.wake_tending();
        }
    }

    /// False when it is gone already.
    fn begin_leaving(&self, leaving: Option<Leaving>) -> bool {
        let until = self.now() + self.session.time_to_live() * 2;
        let mut presence = self.presence();
        match presence.phase {
            Phase::Gone => return false,
            Phase::Leaving(_) => {}
            Phase::Joining | Phase::Joined => {
                presence.phase = Phase::Leaving(until);
                presence.progress.begin_anew();
            }
        }
        let known = leaving.or(presence.leaving.take());
        presence.leaving = known.or_else(|| Some(self.client.upkeep().give_back()));
        true
    }

    /// Its key is gone, or given up.
    pub(super) fn finish(&self) {
        let (session, leaving) = {
            let mut presence = self.presence();
            presence.phase = Phase::Gone;
            presence.progress.next(None);
            (presence.session.take(), presence.leaving.take())
        };
        self.client.upkeep().lane.end(self.tending);
        drop((session, leaving));
    }

    /// Nothing more is found or told.
    pub(super) fn end(&self, error: &Error) {
        if self.ended.compare_and_swap(&None::<Arc<Error>>, Some(Arc::new(error.clone()))).is_some()
        {
            return;
        }
        if let Some(watch) = self.watch.get() {
            watch.stop();
        }
        self.client.upkeep().lane.end(self.settling);
        // Who tells something at this moment does so before.
        let _roll = self.roll.lock();
        let listener = self.listener.lock().take();
        if let Some(listener) = listener {
            listener(ClusterNews::Ended(error.clone()));
        }
        self.changed.ring();
    }
}

pub(super) fn left() -> Error {
    Error::new(Status::Cancelled, "the cluster was left")
}
