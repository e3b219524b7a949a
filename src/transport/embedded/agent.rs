//! The agent: what it knows behind one lock, its clock, and the faults that are ordered.

use super::clock::Clock;
use super::faults::Faults;
use super::routes::{self, Found, Handler, Place};
use super::state::State;
use super::wait::{Freshness, Mark, Options};
use super::wire::{Answer, Wire};
use crate::runtime::Jitter;
use crate::sync::{ArcMutexGuard, Mutex, MutexGuard};
use crate::sys;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a request that needs a leader is held where there is none: Consul's `rpc_hold_timeout`.
const LEADER_HOLD: Duration = Duration::from_secs(7);

/// An agent, alive while somebody holds it.
pub(super) struct Agent {
    inside: Arc<Mutex<Inside>>,
    jitter: Jitter,
}

pub(super) struct Inside {
    /// The process that it was last used in.
    generation: u32,
    state: State,
    clock: Clock,
    faults: Faults,
    sleepers: Sleepers,
}

/// Who waits for a change.
#[derive(Default)]
struct Sleepers {
    last: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// Where a request stands.
pub(super) enum Step {
    /// It is answered.
    Answered(Answer),
    /// It was done, and nobody will hear of it.
    Lost,
    /// It waits: look again at this time of the real clock, or when it is woken.
    Until(Instant),
}

impl Agent {
    pub(super) fn new() -> Arc<Agent> {
        let clock = Clock::new();
        let state = State::new(clock.now());
        let (faults, sleepers) = (Faults::default(), Sleepers::default());
        let generation = sys::fork_generation();
        let inside = Mutex::new(Inside { generation, state, clock, faults, sleepers });
        Arc::new(Agent { inside: Arc::new(inside), jitter: Jitter::new() })
    }

    /// All that it knows, held while the process forks.
    pub(super) fn hold(&self) -> ArcMutexGuard<Inside> {
        self.inside.lock_arc()
    }

    /// What is inside; in a forked child the parent's is its own, without those who waited there.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        let mut inside = self.inside.lock();
        let generation = sys::fork_generation();
        if inside.generation != generation {
            inside.generation = generation;
            // They are the parent's.
            std::mem::forget(std::mem::take(&mut inside.sleepers));
        }
        inside
    }

    /// Turns the clock on. What was due until then has happened when this returns, and whoever waits
    /// for it is woken.
    pub(super) fn advance(&self, by: Duration) {
        self.with(|inside| inside.clock.turn(by));
        self.wake_all();
    }

    /// Stops the clock: from now on it goes as it is turned alone.
    pub(super) fn stop_clock(&self) {
        self.with(|inside| inside.clock.stop());
    }

    /// How long the agent has lived, by its own clock.
    pub(super) fn age(&self) -> Duration {
        self.lock().clock.age()
    }

    /// How many requests wait: for a change, for their time, for a leader.
    pub(super) fn waiting(&self) -> usize {
        self.inside.lock().sleepers.wakers.len()
    }

    /// Changes the shortest TTL that a session may have.
    pub(super) fn set_shortest_ttl(&self, ttl: Duration) {
        let nanos = i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX);
        self.inside.lock().state.shortest_ttl = nanos;
    }

    /// Changes the faults. Whoever waits looks at them anew.
    pub(super) fn order(&self, change: impl FnOnce(&mut Faults)) {
        self.with(|inside| {
            inside.settle();
            let before = inside.state.has_leader;
            change(&mut inside.faults);
            match (before, inside.faults.has_leader("")) {
                (true, false) => inside.state.suspend_sessions(),
                (false, true) => inside.state.resume_sessions(),
                _ => {}
            }
        });
        self.wake_all();
    }

    /// Works on what is inside, at its time, and wakes who waits where something has changed.
    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> T) -> T {
        let mut inside = self.lock();
        let before = inside.state.version;
        let done = work(&mut inside);
        inside.settle();
        let changed = inside.state.version != before;
        let wakers =
            if changed { std::mem::take(&mut inside.sleepers.wakers) } else { BTreeMap::new() };
        drop(inside);
        wakers.into_values().for_each(Waker::wake);
        done
    }

    fn wake_all(&self) {
        let wakers = std::mem::take(&mut self.lock().sleepers.wakers);
        wakers.into_values().for_each(Waker::wake);
    }
}

impl Inside {
    /// Lets happen what is due.
    fn settle(&mut self) {
        self.state.has_leader = self.faults.has_leader("");
        let now = self.clock.now();
        self.state.settle(now);
    }
}

/// A request on its way to its answer.
pub(super) struct Ask {
    agent: Arc<Agent>,
    wire: Wire,
    found: Result<Found, Option<Answer>>,
    options: Options,
    phase: Phase,
    /// Its place among those who wait.
    sleeper: Option<u64>,
}

