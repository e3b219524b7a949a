//! A campaign: takes the key whenever nobody holds it, until it is called off.
//!
//! The watch of the key tells when that is so, and that Consul can be asked at all; nothing is asked
//! in between. Only the end of a lock-delay is announced by nobody.

use super::shared::Shared;
use crate::error::{Error, Result};
use crate::runtime::{backoff, io::Io, until};
use crate::transport::CancelToken;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// The longest rest after an attempt that failed, of a failure that passes and of one that lasts.
const LONGEST_REST: Duration = Duration::from_secs(2);
const LONGEST_REST_REFUSED: Duration = Duration::from_secs(5);

/// How long an attempt that was called off may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long the news that somebody else was faster may take.
const NEWS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(600));

/// Goes on until it is cancelled.
pub(super) async fn run(election: &Arc<Shared>, cancel: &CancelToken) -> Result<()> {
    let mut streak = Streak::default();
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
                streak = Streak::default();
                continue;
            }
            Ok(false) => {
                streak = Streak::default();
                election.upkeep().jitter.between(NEWS.0, NEWS.1)
            }
            Err(error) => {
                let rest = streak.failed(&error, seen, election.upkeep().jitter.unit());
                election.failed(error);
                rest
            }
        };
        let newer = || Ok((election.watch.version() > seen).then_some(()));
        election.signal.within(cancel, rest, newer).await?;
    }
}

/// Attempts that failed in a row, while nothing was heard of the key.
#[derive(Default)]
struct Streak {
    failures: u32,
    /// What was known of the key.
    version: u64,
}

impl Streak {
    /// One more has failed that went out from this version; gives how long to rest.
    fn failed(&mut self, error: &Error, version: u64, unit: f64) -> Duration {
        if version > self.version {
            *self = Streak { failures: 0, version };
        }
        self.failures += 1;
        let most = if error.is_retryable() { LONGEST_REST } else { LONGEST_REST_REFUSED };
        backoff(self.failures, Duration::from_millis(200), most, unit)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    const MOST: f64 = 0.999;

    fn error(status: Status) -> Error {
        Error::new(status, "")
    }

    #[test]
    fn a_failure_that_passes_costs_no_more_than_two_seconds_and_a_refusal_no_more_than_five() {
        for (status, longest) in
            [(Status::Timeout, LONGEST_REST), (Status::Denied, LONGEST_REST_REFUSED)]
        {
            let mut streak = Streak::default();
            let rests: Vec<_> = (0..20).map(|_| streak.failed(&error(status), 1, MOST)).collect();
            assert!(rests.is_sorted() && rests[0] <= Duration::from_millis(200));
            assert!(rests[19] <= longest && rests[19] > longest * 9 / 10, "{rests:?}");
        }
    }

    #[test]
    fn news_of_the_key_begin_another_streak() {
        let mut streak = Streak::default();
        let mut failed = |version| streak.failed(&error(Status::Timeout), version, MOST);
        let first = failed(1);
        assert!(failed(1) > first && failed(1) > first * 3);
        assert_eq!(failed(2), first);
    }
}
