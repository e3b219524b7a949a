//! A Consul in memory that does what a test tells it to, for tests that turn the clock.
//!
//! It knows sessions, keys and transactions as far as locks and semaphores need them, and services as far as
//! registrations do. Sessions end only when a test says so.

mod agent;
mod world;

pub(crate) use agent::AgentCheck;
pub(crate) use world::{World, world};

use crate::client::Client;
use crate::config::Config;
use crate::error::{Error, Result, Status};
use crate::runtime::{Clock, TestClock};
use crate::sync::{Condvar, Mutex};
use crate::transport::{
    CancelToken, Done, Lane, Method, OwnedRequest, Request, Response, Transport,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use ureq::http::HeaderMap;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Pass,
    /// It is refused with a 500 that proves nothing.
    Fail,
    /// It is carried out, and the answer gets lost.
    LoseAnswer,
    /// It is carried out, and the answer waits for [`Fake::release`], what upkeep sends as long as it
    /// takes.
    HoldAnswer,
    /// Nothing comes back before its time is over: of what upkeep sends that is the clock's.
    Swallow,
}

/// A request as the fake has seen it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) body: String,
    pub(crate) lane: Lane,
}

type Judge = dyn Fn(&Seen) -> Fate + Send + Sync;

/// The fake.
pub(crate) struct Fake {
    state: Mutex<State>,
    changed: Condvar,
    judge: Mutex<Arc<Judge>>,
    /// Blocking queries wait by the same clock as the client.
    clock: Arc<TestClock>,
    /// Each is another agent: the watches of one take turns by one clock.
    endpoint: String,
}

#[derive(Default)]
struct State {
    index: u64,
    sessions: BTreeSet<String>,
    /// Those whose keys are deleted when they end.
    deleting: BTreeSet<String>,
    made: usize,
    keys: BTreeMap<String, Key>,
    /// When keys were deleted.
    tombstones: BTreeMap<String, u64>,
    agent: agent::Agent,
    seen: Vec<Seen>,
    /// Until when steps of the lane wait, by the clock.
    waits: Vec<Duration>,
    in_flight: usize,
    most_in_flight: usize,
    released: bool,
    closed: bool,
}

#[derive(Clone, Default)]
struct Key {
    value: String,
    flags: u64,
    session: Option<String>,
    modify_index: u64,
}

