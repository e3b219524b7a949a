//! Where the queries of all clients of one address live: it sends what the engines decide, in the
//! turns that the connections allow, and hands what is found to the watches.

use super::content::{Comparison, Content};
use super::engine::{Asked, Engine};
use super::last_good::Body;
use super::pace::Pace;
use super::pulse::Pulse;
use super::query::{Found, Query, QueryKey};
use super::turns::{Id, Limits, Turn, Turns};
use super::watched::Watched;
use crate::api::Answer;
use crate::client::{Client, Reader};
use crate::error::{Error, Result, Status};
use crate::runtime::io::{Io, Timer};
use crate::runtime::{Clock, Jitter, Lane, Task, TaskId};
use crate::sync::Mutex;
use crate::sys::PerProcess;
use crate::transport::{CancelToken, Response};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// An answer of more bytes than this is read elsewhere than on the I/O thread: it takes a
/// millisecond or more, and everybody would wait.
const LARGE: usize = 128 * 1024;

/// The queries of one address.
pub(super) struct Hub {
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    state: Mutex<State>,
    me: Weak<Hub>,
}

/// What runs while there is a query.
struct Threads {
    io: Io,
    /// Where files are written and large answers read.
    lane: Lane,
    /// When the hub is called next, and what calls it.
    alarm: Option<(Duration, Timer)>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.lane.close();
    }
}

#[derive(Default)]
struct State {
    threads: Option<Threads>,
    sources: HashMap<Id, Source>,
    by_key: HashMap<QueryKey, Id>,
    /// Which query a watch is of.
    watches: HashMap<Id, Id>,
    /// Watches that hold something back, by the time it is ripe.
    ripening: BTreeMap<(Duration, Id), Arc<Watched>>,
    turns: Turns,
    last_id: Id,
}

/// A query and the watches that share it.
struct Source {
    query: Arc<Query>,
    key: QueryKey,
    engine: Engine,
    pace: Pace,
    pulse: Arc<Pulse>,
    latest: Option<Found>,
    /// As which failure the watches know the present one.
    told: Option<Status>,
    flight: Option<CancelToken>,
    watches: Vec<Arc<Watched>>,
}

impl Hub {
    /// The hub of this client's addresses.
    pub(super) fn of(client: &Client) -> Arc<Hub> {
        let mut hubs = hubs().lock();
        hubs.retain(|_, hub| Arc::strong_count(hub) > 1 || hub.remembers());
        hubs.entry(client.addresses()).or_insert_with(|| Hub::new(client)).clone()
    }

    fn new(client: &Client) -> Arc<Hub> {
        let clock = client.upkeep().clock.clone();
        Arc::new_cyclic(|me| Hub {
            clock,
            jitter: Jitter::new(),
            state: Mutex::default(),
            me: me.clone(),
        })
    }

    /// Adds a watch to its query, which is made when nobody asks it yet.
    pub(super) fn join(
        &self,
        query: Query,
        kept: Option<Arc<Content>>,
        make: impl FnOnce(Id, Arc<Pulse>) -> Watched,
    ) -> Result<Arc<Watched>> {
        let mut state = self.state.lock();
        if state.threads.is_none() {
            let lane = Lane::new(self.clock.clone());
            state.threads = Some(Threads { io: Io::get()?, lane, alarm: None });
        }
        let source_id = state.source_of(query, self.clock.now());
        let id = state.new_id();
        state.watches.insert(id, source_id);
        let source = state.sources.get_mut(&source_id);
        let pulse = source.as_ref().map(|source| source.pulse.clone()).unwrap_or_default();
        let watched = Arc::new(make(id, pulse));
        let latest = source.and_then(|source| {
            source.watches.push(watched.clone());
            source.latest.clone()
        });
        drop(state);
        if let Some(kept) = kept {
            watched.begin_with(kept);
        }
        if let Some(found) = latest {
            self.hand(&watched, &found, false);
        }
        self.pump();
        Ok(watched)
    }

