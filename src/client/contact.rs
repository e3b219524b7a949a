//! When the agent was heard of last.

use crate::error::{Error, Result, Status};
use crate::sync::Mutex;
use crate::sys::PerProcess;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a client knows of its agent, from the calls that it made anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Whether the last call was answered, whatever the answer; `None` before the first.
    pub reachable: Option<bool>,
    /// How long ago a call was answered; `None` when none was.
    pub last_answer: Option<Duration>,
    /// Why the last call was not answered, when it was not.
    pub error: Option<Error>,
    /// How long ago a call was not answered.
    pub(super) last_failure: Option<Duration>,
}

impl Reachability {
    /// What is known of several agents: of the last call, whichever it went to.
    pub(super) fn latest(each: impl Iterator<Item = Reachability>) -> Reachability {
        let sooner = |a: Option<Duration>, b: Option<Duration>| a.into_iter().chain(b).min();
        each.reduce(|one, other| {
            let last = |known: &Reachability| sooner(known.last_answer, known.last_failure);
            let known = |known: &Reachability| last(known).unwrap_or(Duration::MAX);
            let (newer, older) =
                if known(&one) <= known(&other) { (one, other) } else { (other, one) };
            Reachability {
                last_answer: sooner(newer.last_answer, older.last_answer),
                last_failure: sooner(newer.last_failure, older.last_failure),
                ..newer
            }
        })
        .unwrap_or_default()
    }
}

/// The same while it goes on. An answer costs no lock unless a call failed before.
pub(super) struct Contact {
    since: Instant,
    /// In microseconds since then; 0 when there was none.
    answered: AtomicU64,
    /// The same of the last failure.
    failed: AtomicU64,
    error: PerProcess<Mutex<Option<Error>>>,
}

impl Contact {
    pub(super) fn new() -> Contact {
        Contact {
            since: Instant::now(),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            error: PerProcess::new(),
        }
    }

    fn error(&self) -> &Mutex<Option<Error>> {
        self.error.get_or_init(Mutex::default)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX).max(1)
    }

    /// Takes down that the agent answered, or did not.
    pub(super) fn heard<T>(&self, answer: &Result<T>) {
        match answer {
            Ok(_) => self.answered(),
            Err(error) => self.failed(error),
        }
    }

    /// A call was answered.
    fn answered(&self) {
        self.answered.store(self.now(), Relaxed);
    }

    /// A call was not answered. What the program itself ended says nothing about the agent.
    fn failed(&self, error: &Error) {
        let status = error.status();
        if !matches!(status, Status::Connect | Status::Timeout | Status::Tls | Status::Io) {
            return;
        }
        self.failed.store(self.now(), Relaxed);
        *self.error().lock() = Some(error.clone());
    }

    pub(super) fn reachability(&self) -> Reachability {
        let (answered, failed) = (self.answered.load(Relaxed), self.failed.load(Relaxed));
        if answered == 0 && failed == 0 {
            return Reachability::default();
        }
        let reachable = answered >= failed;
        let ago = |at: u64| Duration::from_micros(self.now().saturating_sub(at));
        Reachability {
            reachable: Some(reachable),
            last_answer: (answered > 0).then(|| ago(answered)),
            error: self.error().lock().clone().filter(|_| !reachable),
            last_failure: (failed > 0).then(|| ago(failed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_tells() {
        let contact = Contact::new();
        assert_eq!(contact.reachability(), Reachability::default());
        contact.failed(&Error::new(Status::Connect, "refused"));
        let away = contact.reachability();
        assert_eq!((away.reachable, away.last_answer), (Some(false), None));
        assert_eq!(away.error.unwrap().message(), "refused");
        std::thread::sleep(Duration::from_millis(1));
        contact.answered();
        contact.failed(&Error::new(Status::Cancelled, "by the program"));
        let here = contact.reachability();
        assert_eq!((here.reachable, here.error), (Some(true), None));
        assert!(here.last_answer.is_some());
    }
}
