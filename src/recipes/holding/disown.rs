//! Gives back from the lane what was held, until it is not ours.

use super::claim::Claim;
use super::resource::{GivenBack, Resource, Sight};
use super::shared::Shared;
use crate::client::{Client, Either};
use crate::config::Consistency;
use crate::error::{Error, Result, Status};
use crate::recipes::session::GivingBack;
use crate::runtime::{Leaving, Task, TaskId, Upkeep, at_once, backoff};
use crate::sync::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The longest time that one attempt is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a request that was given up may take to be carried out, as a rule. A session that is destroyed
/// before has all others wait for the lock-delay.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// How often who takes over looks whether a step has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// For how long an acquire without an answer may still be granted: writes that had failed at the
/// client were seen to be applied more than a minute later.
const LATE_GRANT: Duration = Duration::from_secs(120);

/// Gives back what was held.
pub(super) struct Disown<R: Resource> {
    client: Client,
    spec: R,
    claim: Arc<Claim>,
    id: TaskId,
    /// Held during a step, so that who takes over waits for its end.
    state: Mutex<State<R::Mark>>,
}

struct State<M> {
    /// The write at which it was ours, as far as is known.
    mark: Option<M>,
    /// When to stop trying.
    until: Duration,
    /// It may become ours only later.
    late: bool,
    failures: u32,
    over: bool,
    leaving: Option<Leaving>,
    /// A borrowed session ends after it.
    session: Option<GivingBack>,
}

impl<R: Resource> Disown<R> {
    /// Gives back what was acquired by this write.
    pub(super) fn start(
        shared: &Shared<R>,
        claim: Arc<Claim>,
        mark: R::Mark,
        leaving: Option<Leaving>,
    ) {
        Disown::begin(shared, claim, Some(mark), leaving);
    }

    /// Gives back what an acquire without an answer may have got, or may still get: a borrowed session long
    /// after, an own one not any more once it is destroyed. The end of the client and that of the session
    /// wait for the first look.
    pub(super) fn doubtful(shared: &Shared<R>, claim: Arc<Claim>) {
        Disown::begin(shared, claim, None, None);
    }

    fn begin(
        shared: &Shared<R>,
        claim: Arc<Claim>,
        mark: Option<R::Mark>,
        leaving: Option<Leaving>,
    ) {
        let upkeep = shared.upkeep();
        let pause = if mark.is_some() { Duration::ZERO } else { ON_ITS_WAY };
        let late = mark.is_none() && !claim.is_own();
        let within = if late { LATE_GRANT } else { claim.window() };
        let state = State {
            mark,
            until: upkeep.clock.now() + within,
            late,
            failures: 0,
            over: false,
            leaving: leaving.or_else(|| Some(upkeep.give_back())),
            session: claim.begin_giving_back(),
        };
        let disown = Arc::new(Disown {
            client: shared.client.on_upkeep(),
            spec: shared.spec.clone(),
            claim,
            id: TaskId::new(),
            state: Mutex::new(state),
        });
        Disowned::of(upkeep).add(&disown);
        let task: Arc<dyn Task> = disown.clone();
        if upkeep.lane.schedule(disown.id, &task, upkeep.clock.now() + pause).is_err() {
            disown.finish(&mut disown.state.lock());
        }
    }

    /// Takes one more step towards it. True when it is done.
    fn advance(&self, state: &mut State<R::Mark>) -> Result<bool> {
        let client = self.client.until(Instant::now() + PATIENCE.min(self.claim.window() / 3));
        let waiting = client.styled(Either::Blocks);
        if let Some(mark) = state.mark.take() {
            match at_once(self.spec.give_back(&waiting, self.claim.id(), &mark))? {
                GivenBack::Released => return Ok(!state.late),
                GivenBack::Changed => {}
            }
        }
        let options = self.spec.options().clone().consistency(Consistency::Consistent);
        match at_once(self.spec.inspect(&waiting, self.claim.id(), &options))?.value {
            Sight::Ours(mark) => {
                state.mark = Some(mark);
                Ok(false)
            }
            Sight::Gone(_) => Ok(!state.late),
        }
    }

