//! Whether an address is to be asked: pure, without network, clock or threads.

use crate::sync::Mutex;
use crate::sys::PerProcess;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How an agent is, as far as calls and probes tell. A worse one is asked only where no better one
/// is left: none is ever given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It serves.
    Up,
    /// It answers, and says that the cluster has no leader, or that it cannot reach one. Stale reads
    /// and what concerns the agent alone are served.
    NoLeader,
    /// It does not answer.
    Down,
}

impl Condition {
    const ALL: [Condition; 3] = [Condition::Up, Condition::NoLeader, Condition::Down];

    /// Its name: `up`, `no leader` or `down`.
    pub fn as_str(self) -> &'static str {
        match self {
            Condition::Up => "up",
            Condition::NoLeader => "no leader",
            Condition::Down => "down",
        }
    }
}

/// So many calls in a row that run out of their time are taken for a sign, however short that was.
const MAX_SLOW: u32 = 3;

/// One that fails again within this time has to answer more probes before it is trusted.
const CALM: Duration = Duration::from_secs(60);

/// The most doublings of the number of those probes.
const MAX_DOUBT: u32 = 3;

/// So long after it has told a call that there is no leader a probe that it tells of one proves
/// nothing: it may name the one that is gone. Calls that wait for a leader are told so oftener: Consul
/// holds each for 7 s at most (`rpc_hold_timeout`), and they pause for a second.
const HEARSAY: Duration = Duration::from_secs(8);

/// The circuit breaker of one address.
pub(super) struct Breaker {
    condition: AtomicU8,
    slow: AtomicU32,
    doubt: PerProcess<Mutex<Doubt>>,
}

#[derive(Debug, Default)]
struct Doubt {
    opened: Option<Instant>,
    doublings: u32,
    good_probes: u32,
    /// When it told a call last that there is no leader.
    leaderless: Option<Instant>,
}

impl Doubt {
    /// It has ceased to serve.
    fn begin(&mut self, now: Instant) {
        let again = self.opened.is_some_and(|opened| now.duration_since(opened) < CALM);
        self.doublings = if again { (self.doublings + 1).min(MAX_DOUBT) } else { 0 };
        self.opened = Some(now);
        self.good_probes = 0;
    }

    /// It has answered a probe well. True when that is enough.
    fn lessens(&mut self) -> bool {
        self.good_probes += 1;
        self.good_probes >= 1 << self.doublings
    }

    fn is_hearsay(&self, now: Instant) -> bool {
        self.leaderless.is_some_and(|told| now.duration_since(told) < HEARSAY)
    }
}

impl Breaker {
    pub(super) fn new() -> Breaker {
        Breaker {
            condition: AtomicU8::new(Condition::Up as u8),
            slow: AtomicU32::new(0),
            doubt: PerProcess::new(),
        }
    }

    pub(super) fn condition(&self) -> Condition {
        Condition::ALL[usize::from(self.condition.load(Relaxed)) % Condition::ALL.len()]
    }

    /// A call was served. One that needs no leader does not prove that there is one. True when the
    /// condition has changed.
    pub(super) fn served(&self, needs_leader: bool) -> bool {
        if self.slow.load(Relaxed) != 0 {
            self.slow.store(0, Relaxed);
        }
        match self.condition() {
            Condition::Up => false,
            Condition::NoLeader if !needs_leader => false,
            _ => self.set(Condition::Up),
        }
    }

    /// It has told a call that there is no leader. True when the condition has changed.
    pub(super) fn leaderless(&self, now: Instant) -> bool {
        self.slow.store(0, Relaxed);
        let mut doubt = self.doubt().lock();
        doubt.leaderless = Some(now);
        doubt.good_probes = 0;
        if self.condition() == Condition::Up {
            doubt.begin(now);
        }
        self.set(Condition::NoLeader)
    }

    /// A call ran out of its time, which was or was not `long`. True when the condition has changed.
    pub(super) fn slow(&self, long: bool, now: Instant) -> bool {
        let slow = self.slow.fetch_add(1, Relaxed).saturating_add(1);
        (long || slow >= MAX_SLOW) && self.failed(now)
    }

