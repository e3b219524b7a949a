//! Several addresses: which one serves, and what a call, a watch, a session and a lock go through when
//! one is lost. What users asked for: D1, D2, D4, D6, D8.

use crate::clients::client_with;
use crate::deferred::wait;
use crate::proxy::{Fate, Proxy};
use crate::quick::{PATIENCE, close, eventually, none, quick, start};
use crate::support::control::timed;
use crate::support::fault::{Door, Reply, Request, Server};
use crate::support::{Consul, unique};
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::api::session::SessionSpec;
use consul_ffi::recipes::lock::LockSpec;
use consul_ffi::recipes::registration::KeptServiceSpec;
use consul_ffi::watch::WatchSpec;
use consul_ffi::{
    Client, Condition, Consistency, EndpointChange, EndpointNews, Options, Result, Status,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// What brings an address back soon.
const QUICK: [(&str, &str); 2] =
    [("health_check_interval_ms", "50"), ("health_check_timeout_ms", "500")];

pub fn client(addresses: &[&str], settings: &[(&str, &str)]) -> Client {
    let all: Vec<_> = QUICK.iter().chain(settings).copied().collect();
    client_with(&addresses.join(","), &all)
}

/// A client that does not look after its addresses during a test.
pub fn unwatched(addresses: &[&str], settings: &[(&str, &str)]) -> Client {
    client(addresses, &[&[("health_check_interval_ms", "86400000")], settings].concat())
}

pub fn value(text: &str) -> Reply {
    let value = base64_simd::STANDARD.encode_to_string(text);
    let known = Reply::json(200, format!(r#"[{{"Key":"a","Value":"{value}"}}]"#)).index(7);
    known.header("X-Consul-KnownLeader", true)
}

pub fn healthy(request: &Request, answer: Reply) -> Reply {
    match request.path() {
        "/v1/status/leader" => Reply::json(200, "\"127.0.0.1:8300\""),
        _ => answer,
    }
}

/// A server whose key `a` has its own name as its value.
pub fn server(name: &'static str) -> Server {
    Server::answering(move |request| match request.method.as_str() {
        "GET" => healthy(request, value(name)),
        _ => Reply::json(200, "true"),
    })
}

pub fn no_leader() -> Reply {
    Reply::text(500, "No cluster leader")
}

pub fn get(client: &Client) -> String {
    read(client, &none())
}

fn read(client: &Client, options: &Options) -> String {
    let pair = client.kv().get("a", options).unwrap().value.unwrap();
    String::from_utf8(pair.value).unwrap()
}

/// What a call gives that has half of its time for another server: none where the machine stood still
/// in the meantime.
pub fn in_time<T>(call: impl FnOnce() -> Result<T>) -> Option<T> {
    let (outcome, timing) = timed(call);
    match outcome {
        Err(_) if !timing.is_punctual(SECOND) => None,
        outcome => Some(outcome.unwrap()),
    }
}

pub fn conditions(client: &Client) -> Vec<Condition> {
    client.endpoints().iter().map(|endpoint| endpoint.condition).collect()
}

pub fn calls(server: &Server) -> Vec<Request> {
    let mut requests = server.requests();
    requests.retain(|request| request.path() != "/v1/status/leader");
    requests
}

#[test]
fn one_that_refuses_is_left_and_the_next_one_is_stayed_with() {
    let (dead, b, c) = (Server::refused_address(), server("b"), server("c"));
    let client = unwatched(&[&dead, b.address(), c.address()], &[]);
    assert_eq!(client.endpoint(), dead);
    for _ in 0..3 {
        assert_eq!(get(&client), "b");
    }
    assert_eq!(client.endpoint(), b.address());
    assert_eq!((calls(&b).len(), calls(&c).len()), (3, 0));
    let stats = client.endpoints();
    assert_eq!(conditions(&client), [Condition::Down, Condition::Up, Condition::Up]);
    assert_eq!((stats[0].requests, stats[0].failures, stats[0].consecutive_failures), (1, 1, 1));
    assert_eq!(stats[0].last_error.as_ref().unwrap().status(), Status::Connect);
    assert_eq!((stats[1].requests, stats[1].failures, stats[1].in_use), (3, 0, true));
    assert!(stats[1].last_answer.is_some() && stats[0].last_answer.is_none());
    assert!(client.reachability().reachable.unwrap());
}

#[test]
fn what_is_on_at_an_address_is_told_while_it_is() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.wait_for_release()?;
        connection.reply(&value("a"))?;
        connection.serve(|_| value("b"))
    });
    let client = unwatched(&[server.address()], &[]);
    let on = || client.endpoints().iter().map(|at| (at.in_flight, at.connections)).next();
    assert_eq!(on(), Some((0, 0)));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| get(&client));
        server.wait_for_requests(1);
        assert_eq!(on(), Some((1, 1)));
        server.release();
        assert_eq!(waits.join().unwrap(), "a");
    });
    assert_eq!(on(), Some((0, 1)));
    assert_eq!(get(&client), "b");
    assert_eq!(on(), Some((0, 1)));
    client.close(PATIENCE).unwrap();
    assert_eq!(on(), Some((0, 0)));
    server.wait_for_open_connections(0);
}

