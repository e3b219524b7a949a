//! The way to what can be held: look at it, take it when it is free, wait when it is not.

use super::claim::Claim;
use super::disown::{Disown, Disowned};
use super::own_session;
use super::resource::{Chance, Resource, Taken};
use super::session::SessionSource;
use super::shared::{Shared, Won};
use crate::client::{Client, Either};
use crate::config::Consistency;
use crate::error::{Error, Result, Status};
use crate::recipes::session::{Attempt, GivingBack, OwnSession, SessionEnd};
use crate::runtime::{Place, Places, Upkeep, backoff};
use crate::transport::CancelToken;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest wait of one blocking query. Consul 1.8 keeps the place of one that was ended early
/// until its wait is over.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Less than this is slept out: it is not worth a request.
const REST: Duration = Duration::from_millis(20);

/// How often it is looked at in its lock-delay, whose end nothing announces.
const LOOKS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(600));

/// How often an own session is made anew that Consul does not know.
const SESSIONS: u32 = 3;

/// The blocking queries of all contenders. They take half of the connections at most, so that other
/// calls go on; who finds no place looks from time to time.
static WAITING: Places = Places::new();

/// One acquire.
struct Campaign<'a, R: Resource> {
    shared: &'a Arc<Shared<R>>,
    /// `None` waits for ever.
    deadline: Option<Instant>,
    patience: Patience,
    client: Client<Either>,
    /// For the request that takes it.
    taking: Client<Either>,
    claim: Option<Arc<Claim>>,
    /// The index to wait on; 0 looks at once.
    index: u64,
    failures: u32,
    changes: u32,
    lost_sessions: u32,
    /// A request without an answer may have taken it, or may still take it; with a borrowed session,
    /// which ends after it where it is kept alive here.
    doubt: bool,
    doubtful: Option<GivingBack>,
    /// The last look that had an answer found somebody else.
    taken: bool,
    /// Why the last round failed, if it did.
    error: Option<Error>,
}

/// How long an acquire goes on.
#[derive(Clone, Debug)]
pub(in crate::recipes) enum Patience {
    /// It looks once.
    Once,
    /// It waits out a lock-delay, but no other holder, and no failure. Once this is cancelled it
    /// ends, but for the request that may take it: that is given up with the whole acquire only.
    WhileFree(CancelToken),
    /// This long; [`Duration::MAX`] for ever.
    Within(Duration),
}

enum Round<R: Resource> {
    Won(Won<R>),
    /// Somebody else has it: look again after this time.
    Taken(Duration),
    /// It is in its lock-delay: likewise.
    Delayed(Duration),
    /// It was changed meanwhile: look again.
    Changed,
}

/// Acquires it. False when somebody else had it for as long as that was waited for.
pub(in crate::recipes) async fn acquire<R: Resource>(
    shared: &Arc<Shared<R>>,
    client: &Client<Either>,
    patience: Patience,
) -> Result<bool> {
    let acquiring = shared.begin_acquire(client.cancel())?;
    let client = client.cancelled_by(&acquiring.cancel);
    match Campaign::new(shared, &client, patience).run().await? {
        Some(won) => acquiring.hold(won).map(|()| true),
        None => Ok(false),
    }
}

