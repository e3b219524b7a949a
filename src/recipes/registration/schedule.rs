//! When a registration is looked after: pure arithmetic.

use crate::runtime::backoff;
use std::time::Duration;

/// How long one exchange may take where no TTL says less.
const PATIENCE: Duration = Duration::from_secs(5);

/// The shortest time that an exchange is given.
const SHORTEST: Duration = Duration::from_millis(100);

/// How often the agent is asked, at most, whether it still has the service as it should be.
const LOOK: Duration = Duration::from_secs(10);

/// The times of a registration with this TTL; zero for one without a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    ttl: Duration,
}

impl Schedule {
    pub(super) fn new(ttl: Duration) -> Schedule {
        Schedule { ttl }
    }

    pub(super) fn beats(&self) -> bool {
        !self.ttl.is_zero()
    }

    /// How long after one heartbeat the next one comes: about a third of the TTL, so that one may be
    /// lost, and each time another moment.
    pub(super) fn beat(&self, unit: f64) -> Duration {
        if self.beats() { self.ttl.mul_f64(0.3 + 0.1 * unit) } else { Duration::MAX }
    }

    /// How long after one look at the agent the next one comes.
    pub(super) fn look(&self, unit: f64) -> Duration {
        self.ttl.max(LOOK).mul_f64(0.8 + 0.2 * unit)
    }

    /// How long an exchange may take: one that gets no answer leaves time for others.
    pub(super) fn patience(&self) -> Duration {
        if self.beats() { (self.ttl / 4).clamp(SHORTEST, PATIENCE) } else { PATIENCE }
    }

    /// How long to wait after so many failures in a row.
    pub(super) fn retry(&self, failures: u32, unit: f64) -> Duration {
        let most = self.ttl.max(LOOK) / 4;
        backoff(failures, Duration::from_millis(200), most.min(Duration::from_secs(15)), unit)
    }

    /// How long to go on deregistering what nobody needs any more.
    pub(super) fn end_within(&self) -> Duration {
        self.ttl.saturating_mul(2).max(Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(15);

    #[test]
    fn a_heartbeat_that_gets_no_answer_leaves_time_for_another() {
        for ttl in [1, 2, 15, 600].map(Duration::from_secs) {
            let schedule = Schedule::new(ttl);
            let second = schedule.beat(1.0) + schedule.patience() + schedule.retry(1, 1.0);
            assert!(second + SHORTEST < ttl, "{ttl:?}: {second:?}");
        }
    }

    #[test]
    fn what_has_no_ttl_never_beats_and_is_looked_for() {
        let schedule = Schedule::new(Duration::ZERO);
        assert!(!schedule.beats() && schedule.beat(0.5) == Duration::MAX);
        assert!(schedule.look(0.0) >= LOOK.mul_f64(0.8) && schedule.look(1.0) <= LOOK);
        assert_eq!(schedule.patience(), PATIENCE);
    }

    #[test]
    fn retries_grow_and_end_nowhere() {
        let schedule = Schedule::new(TTL);
        assert!(schedule.retry(1, 0.5) < schedule.retry(4, 0.5));
        assert!(schedule.retry(u32::MAX, 1.0) <= TTL / 4);
        assert!(schedule.retry(u32::MAX, 0.0) > Duration::from_millis(500));
    }
}
