//! One exchange with the agent: its deadline, and what wakes it.

use super::agent::{Agent, Ask, Step};
use super::wire::Wire;
use crate::error::{Error, Result, Status};
use crate::runtime::io::{Io, next_turn};
use crate::sync::{Condvar, Mutex};
use crate::transport::{CancelToken, Interrupt, Request, Response};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Instant;

pub(super) struct Call {
    ask: Ask,
    started: Instant,
    deadline: Instant,
    max_answer: u64,
    /// End with `Status::Interrupted` when a signal arrives, instead of going on.
    interruptible: bool,
}

/// Whom a change, or a cancellation, wakes: a thread, or a task.
#[derive(Default)]
struct Sleeper {
    state: Mutex<Sleep>,
    woken: Condvar,
}

#[derive(Default)]
struct Sleep {
    is_woken: bool,
    interrupted: Option<Error>,
    task: Option<Waker>,
}

impl Call {
    pub(super) fn new(agent: &Arc<Agent>, request: &Request<'_>, interruptible: bool) -> Call {
        Call {
            interruptible,
            ask: Ask::new(agent.clone(), Wire::new(request)),
            started: Instant::now(),
            deadline: request.deadline,
            max_answer: request.max_answer,
        }
    }

    /// The answer, awaited on this thread.
    pub(super) fn wait<'a>(
        mut self,
        cancelled: impl Iterator<Item = &'a CancelToken>,
    ) -> Result<Response> {
        let sleeper = Arc::new(Sleeper::default());
        let watched = cancelled.map(|token| token.watch(sleeper.clone()));
        let _watched = watched.collect::<Result<Vec<_>>>()?;
        let waker = Waker::from(sleeper.clone());
        loop {
            match self.step(&sleeper, &waker) {
                Ok(answer) => return answer,
                Err(until) => {
                    let interrupted = sleeper.sleep(until);
                    if interrupted && self.interruptible {
                        let message = "interrupted by a signal";
                        let error = Error::new(Status::Interrupted, message);
                        return Err(error.with_outcome_unknown(true));
                    }
                }
            }
        }
    }

    /// The answer, awaited in a task.
    pub(super) async fn run(mut self, io: &Io, cancelled: [&CancelToken; 2]) -> Result<Response> {
        let sleeper = Arc::new(Sleeper::default());
        let watched = cancelled.map(|token| token.watch(sleeper.clone()));
        let watched = watched.into_iter().collect::<Result<Vec<_>>>();
        let waker = Waker::from(sleeper.clone());
        let (mut timer, mut is_immediate) = (None, true);
        let answer = poll_fn(|context| {
            if let Err(reason) = &watched {
                return Poll::Ready(Err(reason.clone()));
            }
            sleeper.state.lock().task = Some(context.waker().clone());
            match self.step(&sleeper, &waker) {
                Ok(answer) => Poll::Ready(answer),
                Err(until) => {
                    is_immediate = false;
                    timer = Some(io.wake_at(until, context.waker()));
                    Poll::Pending
                }
            }
        });
        let answer = answer.await;
        if is_immediate {
            // This is still the caller's thread.
            next_turn().await;
        }
        answer
    }

    /// Its end, or when to look again.
    fn step(
        &mut self,
        sleeper: &Sleeper,
        waker: &Waker,
    ) -> std::result::Result<Result<Response>, Instant> {
        if let Some(reason) = sleeper.interruption() {
            return Ok(Err(reason.with_outcome_unknown(true)));
        }
        if Instant::now() >= self.deadline {
            return Ok(Err(self.timeout()));
        }
        match self.ask.step(waker) {
            Step::Answered(answer) => Ok(self.checked(answer.into_response())),
            Step::Lost => Ok(Err(lost())),
            Step::Until(until) => Err(until.min(self.deadline)),
        }
    }

    fn timeout(&self) -> Error {
        let spent = self.started.elapsed().as_millis();
        let message = format!("timed out after {spent} ms, waiting for the answer");
        Error::new(Status::Timeout, message).with_outcome_unknown(true)
    }

    fn checked(&self, response: Response) -> Result<Response> {
        let size = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
        if size <= self.max_answer {
            return Ok(response);
        }
        let message = format!("the answer has more than {} bytes", self.max_answer);
        Err(Error::new(Status::TooLarge, message).with_outcome_unknown(true))
    }
}

/// As when a connection breaks after the request was sent.
fn lost() -> Error {
    Error::new(Status::Io, "the connection was closed without an answer")
        .with_retryable(true)
        .with_outcome_unknown(true)
}

impl Sleeper {
    fn interruption(&self) -> Option<Error> {
        self.state.lock().interrupted.clone()
    }

    /// True when a signal cut it short.
    fn sleep(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        while !std::mem::take(&mut state.is_woken) && Instant::now() < until {
            if self.woken.wait_until(&mut state, until).interrupted() {
                return true;
            }
        }
        false
    }

    fn wake_up(&self, interruption: Option<&Error>) {
        let mut state = self.state.lock();
        state.is_woken = true;
        if state.interrupted.is_none() {
            state.interrupted = interruption.cloned();
        }
        let task = state.task.take();
        drop(state);
        self.woken.notify_all();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_up(None);
    }
}

impl Interrupt for Sleeper {
    fn interrupt(&self, reason: &Error) {
        self.wake_up(Some(reason));
    }
}