enum Phase {
    /// Not looked at yet, but for the latency: until this time, once that is known.
    Arriving(Option<Instant>),
    /// It needs a leader, and may have one until this time.
    Held(Instant),
    /// A blocking query: how it ends, unless something happens before.
    Blocking(Instant),
    /// Nothing stands in its way.
    Due,
}

impl Ask {
    pub(super) fn new(agent: Arc<Agent>, mut wire: Wire) -> Ask {
        let found = routes::find(&mut wire).map_err(Some);
        let options = Options::parse(&wire).unwrap_or_default();
        Ask { agent, wire, found, options, phase: Phase::Arriving(None), sleeper: None }
    }

    /// Goes on as far as it can. Where it has to wait, `waker` is woken when it can go on.
    pub(super) fn step(&mut self, waker: &Waker) -> Step {
        let agent = self.agent.clone();
        agent.with(|inside| {
            self.leave(inside);
            inside.settle();
            let step = self.advance(inside);
            if let Step::Until(at) = step {
                self.enter(inside, waker);
                // Something else may be due before, and be what this one waits for.
                let at = inside.state.agenda.next().map_or(at, |due| due.min(at));
                return Step::Until(inside.clock.real(at));
            }
            step
        })
    }

    fn advance(&mut self, inside: &mut Inside) -> Step {
        let now = inside.state.now;
        if let Phase::Arriving(until) = self.phase {
            let until = until.unwrap_or_else(|| now + inside.faults.latency(&self.wire.path));
            self.phase = Phase::Arriving(Some(until));
            if until > now {
                return Step::Until(until);
            }
            if let Some((status, text)) = inside.faults.take_failure(&self.wire.path) {
                return Step::Answered(Answer::error(status, text));
            }
            self.phase = Phase::Due;
        }
        let Found { place, handler } = match &mut self.found {
            Ok(found) => *found,
            Err(answer) => {
                return Step::Answered(answer.take().unwrap_or_else(|| Answer::empty(500)));
            }
        };
        inside.state.has_leader = inside.faults.has_leader(&self.wire.path);
        let is_read = matches!(handler, Handler::Read(_));
        let is_stale = is_read && self.options.freshness == Freshness::Stale;
        if place == Place::Servers && !inside.state.has_leader && !is_stale {
            return self.hold(now);
        }
        let step = match handler {
            Handler::Read(read) => match read(&inside.state, &self.wire) {
                Ok(read) if self.must_wait(&read.mark, now) => {
                    return self.block(&read.mark, now);
                }
                Ok(read) => Step::Answered(self.told(read.answer, &read.mark, inside)),
                Err(answer) => Step::Answered(answer),
            },
            Handler::Act(act) => {
                Step::Answered(act(&mut inside.state, &self.wire).unwrap_or_else(|answer| answer))
            }
        };
        if inside.faults.take_loss(&self.wire.path) { Step::Lost } else { step }
    }

    fn hold(&mut self, now: Instant) -> Step {
        let until = match self.phase {
            Phase::Held(until) => until,
            _ => now + LEADER_HOLD,
        };
        self.phase = Phase::Held(until);
        if until > now {
            return Step::Until(until);
        }
        Step::Answered(Answer::error(500, "No cluster leader"))
    }

    fn must_wait(&self, mark: &Mark, now: Instant) -> bool {
        let over = matches!(self.phase, Phase::Blocking(until) if until <= now);
        !over && self.options.knows(mark)
    }

    fn block(&mut self, mark: &Mark, now: Instant) -> Step {
        let until = match self.phase {
            Phase::Blocking(until) => until,
            _ => now + self.options.patience(mark, self.agent.jitter.unit()),
        };
        self.phase = Phase::Blocking(until);
        Step::Until(until)
    }

    /// The answer with the headers that tell how fresh it is.
    fn told(&self, answer: Answer, mark: &Mark, inside: &Inside) -> Answer {
        match mark {
            Mark::Hash(hash) => answer.with_header("x-consul-contenthash", hash),
            Mark::Event(index) => answer.with_header("x-consul-index", index),
            Mark::Index(index) => {
                let answer = answer
                    .with_header("x-consul-index", index)
                    .with_header("x-consul-lastcontact", 0);
                answer.with_header("x-consul-knownleader", inside.state.has_leader)
            }
        }
    }

    fn enter(&mut self, inside: &mut Inside, waker: &Waker) {
        let sleepers = &mut inside.sleepers;
        sleepers.last += 1;
        sleepers.wakers.insert(sleepers.last, waker.clone());
        self.sleeper = Some(sleepers.last);
    }

    fn leave(&mut self, inside: &mut Inside) {
        if let Some(own) = self.sleeper.take() {
            inside.sleepers.wakers.remove(&own);
        }
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        if self.sleeper.is_some() {
            let agent = self.agent.clone();
            self.leave(&mut agent.lock());
        }
    }
}