    /// It cannot be reached, or does not answer. True when the condition has changed.
    pub(super) fn failed(&self, now: Instant) -> bool {
        self.slow.store(0, Relaxed);
        let mut doubt = self.doubt().lock();
        doubt.good_probes = 0;
        if self.condition() == Condition::Down {
            return false;
        }
        doubt.begin(now);
        self.set(Condition::Down)
    }

    /// It has answered a probe. True when the condition has changed.
    pub(super) fn probed(&self, has_leader: bool, now: Instant) -> bool {
        let before = self.condition();
        if before == Condition::Up && has_leader {
            return false;
        }
        let mut doubt = self.doubt().lock();
        match (before, has_leader) {
            (Condition::Up, _) => doubt.begin(now),
            (Condition::NoLeader, false) => doubt.good_probes = 0,
            (Condition::NoLeader, true) if doubt.is_hearsay(now) => return false,
            _ if doubt.lessens() => {}
            _ => return false,
        }
        self.set(if has_leader { Condition::Up } else { Condition::NoLeader })
    }

    fn doubt(&self) -> &Mutex<Doubt> {
        self.doubt.get_or_init(Mutex::default)
    }

    fn set(&self, condition: Condition) -> bool {
        self.condition.swap(condition as u8, Relaxed) != condition as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_opens_it_and_a_probe_or_a_call_closes_it() {
        let (breaker, now) = (Breaker::new(), Instant::now());
        assert_eq!(breaker.condition(), Condition::Up);
        assert!(breaker.failed(now) && !breaker.failed(now));
        assert_eq!(breaker.condition(), Condition::Down);
        assert!(breaker.probed(false, now));
        assert_eq!(breaker.condition(), Condition::NoLeader);
        assert!(!breaker.served(false) && breaker.served(true));
        assert_eq!(breaker.condition(), Condition::Up);
    }

    #[test]
    fn short_calls_that_run_out_of_time_count_only_in_a_row() {
        let (breaker, now) = (Breaker::new(), Instant::now());
        assert!(!breaker.slow(false, now) && !breaker.slow(false, now));
        breaker.served(true);
        assert!(!breaker.slow(false, now) && !breaker.slow(false, now));
        assert!(breaker.slow(false, now));
        assert!(Breaker::new().slow(true, now));
    }

    #[test]
    fn one_that_fails_again_and_again_must_answer_more_probes() {
        let (breaker, start) = (Breaker::new(), Instant::now());
        for (failure, probes) in [1, 2, 4, 8, 8].into_iter().enumerate() {
            assert!(breaker.failed(start + Duration::from_secs(failure as u64)));
            let needed = (1..).find(|_| breaker.probed(true, start)).unwrap();
            assert_eq!(needed, probes, "failure {failure}");
        }
        assert!(breaker.failed(start + CALM * 2));
        assert!(breaker.probed(true, start));
    }

    #[test]
    fn one_that_names_a_leader_and_reaches_none_is_not_believed() {
        let (breaker, start) = (Breaker::new(), Instant::now());
        let mut now = start;
        assert!(breaker.leaderless(now));
        // As long as calls are told so, no probe counts.
        for _ in 0..20 {
            now += HEARSAY / 2;
            assert!(!breaker.probed(true, now) && !breaker.leaderless(now));
        }
        assert!(breaker.probed(true, now + HEARSAY));
        // What was served proves it at once.
        assert!(breaker.leaderless(now) && breaker.served(true));
    }

    #[test]
    fn one_that_has_no_leader_again_and_again_must_answer_more_probes() {
        let (breaker, mut now) = (Breaker::new(), Instant::now());
        for probes in [1, 2, 4, 8, 8] {
            assert!(breaker.leaderless(now));
            now += HEARSAY;
            let needed = (1..).find(|_| breaker.probed(true, now)).unwrap();
            assert_eq!(needed, probes);
        }
        // A probe that finds none begins it, too, and the count anew.
        now += CALM;
        assert!(breaker.probed(false, now) && breaker.probed(true, now));
        assert!(breaker.probed(false, now) && !breaker.probed(true, now));
        assert!(!breaker.probed(false, now) && !breaker.probed(true, now));
        assert!(breaker.probed(true, now));
    }
}
