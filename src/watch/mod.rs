//! Watches: blocking queries that the library keeps alive, and what they found, always there to
//! read.
//!
//! A watch asks Consul for news until it is stopped. It rides out failures, asks no more often than
//! it must, and tells only what has changed. Watches of the same thing by one client share a query;
//! when there are more queries than connections they take turns, and each sees a change within two
//! seconds. Its newest [`State`] is read without a lock and without a system call. In a forked child
//! it begins anew when it is read, with what was found until then.
//!
//! ```no_run
//! use consul_ffi::watch::WatchSpec;
//! use consul_ffi::{Client, Config};
//! use std::time::Duration;
//!
//! # fn main() -> consul_ffi::Result<()> {
//! let client = Client::new(&Config::new())?;
//! let watch = client.watch(WatchSpec::key("app/limit"))?;
//! watch.wait_ready(Duration::from_secs(5))?;
//! let mut seen = 0;
//! loop {
//!     let state = watch.state();
//!     println!("{:?} {:?}", watch.freshness(), state.content());
//!     seen = state.version();
//!     watch.wait_newer(seen, Duration::MAX)?;
//! }
//! # }
//! ```

mod content;
mod delivery;
mod discovery;
mod engine;
mod hub;
mod keeper;
mod last_good;
mod pace;
mod pulse;
mod query;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod turns;
mod watched;

pub use content::Content;
pub use discovery::{Lease, Pick, Strategy};
pub use spec::{Policy, WatchSpec};
pub use state::{Companion, Dresser, Freshness, State};

use crate::client::{Blocking, Client, Deferred, Operation, Style};
use crate::error::{Error, Result};
use crate::runtime::Resident;
use crate::sys::{PerProcess, fork_generation};
use content::Comparison;
use delivery::{Delivery, Rules};
use hub::Hub;
use keeper::Keeper;
use last_good::LastGood;
use query::Query;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;
use watched::{Listener, Parts, Watched};

/// What has happened to a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The first state is complete, even if that is that there is nothing. It comes once.
    Initial,
    /// What is watched has changed.
    Changed,
    /// Consul cannot be asked; the state stays, and the watch goes on trying.
    Failed,
    /// Consul can be asked again. What has changed meanwhile is told after this.
    Recovered,
    /// The client was closed: the last notice there is.
    Ended,
}

/// What a listener is told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What has happened.
    pub kind: NoticeKind,
    /// The newest state.
    pub state: Arc<State>,
    /// Why, where something failed or ended.
    pub error: Option<Error>,
    /// How long ago Consul confirmed the state; `None` when it never did.
    pub age: Option<Duration>,
}

/// How a watch is doing.
#[derive(Clone, Debug)]
pub struct WatchStats {
    /// How far its state can be trusted, `pending`, `fresh`, `empty`, `stale` or `expired`; `ended` when
    /// it was stopped, or its client closed.
    pub state: &'static str,
    /// In how long Consul is asked again; `None` while it is being asked, and at the end.
    pub next_try: Option<Duration>,
    /// Whether a loss above the floor is held back.
    pub holding_back: bool,
    /// How long ago Consul gave its last good answer.
    pub last_success_age: Option<Duration>,
    /// The last failure, even when all is well again.
    pub last_error: Option<Arc<Error>>,
    /// Failures since the last good answer.
    pub consecutive_failures: u32,
    /// The index of the last good answer.
    pub index: u64,
    /// Whether a request is with Consul at this moment.
    pub in_flight: bool,
    /// Requests so far, those for other watches of the same thing included.
    pub requests: u64,
    /// The version of the newest state.
    pub version: u64,
    /// Why the last-good file could not be written the last time, if it could not.
    pub last_good_error: Option<Arc<Error>>,
}

/// A watch. A clone is the same one; dropping the last stops it.
#[derive(Clone)]
pub struct Watch(Arc<Owner>);

/// What was watched may be read for longer than it is watched.
struct Owner {
    watched: Arc<Watched>,
    /// The process that it was started in.
    process: u32,
    /// In a forked child: the same watch, started anew when it was read first. None where it cannot
    /// be, or had ended before.
    anew: PerProcess<Option<Arc<Watched>>>,
    client: Client,
    spec: WatchSpec,
    dresser: Option<Dresser>,
}

