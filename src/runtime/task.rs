//! Runs what is written as a future: at once, on the caller's thread, where everything in it
//! blocks; or on the I/O thread, where nothing does.

use super::io::Io;
use crate::error::{Error, Result, Status};
use crate::sync::Mutex;
use crate::transport::{CancelToken, Interrupt};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The result of a future in which everything that waits blocks.
pub(crate) fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::new(Status::Internal, "a call that blocks did not")),
    }
}

/// Begins a future on this thread, goes on with it on the I/O thread, and then calls `done`; where
/// it panics, `done` is dropped.
pub(crate) fn spawn<T: Send + 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) {
    let io = match Io::get() {
        Ok(io) => io,
        Err(error) => return done(Err(error)),
    };
    let kept = io.clone();
    io.spawn(async move {
        done(future.await);
        drop(kept);
    });
}

/// The result of work that blocks, on a thread of its own with this name. It goes to its end even
/// when nobody waits for it any more.
pub(crate) async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let desk = Arc::new(Mutex::new(Desk { result: None, waker: None }));
    let given = Given(desk.clone());
    crate::sys::spawn_then(name, work, move |result| given.put(result))
        .map_err(|error| Error::new(Status::Internal, format!("no thread for {name}: {error}")))?;
    poll_fn(|context| {
        let mut desk = desk.lock();
        desk.waker = Some(context.waker().clone());
        desk.result.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Where a thread leaves its result, and who is to be woken then.
struct Desk<T> {
    result: Option<Result<T>>,
    waker: Option<Waker>,
}

/// The thread's side of a desk: a result is left there even when the work panics.
struct Given<T>(Arc<Mutex<Desk<T>>>);

impl<T> Given<T> {
    fn put(&self, result: Result<T>) {
        self.0.lock().result = Some(result);
    }
}

impl<T> Drop for Given<T> {
    fn drop(&mut self) {
        let mut desk = self.0.lock();
        let gave_up = "a fault in the library: the work was given up";
        desk.result.get_or_insert_with(|| Err(Error::new(Status::Internal, gave_up)));
        let waker = desk.waker.take();
        drop(desk);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Lets this much time go by, or until it is cancelled, without blocking.
pub(crate) async fn pause(cancel: &CancelToken, time: Duration) -> Result<()> {
    let io = Io::get()?;
    let end = Instant::now().checked_add(time);
    let mut timer = None;
    until(cancel, |waker| {
        if end.is_some_and(|end| Instant::now() >= end) {
            return Some(());
        }
        timer = end.map(|end| io.wake_at(end, waker));
        None
    })
    .await
}

/// Waits without blocking until this gives something, or until it is cancelled. It is asked at
/// first, and each time that the waker it was given is woken.
pub(crate) async fn until<T>(
    cancel: &CancelToken,
    mut ready: impl FnMut(&Waker) -> Option<T>,
) -> Result<T> {
    let sleeper = Arc::new(Sleeper::default());
    let _watched = cancel.watch(sleeper.clone())?;
    poll_fn(|context| {
        *sleeper.0.lock() = Some(context.waker().clone());
        if let Err(error) = cancel.check() {
            return Poll::Ready(Err(error));
        }
        ready(context.waker()).map_or(Poll::Pending, |ready| Poll::Ready(Ok(ready)))
    })
    .await
}

/// Who is to be woken by a cancellation.
#[derive(Default)]
struct Sleeper(Mutex<Option<Waker>>);

impl Interrupt for Sleeper {
    fn interrupt(&self, _: &Error) {
        let waker = self.0.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_pause_lasts_as_long_as_it_is_told_to_or_until_it_is_cancelled() {
        for (time, cancelled) in [(20, false), (60_000, true)] {
            let (cancel, started) = (CancelToken::new(), Instant::now());
            let (send, ended) = channel();
            let token = cancel.clone();
            let future = async move { pause(&token, Duration::from_millis(time)).await };
            spawn(future, move |result| send.send(result).unwrap());
            if cancelled {
                cancel.cancel(Status::Cancelled, "enough");
            }
            let result = ended.recv_timeout(PATIENCE).unwrap();
            assert_eq!(result.is_err(), cancelled);
            assert!(cancelled || started.elapsed() >= Duration::from_millis(time));
        }
    }

    #[test]
    fn one_that_panics_lets_go_of_what_it_was_to_call() {
        let (send, ended) = channel::<()>();
        spawn::<()>(async { panic!("out of luck") }, move |_| send.send(()).unwrap());
        assert!(ended.recv_timeout(PATIENCE).is_err());
    }

    #[test]
    fn work_on_a_thread_gives_its_result_or_its_panic() {
        let (send, ended) = channel();
        for works in [true, false] {
            let send = send.clone();
            let work = move || if works { Ok(7) } else { panic!("out of luck") };
            spawn(on_thread("consul-test", work), move |result| send.send(result).unwrap());
            let result = ended.recv_timeout(PATIENCE).unwrap();
            assert_eq!(result.map_err(|error| error.status()).ok(), works.then_some(7));
        }
    }

    #[test]
    fn what_does_not_block_is_a_fault_where_it_should() {
        assert_eq!(at_once(async { Ok(7) }), Ok(7));
        let stuck = at_once(std::future::pending::<Result<()>>());
        assert_eq!(stuck.unwrap_err().status(), Status::Internal);
    }
}
