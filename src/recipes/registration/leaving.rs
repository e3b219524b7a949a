//! How a service is deregistered for good: by a call that says how it went, or in the background.

use super::shared::{Phase, Shared};
use crate::client::{Client, Either};
use crate::error::Result;
use crate::runtime::Leaving;
use scopeguard::{ScopeGuard, guard};

impl Shared {
    /// Deregisters it, and says how that went.
    pub(super) async fn close(&self, client: &Client<Either>) -> Result<()> {
        if !self.state().started {
            self.finish();
            return Ok(());
        }
        if !self.begin_leaving(None) {
            return Ok(());
        }
        // What is begun the lane goes on with when the call is given up.
        let handover = guard(self, Shared::wake);
        self.upkeep().lane.end(self.task);
        let _turn = self.turn.take(client).await?;
        match self.deregister(client).await {
            Ok(again) => {
                ScopeGuard::into_inner(handover);
                // It is gone as far as can be told; the lane sees to what may come yet.
                if again.is_some_and(|again| self.schedule(again).is_err()) {
                    self.finish();
                }
                Ok(())
            }
            Err(error) => {
                self.state().progress.failed(error.clone());
                Err(error)
            }
        }
    }

    /// As close, from the lane; one that was stopped stays registered.
    pub(super) fn leave_on_lane(&self, leaving: Option<Leaving>) {
        let phase = self.state().phase;
        match phase {
            Phase::Idle => self.finish(),
            Phase::Kept | Phase::Leaving(_) => {
                if self.begin_leaving(leaving) {
                    self.wake();
                }
            }
            Phase::Gone => {}
        }
    }

    /// False when it is gone already.
    fn begin_leaving(&self, leaving: Option<Leaving>) -> bool {
        let until = self.now() + self.kept.schedule.end_within();
        let mut state = self.state();
        match state.phase {
            Phase::Gone => return false,
            Phase::Leaving(_) => {}
            Phase::Idle | Phase::Kept => {
                state.phase = Phase::Leaving(until);
                state.progress.begin_anew();
            }
        }
        let known = leaving.or(state.leaving.take());
        state.leaving = known.or_else(|| Some(self.upkeep().give_back()));
        true
    }

    /// It is gone at the agent, or given up.
    pub(super) fn finish(&self) {
        let leaving = {
            let mut state = self.state();
            state.phase = Phase::Gone;
            state.registered = None;
            state.progress.next(None);
            state.leaving.take()
        };
        self.upkeep().lane.end(self.task);
        drop(leaving);
    }
}
