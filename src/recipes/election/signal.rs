//! How those who wait for something in an election learn that it may have come.

use crate::error::Result;
use crate::runtime::{Naps, io::Io, until};
use crate::sync::{Condvar, Mutex};
use crate::transport::CancelToken;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Rings when something has changed.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rings: u64,
    wakers: Vec<Waker>,
}

impl Signal {
    /// Has everyone who waits look again.
    pub(super) fn ring(&self) {
        let wakers = {
            let mut state = self.state.lock();
            state.rings += 1;
            std::mem::take(&mut state.wakers)
        };
        self.rung.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits on this thread until `ready` gives something; `None` when the time is over before.
    pub(super) fn wait<T>(
        &self,
        timeout: Duration,
        interruptible: bool,
        mut ready: impl FnMut() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let end = Instant::now().checked_add(timeout);
        let mut naps = Naps::new();
        loop {
            let rings = self.state.lock().rings;
            if let Some(found) = ready()? {
                return Ok(Some(found));
            }
            let rest =
                end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if rest.is_zero() {
                return Ok(None);
            }
            if interruptible {
                naps.nap(rest)?;
                continue;
            }
            let mut state = self.state.lock();
            if state.rings == rings {
                self.rung.wait_for(&mut state, rest);
            }
        }
    }

    /// Waits without blocking until `ready` gives something, or it is cancelled.
    pub(super) async fn until<T>(
        &self,
        cancel: &CancelToken,
        mut ready: impl FnMut(&Waker) -> Option<T>,
    ) -> Result<T> {
        until(cancel, |waker| {
            self.listen(waker);
            ready(waker)
        })
        .await
    }

    /// As [`Signal::until`], not longer than this.
    pub(super) async fn within(
        &self,
        cancel: &CancelToken,
        time: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let (io, end) = (Io::get()?, Instant::now() + time);
        let mut timer = None;
        self.until(cancel, |waker| {
            if ready() || Instant::now() >= end {
                return Some(());
            }
            timer = Some(io.wake_at(end, waker));
            None
        })
        .await
    }

    fn listen(&self, waker: &Waker) {
        let mut state = self.state.lock();
        if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
    }
}
