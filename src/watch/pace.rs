//! A token bucket: so many requests a second, a few at once.

use std::time::Duration;

/// Requests a query may make at once before the rate holds.
const BURST: u32 = 10;

/// The bucket, as the time at which it would be full (the generic cell rate algorithm).
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    full: Duration,
}

impl Pace {
    /// So many requests a second.
    pub(super) fn new(per_second: u32) -> Pace {
        Pace { interval: Duration::from_secs(1) / per_second.max(1), full: Duration::ZERO }
    }

    /// Takes a token; when it may be used.
    pub(super) fn take(&mut self, now: Duration) -> Duration {
        let due = self.full.saturating_sub(self.interval * (BURST - 1)).max(now);
        self.full = self.full.max(due) + self.interval;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_go_at_once_and_then_so_many_a_second() {
        let (mut pace, mut now) = (Pace::new(10), Duration::from_secs(5));
        let mut sent = 0;
        while now < Duration::from_secs(15) {
            now = pace.take(now);
            sent += 1;
        }
        assert_eq!(sent, 10 + 100);
    }

    #[test]
    fn who_was_quiet_may_hurry_again() {
        let mut pace = Pace::new(10);
        for _ in 0..20 {
            pace.take(Duration::ZERO);
        }
        let later = Duration::from_secs(60);
        assert!((0..10).all(|_| pace.take(later) == later));
        assert!(pace.take(later) > later);
    }
}