    /// A watch is not wanted any more. With the last one of a query its request ends at once.
    pub(super) fn leave(&self, id: Id) {
        let mut state = self.state.lock();
        let Some(source_id) = state.watches.remove(&id) else { return };
        state.ripening.retain(|&(_, watch), _| watch != id);
        let Some(source) = state.sources.get_mut(&source_id) else { return };
        let at = source.watches.iter().position(|watched| watched.id == id);
        let left = at.map(|at| source.watches.swap_remove(at));
        let gone = source.watches.is_empty().then(|| state.remove(source_id)).flatten();
        let threads = state.idle();
        drop(state);
        drop(threads);
        if let Some(cancel) = gone.as_ref().and_then(|source| source.flight.as_ref()) {
            cancel.cancel(Status::Cancelled, "the watch was stopped");
        }
        drop((left, gone));
        self.pump();
    }

    /// Whether it knows of queries that were given up and that Consul still holds.
    fn remembers(&self) -> bool {
        self.state.lock().turns.remembers(self.clock.now())
    }

    /// Has the lane take a step of this task.
    pub(super) fn soon(&self, id: TaskId, task: &Arc<dyn Task>) -> Result<()> {
        match self.lane() {
            Some(lane) => lane.schedule(id, task, self.clock.now()),
            None => Ok(()),
        }
    }

    #[cfg(test)]
    pub(super) fn has_threads(&self) -> bool {
        self.state.lock().threads.is_some()
    }

    /// Whether a query is to be sent by now, or is under way.
    #[cfg(test)]
    pub(super) fn is_asking(&self) -> bool {
        let state = self.state.lock();
        let due = state.turns.next_due().is_some_and(|due| due <= self.clock.now());
        due || state.sources.values().any(|source| source.flight.is_some())
    }

    fn lane(&self) -> Option<Lane> {
        self.state.lock().threads.as_ref().map(|threads| threads.lane.clone())
    }

    /// Sends what may be sent, delivers what is ripe, and sees to it that it is called again.
    fn pump(&self) {
        self.ripen();
        while let Some(start) = self.next() {
            start();
        }
        self.set_alarm();
    }

