//! What the tests of recipes stand on: the embedded agent, by a clock that they turn, and a client
//! whose requests they watch and disturb on their way.

mod consul;
mod wire;

pub(crate) use consul::Consul;
pub(crate) use wire::{Fate, Seen, Wire};

use crate::api::session::SessionSpec;
use crate::client::Client;
use crate::config::{Config, Location, Options, Settings};
use crate::recipes::session::KeptSession;
use crate::runtime::{Clock, TestClock};
use crate::transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) consul: Consul,
    pub(crate) wire: Arc<Wire>,
    /// Of the client and of the agent.
    pub(crate) clock: Arc<TestClock>,
    pub(crate) client: Client,
}

pub(crate) fn world() -> World {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("recipes-{}", NEXT.fetch_add(1, Relaxed));
    let settings = Settings::resolve(&Config::without_environment()).unwrap();
    let agent = transport::open(&Location::Embedded(name.clone()), &settings).unwrap();
    let control = agent.embedded().unwrap();
    control.stop_clock();
    control.set_session_ttl_min(Duration::from_secs(1));
    let clock = Arc::<TestClock>::default();
    let wire = Arc::new(Wire::new(agent, clock.clone()));
    clock.turns(move |time| control.advance(time));
    let client = client_of(&wire, &clock);
    World { consul: Consul::new(&name), wire, clock, client }
}

fn client_of(wire: &Arc<Wire>, clock: &Arc<TestClock>) -> Client {
    let mut config = Config::without_environment();
    config.set("min_session_ttl_ms", "1000").unwrap();
    let client = Client::for_test(&config, wire.clone(), clock.clone());
    let (wire, is_done) = (Arc::downgrade(wire), client.upkeep().lane.is_done());
    clock.follow(move || wire.upgrade().is_none_or(|wire| is_done(wire.waiting_steps())));
    client
}

impl World {
    /// One more client, whose requests go the same way.
    pub(crate) fn another_client(&self) -> Client {
        client_of(&self.wire, &self.clock)
    }

    pub(crate) fn session(&self) -> KeptSession {
        self.client.keep_session(&SessionSpec::new(), &Options::new()).unwrap()
    }

    /// Turns the clock until it holds: for ten minutes, which a loaded machine may take long for.
    pub(crate) fn eventually(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let (started, end) = (Instant::now(), self.clock.now() + Duration::from_secs(600));
        while !holds() {
            let in_vain = self.clock.now() > end && started.elapsed() > PATIENCE;
            assert!(!in_vain, "waited in vain: {what}");
            self.clock.pass(Duration::from_millis(50));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it holds, while the clock stands.
    pub(crate) fn soon(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
            std::thread::sleep(Duration::from_micros(100));
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