#[test]
fn without_an_answer_from_any_the_call_says_so_and_each_was_asked() {
    let dead: Vec<_> = (0..3).map(|_| Server::refused_address()).collect();
    let addresses: Vec<_> = dead.iter().map(String::as_str).collect();
    let client = unwatched(&addresses, &[("retry_attempts", "2"), ("retry_interval_ms", "1")]);
    let error = client.kv().get("a", &none()).unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Connect, false));
    assert!(client.endpoints().iter().all(|endpoint| endpoint.requests == 3));
}

#[test]
fn one_that_is_frozen_costs_its_share_of_the_deadline_only() {
    let (frozen, b) = (Server::black_hole(), server("b"));
    let client = unwatched(&[frozen.address(), b.address()], &[("timeout_ms", "4000")]);
    let Some(first) = in_time(|| client.kv().get("a", &none())) else { return };
    assert_eq!(first.value.unwrap().value, b"b");
    assert_eq!(conditions(&client), [Condition::Down, Condition::Up]);
    assert_eq!(read(&client, &none().timeout(PATIENCE)), "b");
    assert_eq!(calls(&frozen).len(), 1);
}

/// Calls that wait at a frozen one have all its connections: the others have connections of their own.
#[test]
fn one_whose_connections_are_all_in_use_costs_its_share_of_the_deadline_only() {
    let (frozen, b) = (Server::black_hole(), server("b"));
    let one = || unwatched(&[frozen.address(), b.address()], &[("max_connections", "1")]);
    let first = one();
    let waits = std::thread::spawn({
        let client = first.clone();
        move || client.kv().get("a", &none().timeout(SECOND * 600)).unwrap_err().status()
    });
    eventually("it has the connection", || calls(&frozen).len() == 1);
    // Half of it at the frozen one.
    let hurried = none().timeout(SECOND * 4);
    let read = in_time(|| one().kv().get("a", &hurried));
    assert!(read.is_none_or(|read| read.value.unwrap().value == b"b"));
    let written = in_time(|| one().kv().put("a", b"1", 0, &hurried));
    assert!(written.is_none_or(|written| written.value));
    first.shutdown();
    assert_eq!(waits.join().unwrap(), Status::Closed);
    assert_eq!(calls(&frozen).len(), 1);
}

#[test]
fn one_deadline_stands_over_all_tries() {
    let (a, b) = (Server::black_hole(), Server::black_hole());
    let client = unwatched(&[a.address(), b.address()], &[("timeout_ms", "400")]);
    let (outcome, timing) = timed(|| client.kv().get("a", &none()));
    assert_eq!(outcome.unwrap_err().status(), Status::Timeout);
    assert!(timing.elapsed >= Duration::from_millis(390), "{timing:?}");
    // A machine that stood still may have come to neither.
    let asked = (calls(&a).len(), calls(&b).len());
    assert!(asked == (1, 1) || !timing.is_punctual(Duration::from_millis(100)), "{asked:?}");
}

