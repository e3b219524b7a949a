//! Locks under a clock that the tests turn, with answers that get lost.

mod answers;
mod ends;
mod loss;
mod retired;

use super::*;
use crate::recipes::loss::Loss;
use crate::recipes::session::KeptSession;
use crate::recipes::testing::{Fate, PATIENCE, Seen, World, world};
use crate::transport::Lane;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(15);

impl World {
    fn lock(&self) -> Lock {
        self.client.lock(LockSpec::new("a").value("v")).unwrap()
    }

    fn held(&self) -> Lock {
        self.held_by(LockSpec::new("a").value("v"))
    }

    fn held_by(&self, spec: LockSpec) -> Lock {
        let lock = self.client.lock(spec).unwrap();
        assert!(lock.acquire(PATIENCE).unwrap());
        lock
    }

    /// Acquires it as the clock goes on: a session that held it ends, and may leave a lock-delay.
    fn acquire_after_a_delay(&self, lock: &Lock) {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.acquire(PATIENCE));
            self.eventually("it is acquired", || waiting.is_finished());
            assert!(waiting.join().unwrap().unwrap());
        });
    }
}

/// A look of the monitor at a key that is held.
fn is_look(seen: &Seen) -> bool {
    seen.lane == Lane::Upkeep && seen.line.starts_with("GET /v1/kv/")
}

fn status_of<T>(result: Result<T>) -> Status {
    result.err().unwrap().status()
}
