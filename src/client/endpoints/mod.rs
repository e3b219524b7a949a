//! The addresses of a client: which one is asked, and how each is getting on.
//!
//! A client stays with one address until that fails, and then goes on with the next one that serves.
//! The circuit breaker of each address ([`breaker`]) puts it behind the others; calls and, in the
//! background, probes bring it back.

mod breaker;
mod choice;
mod endpoint;
mod news;
mod outcome;
mod probe;

pub use breaker::Condition;
pub(super) use endpoint::Endpoint;
pub use endpoint::EndpointStats;
pub(super) use news::News;
pub use news::{EndpointChange, EndpointListener, EndpointNews, EndpointState};
pub(super) use outcome::{Judged, Outcome};

use super::contact::Reachability;
use crate::config::Settings;
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use crate::sys::PerProcess;
#[cfg(test)]
use crate::transport::Transport;
use choice::{Candidate, Wish, choose};
use probe::Prober;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::time::{Duration, Instant};

const AREA: &str = "endpoint";

pub(super) struct Endpoints {
    /// One at least.
    all: Vec<Arc<Endpoint>>,
    in_use: AtomicUsize,
    prefer_first: bool,
    /// A try that takes longer than this, and runs out of its time, tells of an agent that hangs.
    patience: Duration,
    interval: Duration,
    prober: PerProcess<Prober>,
    closed: AtomicBool,
    news: News,
    /// False before they are the client's, and once others are.
    tells: AtomicBool,
}

impl Endpoints {
    /// Those of these settings. Connects to none of them.
    pub(super) fn open(settings: &Settings, news: News) -> Result<Arc<Endpoints>> {
        let open = |address| Endpoint::open(address, settings).map(Arc::new);
        let all = settings.addresses.iter().map(open).collect::<Result<_>>()?;
        Ok(Endpoints::of(all, settings, news))
    }

    /// One, reached by this transport.
    #[cfg(test)]
    pub(super) fn single(transport: Arc<dyn Transport>, settings: &Settings) -> Arc<Endpoints> {
        Endpoints::of(vec![Arc::new(Endpoint::with(transport))], settings, News::new())
    }

    fn of(all: Vec<Arc<Endpoint>>, settings: &Settings, news: News) -> Arc<Endpoints> {
        Arc::new(Endpoints {
            all,
            in_use: AtomicUsize::new(0),
            prefer_first: settings.prefer_first,
            patience: settings.health_check_timeout,
            interval: settings.health_check_interval,
            prober: PerProcess::new(),
            closed: AtomicBool::new(false),
            news,
            tells: AtomicBool::new(false),
        })
    }

    /// Who is told of changes, for those that take their place.
    pub(super) fn news(&self) -> News {
        self.news.clone()
    }

