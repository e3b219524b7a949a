//! Waiting for a change of what can be held.

use super::reason::LostReason;
use super::resource::Resource;
use super::shared::{Phase, Shared, State, never_held};
use crate::error::{Error, Result, Status};
use crate::runtime::Naps;
use crate::sync::MutexGuard;
use crate::transport::CancelToken;
use std::time::{Duration, Instant};

impl<R: Resource> Shared<R> {
    /// Waits until `ready` gives something, the acquire is cancelled, or the time is over.
    pub(super) fn wait_for<T>(
        &self,
        cancel: &CancelToken,
        deadline: Option<Instant>,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>> {
        let mut naps = Naps::new();
        let mut state = self.state();
        loop {
            if let Some(result) = ready() {
                return Ok(Some(result));
            }
            cancel.check()?;
            let rest = rest_until(deadline);
            if rest.is_zero() {
                return Ok(None);
            }
            self.wait(&mut state, rest, &mut naps)?;
        }
    }

    /// Waits for a change, not longer than this.
    fn wait(
        &self,
        state: &mut MutexGuard<'_, State<R>>,
        most: Duration,
        naps: &mut Naps,
    ) -> Result<()> {
        if self.client.settings().interruptible {
            return MutexGuard::unlocked(state, || naps.nap(most));
        }
        self.changed.wait_for(state, most);
        Ok(())
    }

    /// Wakes who waits in [`Shared::wait_for`].
    pub(super) fn wake(&self) {
        drop(self.state());
        self.changed.notify_all();
    }

    /// Waits until it is lost; `None` when the time is over before.
    pub(in crate::recipes) fn wait_lost(&self, timeout: Duration) -> Result<Option<LostReason>> {
        let until = Instant::now().checked_add(timeout);
        let stops = self.state().stops;
        let mut naps = Naps::new();
        loop {
            let remaining = self.remaining();
            let mut state = self.state();
            match state.phase {
                Phase::Lost(reason) => return Ok(Some(reason)),
                Phase::Held(_) if state.stops != stops => {
                    return Err(Error::new(Status::Cancelled, "the wait was stopped"));
                }
                Phase::Held(_) => {}
                _ => return Err(never_held::<R>()),
            }
            let rest = rest_until(until);
            if rest.is_zero() {
                return Ok(None);
            }
            // Its deadline is another clock's; this one may stand still while that one goes on.
            let nap = remaining.max(Duration::from_millis(1)).min(self.upkeep().clock.tick());
            self.wait(&mut state, nap.min(rest), &mut naps)?;
        }
    }
}

/// The time left; `Duration::MAX` when there is no end.
fn rest_until(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}
