//! Which request comes next: pure, without network, clock or threads.
//!
//! The rules are those of
//! <https://developer.hashicorp.com/consul/api-docs/features/blocking>, and of what Consul was seen
//! to do besides: a snapshot that is restored ends held queries with the old index, and an agent
//! that starts anew begins to count from 1.

use crate::runtime::backoff;
use std::time::Duration;

/// After a failure, and after the tenth of them in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The same after an answer that gave no index to wait on.
const FIRST_BLIND_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_BLIND_PAUSE: Duration = Duration::from_secs(8);

/// What an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum IndexKind {
    /// It grows; one that went back tells of another history.
    Counter,
    /// It only differs: of user events it is a hash.
    Hash,
}

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The index it waits on; 0 is answered at once.
    pub(super) index: u64,
    /// How long Consul shall wait for news.
    pub(super) wait: Duration,
    /// When it was sent.
    pub(super) at: Duration,
}

/// The state of one blocking query.
#[derive(Debug)]
pub(super) struct Engine {
    kind: IndexKind,
    next: u64,
    seen: u64,
    failures: u32,
    blind: u32,
}

impl Engine {
    pub(super) fn new(kind: IndexKind) -> Engine {
        Engine { kind, next: 0, seen: 0, failures: 0, blind: 0 }
    }

    /// The index to ask with; 0 asks for an answer at once.
    pub(super) fn next_index(&self) -> u64 {
        self.next
    }

    /// The index of the last answer, 0 before one.
    pub(super) fn seen_index(&self) -> u64 {
        self.seen
    }

    /// An answer with this index, 0 where it had none, that was or was not another content than
    /// the last one. Gives the pause before the next request.
    pub(super) fn answered(
        &mut self,
        asked: &Asked,
        index: u64,
        changed: bool,
        now: Duration,
    ) -> Duration {
        self.failures = 0;
        self.seen = index;
        let early = now.saturating_sub(asked.at) < asked.wait;
        if index == 0 {
            // 0 would be answered at once for ever.
            self.next = 1;
            return self.blind_pause(changed, asked.index == 0 || early);
        }
        self.blind = 0;
        let unchanged = asked.index == index && early;
        let went_back = self.kind == IndexKind::Counter && index < asked.index;
        // Either way the data may be others than the index says: one read that does not wait tells.
        self.next = if unchanged || went_back { 0 } else { index };
        Duration::ZERO
    }

    /// A failure. Whoever answers next may count differently, so the next request does not wait.
    pub(super) fn failed(&mut self, chance: f64) -> Duration {
        self.next = 0;
        self.blind = 0;
        self.failures = self.failures.saturating_add(1);
        backoff(self.failures, FIRST_PAUSE, LONGEST_PAUSE, chance)
    }