impl Fake {
    pub(crate) fn new() -> Arc<Fake> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Arc::new(Fake {
            endpoint: format!("http://fake-{}", NEXT.fetch_add(1, Relaxed)),
            state: Mutex::new(State { index: 10, ..State::default() }),
            changed: Condvar::new(),
            judge: Mutex::new(Arc::new(|_: &Seen| Fate::Pass)),
            clock: Arc::default(),
        })
    }

    /// A client of it whose clock only the test turns.
    pub(crate) fn client(self: &Arc<Fake>) -> (Client, Arc<TestClock>) {
        let mut config = Config::without_environment();
        config.set("min_session_ttl_ms", "1000").unwrap();
        let clock = self.clock.clone();
        let client = Client::for_test(&config, self.clone(), clock.clone());
        let (fake, is_done) = (Arc::downgrade(self), client.upkeep().lane.is_done());
        clock.follow(move || fake.upgrade().is_none_or(|fake| is_done(fake.held_back())));
        (client, clock)
    }

    /// Decides about every request from now on.
    pub(crate) fn judge(&self, judge: impl Fn(&Seen) -> Fate + Send + Sync + 'static) {
        *self.judge.lock() = Arc::new(judge);
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

    /// Answers what was held back.
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
            assert!(started.elapsed() < PATIENCE, "{count} of {part}: {:?}", state.seen);
        }
    }

    /// How many steps of the lane wait for something other than that their request is carried out.
    fn held_back(&self) -> usize {
        let now = self.clock.now();
        self.state.lock().waits.iter().filter(|&&until| until > now).count()
    }

    /// How many requests were in flight at a time, at most.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.state.lock().most_in_flight
    }

    pub(crate) fn sessions(&self) -> Vec<String> {
        self.state.lock().sessions.iter().cloned().collect()
    }

    /// Who holds a key.
    pub(crate) fn holder(&self, key: &str) -> Option<String> {
        self.state.lock().keys.get(key).and_then(|key| key.session.clone())
    }

    /// The agent starts anew with empty data.
    pub(crate) fn wipe_agent(&self) {
        self.state.lock().agent.wipe();
    }

    /// A check that the agent has.
    pub(crate) fn agent_check(&self, id: &str) -> Option<AgentCheck> {
        self.state.lock().agent.check(id)
    }

    /// Somebody removes a check from the agent.
    pub(crate) fn remove_check(&self, id: &str) {
        self.state.lock().agent.remove_check(id);
    }

    /// Somebody adds a check to a service of the agent.
    pub(crate) fn add_check(&self, service: &str, id: &str) {
        self.state.lock().agent.add_check(service, id);
    }

    /// The port of a service that the agent has.
    pub(crate) fn service_port(&self, id: &str) -> Option<u64> {
        self.state.lock().agent.port(id)
    }

    /// A session of somebody else.
    pub(crate) fn add_session(&self) -> String {
        self.state.lock().add_session()
    }

    pub(crate) fn end_session(&self, id: &str) {
        self.state.lock().end_session(id);
        self.changed.notify_all();
    }

    pub(crate) fn delete_key(&self, key: &str) {
        self.state.lock().delete(key);
        self.changed.notify_all();
    }

    /// Writes a key with the flags of a semaphore, as somebody else would.
    pub(crate) fn put_semaphore(&self, key: &str, value: &str) {
        let value = base64_simd::STANDARD.encode_to_string(value);
        self.state.lock().write(key, |entry| {
            (entry.value, entry.flags) = (value, super::semaphore::SEMAPHORE_FLAG);
        });
        self.changed.notify_all();
    }

    /// Writes a key that this session holds, if any.
    pub(crate) fn put(&self, key: &str, value: &str, session: Option<&str>) {
        let mut state = self.state.lock();
        state.write(key, |entry| {
            (entry.value, entry.session) = (encoded(value), session.map(String::from));
        });
        drop(state);
        self.changed.notify_all();
    }

    /// The value of a key, as text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let value = self.state.lock().keys.get(key)?.value.clone();
        let bytes = base64_simd::STANDARD.decode_to_vec(value).unwrap();
        Some(String::from_utf8(bytes).unwrap())
    }

    /// Somebody who knows nothing of locks writes a key.
    pub(crate) fn write_plain(&self, key: &str, flags: u64) {
        self.state.lock().write(key, |entry| {
            (entry.flags, entry.session) = (flags, None);
        });
        self.changed.notify_all();
    }

    /// The value of a key as text.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        let value = self.state.lock().keys.get(key)?.value.clone();
        let value = base64_simd::STANDARD.decode_to_vec(value).unwrap();
        Some(String::from_utf8(value).unwrap())
    }

    /// The keys with this prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let state = self.state.lock();
        state.keys.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.state.lock().keys.contains_key(key)
    }

    pub(crate) fn flags(&self, key: &str) -> u64 {
        self.state.lock().keys.get(key).map_or(0, |entry| entry.flags)
    }

    /// Has a session take a key, whoever holds it: as when a write is applied late.
    pub(crate) fn grant(&self, key: &str, session: &str) {
        let mut state = self.state.lock();
        state.write(key, |entry| {
            entry.session = Some(session.to_string());
            entry.flags = super::lock::LOCK_FLAG;
        });
        drop(state);
        self.changed.notify_all();
    }
}

impl State {
    fn add_session(&mut self) -> String {
        self.made += 1;
        let id = format!("session-{}", self.made);
        self.sessions.insert(id.clone());
        id
    }

    fn end_session(&mut self, id: &str) {
        self.sessions.remove(id);
        let held = self.keys.iter().filter(|(_, key)| key.session.as_deref() == Some(id));
        let held: Vec<_> = held.map(|(name, _)| name.clone()).collect();
        for name in held {
            match self.deleting.contains(id) {
                true => self.delete(&name),
                false => self.write(&name, |key| key.session = None),
            }
        }
    }