impl Owner {
    /// The watch that lives in this process. What a child has inherited it cannot go on with: its
    /// thread and its connections are the parent's. It begins with what was found until then.
    fn here(&self) -> &Arc<Watched> {
        if self.process == fork_generation() {
            return &self.watched;
        }
        self.anew.get_or_init(|| self.start_anew()).as_ref().unwrap_or(&self.watched)
    }

    fn start_anew(&self) -> Option<Arc<Watched>> {
        let before = &self.watched;
        if before.is_stopped() {
            return None;
        }
        let (state, age) = (before.state(), before.age().unwrap_or_default());
        let known = state.shared_content().map(|content| (content, age));
        let base = state.version().saturating_sub(u64::from(known.is_some()));
        let begin = Beginning { known, base, listener: None, dresser: self.dresser };
        self.client.start_watched(&self.spec, begin).ok()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if self.process == fork_generation() {
            self.watched.stop();
            return;
        }
        if let Some(Some(watched)) = self.anew.get() {
            watched.stop();
        }
        // What it holds of the parent's may be locked for ever: it is left as it is.
        std::mem::forget(self.watched.clone());
    }
}

/// What a watch begins with.
struct Beginning {
    /// What is known already, and how old it is.
    known: Option<(Arc<Content>, Duration)>,
    /// The version that its own begin after.
    base: u64,
    listener: Option<Listener>,
    dresser: Option<Dresser>,
}

impl Client {
    /// Starts a watch. An error when it can never be asked; that Consul is away is none.
    pub fn watch(&self, spec: WatchSpec) -> Result<Watch> {
        self.start_watch(spec, None, None)
    }

    /// Starts a watch that tells of everything that happens to it, on threads of the library and
    /// one at a time. A listener must be quick; it may stop the watch.
    pub fn watch_with(
        &self,
        spec: WatchSpec,
        listener: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Watch> {
        self.start_watch(spec, Some(Box::new(listener)), None)
    }

    /// As [`Client::watch_with`], and has a binding dress each content before anybody reads it.
    pub(crate) fn watch_dressed(
        &self,
        spec: WatchSpec,
        listener: Option<Box<dyn Fn(Notice) + Send + Sync>>,
        dresser: Dresser,
    ) -> Result<Watch> {
        self.start_watch(spec, listener, Some(dresser))
    }

    fn start_watch(
        &self,
        spec: WatchSpec,
        listener: Option<Listener>,
        dresser: Option<Dresser>,
    ) -> Result<Watch> {
        let client = self.unbounded();
        let begin = Beginning { known: None, base: 0, listener, dresser };
        let watched = client.start_watched(&spec, begin)?;
        let (process, anew) = (fork_generation(), PerProcess::new());
        Ok(Watch(Arc::new(Owner { watched, process, anew, client, spec, dresser })))
    }

    fn start_watched(&self, spec: &WatchSpec, begin: Beginning) -> Result<Arc<Watched>> {
        let rules = Rules {
            comparison: Comparison { ignore_output: spec.ignore_output },
            settle: spec.settled()?,
            floor: spec.floored()?,
            last_seen_index: spec.last_seen_index,
        };
        self.upkeep().lane.check_open()?;
        let query = Query::new(self, spec)?;
        let file = spec.last_good_file.as_ref();
        let file = file.map(|path| LastGood::new(path, &query)).transpose()?;
        let known = match (begin.known, &file) {
            (None, Some(file)) => file.read(&query)?,
            (known, _) => known,
        };
        let (known, kept) = known.unzip();
        let hub = Hub::of(self);
        let watched = hub.clone().join(query, known, |id, pulse| {
            let parts = Parts {
                id,
                hub,
                pulse,
                delivery: Delivery::new(rules),
                kept,
                base: begin.base,
                listener: begin.listener,
                dresser: begin.dresser,
                keeper: file.map(Keeper::new),
                near: spec.options.near.is_some(),
            };
            Watched::new(self, parts)
        })?;
        let resident: Weak<dyn Resident> = Arc::downgrade(&(watched.clone() as Arc<dyn Resident>));
        self.upkeep().enter(resident);
        Ok(watched)
    }
}

impl Watch {
    /// The newest state. Takes no lock and makes no system call.
    pub fn state(&self) -> Arc<State> {
        self.0.here().state()
    }

