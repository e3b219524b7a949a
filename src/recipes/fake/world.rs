//! A fake with a client of it and the clock of both.

use super::{Fake, PATIENCE};
use crate::api::session::SessionSpec;
use crate::client::Client;
use crate::config::Options;
use crate::recipes::session::KeptSession;
use crate::runtime::TestClock;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct World {
    pub(crate) fake: Arc<Fake>,
    pub(crate) client: Client,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) fn world() -> World {
    let fake = Fake::new();
    let (client, clock) = fake.client();
    World { fake, client, clock }
}

impl World {
    pub(crate) fn session(&self) -> KeptSession {
        self.client.keep_session(&SessionSpec::new(), &Options::new()).unwrap()
    }

    /// Turns the clock until it holds.
    pub(crate) fn eventually(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
            self.clock.pass(Duration::from_millis(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Turns the clock step by step, as the lane keeps up.
    pub(crate) fn pass(&self, time: Duration) {
        let step = Duration::from_millis(100);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.clock.pass(step);
        }
    }
}
