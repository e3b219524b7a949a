//! Waiting that a signal ends, for clients that are configured so.
//!
//! Condition variables go on waiting when a signal handler has run; a sleep of the kernel's does
//! not.

use crate::error::{Error, Result, Status};
use crate::transport::CancelToken;
use rustix::thread::{NanosleepRelativeResult, Timespec, nanosleep};
use std::time::{Duration, Instant};

/// The longest sleep before looking around.
const LONGEST: Duration = Duration::from_millis(50);

/// Short sleeps, the first ones very short.
pub(crate) struct Naps(Duration);

impl Naps {
    pub(crate) fn new() -> Naps {
        Naps(Duration::from_millis(1))
    }

    /// Sleeps a little, not longer than `most`. `Status::Interrupted` when a signal handler ran.
    pub(crate) fn nap(&mut self, most: Duration) -> Result<()> {
        let time = self.0.min(most);
        self.0 = (self.0 * 2).min(LONGEST);
        let time = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
        match nanosleep(&time) {
            NanosleepRelativeResult::Interrupted(_) => {
                Err(Error::new(Status::Interrupted, "interrupted by a signal"))
            }
            _ => Ok(()),
        }
    }
}

/// Sleeps this long, or until it is cancelled; where `interruptible`, a signal ends it too.
pub(crate) fn sleep(cancel: &CancelToken, time: Duration, interruptible: bool) -> Result<()> {
    if !interruptible {
        return cancel.sleep(time);
    }
    let (started, mut naps) = (Instant::now(), Naps::new());
    loop {
        cancel.check()?;
        let rest = time.saturating_sub(started.elapsed());
        if rest.is_zero() {
            return Ok(());
        }
        naps.nap(rest)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_lasts_as_long_as_it_is_told_to_or_until_it_is_cancelled() {
        for interruptible in [false, true] {
            let (cancel, started) = (CancelToken::new(), Instant::now());
            let time = Duration::from_millis(20);
            sleep(&cancel, time, interruptible).unwrap();
            assert!(started.elapsed() >= time);
            cancel.cancel(Status::Cancelled, "enough");
            let ended = sleep(&cancel, Duration::from_secs(60), interruptible);
            assert_eq!(ended.unwrap_err().status(), Status::Cancelled);
        }
    }
}
