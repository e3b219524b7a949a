//! A new session in the place of a lost one, where that was asked for.

use super::{Keeper, SessionEnd, Shared, Tenant};
use crate::client::Either;
use crate::error::Error;
use crate::observe::log::{self, Level};
use crate::runtime::{Task, at_once, backoff};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Tenant for Shared {
    fn session_ended(&self, _: &str, end: SessionEnd) {
        self.hear(end);
        let wanted = self.recreate && matches!(end, SessionEnd::Invalid | SessionEnd::Deadline);
        let Some(me) = self.me.upgrade().filter(|_| wanted && !self.state.lock().ended) else {
            return;
        };
        let upkeep = self.client.upkeep();
        let task: Arc<dyn Task> = Arc::new(Recreation(me));
        // It fails only where the client is closed, or no thread can be started at all.
        let _ = upkeep.lane.schedule(self.creation, &task, upkeep.clock.now());
    }
}

struct Recreation(Arc<Shared>);

impl Task for Recreation {
    fn step(&self) -> Option<Duration> {
        let shared = &*self.0;
        if shared.state.lock().ended {
            return None;
        }
        let client = shared.client.on_upkeep().until(Instant::now() + PATIENCE);
        let client = client.styled(Either::Blocks);
        match at_once(Keeper::create(&client, &shared.spec, &shared.options)) {
            Ok(keeper) => {
                shared.replace(keeper);
                None
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        let upkeep = self.0.client.upkeep();
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(15));
        let mut state = self.0.state.lock();
        state.creation.failed(error.clone());
        let failures = state.creation.failures();
        let pause = backoff(failures, first, most, upkeep.jitter.unit());
        let next = Some(upkeep.clock.now() + pause);
        state.creation.next(next);
        drop(state);
        log::failed("session", failures, || format!("no new session: {error}"));
        next
    }
}

impl Shared {
    fn replace(&self, keeper: Arc<Keeper>) {
        let mut state = self.state.lock();
        if state.ended {
            drop(state);
            return keeper.end_unless_left(None);
        }
        state.keeper = keeper.clone();
        state.generation += 1;
        state.lost = None;
        state.creation.begin_anew();
        state.creation.next(None);
        drop(state);
        log::add(Level::Info, "session", || format!("{} was made anew", keeper.id()));
        keeper.admit(self.tenant());
    }
}