impl<'a, R: Resource> Campaign<'a, R> {
    fn new(
        shared: &'a Arc<Shared<R>>,
        client: &Client<Either>,
        patience: Patience,
    ) -> Campaign<'a, R> {
        let deadline = match patience {
            Patience::Within(timeout) => Instant::now().checked_add(timeout),
            Patience::Once | Patience::WhileFree(_) => None,
        };
        let taking = match deadline {
            Some(deadline) => client.until(deadline),
            None => client.clone(),
        };
        let client = match &patience {
            Patience::WhileFree(cancel) => taking.cancelled_by(cancel),
            Patience::Once | Patience::Within(_) => taking.clone(),
        };
        Campaign {
            shared,
            deadline,
            patience,
            client,
            taking,
            claim: None,
            index: 0,
            failures: 0,
            changes: 0,
            lost_sessions: 0,
            doubt: false,
            doubtful: None,
            taken: false,
            error: None,
        }
    }

    /// `None` when somebody else had it until the time was over.
    async fn run(mut self) -> Result<Option<Won<R>>> {
        let result = self.rounds().await;
        if let (Ok(None) | Err(_), true, Some(claim)) = (&result, self.doubt, self.claim.take()) {
            Disown::doubtful(self.shared, claim);
        }
        result
    }

    async fn rounds(&mut self) -> Result<Option<Won<R>>> {
        loop {
            self.client.cancel().check()?;
            match self.round().await {
                Ok(Round::Won(won)) => return Ok(Some(won)),
                Ok(Round::Taken(_)) if !self.waits() => return Ok(None),
                Ok(Round::Delayed(_)) if !self.waits_out_a_delay() => return Ok(None),
                Ok(Round::Taken(pause) | Round::Delayed(pause)) => {
                    self.taken = true;
                    self.changes = 0;
                    self.error = None;
                    self.pause(pause).await?;
                }
                Ok(Round::Changed) => {
                    self.changes += 1;
                    match self.changes > R::TRIES {
                        true if !self.waits() => return Ok(None),
                        true => self.pause(self.between_looks()).await?,
                        false => {}
                    }
                }
                Err(error) if !self.waits() || !passes(&error) => return Err(error),
                Err(error) => {
                    self.failures += 1;
                    self.index = 0;
                    self.error = Some(error);
                    let (first, most) = (Duration::from_millis(100), Duration::from_secs(2));
                    self.pause(backoff(self.failures, first, most, self.unit())).await?;
                }
            }
            if self.rest().is_some_and(|rest| rest.is_zero()) {
                return self.time_is_over();
            }
        }
    }

    /// Whether it waits for another holder, and rides out failures.
    fn waits(&self) -> bool {
        matches!(self.patience, Patience::Within(_))
    }

    fn waits_out_a_delay(&self) -> bool {
        !matches!(self.patience, Patience::Once)
    }

    /// A request that our own deadline cut short says nothing new.
    fn time_is_over(&mut self) -> Result<Option<Won<R>>> {
        match self.error.take() {
            Some(error) if error.status() != Status::Timeout || !self.taken => Err(error),
            _ => Ok(None),
        }
    }

    async fn round(&mut self) -> Result<Round<R>> {
        self.borrow().await?;
        let (chance, pause) = self.look().await?;
        match chance {
            Chance::Taken(holders) => {
                self.shared.state().holders = holders;
                Ok(Round::Taken(pause))
            }
            Chance::Ours(mark) => match &self.claim {
                Some(claim) => Ok(Round::Won(Won::new(claim.clone(), mark))),
                None => Ok(Round::Changed),
            },
            Chance::Open(offer) => self.take(offer).await,
        }
    }

    /// Looks at it, after it changed where there is an index to wait on. Gives how long to pause
    /// before the next look.
    async fn look(&mut self) -> Result<(Chance<R>, Duration)> {
        let spec = &self.shared.spec;
        let waits = if self.index > 0 { self.place_to_wait() } else { None };
        let mut options = spec.options().clone().consistency(self.consistency());
        if waits.is_some() {
            options = options.index(self.index).wait(self.wait());
        }
        let started = Instant::now();
        let session = self.claim.as_ref().map(|claim| claim.id());
        let answer = spec.survey(&self.client, session, &options).await?;
        let before = std::mem::replace(&mut self.index, answer.meta.index);
        if self.index < before {
            self.index = 0;
        }
        // Where a query did not wait, or the next one cannot, the pause does.
        let hurried = waits.is_some() && self.index == before && started.elapsed() < REST;
        let blind = self.index == 0 || (before > 0 && waits.is_none());
        let pause = if hurried || blind { self.between_looks() } else { Duration::ZERO };
        Ok((answer.value, pause))
    }

    fn place_to_wait(&self) -> Option<Place> {
        WAITING.enter((self.client.settings().max_connections / 2).max(1))
    }

    /// Takes it as it was found.
    async fn take(&mut self, offer: R::Offer) -> Result<Round<R>> {
        self.shared.state().holders.clear();
        self.index = 0;
        // It may have ended during the look.
        self.borrow().await?;
        let claim = self.own_or_borrowed().await?;
        self.client.cancel().check()?;
        let attempt = claim.own_session().map(OwnSession::begin_attempt);
        let session = claim.begin_giving_back();
        match self.shared.spec.take(&self.taking, claim.id(), offer).await {
            Ok(Taken::Won(mark)) => match attempt.filter(|_| claim.remaining().is_zero()) {
                Some(late) => Err(self.won_too_late(claim, mark, late)),
                None => Ok(Round::Won(Won::new(claim, mark))),
            },
            Ok(Taken::Changed) => Ok(Round::Changed),
            Ok(Taken::LockDelay) => Ok(Round::Delayed(self.between_looks())),
            Ok(Taken::SessionInvalid(what)) => self.session_lost(&claim, &what),
            Err(error) => {
                if error.is_outcome_unknown() {
                    self.unsure(claim, attempt, session);
                }
                Err(error)
            }
        }
    }

    /// Won, when its session may have ended: nobody has held it. It is given back, since the mere end
    /// of the session would keep everybody waiting for the lock-delay.
    fn won_too_late(&mut self, claim: Arc<Claim>, mark: R::Mark, attempt: Attempt) -> Error {
        self.claim = None;
        attempt.hand_over();
        Disown::start(self.shared, claim, mark, None);
        let message = format!("the {} was acquired after its session's deadline", R::NOUN);
        Error::new(Status::Timeout, message)
    }

    /// It may be ours, or become so. What an own session has got is given back before that is destroyed, for
    /// its mere end would keep everybody waiting for the lock-delay; nothing can be granted to it later.
    /// Of a borrowed one the next look tells what became of it.
    fn unsure(&mut self, claim: Arc<Claim>, attempt: Option<Attempt>, session: Option<GivingBack>) {
        match attempt {
            Some(attempt) => {
                self.claim = None;
                attempt.hand_over();
                Disown::doubtful(self.shared, claim);
            }
            None => (self.doubt, self.doubtful) = (true, session),
        }
    }

    fn session_lost(&mut self, claim: &Claim, what: &str) -> Result<Round<R>> {
        if let Some(keeper) = claim.keeper() {
            keeper.lose(SessionEnd::Invalid);
        }
        self.lost_sessions += 1;
        if claim.is_own() && self.lost_sessions < SESSIONS {
            self.claim = None;
            return Ok(Round::Changed);
        }
        Err(Error::new(Status::SessionInvalid, what))
    }

    /// Sees to it that a borrowed session is at hand, and an own one that ended is not.
    async fn borrow(&mut self) -> Result<()> {
        if self.claim.as_ref().is_some_and(|claim| claim.remaining().is_zero()) {
            self.claim = None;
        }
        let claim = match self.shared.spec.session() {
            _ if self.claim.is_some() => return Ok(()),
            SessionSource::Own(_) => return Ok(()),
            SessionSource::Id(id) => Claim::Id(id.clone()),
            SessionSource::Kept(session) => Claim::Kept(session.keeper()),
        };
        if claim.remaining().is_zero() {
            let message = format!("the session {} is not valid any more", claim.id());
            return Err(Error::new(Status::SessionInvalid, message));
        }
        Disowned::<R>::take_over(&self.client, self.shared.spec.name(), claim.id(), self.deadline)
            .await?;
        self.claim = Some(Arc::new(claim));
        Ok(())
    }

    async fn own_or_borrowed(&mut self) -> Result<Arc<Claim>> {
        if let Some(claim) = &self.claim {
            return Ok(claim.clone());
        }
        let SessionSource::Own(spec) = self.shared.spec.session() else {
            return Err(Error::new(Status::Internal, "a borrowed session is missing"));
        };
        let own = own_session::create(self.shared, spec, &self.client, self.deadline).await?;
        Ok(self.claim.insert(Arc::new(Claim::Own(own))).clone())
    }

    /// That a borrowed session holds it already must be true at this moment; that another one
    /// does is only waited on.
    fn consistency(&self) -> Consistency {
        if self.claim.is_some() { Consistency::Consistent } else { Consistency::Default }
    }

    /// Consul waits up to a sixteenth longer than it is asked to.
    fn wait(&self) -> Duration {
        let rest = self.rest().unwrap_or(LONGEST_WAIT);
        (rest * 16 / 17).min(LONGEST_WAIT)
    }

    fn rest(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    async fn pause(&self, time: Duration) -> Result<()> {
        let time = match self.rest() {
            Some(rest) if rest < REST => rest,
            Some(rest) => time.min(rest),
            None => time,
        };
        if time.is_zero() { Ok(()) } else { self.client.sleep(time).await }
    }

    fn between_looks(&self) -> Duration {
        self.upkeep().jitter.between(LOOKS.0, LOOKS.1)
    }

    fn unit(&self) -> f64 {
        self.upkeep().jitter.unit()
    }

    fn upkeep(&self) -> &Arc<Upkeep> {
        self.shared.upkeep()
    }
}

/// Whether one who waits goes on after this failure.
fn passes(error: &Error) -> bool {
    match error.status() {
        Status::Interrupted => false,
        Status::Io => true,
        _ => error.is_retryable(),
    }
}
