//! An agent that takes short TTLs, for tests that wait for an end.

use crate::clients::client_with;
use crate::support::control::{GRACE, timed};
use crate::support::{Consul, consul};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::recipes::lock::{Lock, LockSpec, LostReason};
use consul_ffi::recipes::registration::KeptService;
use consul_ffi::{Client, Options, Result, Status};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A TTL for tests that wait for its end.
pub const TTL: Duration = Duration::from_secs(2);

/// A TTL for all others: a machine may stand still for a while.
pub const LASTING: Duration = Duration::from_secs(60);

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An agent that takes TTLs from 1 s, shared by the tests of sessions and locks.
pub fn quick() -> Option<&'static Consul> {
    static SHARED: OnceLock<Option<Consul>> = OnceLock::new();
    let hcl = "session_ttl_min = \"1s\" limits { http_max_conns_per_client = 5000 }";
    SHARED.get_or_init(|| consul().and_then(|_| Consul::with_hcl(hcl))).as_ref()
}

/// A client of this address that lets short TTLs pass.
pub fn quick_client(address: &str) -> Client {
    client_with(address, &[("min_session_ttl_ms", "1000")])
}

/// A session that ends by its TTL or its destruction alone, and leaves no lock-delay.
pub fn session() -> SessionSpec {
    let nothing: [&str; 0] = [];
    SessionSpec::new().ttl(LASTING).node_checks(nothing).lock_delay(Duration::ZERO)
}

/// A lock of such a session.
pub fn lock_spec(key: &str) -> LockSpec {
    LockSpec::new(key).session_spec(session())
}

/// Options that say nothing.
pub fn none() -> Options {
    Options::new()
}

/// Looks again and again until it holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a call for a kept service comes to: what the agent has not answered in time the library goes
/// on with by itself.
pub fn in_the_end(outcome: Result<()>, what: &str, holds: impl FnMut() -> bool) {
    match outcome {
        Err(error) if error.status() == Status::Timeout => eventually(what, holds),
        outcome => outcome.unwrap(),
    }
}

pub fn start(service: &KeptService) {
    in_the_end(service.start(), "registered", || service.is_registered());
}

pub fn close(service: &KeptService) {
    in_the_end(service.close(), "deregistered", || service.stats().state == "closed");
}

/// The session that holds a key, as the agent says.
pub fn holder_at(consul: &Consul, key: &str) -> Option<String> {
    let answer = consul.get(&format!("/v1/kv/{key}?consistent"));
    if answer.status == 404 {
        return None;
    }
    answer.json()[0]["Session"].as_str().map(String::from)
}

/// Whether the agent knows a session.
pub fn session_exists(consul: &Consul, id: &str) -> bool {
    consul.get(&format!("/v1/session/info/{id}?consistent")).json() != serde_json::json!([])
}

/// The sessions of the quick agent that have this name.
pub fn sessions_named(name: &str) -> Vec<String> {
    let list = quick().unwrap().get("/v1/session/list?consistent").json();
    let named = list.as_array().unwrap().iter().filter(|session| session["Name"] == name);
    named.map(|session| session["ID"].as_str().unwrap().to_string()).collect()
}

/// A lock that is held.
pub fn held(client: &Client, spec: LockSpec) -> Lock {
    let lock = client.lock(spec).unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
    lock
}

/// Waits for the loss of a lock, which must come long before the next renewal of its session.
pub fn lost(lock: &Lock) -> LostReason {
    let (reason, timing) = timed(|| lock.wait_lost(PATIENCE).unwrap());
    assert!(timing.fair() < GRACE, "{timing:?}");
    assert!(!lock.is_held() && lock.remaining().is_zero());
    assert_eq!(lock.lost_reason(), reason);
    reason.unwrap()
}

/// Whether it was not to be had in the time that it was waited for: too little, on a busy machine, to
/// look at it even once.
pub fn in_vain(acquired: Result<bool>) -> bool {
    acquired.map_or_else(|error| error.status() == Status::Timeout, |won| !won)
}

/// The status of a failure.
pub fn status_of<T>(result: Result<T>) -> Status {
    result.err().unwrap().status()
}
