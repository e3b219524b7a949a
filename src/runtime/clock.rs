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
pub(crate) struct TestClock {
    now: crate::sync::Mutex<Duration>,
    turned_too: crate::sync::Mutex<Vec<Turn>>,
    followers: crate::sync::Mutex<Vec<Follower>>,
}

/// Turns another clock, by this time.
#[cfg(test)]
type Turn = Box<dyn Fn(Duration) + Send + Sync>;

/// Whether somebody who goes by the clock has done all that is due.
#[cfg(test)]
type Follower = Box<dyn Fn() -> bool + Send + Sync>;

#[cfg(test)]
impl TestClock {
    pub(crate) fn advance(&self, time: Duration) {
        *self.now.lock() += time;
        self.turned_too.lock().iter().for_each(|turn| turn(time));
    }

    /// Turns another clock with this one.
    pub(crate) fn turns(&self, turn: impl Fn(Duration) + Send + Sync + 'static) {
        self.turned_too.lock().push(Box::new(turn));
    }

    /// Has [`TestClock::pass`] wait for this one too.
    pub(crate) fn follow(&self, is_done: impl Fn() -> bool + Send + Sync + 'static) {
        self.followers.lock().push(Box::new(is_done));
    }

    /// Turns the clock, and waits until all that is due by then is done: a loaded machine must not
    /// make a lane seem slow.
    pub(crate) fn pass(&self, time: Duration) {
        self.advance(time);
        let started = std::time::Instant::now();
        while !self.followers.lock().iter().all(|is_done| is_done()) {
            assert!(started.elapsed() < Duration::from_secs(60), "somebody does not keep up");
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

#[cfg(test)]
impl Clock for TestClock {
    fn now(&self) -> Duration {
        *self.now.lock()
    }

    fn tick(&self) -> Duration {
        Duration::from_millis(1)
    }
}