    /// The version of the newest state, 0 before anything was found.
    pub fn version(&self) -> u64 {
        self.0.here().version()
    }

    /// How far the newest state can be trusted.
    pub fn freshness(&self) -> Freshness {
        self.0.here().freshness()
    }

    /// How long ago Consul confirmed the newest state, as far as an answer can tell: a query that
    /// is held confirms nothing until it ends. `None` when it never did.
    pub fn age(&self) -> Option<Duration> {
        self.0.here().age()
    }

    /// The newest state, unless it is refused: see [`WatchSpec::max_age`]. The error is that for which
    /// Consul cannot be asked.
    pub fn read(&self) -> Result<Arc<State>> {
        self.check_age().map(|()| self.state())
    }

    /// Whether the newest state is refused.
    #[inline]
    pub(crate) fn is_expired(&self) -> bool {
        self.0.spec.max_age.is_some_and(|most| self.is_older(most))
    }

    fn is_older(&self, most: Duration) -> bool {
        matches!(self.freshness(), Freshness::Stale(age) if age > most)
    }

    /// The error of one that is refused.
    pub(crate) fn check_age(&self) -> Result<()> {
        if !self.is_expired() {
            return Ok(());
        }
        let (age, most) = (self.age().unwrap_or_default(), self.0.spec.max_age.unwrap_or_default());
        let what = format_args!("what was found {age:.1?} ago is older than {most:?}");
        Err(self.0.here().why_stale().context(what))
    }

    /// True while a loss above the floor is held back.
    pub fn holds_back(&self) -> bool {
        self.0.here().holds_back()
    }

    /// Waits until there is a state to read, if only that there is nothing. `Status::Timeout` when
    /// there is none in time, with Consul's last failure in its message.
    pub fn wait_ready(&self, timeout: Duration) -> Result<Arc<State>> {
        self.ready(Blocking, timeout)
    }

    /// As [`Watch::wait_ready`], to be awaited.
    pub fn wait_ready_later(&self, timeout: Duration) -> Result<Operation<Arc<State>>> {
        self.ready(Deferred, timeout)
    }

    /// Waits for a state that is newer than this version; `None` when there was none in time.
    /// `Status::Cancelled` once the watch is stopped, `Status::Closed` once its client is closed.
    pub fn wait_newer(&self, version: u64, timeout: Duration) -> Result<Option<Arc<State>>> {
        self.newer(Blocking, version, timeout)
    }

    /// As [`Watch::wait_newer`], to be awaited.
    pub fn wait_newer_later(
        &self,
        version: u64,
        timeout: Duration,
    ) -> Result<Operation<Option<Arc<State>>>> {
        self.newer(Deferred, version, timeout)
    }

    pub(crate) fn ready<S: Style>(
        &self,
        style: S,
        timeout: Duration,
    ) -> Result<S::Output<Arc<State>>> {
        let watched = self.0.here().clone();
        self.0.client.styled(style).run(move |client| async move {
            match watched.wait_newer(&client, 0, timeout).await? {
                true => Ok(watched.state()),
                false => Err(watched.not_ready(timeout)),
            }
        })
    }

    pub(crate) fn newer<S: Style>(
        &self,
        style: S,
        version: u64,
        timeout: Duration,
    ) -> Result<S::Output<Option<Arc<State>>>> {
        let watched = self.0.here().clone();
        self.0.client.styled(style).run(move |client| async move {
            let is_newer = watched.wait_newer(&client, version, timeout).await?;
            Ok(is_newer.then(|| watched.state()))
        })
    }

    /// Stops it. Once this has returned the listener is not called any more; a call that goes on at
    /// this moment is waited for, unless it is the one that stops it. What was found stays to be
    /// read. May be called any number of times, from any thread.
    pub fn stop(&self) {
        self.0.here().stop();
    }

    /// How it is doing. Never waits for the network.
    pub fn stats(&self) -> WatchStats {
        let stats = self.0.here().stats();
        match stats.state {
            "stale" if self.is_expired() => WatchStats { state: "expired", ..stats },
            _ => stats,
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("version", &self.version()).finish_non_exhaustive()
    }
}
