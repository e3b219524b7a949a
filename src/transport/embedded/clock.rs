//! The agent's time: the real one, or the moment at which a test has stopped it, and what it was turned
//! on by.

use std::time::{Duration, Instant};

/// By how much it can be turned in all: nothing takes longer, and what happens again and again has an
/// end.
pub(super) const MOST: Duration = Duration::from_secs(365 * 86_400);

/// A clock that can be turned on, and never back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    began: Instant,
    /// When it was stopped, by the real one: it goes on as it is turned alone.
    stopped: Option<Instant>,
    turned: Duration,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { began: Instant::now(), stopped: None, turned: Duration::ZERO }
    }

    /// The agent's time.
    pub(super) fn now(&self) -> Instant {
        self.stopped.unwrap_or_else(Instant::now) + self.turned
    }

    /// How long the agent has lived by its own time.
    pub(super) fn age(&self) -> Duration {
        self.now() - self.began
    }

    /// When the real clock will show what the agent's shows `at` this time. One that is stopped comes
    /// there by being turned alone, and whoever does that wakes who waits.
    pub(super) fn real(&self, at: Instant) -> Instant {
        match self.stopped {
            Some(_) => Instant::now() + MOST,
            None => at.checked_sub(self.turned).unwrap_or(self.began),
        }
    }

    pub(super) fn stop(&mut self) {
        self.stopped.get_or_insert_with(Instant::now);
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

    #[test]
    fn once_stopped_it_goes_on_as_it_is_turned_alone() {
        let mut clock = Clock::new();
        clock.stop();
        let (second, before) = (Duration::from_secs(1), clock.now());
        let real = Instant::now();
        while Instant::now() == real {}
        clock.stop();
        assert_eq!(clock.now(), before);
        assert!(clock.real(before) > Instant::now() + second);
        clock.turn(second);
        assert_eq!(clock.now(), before + second);
    }
}
