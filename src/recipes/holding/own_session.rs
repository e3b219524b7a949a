//! Makes an own session in such a way that none is left behind.
//!
//! Whoever gives up waiting for the answer would never learn the id. So the lane waits for it, and
//! destroys the session when nobody wants it any more.

use super::resource::Resource;
use super::shared::Shared;
use crate::api::session::SessionSpec;
use crate::client::{Client, Either};
use crate::error::{Error, Result, Status};
use crate::recipes::session::{Keeper, OwnSession};
use crate::runtime::{Leaving, Task, TaskId, Upkeep, at_once};
use crate::sync::Mutex;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// The longest time that an attempt is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes a session and waits for it until the acquire is cancelled or its time is over.
pub(super) async fn create<R: Resource>(
    shared: &Arc<Shared<R>>,
    spec: &SessionSpec,
    client: &Client<Either>,
    deadline: Option<Instant>,
) -> Result<OwnSession> {
    let slot: Slot = Arc::new(Mutex::new(Waiting::ForAnswer(None)));
    let creation = Creation { shared: shared.clone(), spec: spec.clone(), slot: slot.clone() };
    let task: Arc<dyn Task> = Arc::new(creation);
    let upkeep = shared.upkeep();
    upkeep.lane.schedule(TaskId::new(), &task, upkeep.clock.now())?;
    let _abandon = Abandon { slot: slot.clone(), upkeep };
    let answer = match client.style() {
        Either::Blocks => shared.wait_for(&client.cancel(), deadline, || take(&slot, None))?,
        Either::Defers => {
            let arrival = poll_fn(|context| match take(&slot, Some(context.waker())) {
                Some(answer) => Poll::Ready(answer),
                None => Poll::Pending,
            });
            within(client, deadline, arrival).await?
        }
    };
    answer.unwrap_or_else(|| {
        Err(Error::new(Status::Timeout, "timed out, waiting for a session to be made"))
    })
}

/// What a future gives; `None` when the time is over before.
async fn within<T>(
    client: &Client<Either>,
    deadline: Option<Instant>,
    future: impl Future<Output = T>,
) -> Result<Option<T>> {
    let rest = deadline.map_or(Duration::MAX, |deadline| deadline - Instant::now());
    let (mut future, mut time) = (pin!(future), pin!(client.sleep(rest)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Ok(Some(value))),
        Poll::Pending => time.as_mut().poll(context).map_ok(|()| None),
    })
    .await
}

type Slot = Arc<Mutex<Waiting>>;

enum Waiting {
    /// And who is to be woken by it, where that is no thread.
    ForAnswer(Option<Waker>),
    Answered(Result<OwnSession>),
    /// The end of the client waits until the lane has the answer, and gives it back.
    NoMore {
        _leaving: Leaving,
    },
}

/// The answer, if it has come; otherwise this one is woken by it.
fn take(slot: &Slot, waker: Option<&Waker>) -> Option<Result<OwnSession>> {
    let mut waiting = slot.lock();
    match std::mem::replace(&mut *waiting, Waiting::ForAnswer(waker.cloned())) {
        Waiting::Answered(answer) => Some(answer),
        Waiting::ForAnswer(_) | Waiting::NoMore { .. } => None,
    }
}

/// Nobody waits any more, when dropped.
struct Abandon<'a> {
    slot: Slot,
    upkeep: &'a Upkeep,
}

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        let no_more = Waiting::NoMore { _leaving: self.upkeep.give_back() };
        // What was answered meanwhile is destroyed with its value, after the slot is unlocked.
        let answered = std::mem::replace(&mut *self.slot.lock(), no_more);
        drop(answered);
    }
}

struct Creation<R: Resource> {
    shared: Arc<Shared<R>>,
    spec: SessionSpec,
    slot: Slot,
}

impl<R: Resource> Creation<R> {
    fn answer(&self, answer: Result<OwnSession>) {
        let waker = {
            let mut slot = self.slot.lock();
            let Waiting::ForAnswer(waker) = &mut *slot else { return };
            let waker = waker.take();
            *slot = Waiting::Answered(answer);
            waker
        };
        match waker {
            Some(waker) => waker.wake(),
            None => self.shared.changed.ring(),
        }
    }
}

impl<R: Resource> Task for Creation<R> {
    fn step(&self) -> Option<Duration> {
        if matches!(*self.slot.lock(), Waiting::NoMore { .. }) {
            return None;
        }
        let client = &self.shared.client;
        let patience = match self.spec.time_to_live() {
            Duration::ZERO => PATIENCE,
            ttl => PATIENCE.min(ttl / 3),
        };
        let bounded = client.on_upkeep().until(Instant::now() + patience);
        let bounded = bounded.styled(Either::Blocks);
        let made = at_once(Keeper::create(&bounded, &self.spec, self.shared.spec.options()));
        self.answer(made.map(OwnSession));
        None
    }

    fn failed(&self, error: Error) -> Option<Duration> {
        self.answer(Err(error));
        None
    }
}
