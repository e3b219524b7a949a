//! How long a session is known to live, counted here: pure arithmetic.
//!
//! Consul ends a session between one and two TTLs after its last renewal. A holder may count on
//! one, from the moment at which it sent the last renewal that succeeded.

use crate::runtime::backoff;
use std::time::Duration;

/// What is known of a session's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// Zero when it needs no renewal.
    ttl: Duration,
    /// When the last request that proved it alive was sent.
    proven: Duration,
}

/// How often a session without a TTL is asked for.
const WITHOUT_TTL: Duration = Duration::from_secs(15);

/// The shortest time that a renewal is given.
const SHORTEST: Duration = Duration::from_millis(100);

impl Lease {
    pub(super) fn new(ttl: Duration, sent: Duration) -> Lease {
        Lease { ttl, proven: sent }
    }

    pub(super) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// From when on the session may be gone; `None` when only Consul knows.
    pub(super) fn deadline(&self) -> Option<Duration> {
        (!self.ttl.is_zero()).then(|| self.proven + self.ttl)
    }

    pub(super) fn remaining(&self, now: Duration) -> Duration {
        self.deadline().map_or(Duration::MAX, |deadline| deadline.saturating_sub(now))
    }

    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.remaining(now).is_zero()
    }

    /// The lease after a renewal that was sent then and answered now with the server's TTL; `None`
    /// when it was over by then, which cannot be taken back.
    pub(super) fn renewed(self, ttl: Duration, sent: Duration, now: Duration) -> Option<Lease> {
        // An answer without a TTL must not make it live for ever.
        let adopted = !self.ttl.is_zero() && !ttl.is_zero();
        let ttl = if adopted { ttl } else { self.ttl };
        (!self.is_over(now)).then(|| Lease { ttl, proven: self.proven.max(sent) })
    }

    /// When to renew: a little before half of the TTL, each time another moment.
    pub(super) fn renewal(&self, unit: f64) -> Duration {
        self.proven + self.period().mul_f64(0.4 + 0.1 * unit)
    }

    /// How long a renewal may take: a third of what is left, so that one which gets no answer leaves
    /// time for others.
    pub(super) fn patience(&self, now: Duration, most: Duration) -> Duration {
        (self.remaining(now).min(self.period()) / 3).max(SHORTEST).min(most)
    }

    /// When to try again after so many failures in a row.
    pub(super) fn retry(&self, now: Duration, failures: u32, unit: f64) -> Duration {
        let most = (self.period() / 10).clamp(Duration::from_secs(1), Duration::from_secs(30));
        let pause = backoff(failures, Duration::from_millis(200), most, unit);
        now + pause.min(self.remaining(now) / 4)
    }

    /// How long to go on destroying a session that nobody needs any more: by then it has ended by
    /// itself, if it has a TTL.
    pub(super) fn end_within(&self) -> Duration {
        if self.ttl.is_zero() { Duration::from_secs(300) } else { self.ttl * 2 }
    }

    fn period(&self) -> Duration {
        if self.ttl.is_zero() { WITHOUT_TTL } else { self.ttl }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Jitter;

    const TTL: Duration = Duration::from_secs(15);
    const MOST: Duration = Duration::from_secs(10);

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(100.0 + seconds)
    }

    fn lease() -> Lease {
        Lease::new(TTL, at(0.0))
    }

    #[test]
    fn it_is_over_one_ttl_after_the_last_good_renewal_was_sent() {
        assert!(!lease().is_over(at(14.999)) && lease().is_over(at(15.0)));
        let renewed = lease().renewed(TTL, at(7.0), at(9.0)).unwrap();
        assert_eq!(renewed.deadline(), Some(at(22.0)));
        assert_eq!(renewed.remaining(at(10.0)), Duration::from_secs(12));
    }

    #[test]
    fn a_renewal_that_is_answered_too_late_takes_nothing_back() {
        assert_eq!(lease().renewed(TTL, at(14.0), at(15.0)), None);
    }

    #[test]
    fn the_servers_ttl_is_adopted() {
        let renewed = lease().renewed(TTL * 2, at(7.0), at(7.0)).unwrap();
        assert_eq!(renewed.deadline(), Some(at(37.0)));
    }

    #[test]
    fn an_answer_without_a_ttl_does_not_make_it_live_for_ever() {
        let renewed = lease().renewed(Duration::ZERO, at(7.0), at(7.0)).unwrap();
        assert_eq!(renewed.deadline(), Some(at(22.0)));
    }

    #[test]
    fn without_a_ttl_only_consul_knows_its_end() {
        let endless = Lease::new(Duration::ZERO, at(0.0));
        assert_eq!((endless.deadline(), endless.remaining(at(1e6))), (None, Duration::MAX));
        assert!(!endless.is_over(at(1e6)) && endless.renewal(0.0) < at(10.0));
    }

    #[test]
    fn renewals_come_before_half_of_the_ttl_and_not_all_at_once() {
        let times: Vec<f64> = (0..200)
            .map(|_| (lease().renewal(Jitter::new().unit()) - at(0.0)).as_secs_f64() / 15.0)
            .collect();
        assert!(times.iter().all(|&t| (0.4..0.5).contains(&t)));
        let mean = times.iter().sum::<f64>() / 200.0;
        let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 200.0;
        assert!(variance > 0.1f64.powi(2) / 12.0 * 0.6, "{variance}");
    }

    #[test]
    fn a_renewal_takes_a_third_of_the_ttl_at_most() {
        assert_eq!(lease().patience(at(0.0), MOST), TTL / 3);
        assert_eq!(lease().patience(at(12.0), MOST), Duration::from_secs(1));
        assert_eq!(lease().patience(at(14.99), MOST), SHORTEST);
        assert_eq!(Lease::new(TTL * 100, at(0.0)).patience(at(0.0), MOST), MOST);
    }

    /// Plays a server that says nothing from the renewal on, for a time; gives when it is renewed.
    fn renewed_after(outage: Duration, unit: f64) -> Option<Duration> {
        let lease = lease();
        let mut now = lease.renewal(unit);
        let back = now + outage;
        let mut failures = 0;
        while !lease.is_over(now) {
            if now >= back {
                return Some(now);
            }
            failures += 1;
            now += lease.patience(now, MOST);
            now = lease.retry(now, failures, unit);
        }
        None
    }

    #[test]
    fn an_outage_shorter_than_half_of_the_ttl_costs_nothing() {
        for step in 0..100 {
            let unit = f64::from(step) / 100.0;
            assert!(renewed_after(TTL / 2 - Duration::from_millis(200), unit).is_some(), "{unit}");
            assert_eq!(renewed_after(TTL, unit), None);
        }
    }

    #[test]
    fn a_long_ttl_is_not_asked_for_more_often_than_needed() {
        let long = Lease::new(Duration::from_secs(3600), at(0.0));
        assert!(long.retry(at(1800.0), 20, 0.5) > at(1810.0));
    }
}
