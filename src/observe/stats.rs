//! How something that the library keeps up is getting on.

use crate::error::Error;
use std::time::Duration;

/// How a session, a lock, a semaphore or a registration is getting on, as it was when this was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// What it is, in a word.
    pub state: &'static str,
    /// How long ago Consul said last that all is well; `None` when it never did.
    pub last_success: Option<Duration>,
    /// How many tries have failed since then.
    pub consecutive_failures: u32,
    /// What went wrong last, however long ago.
    pub last_error: Option<Error>,
    /// In how long Consul is asked again; `None` when it is not.
    pub next_try: Option<Duration>,
}

/// How many threads the library runs in this process now. Never blocks.
///
/// There is one `consul-io`, which all that is asynchronous, watches and probes share; a few
/// `consul-lane` of each client that keeps something up, which leave soon after that has ended; a
/// `consul-queue` for each queue that is served at a unix socket; a `consul-dns` while a host's name is
/// looked up; and a `consul-snapshot` or a `consul-close` for a snapshot or the end of a client that is
/// to arrive in a queue.
///
/// 0 before the first use, once the last client is closed, and in a forked child that has used none.
/// Only a look-up cannot be cut short, and may outlast its client.
pub fn library_threads() -> u32 {
    crate::sys::threads()
}

/// The same while it goes on, by the client's clock.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    succeeded: Option<Duration>,
    failures: u32,
    error: Option<Error>,
    next: Option<Duration>,
}

impl Progress {
    /// Consul said at this time that all is well.
    pub(crate) fn succeeded(&mut self, at: Duration) {
        self.succeeded = Some(at);
        self.failures = 0;
    }

    /// One more try failed.
    pub(crate) fn failed(&mut self, error: Error) {
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error);
    }

    /// Nothing has failed yet of what begins now.
    pub(crate) fn begin_anew(&mut self) {
        self.failures = 0;
    }

    /// When the next try comes.
    pub(crate) fn next(&mut self, next: Option<Duration>) {
        self.next = next;
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn stats(&self, state: &'static str, now: Duration) -> Stats {
        Stats {
            state,
            last_success: self.succeeded.map(|at| now.saturating_sub(at)),
            consecutive_failures: self.failures,
            last_error: self.error.clone(),
            next_try: self.next.map(|next| next.saturating_sub(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn failures_are_counted_until_a_success_and_the_last_error_stays() {
        let mut progress = Progress::default();
        assert_eq!(progress.stats("new", SECOND).last_success, None);
        progress.failed(Error::argument("one"));
        progress.failed(Error::argument("two"));
        progress.next(Some(5 * SECOND));
        let stats = progress.stats("failing", 3 * SECOND);
        assert_eq!((stats.consecutive_failures, stats.next_try), (2, Some(2 * SECOND)));
        progress.succeeded(4 * SECOND);
        let stats = progress.stats("well", 6 * SECOND);
        assert_eq!((stats.consecutive_failures, stats.last_success), (0, Some(2 * SECOND)));
        assert_eq!(stats.next_try, Some(Duration::ZERO));
        assert_eq!(stats.last_error.unwrap().message(), "two");
    }
}