    fn delete(&mut self, key: &str) {
        self.index += 1;
        if self.keys.remove(key).is_some() {
            self.tombstones.insert(key.to_string(), self.index);
        }
    }

    /// The index of what is below a prefix.
    fn index_below(&self, prefix: &str) -> u64 {
        let changes = self.keys.iter().map(|(name, key)| (name, key.modify_index));
        let deletions = self.tombstones.iter().map(|(name, &index)| (name, index));
        let below = changes.chain(deletions).filter(|(name, _)| name.starts_with(prefix));
        below.map(|(_, index)| index).max().unwrap_or(self.index)
    }

    fn write(&mut self, key: &str, change: impl FnOnce(&mut Key)) {
        self.index += 1;
        let entry = self.keys.entry(key.to_string()).or_default();
        change(entry);
        entry.modify_index = self.index;
    }

    fn pair(&self, name: &str) -> Option<Value> {
        let key = self.keys.get(name)?;
        let mut pair = json!({
            "Key": name, "Value": key.value, "Flags": key.flags, "LockIndex": 1,
            "CreateIndex": 1, "ModifyIndex": key.modify_index,
        });
        if let Some(session) = &key.session {
            pair["Session"] = json!(session);
        }
        Some(pair)
    }

    /// One operation of a transaction; an error in Consul's words.
    fn operate(&mut self, op: &Value) -> std::result::Result<Option<Value>, String> {
        let (key, session) = (op["Key"].as_str().unwrap(), op["Session"].as_str());
        let holder = self.keys.get(key).and_then(|key| key.session.clone());
        let value = op["Value"].as_str().unwrap_or_default().to_string();
        let flags = op["Flags"].as_u64().unwrap_or(0);
        let index = Some(self.keys.get(key).map_or(0, |key| key.modify_index));
        match op["Verb"].as_str().unwrap() {
            "check-not-exists" if self.keys.contains_key(key) => Err("key exists".into()),
            "check-not-exists" => Ok(None),
            "check-index" => match self.keys.get(key) {
                Some(entry) if Some(entry.modify_index) == op["Index"].as_u64() => Ok(None),
                _ => Err("failed index check".into()),
            },
            "check-session" if holder.as_deref() == session => Ok(None),
            "check-session" => Err("failed session check".into()),
            "delete-cas"
                if self.keys.get(key).map(|entry| entry.modify_index) == op["Index"].as_u64() =>
            {
                self.keys.remove(key);
                self.index += 1;
                Ok(None)
            }
            "delete-cas" => Err("failed to delete key, index is stale".into()),
            "lock" if !session.is_some_and(|id| self.sessions.contains(id)) => {
                Err(format!("invalid session {session:?}"))
            }
            "lock" if holder.is_none() || holder.as_deref() == session => {
                let session = session.map(String::from);
                self.write(key, |entry| {
                    (entry.value, entry.flags, entry.session) = (value, flags, session)
                });
                Ok(self.pair(key))
            }
            "lock" => Err("failed to lock key, lock is already held".into()),
            "unlock" if holder.is_some() && holder.as_deref() == session => {
                self.write(key, |entry| {
                    (entry.value, entry.flags, entry.session) = (value, flags, None)
                });
                Ok(self.pair(key))
            }
            "unlock" => Err("failed to unlock key, lock isn't held".into()),
            "get" => self.pair(key).map(Some).ok_or_else(|| "key doesn't exist".into()),
            "delete" => {
                self.delete(key);
                Ok(None)
            }
            "cas" if index != op["Index"].as_u64() => Err("index is stale".into()),
            "cas" => {
                self.write(key, |entry| (entry.value, entry.flags) = (value, flags));
                Ok(self.pair(key))
            }
            verb => panic!("the fake does not know {verb}"),
        }
    }

    fn transact(&mut self, body: &str) -> (u16, Value) {
        let operations: Vec<Value> = serde_json::from_str(body).unwrap();
        let before = (self.index, self.keys.clone(), self.tombstones.clone());
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (index, operation) in operations.iter().enumerate() {
            match self.operate(&operation["KV"]) {
                Ok(pair) => results.extend(pair.map(|pair| json!({ "KV": pair }))),
                Err(what) => errors.push(json!({ "OpIndex": index, "What": what })),
            }
        }
        if errors.is_empty() {
            return (200, json!({ "Results": results, "Errors": null }));
        }
        (self.index, self.keys, self.tombstones) = before;
        (409, json!({ "Results": null, "Errors": errors }))
    }

