//! How those who wait for something learn that it may have come: threads, and what is awaited.

use super::io::Io;
use super::{Naps, until};
use crate::error::Result;
use crate::sync::{Condvar, Mutex};
use crate::transport::CancelToken;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Rings when something has changed.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rings: u64,
    /// Who is woken by the next ring.
    wakers: Vec<(u64, Waker)>,
    next_seat: u64,
}

impl Signal {
    /// Has everyone who waits look again.
    pub(crate) fn ring(&self) {
        let wakers = {
            let mut state = self.state.lock();
            state.rings += 1;
            std::mem::take(&mut state.wakers)
        };
        self.rung.notify_all();
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Waits on this thread until `ready` gives something; `None` when the time is over before.
    pub(crate) fn wait<T>(
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
    pub(crate) async fn until<T>(
        &self,
        cancel: &CancelToken,
        mut ready: impl FnMut(&Waker) -> Option<T>,
    ) -> Result<T> {
        let seat = Seat::taken(self);
        until(cancel, |waker| {
            seat.sit(waker);
            ready(waker)
        })
        .await
    }

    /// As [`Signal::wait`], without blocking, or until it is cancelled.
    pub(crate) async fn within<T>(
        &self,
        cancel: &CancelToken,
        timeout: Duration,
        mut ready: impl FnMut() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let (io, end) = (Io::get()?, Instant::now().checked_add(timeout));
        let mut timer = None;
        self.until(cancel, |waker| {
            if let Some(found) = ready().transpose() {
                return Some(found.map(Some));
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Some(Ok(None));
            }
            timer = end.map(|end| io.wake_at(end, waker));
            None
        })
        .await?
    }
}

/// The place of one that is awaited; nobody sits there any more when it is dropped.
struct Seat<'a> {
    signal: &'a Signal,
    number: u64,
}

impl<'a> Seat<'a> {
    fn taken(signal: &'a Signal) -> Seat<'a> {
        let mut state = signal.state.lock();
        state.next_seat += 1;
        Seat { signal, number: state.next_seat }
    }

    fn sit(&self, waker: &Waker) {
        let mut state = self.signal.state.lock();
        match state.wakers.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, known)) => known.clone_from(waker),
            None => state.wakers.push((self.number, waker.clone())),
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = self.signal.state.lock();
        state.wakers.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::spawn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc::channel;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn seats(signal: &Signal) -> usize {
        signal.state.lock().wakers.len()
    }

    #[test]
    fn one_that_is_awaited_is_woken_by_a_ring_and_leaves_its_seat() {
        let (signal, count) = (Arc::new(Signal::default()), Arc::new(AtomicUsize::new(0)));
        let (send, ended) = channel();
        let going_on = {
            let (signal, count) = (signal.clone(), count.clone());
            async move {
                let ready = || Ok((count.load(SeqCst) == 2).then_some("two"));
                signal.within(&CancelToken::new(), Duration::MAX, ready).await
            }
        };
        spawn(going_on, move |result| send.send(result).unwrap());
        for _ in 0..2 {
            count.fetch_add(1, SeqCst);
            signal.ring();
        }
        assert_eq!(ended.recv_timeout(PATIENCE).unwrap(), Ok(Some("two")));
        assert_eq!(seats(&signal), 0);
    }

    #[test]
    fn its_time_ends_a_wait_of_either_kind_and_an_error_does() {
        use crate::error::{Error, Status};
        let signal = Arc::new(Signal::default());
        let (send, ended) = channel();
        for fails in [false, true] {
            let (signal, send) = (signal.clone(), send.clone());
            let going_on = async move {
                let ready = || match fails {
                    true => Err(Error::new(Status::Closed, "closed")),
                    false => Ok(None::<()>),
                };
                signal.within(&CancelToken::new(), Duration::from_millis(2), ready).await
            };
            spawn(going_on, move |result| send.send(result).unwrap());
            let result = ended.recv_timeout(PATIENCE).unwrap();
            assert_eq!(
                result.map_err(|error| error.status()),
                if fails { Err(Status::Closed) } else { Ok(None) }
            );
        }
        assert_eq!(signal.wait(Duration::from_millis(2), false, || Ok(None::<()>)), Ok(None));
        assert_eq!(seats(&signal), 0);
    }
}