    /// Has the I/O thread call the hub when something is due.
    fn set_alarm(&self) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let ripe = state.ripening.keys().next().map(|&(at, _)| at);
        let Some(due) = state.turns.next_due().into_iter().chain(ripe).min() else { return };
        let Some(threads) = &mut state.threads else { return };
        if threads.alarm.as_ref().is_some_and(|&(at, _)| at <= due) {
            return;
        }
        let rest = due.saturating_sub(self.clock.now()).min(self.clock.tick());
        let hub = self.me.clone();
        let timer = threads.io.after(Instant::now() + rest, move || {
            let Some(hub) = hub.upgrade() else { return };
            let rung = hub.state.lock().threads.as_mut().and_then(|threads| threads.alarm.take());
            drop(rung);
            hub.pump();
        });
        let before = threads.alarm.replace((due, timer));
        drop(guard);
        drop(before);
    }

    /// The next request that may be sent.
    fn next(&self) -> Option<impl FnOnce() + use<>> {
        let now = self.clock.now();
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let sources = &state.sources;
        let (id, turn) = state.turns.take(now, |id| limits(sources.get(&id)))?;
        let source = state.sources.get_mut(&id)?;
        let (index, wait) = match turn {
            Turn::Wait(wait) => (source.engine.next_index(), wait),
            Turn::Look => (0, Duration::ZERO),
        };
        let asked = Asked { index, wait, at: now };
        let cancel = CancelToken::new();
        source.flight = Some(cancel.clone());
        source.pulse.sent();
        let (query, hub) = (source.query.clone(), self.me.upgrade()?);
        Some(move || {
            let keeps = query.keeps;
            let done = move |answer: Result<Response>, read: Reader<Answer<Content>>| {
                let body = answer.as_ref().ok().filter(|_| keeps).map(Body::of).map(Arc::new);
                let large = answer.as_ref().is_ok_and(|answer| answer.body.len() > LARGE);
                let lane = large.then(|| hub.lane()).flatten();
                let work = move || hub.answered(id, &asked, read(answer), body);
                match lane {
                    Some(lane) => Aside::run(&lane, Box::new(work)),
                    None => work(),
                }
            };
            query.start(asked.index, asked.wait, cancel, Box::new(done));
        })
    }

    fn answered(
        &self,
        id: Id,
        asked: &Asked,
        answer: Result<Answer<Content>>,
        body: Option<Arc<Body>>,
    ) {
        match answer {
            Ok(answer) => self.found(id, asked, answer, body),
            Err(error) if is_fatal(&error) => self.end(id, &error),
            Err(error) => self.failed(id, &error),
        }
        self.pump();
    }

    fn found(&self, id: Id, asked: &Asked, answer: Answer<Content>, body: Option<Arc<Body>>) {
        let (content, index) = (answer.value, answer.meta.index);
        let before = self.state.lock().sources.get(&id).and_then(|source| source.latest.clone());
        let same = before
            .as_ref()
            .is_some_and(|before| before.content.same(&content, Comparison::default()));
        let (now, mut guard) = (self.clock.now(), self.state.lock());
        let state = &mut *guard;
        let Some(source) = state.sources.get_mut(&id) else { return };
        let content = match (same, before) {
            (true, Some(before)) => before.content,
            _ => Arc::new(content),
        };
        let number = source.latest.as_ref().map_or(0, |latest| latest.number) + 1;
        let found = Found { content, index, number, body };
        source.latest = Some(found.clone());
        let pause = source.engine.answered(asked, index, !same, now);
        let recovered = source.pulse.succeeded(source.engine.seen_index(), now);
        source.told = None;
        source.flight = None;
        let next = source.pace.take(now + pause);
        source.pulse.due(next);
        let watches = source.watches.clone();
        drop(guard);
        for watched in &watches {
            self.hand(watched, &found, recovered);
        }
        self.again(id, next);
    }

    fn failed(&self, id: Id, error: &Error) {
        let (now, mut guard) = (self.clock.now(), self.state.lock());
        let state = &mut *guard;
        let Some(source) = state.sources.get_mut(&id) else { return };
        let pause = source.engine.failed(self.jitter.unit());
        source.pulse.failed(error);
        source.flight = None;
        let next = source.pace.take(now + pause);
        source.pulse.due(next);
        // Each kind of failure is told once: a program that wants more asks for the statistics.
        let news = source.told.replace(error.status()) != Some(error.status());
        let watches = if news { source.watches.clone() } else { Vec::new() };
        drop(guard);
        for watched in &watches {
            watched.fail(error);
        }
        self.again(id, next);
    }

    /// The query cannot be asked any more: its watches end.
    fn end(&self, id: Id, error: &Error) {
        let mut state = self.state.lock();
        let (gone, threads) = (state.remove(id), state.idle());
        drop(state);
        drop(threads);
        for watched in gone.iter().flat_map(|source| &source.watches) {
            watched.end(error);
        }
    }

    fn again(&self, id: Id, at: Duration) {
        let mut state = self.state.lock();
        let again = state.turns.landed(id);
        if let Some(source) = state.sources.get(&id) {
            source.pulse.due(at.max(again));
            state.turns.schedule(id, at.max(again));
        }
    }

    fn hand(&self, watched: &Arc<Watched>, found: &Found, recovered: bool) {
        let due = watched.offer(found, recovered);
        self.come_back(watched, due);
    }

    fn ripen(&self) {
        let now = self.clock.now();
        loop {
            let mut state = self.state.lock();
            let ripe = state.ripening.first_entry().filter(|entry| entry.key().0 <= now);
            let Some(watched) = ripe.map(|entry| entry.remove()) else { return };
            drop(state);
            let due = watched.ripen();
            self.come_back(&watched, due);
        }
    }

    fn come_back(&self, watched: &Arc<Watched>, due: Option<Duration>) {
        let Some(due) = due else { return };
        let mut state = self.state.lock();
        if state.watches.contains_key(&watched.id) {
            state.ripening.insert((due, watched.id), watched.clone());
        }
    }
}