#[test]
fn one_that_knows_no_leader_is_left_and_only_for_what_needs_one() {
    let a = Server::answering(|request| match request.parameter("stale") {
        Some(_) => value("a"),
        None => no_leader(),
    });
    let b = server("b");
    let client = unwatched(&[a.address(), b.address()], &[]);
    assert_eq!(get(&client), "b");
    assert_eq!(conditions(&client), [Condition::NoLeader, Condition::Up]);
    drop(b);
    // Whoever has no leader still serves what needs none.
    assert_eq!(read(&client, &none().consistency(Consistency::Stale)), "a");
}

/// Two servers that answer so until there is a leader, and who tells them that there is one.
fn electing(before: fn(&Request) -> Reply) -> (Arc<AtomicBool>, [Server; 2]) {
    let elected = Arc::new(AtomicBool::new(false));
    let servers = ["a", "b"].map(|name| {
        let elected = elected.clone();
        Server::answering(move |request| match elected.load(SeqCst) {
            true => healthy(request, value(name)),
            false => before(request),
        })
    });
    (elected, servers)
}

#[test]
fn an_election_is_waited_for_in_rounds() {
    let (elected, servers) = electing(|_| no_leader());
    let client = unwatched(
        &[servers[0].address(), servers[1].address()],
        &[("retry_interval_ms", "5"), ("timeout_ms", "60000")],
    );
    let waiting = std::thread::spawn({
        let client = client.clone();
        move || get(&client)
    });
    // More rounds than there are while nobody answers.
    servers[0].wait_for_requests(6);
    elected.store(true, SeqCst);
    let found = waiting.join().unwrap();
    assert!(found == "a" || found == "b");
}

/// While there is no leader a server may still name the one that is gone.
#[test]
fn one_that_names_a_leader_and_reaches_none_is_told_of_once() {
    let (elected, servers) = electing(|request| {
        healthy(request, Reply::text(500, "rpc error: failed to get conn: EOF"))
    });
    let settings = [("retry_interval_ms", "5"), ("timeout_ms", "60000")];
    let client = client(&[servers[0].address(), servers[1].address()], &settings);
    let changes = Arc::new(AtomicUsize::new(0));
    let counted = changes.clone();
    let listener = move |news| {
        let EndpointNews::Changed(all) = news else { return };
        let is_other = |change: &&EndpointChange| change.before.condition != change.after.condition;
        counted.fetch_add(all.iter().filter(is_other).count(), SeqCst);
    };
    client.set_endpoint_listener(Some(Box::new(listener))).unwrap();
    let ((), timing) = timed(|| {
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| get(&client))).collect();
            let probes = |server: &Server| server.requests().len() - calls(server).len();
            eventually("probes", || servers.iter().all(|server| probes(server) >= 8));
            assert_eq!(conditions(&client), [Condition::NoLeader; 2]);
            elected.store(true, SeqCst);
            waiting.into_iter().for_each(|call| drop(call.join().unwrap()));
        });
    });
    // What was served proves it at once, and each has been told of as it failed and as it served.
    assert!(conditions(&client).contains(&Condition::Up));
    let changes = changes.load(SeqCst);
    assert!(changes <= 4 || !timing.is_punctual(SECOND), "{changes}");
}

#[test]
fn a_change_goes_elsewhere_only_while_nobody_can_have_applied_it() {
    let lossy = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reset()
    });
    let b = server("b");
    let client = unwatched(&[lossy.address(), b.address()], &[]);
    let error = client.kv().put("a", b"1", 0, &none()).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(calls(&b).len(), 0);
    // The next one does not ask there again.
    assert!(client.kv().put("a", b"2", 0, &none()).unwrap().value);
    assert_eq!((calls(&lossy).len(), calls(&b).len()), (1, 1));

    let c = server("c");
    let full = Server::full_backlog(Door::Tcp);
    let leaderless = Server::answering(|_| no_leader());
    for fails in [Server::refused_address().as_str(), leaderless.address()] {
        let client = unwatched(&[fails, c.address()], &[]);
        assert!(client.kv().put("a", b"1", 0, &none()).unwrap().value);
    }
    assert_eq!(calls(&c).len(), 2);
    let client = unwatched(&[full.address(), c.address()], &[("timeout_ms", "4000")]);
    let written = in_time(|| client.kv().put("a", b"1", 0, &none()));
    assert!(written.is_none_or(|written| written.value && calls(&c).len() == 3));
}

