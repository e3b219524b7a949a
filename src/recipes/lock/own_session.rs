//! Makes a lock's own session in such a way that none is left behind.
//!
//! Whoever gives up waiting for the answer would never learn the id. So the lane waits for it, and
//! destroys the session when nobody wants it any more.

use super::shared::Shared;
use crate::api::session::SessionSpec;
use crate::error::{Error, Result, Status};
use crate::recipes::session::{Keeper, OwnSession};
use crate::runtime::{Task, TaskId};
use crate::sync::Mutex;
use crate::transport::CancelToken;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest time that an attempt is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes a session and waits for it until the acquire is cancelled or its time is over.
pub(super) fn create(
    lock: &Arc<Shared>,
    spec: &SessionSpec,
    cancel: &CancelToken,
    deadline: Option<Instant>,
) -> Result<OwnSession> {
    let slot: Slot = Arc::new(Mutex::new(Waiting::ForAnswer));
    let creation = Creation { lock: lock.clone(), spec: spec.clone(), slot: slot.clone() };
    let task: Arc<dyn Task> = Arc::new(creation);
    let upkeep = lock.upkeep();
    upkeep.lane.schedule(TaskId::new(), &task, upkeep.clock.now())?;
    let _abandon = Abandon(slot.clone());
    let answer = lock.wait_for(cancel, deadline, || {
        let mut waiting = slot.lock();
        match std::mem::replace(&mut *waiting, Waiting::ForAnswer) {
            Waiting::Answered(answer) => Some(answer),
            Waiting::ForAnswer | Waiting::NoMore => None,
        }
    })?;
    answer.unwrap_or_else(|| {
        Err(Error::new(Status::Timeout, "timed out, waiting for a session to be made"))
    })
}

type Slot = Arc<Mutex<Waiting>>;

enum Waiting {
    ForAnswer,
    Answered(Result<OwnSession>),
    NoMore,
}

/// Nobody waits any more, when dropped.
struct Abandon(Slot);

impl Drop for Abandon {
    fn drop(&mut self) {
        // What was answered meanwhile is destroyed with its value, after the slot is unlocked.
        let answered = std::mem::replace(&mut *self.0.lock(), Waiting::NoMore);
        drop(answered);
    }
}

struct Creation {
    lock: Arc<Shared>,
    spec: SessionSpec,
    slot: Slot,
}

impl Creation {
    fn answer(&self, answer: Result<OwnSession>) {
        {
            let mut slot = self.slot.lock();
            if let Waiting::ForAnswer = *slot {
                *slot = Waiting::Answered(answer);
            }
        }
        self.lock.wake();
    }
}

impl Task for Creation {
    fn step(&self) -> Option<Duration> {
        let client = &self.lock.client;
        let patience = match self.spec.time_to_live() {
            Duration::ZERO => PATIENCE,
            ttl => PATIENCE.min(ttl / 3),
        };
        let bounded = client.on_upkeep().until(Instant::now() + patience);
        let made = Keeper::create(&bounded, &self.spec, &self.lock.spec.options);
        self.answer(made.map(OwnSession));
        None
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.answer(Err(error));
        None
    }
}
