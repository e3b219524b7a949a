//! The agent's time: the real one, and what a test has turned it on by.

use std::time::{Duration, Instant};

/// By how much it can be turned in all: nothing takes longer, and what happens again and again has an
/// end.
const MOST: Duration = Duration::from_secs(365 * 86_400);

/// A clock that can be turned on, and never back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    turned: Duration,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { began: Instant::now(), turned: Duration::ZERO }
    }

    /// The agent's time.
    pub(super) fn now(&self) -> Instant {
        Instant::now() + self.turned
    }

    /// How long the agent has lived by its own time.
    pub(super) fn age(&self) -> Duration {
        self.now() - self.began
    }

    /// When the real clock will show what the agent's shows `at` this time.
    pub(super) fn real(&self, at: Instant) -> Instant {
        at.checked_sub(self.turned).unwrap_or(self.began)
    }

    pub(super) fn turn(&mut self, by: Duration) {
        self.turned = self.turned.saturating_add(by).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::{Duration, Instant};

    #[test]
    fn it_is_the_real_one_until_it_is_turned() {
        let mut clock = Clock::new();
        let hour = Duration::from_secs(3600);
        assert!(clock.now() <= Instant::now());
        clock.turn(hour);
        assert!(clock.age() >= hour);
        let due = clock.now() + hour;
        assert!(clock.real(due) <= Instant::now() + hour);
        assert_eq!(clock.real(due) + hour, due);
        clock.turn(Duration::MAX);
        assert!(clock.age() < 2 * super::MOST);
    }
}