/// A follower puts the same words before what the leader refused as before what it could not reach.
#[test]
fn what_a_follower_passes_on_as_refused_is_told_at_once() {
    for refusal in [
        "rpc error making call: Failed to create boolean expression evaluator: no such selector",
        "rpc error making call: rpc error making call: Intention not found",
    ] {
        let follower = || Server::answering(move |_| Reply::text(500, refusal).index(1));
        let (a, b) = (follower(), follower());
        let client = unwatched(&[a.address(), b.address()], &[]);
        let read = client.kv().get("a", &none()).unwrap_err();
        let write = client.kv().put("a", b"", 0, &none()).unwrap_err();
        for error in [read, write] {
            assert_eq!((error.status(), error.http_status()), (Status::Http, 500), "{error}");
            assert!(!error.is_retryable() && !error.is_outcome_unknown(), "{error}");
        }
        assert_eq!((calls(&a).len(), calls(&b).len()), (2, 0));
        assert_eq!(conditions(&client), [Condition::Up, Condition::Up]);
    }
}

#[test]
fn when_one_fails_those_nothing_was_heard_of_are_asked_before_a_change_goes_there() {
    let lossy = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reset()
    });
    let (frozen, c) = (Server::black_hole(), server("c"));
    let client = unwatched(&[lossy.address(), frozen.address(), c.address()], &[]);
    assert!(client.kv().put("a", b"1", 0, &none()).unwrap_err().is_outcome_unknown());
    eventually("the frozen one is found", || conditions(&client)[1] == Condition::Down);
    assert!(client.kv().put("a", b"2", 0, &none()).unwrap().value);
    assert!(calls(&frozen).is_empty());
}

#[test]
fn what_is_of_one_agent_is_not_changed_at_another_in_its_place() {
    let lossy = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reset()
    });
    let b = server("b");
    let client = unwatched(&[lossy.address(), b.address()], &[]);
    let error = client.agent().deregister_service("web", &none()).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert_eq!(calls(&b).len(), 0);
}

/// D1: a 429 is this server's limit, a 503 the cluster's; as health they are answers.
#[test]
fn limits_are_told_apart_and_from_health() {
    let limited = Server::answering(|request| match request.method.as_str() {
        "GET" => Reply::text(429, "").header("Retry-After", 60),
        _ => Reply::text(503, "rate limit exceeded, try again later"),
    });
    let b = server("b");
    let client = unwatched(&[limited.address(), b.address()], &[]);
    assert_eq!(get(&client), "b");
    // It works, so it is no failure of its own; and it is left alone for as long as it asks for.
    assert_eq!(conditions(&client), [Condition::Up, Condition::Up]);
    assert_eq!(get(&client), "b");
    assert_eq!(calls(&limited).len(), 1);

    let cluster = Server::answering(|_| Reply::text(503, "rate limit exceeded, try again later"));
    let client = unwatched(&[cluster.address(), b.address()], &[("retry_attempts", "0")]);
    let before = calls(&b).len();
    let error = client.kv().put("a", b"1", 0, &none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::RateLimited, 503));
    assert_eq!(calls(&b).len(), before);

    let health = r#"{"AggregatedStatus":"critical","Service":{"ID":"web","Service":"web"}}"#;
    let sick = Server::answering(move |_| {
        Reply::json(503, health).header("Content-Type", "application/json")
    });
    let client = unwatched(&[sick.address(), b.address()], &[]);
    let found = client.agent().service_health("web", &none()).unwrap();
    assert!(found.is_some());
    assert_eq!((calls(&sick).len(), calls(&b).len()), (1, before));
}

#[test]
fn a_cluster_at_its_limit_is_asked_again_after_a_pause() {
    let busy = Arc::new(AtomicBool::new(true));
    let limiting = busy.clone();
    let server = Server::answering(move |_| match limiting.swap(false, SeqCst) {
        true => Reply::text(503, "rate limit exceeded, try again later").header("Retry-After", 1),
        false => value("a"),
    });
    let client = unwatched(&[server.address()], &[("retry_attempts", "1")]);
    let started = Instant::now();
    assert_eq!(get(&client), "a");
    assert!(started.elapsed() >= Duration::from_millis(990), "{:?}", started.elapsed());
    assert_eq!(calls(&server).len(), 2);
}

