//! A campaign: takes the key whenever nobody holds it, until it is called off.
//!
//! The watch of the key tells when that is so, and that Consul can be asked at all; nothing is asked
//! in between. Only the end of a lock-delay is announced by nobody.

use super::shared::Shared;
use crate::error::Result;
use crate::runtime::{backoff, io::Io, until};
use crate::transport::CancelToken;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The longest rest after an attempt that failed.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// How long an attempt that was called off may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long the news that somebody else was faster may take.
const NEWS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(600));

/// Goes on until it is cancelled.
pub(super) async fn run(election: &Arc<Shared>, cancel: &CancelToken) -> Result<()> {
    let mut failures = 0;
    let mut won = election.lock.is_held();
    loop {
        // Told of what is lost again by now, too: whoever asked has seen that it leads.
        if won {
            election.won();
            election.signal.until(cancel, |_| (!election.lock.is_held()).then_some(())).await?;
            election.lost();
        }
        election.signal.until(cancel, |_| election.seems_free().then_some(())).await?;
        let seen = election.watch.version();
        let attempt = election.lock.deferred().acquire_while_free(cancel)?;
        let outcome = settled(cancel, attempt).await;
        cancel.check()?;
        won = matches!(outcome, Ok(true));
        let rest = match outcome {
            Ok(true) => {
                failures = 0;
                continue;
            }
            Ok(false) => {
                failures = 0;
                election.upkeep().jitter.between(NEWS.0, NEWS.1)
            }
            Err(error) => {
                failures += 1;
                election.failed(error);
                let unit = election.upkeep().jitter.unit();
                backoff(failures, Duration::from_millis(200), LONGEST_REST, unit)
            }
        };
        let newer = || Ok((election.watch.version() > seen).then_some(()));
        election.signal.within(cancel, rest, newer).await?;
    }
}

/// What an attempt gives. One that is called off while it may just win is given time for the answer:
/// what it has won is given back as any lock is. The mere end of its session would keep everybody
/// waiting for the lock-delay.
async fn settled(
    cancel: &CancelToken,
    attempt: impl IntoFuture<Output = Result<bool>>,
) -> Result<bool> {
    let mut attempt = pin!(attempt.into_future());
    let mut outcome = |waker: &Waker| polled(attempt.as_mut(), waker);
    if let Ok(outcome) = until(cancel, &mut outcome).await {
        return outcome;
    }
    let (io, end) = (Io::get()?, Instant::now() + GRACE);
    let mut timer = None;
    until(&CancelToken::new(), |waker| {
        timer = Some(io.wake_at(end, waker));
        let late = || (Instant::now() >= end).then(|| cancel.check().map(|()| false));
        outcome(waker).or_else(late)
    })
    .await?
}

/// What a call gives, unless it is cancelled before; then the call is, too.
pub(super) async fn unless<T>(
    cancel: &CancelToken,
    call: impl IntoFuture<Output = Result<T>>,
) -> Result<T> {
    let mut call = pin!(call.into_future());
    until(cancel, |waker| polled(call.as_mut(), waker)).await?
}

fn polled<T>(future: Pin<&mut impl Future<Output = T>>, waker: &Waker) -> Option<T> {
    match future.poll(&mut Context::from_waker(waker)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