    fn session(&self, id: &str) -> Option<Value> {
        self.sessions.contains(id).then(|| json!([{ "ID": id, "TTL": "15s" }]))
    }

    fn answer(&mut self, method: Method, target: &str, body: &str) -> (u16, String) {
        let path = path(target);
        if path.starts_with("/v1/agent/") {
            return self.agent.answer(method, target, body);
        }
        if let Some(prefix) = listed(target) {
            let names = self.keys.keys().filter(|name| name.starts_with(prefix));
            let pairs: Vec<Value> = names.filter_map(|name| self.pair(name)).collect();
            return match pairs.is_empty() {
                true => (404, String::new()),
                false => (200, json!(pairs).to_string()),
            };
        }
        if let Some(key) = path.strip_prefix("/v1/kv/") {
            if method == Method::Delete {
                let index = self.keys.get(key).map(|key| key.modify_index.to_string());
                let is_same =
                    index.as_deref().is_none_or(|own| parameter(target, "cas") == Some(own));
                if is_same {
                    self.delete(key);
                }
                return (200, is_same.to_string());
            }
            if parameter(target, "recurse").is_some() {
                let below = self.keys.keys().filter(|name| name.starts_with(key));
                let pairs: Vec<_> = below.filter_map(|name| self.pair(name)).collect();
                if pairs.is_empty() {
                    return (404, String::new());
                }
                return (200, json!(pairs).to_string());
            }
            return match self.pair(key) {
                Some(pair) => (200, json!([pair]).to_string()),
                None => (404, String::new()),
            };
        }
        if path == "/v1/txn" {
            let (status, answer) = self.transact(body);
            return (status, answer.to_string());
        }
        let (verb, id) =
            path.strip_prefix("/v1/session/").unwrap().split_once('/').unwrap_or(("create", ""));
        match (method, verb) {
            (Method::Put, "create") => {
                let id = self.add_session();
                if body.contains("\"Behavior\":\"delete\"") {
                    self.deleting.insert(id.clone());
                }
                (200, json!({ "ID": id }).to_string())
            }
            (Method::Put, "renew") => match self.session(id) {
                Some(session) => (200, session.to_string()),
                None => (404, format!("Session id '{id}' not found")),
            },
            (Method::Put, "destroy") => {
                self.end_session(id);
                (200, "true".into())
            }
            (Method::Get, "info") => (200, self.session(id).unwrap_or(json!([])).to_string()),
            _ => panic!("the fake does not know {path}"),
        }
    }
}

/// The prefix whose keys are asked for.
fn listed(target: &str) -> Option<&str> {
    parameter(target, "recurse").and(path(target).strip_prefix("/v1/kv/"))
}

fn encoded(text: &str) -> String {
    base64_simd::STANDARD.encode_to_string(text)
}

fn parameter<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

fn timeout() -> Error {
    Error::new(Status::Timeout, "timed out").with_outcome_unknown(true)
}

/// A wait of a step of the lane, which can be seen from outside for as long as this lives.
struct Waits<'a> {
    fake: &'a Fake,
    until: Option<Duration>,
}

impl Waits<'_> {
    fn begin(fake: &Fake, until: Duration) -> Waits<'_> {
        let is_step = std::thread::current().name() == Some("consul-lane");
        let until = is_step.then_some(until);
        fake.state.lock().waits.extend(until);
        Waits { fake, until }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let waits = &mut self.fake.state.lock().waits;
        if let Some(place) = waits.iter().position(|&until| Some(until) == self.until) {
            waits.swap_remove(place);
        }
    }
}

impl Fake {
    /// Waits until it holds, the request is given up, or it is ended. How long upkeep waits for an
    /// answer is measured by the clock: what a busy machine takes besides must not end it.
    fn wait(
        &self,
        request: &Request<'_>,
        until: Duration,
        holds: impl Fn(&State) -> bool,
    ) -> Result<bool> {
        let rest = request.deadline.saturating_duration_since(Instant::now());
        let given_up = self.clock.now().saturating_add(rest);
        self.wait_unless(request, until, || self.clock.now() >= given_up, holds)
    }

