//! Time that goes on while the machine sleeps, and that a test can turn.

use std::time::Duration;

/// Where the lane, sessions and locks read the time.
pub(crate) trait Clock: Send + Sync {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;

    /// The longest time to sleep before looking at the clock again: a thread sleeps by another
    /// clock, which may stand still meanwhile.
    fn tick(&self) -> Duration;
}

/// The time since the machine started, suspended time included.
pub(crate) struct BootClock;

impl Clock for BootClock {
    fn now(&self) -> Duration {
        crate::sys::boottime()
    }

    fn tick(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// A clock that goes forward when a test turns it.
#[cfg(test)]
#[derive(Default)]
pub(crate) struct TestClock(crate::sync::Mutex<Duration>);

#[cfg(test)]
impl TestClock {
    pub(crate) fn advance(&self, time: Duration) {
        *self.0.lock() += time;
    }
}

#[cfg(test)]
impl Clock for TestClock {
    fn now(&self) -> Duration {
        *self.0.lock()
    }

    fn tick(&self) -> Duration {
        Duration::from_millis(1)
    }
}
