//! Gives a key back from the lane, until it is not ours.

use super::attempt::{self, GivenBack};
use super::claim::Claim;
use super::seen::Seen;
use super::shared::Shared;
use super::spec::LockSpec;
use crate::client::{Client, Either};
use crate::config::Consistency;
use crate::error::{Error, Result, Status};
use crate::runtime::{Leaving, Task, TaskId, Upkeep, at_once, backoff};
use crate::sync::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The longest time that one attempt is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often who takes over looks whether a step has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// For how long an acquire without an answer may still be granted: writes that had failed at the
/// client were seen to be applied more than a minute later.
const LATE_GRANT: Duration = Duration::from_secs(120);

/// Gives a key back.
pub(super) struct Disown {
    client: Client,
    spec: LockSpec,
    claim: Arc<Claim>,
    id: TaskId,
    /// Held during a step, so that who takes over waits for its end.
    state: Mutex<State>,
}

struct State {
    /// The write at which the key was ours, as far as is known.
    index: Option<u64>,
    /// When to stop trying.
    until: Duration,
    /// The key may become ours only later.
    late: bool,
    failures: u32,
    over: bool,
    leaving: Option<Leaving>,
}

impl Disown {
    /// Gives back what was acquired by this write.
    pub(super) fn start(
        lock: &Shared,
        claim: Arc<Claim>,
        index: Option<u64>,
        leaving: Option<Leaving>,
    ) {
        Disown::begin(lock, claim, index, leaving, false);
    }

    /// Gives back what an acquire without an answer may have got, or may still get.
    pub(super) fn doubtful(lock: &Shared, claim: Arc<Claim>) {
        Disown::begin(lock, claim, None, None, true);
    }

    fn begin(
        lock: &Shared,
        claim: Arc<Claim>,
        index: Option<u64>,
        leaving: Option<Leaving>,
        late: bool,
    ) {
        let upkeep = lock.upkeep();
        let within = if late { LATE_GRANT } else { claim.window() };
        let state = State {
            index,
            until: upkeep.clock.now() + within,
            late,
            failures: 0,
            over: false,
            leaving,
        };
        let disown = Arc::new(Disown {
            client: lock.client.on_upkeep(),
            spec: lock.current_spec(),
            claim,
            id: TaskId::new(),
            state: Mutex::new(state),
        });
        Disowned::of(upkeep).add(&disown);
        let task: Arc<dyn Task> = disown.clone();
        if upkeep.lane.schedule(disown.id, &task, upkeep.clock.now()).is_err() {
            disown.finish(&mut disown.state.lock());
        }
    }

    /// Takes one more step towards it. True when it is done.
    fn advance(&self, state: &mut State) -> Result<bool> {
        let client = self.client.until(Instant::now() + PATIENCE.min(self.claim.window() / 3));
        let waiting = client.styled(Either::Blocks);
        if let Some(index) = state.index.take() {
            let given = attempt::give_back(&waiting, &self.spec, self.claim.id(), index);
            match at_once(given)? {
                GivenBack::Released => return Ok(!state.late),
                GivenBack::Changed => {}
            }
        }
        match self.look(&client)? {
            Seen::Ours(index) => {
                state.index = Some(index);
                Ok(false)
            }
            _ => Ok(!state.late),
        }
    }

    fn look(&self, client: &Client) -> Result<Seen> {
        let options = self.spec.options.clone().consistency(Consistency::Consistent);
        let pair = client.kv().get(&self.spec.key, &options)?.value;
        Ok(Seen::by_holder(pair, Some(self.claim.id())))
    }

    fn again(&self, state: &mut State) -> Option<Duration> {
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

    fn finish(&self, state: &mut State) {
        state.over = true;
        let leaving = state.leaving.take();
        if let Claim::Own(own) = &*self.claim {
            own.0.end_on_lane(leaving);
        }
        Disowned::of(self.upkeep()).remove(self);
    }

    fn upkeep(&self) -> &Arc<Upkeep> {
        self.client.upkeep()
    }
}

impl Task for Disown {
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
            Ok(false) if state.index.is_some() => Some(self.upkeep().clock.now()),
            Ok(false) | Err(_) => self.again(&mut state),
        }
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        self.again(&mut self.state.lock())
    }
}

/// The keys that are being given back, by key and session, so that an acquire with the same
/// session can take over. The lane keeps them alive: whatever lives on the client, this included,
/// must not, since they hold the client.
#[derive(Default)]
pub(super) struct Disowned(Mutex<HashMap<Name, Vec<Weak<Disown>>>>);

/// Key and session.
type Name = (String, String);

impl Disowned {
    fn of(upkeep: &Upkeep) -> Arc<Disowned> {
        upkeep.shared(Disowned::default)
    }

    fn add(&self, disown: &Arc<Disown>) {
        self.0.lock().entry(disown.name()).or_default().push(Arc::downgrade(disown));
    }

    fn remove(&self, disown: &Disown) {
        let mut all = self.0.lock();
        let name = disown.name();
        let Some(same) = all.get_mut(&name) else { return };
        same.retain(|other| !std::ptr::eq(other.as_ptr(), disown));
        if same.is_empty() {
            all.remove(&name);
        }
    }

    /// Ends what would give this key of this session back, after the request that is in flight.
    pub(super) async fn take_over(
        client: &Client<Either>,
        key: &str,
        session: &str,
        deadline: Option<Instant>,
    ) -> Result<()> {
        let upkeep = client.upkeep();
        let disowned = Disowned::of(upkeep);
        let found = disowned.0.lock().get(&(key.to_string(), session.to_string())).cloned();
        for disown in found.unwrap_or_default().iter().filter_map(Weak::upgrade) {
            let deadline = deadline.unwrap_or_else(|| Instant::now() + 2 * PATIENCE);
            while !disown.call_off() {
                if Instant::now() >= deadline {
                    let message =
                        "an earlier release of this key by this session has not ended yet";
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

impl Disown {
    /// Ends it, unless it takes a step at this moment.
    fn call_off(&self) -> bool {
        let Some(mut state) = self.state.try_lock() else { return false };
        state.over = true;
        let leaving = state.leaving.take();
        drop(state);
        drop(leaving);
        true
    }

    fn name(&self) -> Name {
        (self.spec.key.clone(), self.claim.id().to_string())
    }
}