#[test]
fn a_client_that_is_closed_ends_a_pause() {
    let leaderless = Server::answering(|_| no_leader());
    let rounds =
        [("retry_attempts", "100"), ("retry_interval_ms", "60000"), ("timeout_ms", "600000")];
    let client = unwatched(&[leaderless.address()], &rounds);
    let blocked = std::thread::spawn({
        let client = client.clone();
        move || client.kv().get("a", &none()).unwrap_err().status()
    });
    let awaited = std::thread::spawn({
        let later = client.deferred();
        move || wait(later.kv().get("a", &none()).unwrap()).unwrap_err().status()
    });
    leaderless.wait_for_requests(2);
    client.shutdown();
    assert_eq!(
        (blocked.join().unwrap(), awaited.join().unwrap()),
        (Status::Closed, Status::Closed)
    );
}

#[test]
fn one_address_is_asked_once_unless_told_otherwise() {
    let leaderless = Server::answering(|_| no_leader());
    let client = unwatched(&[leaderless.address()], &[]);
    assert_eq!(client.kv().get("a", &none()).unwrap_err().status(), Status::NoLeader);
    assert_eq!(calls(&leaderless).len(), 1);
    let client =
        unwatched(&[leaderless.address()], &[("retry_attempts", "2"), ("retry_interval_ms", "1")]);
    assert_eq!(client.kv().get("a", &none()).unwrap_err().status(), Status::NoLeader);
    assert_eq!(calls(&leaderless).len(), 4);
}

#[test]
fn one_that_serves_again_is_found_and_gone_back_to_where_that_is_wished() {
    for prefer_first in [false, true] {
        let ill = Arc::new(AtomicBool::new(true));
        let illness = ill.clone();
        let a = Server::answering(move |request| match illness.load(SeqCst) {
            true => no_leader(),
            false => healthy(request, value("a")),
        });
        let b = server("b");
        let wish = ("prefer_first", if prefer_first { "true" } else { "false" });
        let client = client(&[a.address(), b.address()], &[wish]);
        assert_eq!(get(&client), "b");
        assert_eq!(conditions(&client)[0], Condition::NoLeader);
        ill.store(false, SeqCst);
        eventually("it serves again", || conditions(&client)[0] == Condition::Up);
        assert_eq!(get(&client), if prefer_first { "a" } else { "b" });
    }
}

#[test]
fn a_read_that_waits_moves_on_when_its_server_is_found_frozen() {
    let (frozen, b) = (Server::black_hole(), server("b"));
    let client = client(&[frozen.address(), b.address()], &[("timeout_ms", "600000")]);
    let options = none().index(5).wait(Duration::from_secs(600));
    assert_eq!(read(&client, &options), "b");
    let asked = &calls(&b)[0];
    assert_eq!(asked.parameter("index"), Some("5"));
    // The same for a call that is awaited.
    let client =
        crate::failover::client(&[frozen.address(), b.address()], &[("timeout_ms", "600000")]);
    let found = wait(client.deferred().kv().get("a", &options).unwrap()).unwrap();
    assert_eq!(found.value.unwrap().value, b"b");
}

#[test]
fn awaited_calls_move_on_in_the_same_way() {
    let (dead, leaderless, c) =
        (Server::refused_address(), Server::answering(|_| no_leader()), server("c"));
    let client = unwatched(&[&dead, leaderless.address(), c.address()], &[]);
    let later = client.deferred();
    let found = wait(later.kv().get("a", &none()).unwrap()).unwrap();
    assert_eq!(found.value.unwrap().value, b"c");
    assert!(wait(later.kv().put("a", b"1", 0, &none()).unwrap()).unwrap().value);
    assert_eq!(client.endpoint(), c.address());
    let all_dead = unwatched(
        &[&dead, &Server::refused_address()],
        &[("retry_attempts", "2"), ("retry_interval_ms", "1")],
    );
    let error = wait(all_dead.deferred().kv().get("a", &none()).unwrap()).unwrap_err();
    assert_eq!(error.status(), Status::Connect);
    assert!(all_dead.endpoints().iter().all(|endpoint| endpoint.requests == 3));
}

