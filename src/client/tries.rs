//! How often, where and for how long one call is tried. The same for calls that block and calls that
//! are awaited.
//!
//! One deadline stands over all tries. What may be sent twice gets an equal share of the time at each
//! address, so that one that hangs does not use up what another one needs. A change gets all of it
//! once it is sent, for nobody can tell whether it was applied.

use super::bounds::Bounds;
use super::call::{Accept, Call, Freshness};
use super::endpoints::{Condition, Endpoint, Endpoints, Judged, Outcome};
use crate::config::Settings;
use crate::error::{Error, Result, Status};
use crate::runtime::backoff;
use crate::transport::{CancelToken, Lane, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest pause between two rounds: a leader that was elected is found within it.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How often a call goes round several addresses once more, where no setting says it and none of them
/// answers.
const ROUNDS: u32 = 3;

/// What a call and its client say about its tries.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    accept: Accept,
    timeout: Duration,
    /// How long Consul may hold the answer of a blocking query, beside its time-out.
    held: Duration,
    /// Sending it to several agents ends as sending it to one.
    replay: bool,
    /// It is sent once at most.
    once: bool,
    /// A try may take all of the time: it is the last one, or takes long for its size.
    is_patient: bool,
    /// It is ended where its agent is found not to answer any more.
    is_let_go: bool,
    /// It asks, or changes, what one agent has.
    is_local: bool,
    freshness: Freshness,
    /// It may be answered by any server while there is no leader.
    falls_back: bool,
    max_stale: Option<Duration>,
    rounds: u32,
    /// While there is no leader it goes on until its time is over: an election ends.
    awaits_leader: bool,
    /// What keeps up a lock or a session asks also those that limit us, where no other one is left:
    /// it would be lost meanwhile.
    limited_too: bool,
    interval: Duration,
}

impl Terms {
    pub(super) fn of(call: &Call<'_>, settings: &Settings, bounds: &Bounds) -> Terms {
        let is_local = call.is_local();
        let freshness = call.freshness(settings);
        let rounds = settings.retry_attempts;
        let replays = call.replay && !(is_local && call.changes());
        Terms {
            accept: call.accept,
            timeout: call.timeout(settings),
            held: call.held(settings),
            replay: replays,
            once: bounds.once,
            is_patient: bounds.once || !replays,
            is_let_go: call.replay || !call.changes(),
            is_local,
            freshness,
            falls_back: freshness == Freshness::Leader && !is_local && call.falls_back(settings),
            max_stale: call.max_stale(settings),
            rounds: match bounds.lane {
                // What lives there tries again by a schedule of its own.
                Lane::Upkeep => 0,
                Lane::Calls if settings.addresses.len() > 1 => rounds.unwrap_or(ROUNDS),
                Lane::Calls => rounds.unwrap_or(0),
            },
            awaits_leader: rounds.is_none()
                && bounds.lane == Lane::Calls
                && settings.addresses.len() > 1,
            limited_too: bounds.lane == Lane::Upkeep,
            interval: settings.retry_interval,
        }
    }

    /// The same for a call with a stream: that may take all of the time once it is sent, and what it
    /// gives is never older than was asked for, since nothing would tell.
    pub(super) fn streamed(self) -> Terms {
        Terms { is_patient: true, falls_back: false, ..self }
    }

    /// The tries of a call that begins now.
    #[inline]
    pub(super) fn begin(self, endpoints: Arc<Endpoints>, bounds: &Bounds) -> Tries {
        let now = Instant::now();
        let pinned = bounds.pinned.as_ref().and_then(|shown| endpoints.named(shown));
        let is_checked = self.max_stale.is_some() && self.freshness == Freshness::AnyServer;
        let has_others = endpoints.count() > 1 || self.rounds > 0 || self.falls_back;
        let may_repeat = is_checked || (has_others && !self.once);
        Tries {
            deadline: bounds.bound(now + self.timeout),
            freshness: self.freshness,
            terms: self,
            pinned,
            may_repeat,
            asked: 0,
            round: 0,
            is_leaderless: false,
            at: 0,
            repeats: None,
            sent: now,
            is_fresh: true,
            cluster_limit: None,
            unknown: false,
            said: None,
            endpoints,
        }
    }
}