impl State {
    fn new_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }

    fn source_of(&mut self, query: Query, now: Duration) -> Id {
        let key = query.key();
        if let Some(&id) = self.by_key.get(&key) {
            return id;
        }
        let id = self.new_id();
        self.by_key.insert(key.clone(), id);
        let (engine, pace) = (Engine::new(query.index_kind()), Pace::new(query.rate));
        let source = Source {
            query: Arc::new(query),
            key,
            engine,
            pace,
            pulse: Arc::default(),
            latest: None,
            told: None,
            flight: None,
            watches: Vec::new(),
        };
        self.sources.insert(id, source);
        self.turns.schedule(id, now);
        id
    }

    /// What is not needed any more when there is no query, to be dropped where nothing is locked.
    fn idle(&mut self) -> Option<Threads> {
        self.threads.take_if(|_| self.sources.is_empty())
    }

    fn remove(&mut self, id: Id) -> Option<Source> {
        let source = self.sources.remove(&id)?;
        self.by_key.remove(&source.key);
        self.turns.remove(id);
        for watched in &source.watches {
            self.watches.remove(&watched.id);
        }
        Some(source)
    }
}

/// Three quarters of the connections of an address: the rest is for calls.
fn limits(source: Option<&Source>) -> Limits {
    let Some(source) = source else {
        return Limits { connections: 1, wait: Duration::ZERO, waits: false };
    };
    Limits {
        connections: (source.query.client.settings().max_connections * 3).div_ceil(4),
        wait: source.query.wait(),
        waits: source.engine.next_index() > 0,
    }
}

/// After which failures it makes no sense to ask again.
fn is_fatal(error: &Error) -> bool {
    matches!(error.status(), Status::Closed | Status::Forked)
}

/// Something that takes a while, on a thread of a lane.
struct Aside(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Aside {
    fn run(lane: &Lane, work: Box<dyn FnOnce() + Send>) {
        let aside = Arc::new(Aside(Mutex::new(Some(work))));
        let task: Arc<dyn Task> = aside.clone();
        if lane.schedule(TaskId::new(), &task, Duration::ZERO).is_err() {
            aside.step();
        }
    }
}

impl Task for Aside {
    fn step(&self) -> Option<Duration> {
        let work = self.0.lock().take();
        if let Some(work) = work {
            work();
        }
        None
    }

    fn failed(&self, _error: Error) -> Option<Duration> {
        None
    }
}

/// The hubs by their addresses. One that nobody uses stays for as long as it remembers what was given
/// up: a program that opens and closes watches in a loop must not use up Consul's connections.
fn hubs() -> &'static Mutex<HashMap<String, Arc<Hub>>> {
    static HUBS: PerProcess<Mutex<HashMap<String, Arc<Hub>>>> = PerProcess::new();
    HUBS.get_or_init(Mutex::default)
}

#[cfg(test)]
mod tests {
    use super::super::WatchSpec;
    use super::super::tests::{bench, eventually};
    use super::*;

    #[test]
    fn what_was_given_up_is_known_to_whoever_comes_next_and_forgotten_with_its_time() {
        let (client, wire, clock) = bench();
        let watch = client.watch(WatchSpec::key("a")).unwrap();
        wire.next().key(5, "x");
        let held = wire.next();
        let hub = Arc::downgrade(&Hub::of(&client));
        // The query that is called off ends on the I/O thread, with a use of the hub.
        drop((watch, held));
        assert!(Hub::of(&client).remembers());
        clock.advance(Duration::from_secs(60));
        eventually("nobody has it", || {
            drop(Hub::of(&bench().0));
            hub.strong_count() == 0
        });
        assert!(!Hub::of(&client).remembers());
    }
}