/// A server without a leader, which answers stale reads with data that old.
fn leaderless(last_contact_ms: u64) -> Server {
    Server::answering(move |request| match request.parameter("stale") {
        Some(_) => {
            let old = Reply::json(200, r#"[{"Key":"a","Value":"b2xk"}]"#).index(7);
            let old = old.header("X-Consul-KnownLeader", false);
            old.header("X-Consul-LastContact", last_contact_ms)
        }
        None => no_leader(),
    })
}

/// D6, D4: stale data while there is no leader, where that is asked for.
#[test]
fn without_a_leader_any_server_may_answer_a_read() {
    let (a, b) = (leaderless(15_057), leaderless(15_057));
    let settings = [("stale_on_no_leader", "true"), ("retry_attempts", "0")];
    let client = unwatched(&[a.address(), b.address()], &settings);
    let answer = client.kv().get("a", &none()).unwrap();
    assert_eq!(answer.value.unwrap().value, b"old");
    assert_eq!((answer.meta.known_leader, answer.meta.last_contact_ms), (false, 15_057));
    let awaited = wait(client.deferred().kv().get("a", &none()).unwrap()).unwrap();
    assert_eq!(awaited.value.unwrap().value, b"old");
    for strict in [none().consistency(Consistency::Consistent), none().stale_on_no_leader(false)] {
        let strict = strict.timeout(SECOND * 20);
        assert_eq!(client.kv().get("a", &strict).unwrap_err().status(), Status::NoLeader);
    }
    assert_eq!(client.kv().put("a", b"1", 0, &none()).unwrap_err().status(), Status::NoLeader);
    let one = unwatched(&[a.address()], &[]);
    assert_eq!(one.kv().get("a", &none()).unwrap_err().status(), Status::NoLeader);
    let stale = none().stale_on_no_leader(true);
    assert_eq!(one.kv().get("a", &stale).unwrap().value.unwrap().value, b"old");
}

/// D6: the bound is kept by the client, whatever the server makes of it.
#[test]
fn an_answer_that_is_too_old_is_not_taken() {
    let behind = Server::answering(|request| match request.parameter("stale") {
        Some(_) => value("old").header("X-Consul-LastContact", 5000),
        None => value("new"),
    });
    let stale = none().consistency(Consistency::Stale);
    let client = unwatched(&[behind.address()], &[("max_stale_ms", "1000")]);
    assert_eq!(read(&client, &stale), "new");
    assert_eq!(read(&client, &stale.clone().max_stale(SECOND * 9)), "old");
    let awaited = wait(client.deferred().kv().get("a", &stale).unwrap()).unwrap();
    assert_eq!(awaited.value.unwrap().value, b"new");
    let requests = calls(&behind);
    let parameters: Vec<_> = requests.iter().map(|r| r.parameter("max_stale")).collect();
    assert_eq!(parameters[..2], [Some("1000ms"), None]);

    let alone = leaderless(5000);
    let client = unwatched(
        &[alone.address()],
        &[("max_stale_ms", "1000"), ("stale_on_no_leader", "true"), ("retry_attempts", "0")],
    );
    let error = client.kv().get("a", &none()).unwrap_err();
    assert_eq!(error.status(), Status::NoLeader);
    assert!(error.message().contains("5000 ms behind"), "{error}");
}

/// Two doors to one cluster.
fn doors() -> Option<(Proxy, Proxy)> {
    let consul = quick()?;
    Some((Proxy::before(consul), Proxy::before(consul)))
}

fn seen(proxy: &Proxy, part: &str) -> usize {
    proxy.requests().iter().filter(|request| request.target.contains(part)).count()
}

const SHORT_TTL: &[(&str, &str)] = &[("min_session_ttl_ms", "1000")];

#[test]
fn a_session_and_a_lock_outlive_the_server_they_were_made_through() {
    let Some((a, b)) = doors() else { return };
    let client = client(&[a.address(), b.address()], SHORT_TTL);
    let spec = SessionSpec::new().ttl(SECOND * 6);
    let session = client.keep_session(&spec, &none()).unwrap();
    let key = unique("failover-lock");
    let lock = client.lock(LockSpec::new(&key).session_spec(spec.clone())).unwrap();
    lock.acquire(PATIENCE).unwrap();
    let (id, token) = (session.id(), lock.fencing_token());
    // It accepts connections and says nothing any more.
    a.judge(|_| Fate::Swallow);
    eventually("renewed elsewhere", || seen(&b, &id) >= 1 && session.remaining() > SECOND * 3);
    assert!(session.is_valid() && lock.is_held());
    assert_eq!((session.generation(), lock.fencing_token()), (1, token));
    lock.release().unwrap();
    assert!(seen(&a, "/v1/session/create") == 2 && seen(&b, "/v1/session/create") == 0);
}

#[test]
fn a_watch_outlives_the_server_it_asked() {
    let Some((a, b)) = doors() else { return };
    // The door is held open by what waits behind it.
    let client = client(&[a.address(), b.address()], &[("wait_ms", "2000")]);
    let key = unique("failover-watch");
    client.kv().put(&key, b"1", 0, &none()).unwrap();
    let watch = client.watch(WatchSpec::key(&key)).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    let index = watch.stats().index;
    eventually("it waits for news", || seen(&a, "index=") >= 1);
    a.judge(|_| Fate::Swallow);
    let writer = client_with(b.address(), &[]);
    // What waits already is still answered.
    for (value, index) in [(b"2", index), (b"3", 0)] {
        let index = index.max(watch.stats().index);
        writer.kv().put(&key, value, 0, &none()).unwrap();
        eventually("it is seen", || watch.stats().index > index);
    }
    let asked = |request: &Request| request.method == "GET" && request.target.contains(&key);
    assert!(b.requests().iter().any(asked));
}

/// A service belongs to one agent: it is registered with another one, and leaves the first when that
/// is back.
#[test]
fn a_service_moves_to_an_agent_that_answers_and_leaves_the_one_that_did_not() {
    let (Some(a), Some(b)) = (Consul::start(), Consul::start()) else { return };
    let client = client(&[&a.address(), &b.address()], &[]);
    let name = unique("failover-web");
    let spec = KeptServiceSpec::new(ServiceDefinition::new(&name).port(80)).ttl(SECOND * 2);
    let service = client.keep_service(spec).unwrap();
    start(&service);
    let has = |consul: &Consul| consul.get(&format!("/v1/agent/service/{name}")).status == 200;
    assert!(has(&a) && !has(&b));
    a.stop_signal();
    eventually("registered elsewhere", || has(&b));
    a.cont();
    eventually("gone where it was", || !has(&a));
    assert!(has(&b) && service.is_registered());
    close(&service);
    assert!(!has(&b));
}

/// A program that starts while the first agent is gone is registered with the next one.
#[test]
fn a_service_starts_at_the_first_agent_that_answers() {
    let Some(b) = Consul::start() else { return };
    let gone = Server::refused_address();
    let client = client(&[&gone, &b.address()], &[]);
    let name = unique("failover-web");
    let service =
        client.keep_service(KeptServiceSpec::new(ServiceDefinition::new(&name).port(80))).unwrap();
    service.start().unwrap();
    assert_eq!(b.get(&format!("/v1/agent/service/{name}")).status, 200);
    service.close().unwrap();
}

/// Through one of several doors a session does not depend on the node behind it.
#[test]
fn a_session_of_several_servers_ends_by_its_ttl_alone() {
    let bodies = |addresses: &[&str], server: &Server, spec: &SessionSpec| {
        let _ = unwatched(addresses, &[]).session().create(spec, &none());
        calls(server).last().unwrap().text().to_string()
    };
    let (a, b) = (server("a"), server("b"));
    let (one, two) = ([a.address()], [a.address(), b.address()]);
    let ttl = SessionSpec::new().ttl(SECOND * 15);
    assert!(bodies(&two, &a, &ttl).contains("\"NodeChecks\":[]"));
    assert!(!bodies(&one, &a, &ttl).contains("NodeChecks"));
    assert!(!bodies(&two, &a, &SessionSpec::new()).contains("NodeChecks"));
    let bound = ttl.node_checks(["serfHealth"]);
    assert!(bodies(&two, &a, &bound).contains("[\"serfHealth\"]"));
}