    /// Goes on with the address that is in use there.
    pub(super) fn follow(&self, before: &Endpoints) {
        let known = self.named(before.in_use().shown());
        self.in_use.store(known.unwrap_or_default(), Relaxed);
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn at(&self, position: usize) -> &Arc<Endpoint> {
        &self.all[position % self.all.len()]
    }

    /// The one in use.
    pub(super) fn in_use(&self) -> &Arc<Endpoint> {
        self.at(self.in_use.load(Relaxed))
    }

    /// The next one for a call that has asked these, a bit each. Those that limit us only where they
    /// are wanted, `limited_too`; the only one that there is in any case.
    pub(super) fn choose(
        self: &Arc<Endpoints>,
        asked: u32,
        any_server: bool,
        limited_too: bool,
    ) -> Option<usize> {
        if self.all.len() == 1 {
            return (asked == 0).then_some(0);
        }
        self.watch();
        let start = if self.prefer_first { 0 } else { self.in_use.load(Relaxed) };
        let candidates = self.all.iter().map(|endpoint| Candidate {
            condition: endpoint.condition(),
            is_limited: !endpoint.limited_for().is_zero(),
        });
        choose(candidates, Wish { start, asked, any_server, limited_too })
    }

    /// The one that may be asked first, and how long it is until then.
    pub(super) fn soonest(&self) -> (usize, Duration) {
        let times = self.all.iter().map(|endpoint| endpoint.limited_for());
        let first = times.enumerate().min_by_key(|&(_, time)| time);
        first.unwrap_or_default()
    }

    /// Where a service stays registered: with its agent, as long as that answers.
    pub(super) fn home(self: &Arc<Endpoints>, before: Option<&str>) -> &Arc<Endpoint> {
        let before = before.and_then(|before| self.named(before));
        let answers = |i: &usize| self.at(*i).condition() != Condition::Down;
        let home = before.filter(answers).or_else(|| self.choose(0, true, true));
        self.at(home.unwrap_or_default())
    }

    /// The one of this address.
    pub(super) fn named(&self, shown: &str) -> Option<usize> {
        self.all.iter().position(|endpoint| endpoint.shown() == shown)
    }

    /// Takes down how a try went that was sent at this time.
    pub(super) fn note(&self, position: usize, outcome: &Outcome<'_>, sent: Instant) {
        let endpoint = self.at(position);
        let changed = endpoint.note(outcome, sent, self.patience);
        if changed {
            self.tell();
        }
        if self.all.len() == 1 {
            return;
        }
        match outcome {
            Outcome::Served { .. } => self.use_from_now_on(position),
            _ if changed => self.hurry(),
            _ => {}
        }
    }

    /// A call was served there: so are the next ones, unless the one in use serves, too.
    fn use_from_now_on(&self, position: usize) {
        let before = self.in_use.load(Relaxed);
        if before == position {
            return;
        }
        let is_better = self.prefer_first && position < before;
        if !is_better && self.at(before).condition() <= self.at(position).condition() {
            return;
        }
        if self.in_use.compare_exchange(before, position, Relaxed, Relaxed).is_ok() {
            let (from, to) = (self.at(before).shown(), self.at(position).shown());
            log::add(Level::Info, AREA, || format!("calls go to {to} now, no longer to {from}"));
            self.tell();
        }
    }

    /// Starts to watch them in this process, where that is not done yet.
    fn watch(self: &Arc<Endpoints>) {
        let prober = self.prober.get_or_init(Prober::new);
        if !self.closed.load(Acquire) {
            prober.start(self);
        }
    }

    /// Has those that failed asked soon.
    fn hurry(&self) {
        if let Some(prober) = self.prober.get() {
            prober.hurry();
        }
    }

    /// Ends every call in flight, and refuses new ones. What gives something back goes on.
    pub(super) fn end_calls(&self) {
        self.all.iter().for_each(|endpoint| endpoint.transport.end_calls());
    }

    /// Ends every exchange in flight, and refuses new ones.
    pub(super) fn close(&self) {
        self.closed.store(true, Release);
        if let Some(prober) = self.prober.get() {
            prober.close();
        }
        self.all.iter().for_each(|endpoint| endpoint.transport.close());
        self.end_news();
    }

    /// An error once it is closed.
    pub(super) fn check_open(&self) -> Result<()> {
        match self.closed.load(Acquire) {
            true => Err(Error::new(Status::Closed, "the client is closed")),
            false => Ok(()),
        }
    }

    pub(super) fn wait_closed(&self, deadline: Instant) -> bool {
        self.all.iter().all(|endpoint| endpoint.transport.wait_closed(deadline))
    }

    pub(super) fn stats(&self) -> Vec<EndpointStats> {
        let in_use = self.in_use();
        let stats = |endpoint: &Arc<Endpoint>| endpoint.stats(Arc::ptr_eq(endpoint, in_use));
        self.all.iter().map(stats).collect()
    }

    pub(super) fn reachability(&self) -> Reachability {
        Reachability::latest(self.all.iter().map(|endpoint| endpoint.contact.reachability()))
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        if let Some(prober) = self.prober.get() {
            prober.close();
        }
    }
}
