//! The way from a client to the agent, on which a test sees each request and says what becomes of it.

use crate::error::{Error, Result, Status};
use crate::runtime::{Clock, TestClock};
use crate::sync::{Condvar, Mutex};
use crate::transport::{
    CancelToken, Control, Done, Headers, Lane, OwnedRequest, Request, Response, Transport,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Pass,
    /// It is refused with a 500 that proves nothing.
    Fail,
    /// It is carried out, and the answer gets lost.
    LoseAnswer,
    /// It is carried out, and the answer waits for [`Wire::release`], what upkeep sends as long as it
    /// takes.
    HoldAnswer,
    /// Nothing comes back before its time is over: of what upkeep sends that is the clock's.
    Swallow,
}

/// A request that came by.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) body: String,
    pub(crate) lane: Lane,
}

type Judge = dyn Fn(&Seen) -> Fate + Send + Sync;

pub(crate) struct Wire {
    agent: Arc<dyn Transport>,
    control: Control,
    clock: Arc<TestClock>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    judge: Arc<Judge>,
    seen: Vec<Seen>,
    in_flight: usize,
    most_in_flight: usize,
    /// At the agent, for others than a step of the lane.
    calls: usize,
    /// Held back here, for a step of the lane.
    held: usize,
    released: bool,
    closed: bool,
}

/// What is known of a request once it is given away.
struct Bounds<'a> {
    deadline: Instant,
    cancel: Option<&'a CancelToken>,
    lane: Lane,
}

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// Whether it is a step of the lane that sends and waits here.
fn is_step() -> bool {
    std::thread::current().name() == Some("consul-lane")
}

impl Wire {
    pub(super) fn new(agent: Arc<dyn Transport>, clock: Arc<TestClock>) -> Wire {
        let state = State {
            judge: Arc::new(|_| Fate::Pass),
            seen: Vec::new(),
            in_flight: 0,
            most_in_flight: 0,
            calls: 0,
            held: 0,
            released: false,
            closed: false,
        };
        let control = agent.embedded().unwrap();
        Wire { agent, control, clock, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Decides about every request from now on.
    pub(crate) fn judge(&self, judge: impl Fn(&Seen) -> Fate + Send + Sync + 'static) {
        let mut state = self.state.lock();
        (state.judge, state.released) = (Arc::new(judge), false);
    }

    /// Requests whose line has this part meet this fate from now on, all others pass.
    pub(crate) fn fate(&self, part: &'static str, fate: Fate) {
        self.judge(move |seen| if seen.line.contains(part) { fate } else { Fate::Pass });
    }

    /// Everything passes again, and what was held back is answered.
    pub(crate) fn heal(&self) {
        self.judge(|_| Fate::Pass);
        self.release();
    }

    /// Answers what is held back.
    pub(crate) fn release(&self) {
        self.state.lock().released = true;
        self.changed.notify_all();
    }

    /// The requests so far whose line has this part.
    pub(crate) fn seen(&self, part: &str) -> Vec<Seen> {
        let state = self.state.lock();
        state.seen.iter().filter(|seen| seen.line.contains(part)).cloned().collect()
    }

    /// Waits for this many requests whose line has this part.
    pub(crate) fn wait_seen(&self, part: &str, count: usize) {
        let started = Instant::now();
        while self.seen(part).len() < count {
            let mut state = self.state.lock();
            self.changed.wait_for(&mut state, Duration::from_millis(20));
            assert!(started.elapsed() < super::PATIENCE, "{count} of {part}: {:?}", state.seen);
        }
    }

    /// How many requests were in flight at a time, at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.lock().most_in_flight
    }

    /// How many steps of the lane wait for something other than that their request is carried out:
    /// for the test, or at the agent for a change.
    pub(super) fn waiting_steps(&self) -> usize {
        let state = self.state.lock();
        // While this is locked nobody sets out for the agent: at most too few are found.
        state.held + self.control.waiting().saturating_sub(state.calls)
    }

    fn meet(&self, fate: Fate, request: Request<'_>) -> Result<Response> {
        let bounds =
            Bounds { deadline: request.deadline, cancel: request.cancel, lane: request.lane };
        match fate {
            Fate::Pass => self.ask(request),
            Fate::Fail => {
                let body = b"rpc error making call: EOF".to_vec();
                Ok(Response { status: 500, headers: Headers::default(), body })
            }
            Fate::LoseAnswer => {
                self.ask(request)?;
                Err(Error::new(Status::Io, "reset").with_outcome_unknown(true))
            }
            Fate::HoldAnswer => {
                let answer = self.ask(request)?;
                self.hold(&bounds, Duration::MAX, |state| state.released)?;
                Ok(answer)
            }
            Fate::Swallow => {
                let rest = bounds.deadline.saturating_duration_since(Instant::now());
                self.hold(&bounds, self.clock.now().saturating_add(rest), |_| false)?;
                unreachable!("it is never let go")
            }
        }
    }

    /// How long upkeep waits for an answer is measured by the clock: what a busy machine takes besides
    /// must not end it.
    fn ask(&self, request: Request<'_>) -> Result<Response> {
        let request = match request.lane {
            Lane::Upkeep => Request { deadline: Instant::now() + LONG, ..request },
            Lane::Calls => request,
        };
        let call = usize::from(!is_step());
        self.state.lock().calls += call;
        let answer = self.agent.exchange(request);
        self.state.lock().calls -= call;
        answer
    }

    /// Waits until it may go on, it is given up, for upkeep at this time of the clock, or it is ended.
    fn hold(
        &self,
        bounds: &Bounds<'_>,
        upkeep_gives_up: Duration,
        may_go: impl Fn(&State) -> bool,
    ) -> Result<()> {
        let step = usize::from(is_step());
        let is_given_up = || match bounds.lane {
            Lane::Upkeep => self.clock.now() >= upkeep_gives_up,
            Lane::Calls => Instant::now() >= bounds.deadline,
        };
        let mut state = self.state.lock();
        state.held += step;
        let ended = loop {
            if state.closed {
                break Err(Error::new(Status::Closed, "the client is closed"));
            }
            if let Err(reason) = bounds.cancel.map_or(Ok(()), CancelToken::check) {
                break Err(reason);
            }
            if may_go(&state) {
                break Ok(());
            }
            if is_given_up() {
                break Err(Error::new(Status::Timeout, "timed out"));
            }
            self.changed.wait_for(&mut state, Duration::from_millis(2));
        };
        state.held -= step;
        // It was sent, whatever ends it.
        ended.map_err(|error: Error| error.with_outcome_unknown(true))
    }
}

impl Transport for Wire {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let seen = Seen {
            line: format!("{} {}", request.method.as_str(), request.target),
            body: String::from_utf8_lossy(request.body.unwrap_or_default()).into_owned(),
            lane: request.lane,
        };
        let mut state = self.state.lock();
        state.seen.push(seen.clone());
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        let judge = state.judge.clone();
        drop(state);
        self.changed.notify_all();
        let outcome = self.meet(judge(&seen), request);
        self.state.lock().in_flight -= 1;
        outcome
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        std::thread::spawn(move || done(self.exchange(request.borrow(&cancel))));
    }

    fn wait_closed(&self, deadline: Instant) -> bool {
        self.agent.wait_closed(deadline)
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
        self.agent.close();
    }

    fn endpoint(&self) -> &str {
        self.agent.endpoint()
    }
}