/// The tries of one call.
pub(super) struct Tries {
    terms: Terms,
    endpoints: Arc<Endpoints>,
    deadline: Instant,
    /// The only address that it may go to.
    pinned: Option<usize>,
    may_repeat: bool,
    /// Who may answer it at present.
    freshness: Freshness,
    /// The addresses that were asked in this round, a bit each.
    asked: u32,
    round: u32,
    /// In this round an agent has said that there is no leader.
    is_leaderless: bool,
    at: usize,
    /// The one that is asked next in any case.
    repeats: Option<usize>,
    sent: Instant,
    /// It was begun just now.
    is_fresh: bool,
    /// When the cluster, which is at its limit, may be asked again. The limit of an address is its own.
    cluster_limit: Option<Instant>,
    /// One of the tries may have changed something.
    unknown: bool,
    /// What an agent has said that could not serve it: that tells more than one that was not there.
    said: Option<Error>,
}

/// Until when the next try goes.
pub(super) struct Try {
    pub(super) deadline: Instant,
    pub(super) connect_by: Instant,
    /// What ends it where its agent is found not to answer any more.
    pub(super) gone: Option<CancelToken>,
}

/// What becomes of the call after a try.
pub(super) enum Verdict {
    /// It is over.
    Over(Result<Response>),
    /// It is tried again after this time.
    Again(Duration),
}

impl Tries {
    /// False when the first try is the only one.
    pub(super) fn may_repeat(&self) -> bool {
        self.may_repeat
    }

    pub(super) fn endpoints(&self) -> &Arc<Endpoints> {
        &self.endpoints
    }

