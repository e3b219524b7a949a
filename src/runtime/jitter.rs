//! Chance, so that programs which failed together do not come back together.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Random numbers that need no quality but difference (xorshift64*; Vigna, "An experimental
/// exploration of Marsaglia's xorshift generators, scrambled").
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// One that differs from every other, in this process and elsewhere.
    pub(crate) fn new() -> Jitter {
        Jitter::seeded(RandomState::new().hash_one(0))
    }

    fn seeded(seed: u64) -> Jitter {
        Jitter(AtomicU64::new(seed | 1))
    }

    /// A number from 0 up to, without, 1.
    pub(crate) fn unit(&self) -> f64 {
        // Two threads may draw the same number: they are in one process anyway.
        let mut x = self.0.load(Relaxed);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.store(x, Relaxed);
        (x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time from `low` up to `high`.
    pub(crate) fn between(&self, low: Duration, high: Duration) -> Duration {
        low + high.saturating_sub(low).mul_f64(self.unit())
    }
}

/// How long to wait after so many failures in a row, the first is 1: a random part, a quarter at
/// least, of a time that doubles from `first` up to `most`.
pub(crate) fn backoff(failures: u32, first: Duration, most: Duration, unit: f64) -> Duration {
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(most).mul_f64(0.25 + 0.75 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(200);
    const MOST: Duration = Duration::from_secs(2);

    #[test]
    fn two_hundred_clients_that_fail_together_spread_over_the_interval() {
        for failures in [1, 3, 10] {
            let times: Vec<f64> = (0..200)
                .map(|_| backoff(failures, FIRST, MOST, Jitter::new().unit()).as_secs_f64())
                .collect();
            let longest = FIRST.mul_f64(f64::from(1 << (failures - 1))).min(MOST).as_secs_f64();
            let mean = times.iter().sum::<f64>() / 200.0;
            let variance = times.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 200.0;
            // The variance of an even spread over three quarters of the interval.
            let even = (0.75 * longest).powi(2) / 12.0;
            assert!(variance > even * 0.6 && variance < even * 1.4, "{failures}: {variance}");
            assert!(times.iter().all(|&t| t >= longest * 0.25 && t < longest));
        }
    }

    #[test]
    fn a_back_off_grows_up_to_its_limit_and_never_overflows() {
        let longest = |failures| backoff(failures, FIRST, MOST, 0.999_999);
        assert!(longest(1) < longest(2) && longest(2) < longest(3));
        assert!(longest(u32::MAX) <= MOST && longest(u32::MAX) > MOST / 2);
    }

    #[test]
    fn a_time_stays_between_its_bounds() {
        let jitter = Jitter::seeded(0);
        for _ in 0..1000 {
            let time = jitter.between(FIRST, MOST);
            assert!(time >= FIRST && time < MOST);
        }
        assert_eq!(jitter.between(MOST, FIRST), MOST);
    }
}