    fn blind_pause(&mut self, changed: bool, at_once: bool) -> Duration {
        if !at_once {
            self.blind = 0;
            return Duration::ZERO;
        }
        self.blind = if changed { 1 } else { self.blind.saturating_add(1) };
        let doubled = FIRST_BLIND_PAUSE.saturating_mul(1 << self.blind.saturating_sub(1).min(8));
        doubled.min(LONGEST_BLIND_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(30);
    const ZERO: Duration = Duration::ZERO;

    /// Asks as the engine says, at second 100, and gives it an answer after so long.
    fn answer(engine: &mut Engine, index: u64, after: Duration) -> Duration {
        let at = Duration::from_secs(100);
        let asked = Asked { index: engine.next_index(), wait: WAIT, at };
        engine.answered(&asked, index, false, at + after)
    }

    fn counter() -> Engine {
        Engine::new(IndexKind::Counter)
    }

    /// What is answered to each request in turn, when, and the index of the next one.
    fn follows(engine: &mut Engine, table: &[(u64, Duration, u64)]) {
        for (step, &(index, after, next)) in table.iter().enumerate() {
            assert_eq!(answer(engine, index, after), ZERO, "step {step}");
            assert_eq!(engine.next_index(), next, "step {step}");
        }
    }

    #[test]
    fn the_first_request_is_answered_at_once_and_the_next_waits_on_its_index() {
        let mut engine = counter();
        assert_eq!(engine.next_index(), 0);
        follows(&mut engine, &[(100, ZERO, 100), (100, WAIT, 100), (101, ZERO, 101)]);
    }

    #[test]
    fn an_index_that_goes_back_is_followed_by_one_read_that_does_not_wait() {
        follows(&mut counter(), &[(100, ZERO, 100), (50, ZERO, 0), (50, ZERO, 50), (51, WAIT, 51)]);
    }

    #[test]
    fn an_agent_that_starts_anew_counts_from_one_again() {
        follows(&mut counter(), &[(313, ZERO, 313), (1, WAIT, 0), (1, ZERO, 1)]);
    }

    #[test]
    fn indexes_are_compared_in_all_their_64_bits() {
        let high = u64::MAX - 1;
        follows(&mut counter(), &[(high, ZERO, high), (high + 1, ZERO, high + 1)]);
        follows(&mut counter(), &[(high, ZERO, high), (high - 1, ZERO, 0)]);
    }

    #[test]
    fn an_early_answer_with_the_same_index_is_settled_by_one_read() {
        let early = WAIT / 2;
        let table = [(309, ZERO, 309), (309, early, 0), (309, ZERO, 309), (309, WAIT, 309)];
        follows(&mut counter(), &table);
    }

    #[test]
    fn a_hash_goes_up_and_down_and_is_always_waited_on() {
        let mut engine = Engine::new(IndexKind::Hash);
        follows(&mut engine, &[(900, ZERO, 900), (7, ZERO, 7), (u64::MAX, ZERO, u64::MAX)]);
    }

    #[test]
    fn without_an_index_it_asks_with_one_and_ever_more_rarely() {
        let mut engine = counter();
        let mut at = ZERO;
        let mut requests = 1;
        while at < Duration::from_secs(10) {
            at += answer(&mut engine, 0, ZERO);
            assert_eq!(engine.next_index(), 1);
            requests += usize::from(at < Duration::from_secs(10));
        }
        assert!(requests < 5, "{requests} requests in ten seconds");
        // An agent that holds the query all the same is asked again at once.
        assert_eq!(answer(&mut engine, 0, WAIT), ZERO);
    }

    #[test]
    fn without_an_index_what_changes_is_asked_for_sooner() {
        let mut engine = counter();
        let asked = Asked { index: 1, wait: WAIT, at: ZERO };
        for _ in 0..6 {
            engine.answered(&asked, 0, false, ZERO);
        }
        assert_eq!(engine.answered(&asked, 0, false, ZERO), LONGEST_BLIND_PAUSE);
        assert_eq!(engine.answered(&asked, 0, true, ZERO), FIRST_BLIND_PAUSE);
    }

    #[test]
    fn a_failure_forgets_the_index_and_waits_ever_longer_up_to_a_limit() {
        let mut engine = counter();
        answer(&mut engine, 100, ZERO);
        let pauses: Vec<_> = (0..40).map(|_| engine.failed(0.999)).collect();
        assert_eq!(engine.next_index(), 0);
        assert!(pauses[0] <= FIRST_PAUSE && pauses[0] < pauses[3]);
        assert!(pauses.iter().all(|&pause| pause <= LONGEST_PAUSE));
        assert!(pauses[39] > LONGEST_PAUSE / 2);
        // The next answer is not waited for, and ends the run of failures.
        assert_eq!(answer(&mut engine, 100, ZERO), ZERO);
        assert!(engine.failed(0.999) <= FIRST_PAUSE);
    }

    #[test]
    fn two_hundred_that_fail_together_come_back_apart() {
        let pauses: Vec<_> = (0..200).map(|n| counter().failed(f64::from(n) / 200.0)).collect();
        let mut apart = pauses.clone();
        apart.dedup();
        assert_eq!(apart.len(), 200);
    }
}