    /// The address of the present try.
    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        self.endpoints.at(self.at)
    }

    /// Who may answer the present try, where that is another one than at first.
    pub(super) fn other_answerer(&self) -> Option<Freshness> {
        (self.freshness != self.terms.freshness).then_some(self.freshness)
    }

    /// Has the same address asked once more.
    pub(super) fn repeat(&mut self) {
        self.asked &= !(1 << self.at);
        self.repeats = Some(self.at);
    }

    /// What is to be done before the first try: nothing, unless each address has asked to be left
    /// alone.
    #[inline]
    pub(super) fn begin(&mut self) -> Verdict {
        let Some((at, time)) = self.all_limited() else { return Verdict::Again(Duration::ZERO) };
        (self.at, self.is_fresh) = (at, false);
        if self.terms.rounds > 0 && self.is_in_time(time) {
            return Verdict::Again(time);
        }
        let message =
            format!("each address has asked to be left alone, for {time:.1?} more at least");
        let error = Error::new(Status::RateLimited, message).with_retryable(true);
        Verdict::Over(Err(error.with_endpoint(self.endpoint().shown())))
    }

    /// The one that may be asked first, and in what time, where all are to be left alone.
    fn all_limited(&self) -> Option<(usize, Duration)> {
        if self.endpoints.count() == 1 || self.pinned.is_some() || self.terms.limited_too {
            return None;
        }
        Some(self.endpoints.soonest()).filter(|(_, time)| !time.is_zero())
    }

    /// Chooses where the next try goes.
    #[inline]
    pub(super) fn next(&mut self) -> Try {
        if !std::mem::replace(&mut self.is_fresh, false) {
            self.sent = Instant::now();
        }
        // When it had waited for one, another call may have found that it limits us once more.
        let any = || self.endpoints.choose(self.asked, self.any_server(), true);
        let next = self.repeats.or_else(|| self.choice()).or_else(any);
        self.repeats = None;
        self.at = next.unwrap_or(self.at);
        self.asked |= 1 << self.at;
        if self.endpoints.count() == 1 && !self.terms.falls_back {
            return Try { deadline: self.deadline, connect_by: self.deadline, gone: None };
        }
        let share = self.share();
        let by = self.deadline.min(self.sent + share);
        Try {
            deadline: if self.terms.is_patient {
                self.deadline
            } else {
                self.deadline.min(by + self.terms.held)
            },
            connect_by: if self.terms.once { self.deadline } else { by },
            gone: (self.terms.is_let_go && self.endpoints.count() > 1)
                .then(|| self.endpoint().reads()),
        }
    }

    fn choice(&self) -> Option<usize> {
        match self.pinned {
            Some(pinned) => (self.asked & (1 << pinned) == 0).then_some(pinned),
            None => self.endpoints.choose(self.asked, self.any_server(), self.terms.limited_too),
        }
    }

    fn any_server(&self) -> bool {
        self.terms.is_local || self.freshness == Freshness::AnyServer
    }

    /// How long this try may take, so that those that may follow can be as long. Those that are down
    /// have one share together.
    fn share(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(self.sent);
        let left = left.saturating_sub(self.terms.held);
        if self.pinned.is_some() {
            return left;
        }
        let others = (0..self.endpoints.count()).filter(|&i| {
            self.asked & (1 << i) == 0 && self.endpoints.at(i).limited_for().is_zero()
        });
        let is_down = |&i: &usize| self.endpoints.at(i).condition() == Condition::Down;
        let (down, up): (Vec<_>, Vec<_>) = others.partition(is_down);
        let falls_back = self.terms.falls_back && self.freshness == Freshness::Leader;
        let shares = 1 + up.len() + usize::from(!down.is_empty()) + usize::from(falls_back);
        left / u32::try_from(shares).unwrap_or(u32::MAX)
    }

    /// Takes the answer of a try. `unit` gives a number from 0 up to 1 by chance.
    #[inline]
    pub(super) fn take(&mut self, answer: Result<Response>, unit: impl Fn() -> f64) -> Verdict {
        self.endpoint().heard(&answer);
        let judged = Judged::new(answer, self.terms.accept, self.endpoint().shown());
        let outcome = judged.outcome(!self.any_server());
        self.endpoints.note(self.at, &outcome, self.sent);
        let tried = match outcome {
            // It waited in vain for one of max_connections, of which each address has its own.
            Outcome::NotItsFault if waited_in_vain(&judged) => Tried::Elsewhere,
            Outcome::Served { .. } | Outcome::NotItsFault => Tried::Final,
            Outcome::Limited { here_only, retry_after, .. } => {
                if here_only {
                    Tried::Elsewhere
                } else {
                    self.cluster_limit = retry_after.map(|time| Instant::now() + time);
                    Tried::Later
                }
            }
            Outcome::NoLeader(_) => {
                self.is_leaderless = true;
                Tried::Elsewhere
            }
            Outcome::Slow(_) | Outcome::Unreachable(_) => Tried::Elsewhere,
        };
        match judged.answer {
            Ok(response) => self.answered(response),
            Err(error) => self.failed(error, tried, unit),
        }
    }

    #[inline]
    fn answered(&mut self, response: Response) -> Verdict {
        if self.freshness == Freshness::AnyServer
            && let Some(most) = self.terms.max_stale
        {
            let age = behind(&response);
            if age > most {
                return self.too_old(age, most);
            }
        }
        Verdict::Over(Ok(response))
    }

    /// The answer is older than the call takes: the leader is asked, unless it was there that there
    /// is none.
    fn too_old(&mut self, age: Duration, most: Duration) -> Verdict {
        let message = format!(
            "the answer is {} ms behind the leader, max_stale_ms is {}",
            age.as_millis(),
            most.as_millis()
        );
        let error = Error::new(Status::NoLeader, message).with_endpoint(self.endpoint().shown());
        if self.terms.freshness == Freshness::Leader || self.is_late() {
            return Verdict::Over(Err(error));
        }
        self.said = Some(error);
        self.ask_again_for(Freshness::Leader);
        self.terms.max_stale = None;
        Verdict::Again(Duration::ZERO)
    }

    fn failed(&mut self, error: Error, tried: Tried, unit: impl Fn() -> f64) -> Verdict {
        let is_unknown = error.is_outcome_unknown();
        let is_over = tried == Tried::Final
            || !self.may_repeat
            || self.terms.once
            || (is_unknown && !self.terms.replay)
            || self.is_late();
        self.unknown |= is_unknown;
        let elsewhere = tried == Tried::Elsewhere && self.choice().is_some();
        if !is_over && elsewhere {
            self.remember(error);
            return Verdict::Again(Duration::ZERO);
        }
        if !is_over && tried == Tried::Elsewhere && self.falls_back_now() {
            self.remember(error);
            self.ask_again_for(Freshness::AnyServer);
            return Verdict::Again(Duration::ZERO);
        }
        if !is_over && let Some(pause) = self.pause(unit) {
            self.remember(error);
            self.asked = 0;
            self.is_leaderless = false;
            self.round += 1;
            return Verdict::Again(pause);
        }
        Verdict::Over(Err(self.final_error(error, tried)))
    }

    fn falls_back_now(&self) -> bool {
        let is_first = self.terms.falls_back && self.freshness == Freshness::Leader;
        is_first && self.all_limited().is_none()
    }

    fn ask_again_for(&mut self, freshness: Freshness) {
        self.freshness = freshness;
        self.asked = 0;
    }

    /// How long to wait before the next round, when there is to be one.
    fn pause(&self, unit: impl Fn() -> f64) -> Option<Duration> {
        let goes_on = self.terms.awaits_leader && self.is_leaderless;
        if self.round >= self.terms.rounds && !goes_on {
            return None;
        }
        let pause = backoff(self.round + 1, self.terms.interval, LONGEST_PAUSE, unit());
        let pause = pause.max(self.limited_for());
        self.is_in_time(pause).then_some(pause)
    }

    /// How long all that may be asked, or the cluster, have asked to be left alone.
    fn limited_for(&self) -> Duration {
        let here = match self.pinned {
            Some(pinned) => self.endpoints.at(pinned).limited_for(),
            None => self.endpoints.soonest().1,
        };
        let cluster = self.cluster_limit;
        let now = Instant::now();
        here.max(cluster.map_or(Duration::ZERO, |at| at.saturating_duration_since(now)))
    }

    /// Whether there is time left after a pause.
    fn is_in_time(&self, pause: Duration) -> bool {
        Instant::now() + pause < self.deadline
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn remember(&mut self, error: Error) {
        if error.http_status() != 0 || self.said.is_none() {
            self.said = Some(error);
        }
    }

    /// What the caller is told: what was said last by an agent that answered.
    fn final_error(&mut self, error: Error, tried: Tried) -> Error {
        let said = self.said.take().filter(|said| {
            tried != Tried::Final && error.http_status() == 0 && said.http_status() != 0
        });
        let error = said.unwrap_or(error);
        let unknown = error.is_outcome_unknown() || self.unknown;
        error.with_outcome_unknown(unknown)
    }
}

/// A file of our own that fails, which is the other thing that is local, does so with every agent.
fn waited_in_vain(judged: &Judged) -> bool {
    judged.answer.as_ref().is_err_and(|error| error.is_local() && error.status() != Status::Io)
}

/// How long ago the server that answered had heard from the leader.
fn behind(response: &Response) -> Duration {
    let text = response.headers.get("X-Consul-LastContact");
    Duration::from_millis(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// What a try that failed leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    /// Another one would fail, too.
    Final,
    /// Another address may serve.
    Elsewhere,
    /// The whole cluster is at its limit.
    Later,
}