    fn again(&self, state: &mut State<R::Mark>) -> Option<Duration> {
        let upkeep = self.upkeep();
        let now = upkeep.clock.now();
        if now >= state.until {
            self.finish(state);
            return None;
        }
        state.failures += 1;
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(10));
        Some(now + backoff(state.failures, first, most, upkeep.jitter.unit()))
    }

    fn finish(&self, state: &mut State<R::Mark>) {
        state.over = true;
        let leaving = state.leaving.take();
        drop(state.session.take());
        if let Claim::Own(own) = &*self.claim {
            own.0.end_on_lane(leaving);
        }
        Disowned::of(self.upkeep()).remove(self);
    }

    fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }
}

impl<R: Resource> Task for Disown<R> {
    fn step(&self) -> Option<Duration> {
        let mut state = self.state.lock();
        if state.over {
            return None;
        }
        match self.advance(&mut state) {
            Ok(true) => {
                self.finish(&mut state);
                None
            }
            // Found to be ours: at once.
            Ok(false) if state.mark.is_some() => Some(self.upkeep().clock.now()),
            Ok(false) => {
                drop((state.leaving.take(), state.session.take()));
                self.again(&mut state)
            }
            Err(_) => {
                // What may never come does not keep a session that nobody wants.
                let late = state.late;
                drop(state.session.take_if(|_| late));
                self.again(&mut state)
            }
        }
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        self.again(&mut self.state.lock())
    }
}

/// What is being given back, by its name and session, so that an acquire with the same
/// session can take over. The lane keeps them alive: whatever lives on the client, this included,
/// must not, since they hold the client.
pub(super) struct Disowned<R: Resource>(Mutex<HashMap<Name, Vec<Weak<Disown<R>>>>>);

/// Key or prefix, and session.
type Name = (String, String);

impl<R: Resource> Disowned<R> {
    fn of(upkeep: &Upkeep) -> Arc<Disowned<R>> {
        upkeep.shared(|| Disowned(Mutex::default()))
    }

    fn add(&self, disown: &Arc<Disown<R>>) {
        self.0.lock().entry(disown.name()).or_default().push(Arc::downgrade(disown));
    }

    fn remove(&self, disown: &Disown<R>) {
        let mut all = self.0.lock();
        let name = disown.name();
        let Some(same) = all.get_mut(&name) else { return };
        same.retain(|other| !std::ptr::eq(other.as_ptr(), disown));
        if same.is_empty() {
            all.remove(&name);
        }
    }

    /// Ends what would give this back from this session, after the request that is in flight.
    pub(super) async fn take_over(
        client: &Client<Either>,
        name: &str,
        session: &str,
        deadline: Option<Instant>,
    ) -> Result<()> {
        let upkeep = client.upkeep();
        let disowned = Disowned::<R>::of(upkeep);
        let found = disowned.0.lock().get(&(name.to_string(), session.to_string())).cloned();
        for disown in found.unwrap_or_default().iter().filter_map(Weak::upgrade) {
            let deadline = deadline.unwrap_or_else(|| Instant::now() + 2 * PATIENCE);
            while !disown.call_off() {
                if Instant::now() >= deadline {
                    let message = "an earlier release by this session has not ended yet";
                    return Err(Error::new(Status::Timeout, message));
                }
                client.sleep(BETWEEN_LOOKS).await?;
            }
            upkeep.lane.end(disown.id);
            disowned.remove(&disown);
        }
        Ok(())
    }
}

impl<R: Resource> Disown<R> {
    /// Ends it, unless it takes a step at this moment.
    fn call_off(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        state.over = true;
        let held = (state.leaving.take(), state.session.take());
        drop(state);
        drop(held);
        true
    }

    fn name(&self) -> Name {
        (self.spec.name().to_string(), self.claim.id().to_string())
    }
}
