//! Ending what is in flight from another thread.

use super::Lane;
use crate::error::{Error, Result, Status};
use crate::sync::{Condvar, Mutex};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Ends, once and for ever, everything that was started with it. A clone is the same token.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    cancelled: Condvar,
}

#[derive(Default)]
struct State {
    reason: Option<Error>,
    watched: Vec<Arc<dyn Interrupt>>,
}

/// Something in flight that can be made to end early.
pub(crate) trait Interrupt: Send + Sync {
    /// Makes it end soon, with this error. Must not block.
    fn interrupt(&self, reason: &Error);
}

/// While it lives, the token ends what it watches.
pub(crate) struct Watched<'a> {
    token: &'a CancelToken,
    what: Arc<dyn Interrupt>,
}

impl CancelToken {
    /// A token that was not cancelled yet.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Ends everything in flight with this error, and everything that is started later. Only the
    /// first call counts. Returns at once.
    pub fn cancel(&self, status: Status, message: impl Into<String>) {
        let mut state = self.0.state.lock();
        if state.reason.is_some() {
            return;
        }
        let reason = Error::new(status, message);
        state.reason = Some(reason.clone());
        let watched = std::mem::take(&mut state.watched);
        drop(state);
        self.0.cancelled.notify_all();
        for what in watched {
            what.interrupt(&reason);
        }
    }

    /// True after [`CancelToken::cancel`].
    pub fn is_cancelled(&self) -> bool {
        self.0.state.lock().reason.is_some()
    }

    /// The error of the cancellation, once there was one.
    pub fn check(&self) -> Result<()> {
        match &self.0.state.lock().reason {
            Some(reason) => Err(reason.clone()),
            None => Ok(()),
        }
    }

    /// Waits this long, or until it is cancelled.
    pub fn sleep(&self, time: Duration) -> Result<()> {
        let until = Instant::now().checked_add(time);
        let mut state = self.0.state.lock();
        loop {
            if let Some(reason) = &state.reason {
                return Err(reason.clone());
            }
            match until {
                Some(until) if Instant::now() >= until => return Ok(()),
                Some(until) => drop(self.0.cancelled.wait_until(&mut state, until)),
                None => self.0.cancelled.wait(&mut state),
            }
        }
    }

    /// Has this one ended too, as long as the token lives.
    pub(crate) fn attach(&self, what: Arc<dyn Interrupt>) -> Result<()> {
        let mut state = self.0.state.lock();
        if let Some(reason) = &state.reason {
            return Err(reason.clone());
        }
        state.watched.push(what);
        Ok(())
    }

    pub(crate) fn watch(&self, what: Arc<dyn Interrupt>) -> Result<Watched<'_>> {
        let mut state = self.0.state.lock();
        if let Some(reason) = &state.reason {
            return Err(reason.clone());
        }
        state.watched.push(what.clone());
        Ok(Watched { token: self, what })
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let watched = &mut self.token.0.state.lock().watched;
        if let Some(i) = watched.iter().rposition(|what| Arc::ptr_eq(what, &self.what)) {
            watched.swap_remove(i);
        }
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// What ends the exchanges of a transport.
#[derive(Debug, Default)]
pub(super) struct Closing {
    calls: CancelToken,
    upkeep: CancelToken,
}

impl Closing {
    /// That of the exchanges in a lane.
    pub(super) fn of(&self, lane: Lane) -> &CancelToken {
        match lane {
            Lane::Calls => &self.calls,
            Lane::Upkeep => &self.upkeep,
        }
    }

    pub(super) fn end_calls(&self) {
        self.calls.cancel(Status::Closed, "the client is closed");
    }

    pub(super) fn close(&self) {
        self.end_calls();
        self.upkeep.cancel(Status::Closed, "the client is closed");
    }
}

#[cfg(test)]
mod tests {
    use super::{CancelToken, Interrupt};
    use crate::error::{Error, Status};
    use crate::sync::Mutex;
    use std::sync::Arc;
    use std::time::Duration;

    #[derive(Default)]
    struct Probe(Mutex<Option<Error>>);

    impl Interrupt for Probe {
        fn interrupt(&self, reason: &Error) {
            *self.0.lock() = Some(reason.clone());
        }
    }

    #[test]
    fn only_what_is_still_watched_is_ended() {
        let token = CancelToken::new();
        let (kept, gone) = (Arc::new(Probe::default()), Arc::new(Probe::default()));
        let _watched = token.watch(kept.clone()).unwrap();
        drop(token.watch(gone.clone()).unwrap());
        token.clone().cancel(Status::Cancelled, "enough");
        assert_eq!(kept.0.lock().as_ref().unwrap().message(), "enough");
        assert!(gone.0.lock().is_none());
    }

    #[test]
    fn the_first_reason_stays() {
        let token = CancelToken::new();
        assert!(token.check().is_ok());
        token.cancel(Status::Closed, "first");
        token.cancel(Status::Cancelled, "second");
        assert_eq!(token.check().unwrap_err().status(), Status::Closed);
        let late = token.watch(Arc::new(Probe::default())).err().unwrap();
        assert_eq!(late.message(), "first");
    }

    #[test]
    fn a_sleeper_wakes_at_once() {
        let token = CancelToken::new();
        assert!(token.sleep(Duration::from_millis(5)).is_ok());
        let sleeper = std::thread::spawn({
            let token = token.clone();
            move || token.sleep(Duration::from_secs(60))
        });
        token.cancel(Status::Cancelled, "wake");
        // Not only when its time is over: that is no error.
        assert_eq!(sleeper.join().unwrap().unwrap_err().message(), "wake");
    }
}