    fn wait_unless(
        &self,
        request: &Request<'_>,
        until: Duration,
        upkeep_gives_up: impl Fn() -> bool,
        holds: impl Fn(&State) -> bool,
    ) -> Result<bool> {
        let _waits = Waits::begin(self, until);
        let is_given_up = || match request.lane {
            Lane::Upkeep => upkeep_gives_up(),
            Lane::Calls => Instant::now() >= request.deadline,
        };
        loop {
            let mut state = self.state.lock();
            if state.closed {
                return Err(Error::new(Status::Closed, "the client is closed"));
            }
            request.cancel.map_or(Ok(()), |cancel| cancel.check())?;
            if holds(&state) {
                return Ok(true);
            }
            if is_given_up() {
                return Err(timeout());
            }
            if self.clock.now() >= until {
                return Ok(false);
            }
            self.changed.wait_for(&mut state, Duration::from_millis(2));
        }
    }

    fn respond(&self, request: &Request<'_>, seen: &Seen) -> Result<Response> {
        let fate = self.judge.lock().clone()(seen);
        match fate {
            Fate::Pass => {}
            Fate::Fail => return Ok(response(500, 0, "rpc error making call: EOF".into())),
            Fate::Swallow => self.wait(request, Duration::MAX, |_| false).map(drop)?,
            Fate::LoseAnswer => {
                self.carry_out(request, seen);
                return Err(Error::new(Status::Io, "reset").with_outcome_unknown(true));
            }
            Fate::HoldAnswer => {
                let answer = self.carry_out(request, seen);
                self.wait_unless(request, Duration::MAX, || false, |state| state.released)?;
                return Ok(answer);
            }
        }
        let target = request.target;
        if let Some(index) = parameter(target, "index").and_then(|index| index.parse::<u64>().ok())
        {
            let ms = parameter(target, "wait").unwrap().trim_end_matches("ms").parse().unwrap();
            let key = path(target).strip_prefix("/v1/kv/").unwrap();
            let recurse = parameter(target, "recurse").is_some();
            let changed = |state: &State| match recurse {
                true => state.index_below(key) > index,
                false => {
                    state.keys.get(key).map_or(state.index, |entry| entry.modify_index) > index
                }
            };
            self.wait(request, self.clock.now() + Duration::from_millis(ms), changed)?;
        }
        Ok(self.carry_out(request, seen))
    }

    fn carry_out(&self, request: &Request<'_>, seen: &Seen) -> Response {
        let mut state = self.state.lock();
        let path = path(request.target);
        let (status, body) = state.answer(request.method, request.target, &seen.body);
        let key = path.strip_prefix("/v1/kv/").unwrap_or_default();
        let index = match parameter(request.target, "recurse") {
            Some(_) => state.index_below(key),
            None => state.keys.get(key).map_or(state.index, |key| key.modify_index),
        };
        drop(state);
        self.changed.notify_all();
        response(status, index, body)
    }
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap()
}

fn response(status: u16, index: u64, body: String) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("X-Consul-Index", index.into());
    Response { status, headers, body: body.into_bytes() }
}

impl Transport for Fake {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let line = format!("{} {}", request.method.as_str(), request.target);
        let body = String::from_utf8_lossy(request.body.unwrap_or_default()).into_owned();
        let seen = Seen { line, body, lane: request.lane };
        {
            let mut state = self.state.lock();
            state.seen.push(seen.clone());
            state.in_flight += 1;
            state.most_in_flight = state.most_in_flight.max(state.in_flight);
        }
        self.changed.notify_all();
        let outcome = self.respond(&request, &seen);
        self.state.lock().in_flight -= 1;
        outcome
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        std::thread::spawn(move || done(self.exchange(request.borrow(&cancel))));
    }

    fn wait_closed(&self, _: Instant) -> bool {
        true
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    fn endpoint(&self) -> &str {
        &self.endpoint
    }
}
