//! The agent as a client's transport meets it.

use super::{Control, EmbeddedTransport};
use crate::error::{Result, Status};
use crate::sys::testing;
use crate::transport::{CancelToken, Lane, Method, OwnedRequest, Response, Transport};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// One whose clock goes as the test turns it alone.
fn own() -> (Arc<EmbeddedTransport>, Control) {
    let transport = Arc::new(EmbeddedTransport::new("", false));
    let control = transport.control();
    control.stop_clock();
    (transport, control)
}

fn request(method: Method, target: &str, body: &[u8]) -> OwnedRequest {
    OwnedRequest {
        method,
        target: target.to_owned(),
        headers: Vec::new(),
        body: Some(body.to_vec()),
        deadline: Instant::now() + PATIENCE,
        connect_by: Instant::now() + PATIENCE,
        replay: false,
        max_answer: 1 << 20,
        lane: Lane::Calls,
        gone: None,
    }
}

fn exchange(transport: &EmbeddedTransport, request: &OwnedRequest) -> Result<Response> {
    transport.exchange(request.borrow(&CancelToken::new()))
}

fn get(transport: &EmbeddedTransport, target: &str) -> Response {
    exchange(transport, &request(Method::Get, target, b"")).unwrap()
}

fn put(transport: &EmbeddedTransport, target: &str, body: &str) -> (u16, String) {
    told(exchange(transport, &request(Method::Put, target, body.as_bytes())).unwrap())
}

fn told(response: Response) -> (u16, String) {
    (response.status, String::from_utf8(response.body).unwrap())
}

fn index(response: &Response) -> u64 {
    response.headers.get("X-Consul-Index").unwrap().parse().unwrap()
}

/// Starts a request; what it ends with arrives here.
fn start(
    transport: &Arc<EmbeddedTransport>,
    request: OwnedRequest,
    cancel: &CancelToken,
) -> Receiver<Result<Response>> {
    let (send, ended) = channel();
    let done = Box::new(move |answer| drop(send.send(answer)));
    transport.clone().start(request, cancel.clone(), done);
    ended
}

/// A blocking query that waits for the key to change.
fn follow(
    transport: &Arc<EmbeddedTransport>,
    key: &str,
    wait: &str,
) -> (u64, Receiver<Result<Response>>, CancelToken) {
    let known = index(&get(transport, &format!("/v1/kv/{key}")));
    let target = format!("/v1/kv/{key}?index={known}&wait={wait}");
    let cancel = CancelToken::new();
    let ended = start(transport, request(Method::Get, &target, b""), &cancel);
    (known, ended, cancel)
}

fn session(transport: &EmbeddedTransport, body: &str) -> String {
    let (status, created) = put(transport, "/v1/session/create", body);
    assert_eq!(status, 200, "{created}");
    created.split('"').nth(3).unwrap().to_owned()
}

#[test]
fn clients_share_an_agent_by_its_name_and_no_other() {
    let shared = |name| EmbeddedTransport::new(name, false);
    let (one, two, other) = (shared("t-shared"), shared("t-shared"), shared("t-other"));
    put(&one, "/v1/kv/a", "1");
    assert_eq!(get(&two, "/v1/kv/a?raw").body, b"1");
    assert_eq!(get(&other, "/v1/kv/a").status, 404);
    assert_eq!(get(&shared(""), "/v1/kv/a").status, 404);
    drop((one, two));
    assert_eq!(get(&shared("t-shared"), "/v1/kv/a").status, 404);
}

#[test]
fn a_write_wakes_a_query_that_was_started_and_one_that_blocks() {
    let (transport, _) = own();
    put(&transport, "/v1/kv/a", "1");
    let (known, started, _cancel) = follow(&transport, "a", "5m");
    let blocked = std::thread::spawn({
        let transport = transport.clone();
        move || get(&transport, &format!("/v1/kv/a?index={known}&wait=5m"))
    });
    put(&transport, "/v1/kv/b", "another key");
    put(&transport, "/v1/kv/a", "1");
    put(&transport, "/v1/kv/a", "2");
    let news = started.recv_timeout(PATIENCE).unwrap().unwrap();
    assert!(index(&news) > known);
    assert!(index(&blocked.join().unwrap()) > known);
}

#[test]
fn a_turned_clock_ends_a_wait_with_what_is_known() {
    let (transport, control) = own();
    put(&transport, "/v1/kv/a", "1");
    let (known, started, _cancel) = follow(&transport, "a", "16s");
    control.advance(Duration::from_secs(15));
    assert!(started.try_recv().is_err());
    control.advance(Duration::from_secs(2));
    let same = started.recv_timeout(PATIENCE).unwrap().unwrap();
    assert_eq!((same.status, index(&same)), (200, known));
}

#[test]
fn queries_that_wait_hold_no_thread() {
    let (transport, _) = own();
    put(&transport, "/v1/kv/a", "1");
    let waiting: Vec<_> = (0..1000).map(|_| follow(&transport, "a", "5m")).collect();
    // Other tests start and end threads meanwhile, but not as many.
    assert!(testing::threads() < 1000);
    put(&transport, "/v1/kv/a", "2");
    for (known, ended, _cancel) in waiting {
        assert!(index(&ended.recv_timeout(PATIENCE).unwrap().unwrap()) > known);
    }
}

#[test]
fn a_wait_ends_when_it_is_cancelled_closed_or_at_its_deadline() {
    let (transport, _) = own();
    put(&transport, "/v1/kv/a", "1");
    let (known, ended, cancel) = follow(&transport, "a", "5m");
    cancel.cancel(Status::Cancelled, "enough");
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().unwrap_err().status(), Status::Cancelled);

    let target = format!("/v1/kv/a?index={known}");
    let soon = OwnedRequest {
        deadline: Instant::now() + Duration::from_millis(20),
        ..request(Method::Get, &target, b"")
    };
    let late = exchange(&transport, &soon).unwrap_err();
    assert_eq!(late.status(), Status::Timeout);
    assert_eq!(late.endpoint(), "embedded:");
    let late = start(&transport, soon, &CancelToken::new()).recv_timeout(PATIENCE).unwrap();
    assert_eq!(late.unwrap_err().status(), Status::Timeout);

    let (_, ended, _cancel) = follow(&transport, "a", "5m");
    transport.close();
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().unwrap_err().status(), Status::Closed);
    assert!(transport.wait_closed(Instant::now() + PATIENCE));
    let refused = exchange(&transport, &request(Method::Get, "/v1/kv/a", b"")).unwrap_err();
    assert_eq!(refused.status(), Status::Closed);
}

#[test]
fn a_signal_ends_the_wait_of_a_client_that_wants_so_and_of_no_other() {
    testing::ignore_by_handler(libc::SIGUSR1);
    let transports = [true, false].map(|wants| EmbeddedTransport::new("t-signals", wants));
    let ended: Vec<_> = std::thread::scope(|scope| {
        let (send, started) = channel();
        let wait = |transport| {
            let send = send.clone();
            scope.spawn(move || {
                send.send(testing::this_thread()).unwrap();
                exchange(transport, &request(Method::Get, "/v1/kv/a?index=99999", b""))
            })
        };
        let waiting: Vec<_> = transports.iter().map(wait).collect();
        let threads = [started.recv().unwrap(), started.recv().unwrap()];
        while !waiting[0].is_finished() && !waiting[1].is_finished() {
            threads.iter().for_each(|&thread| testing::signal(thread, libc::SIGUSR1));
            std::thread::yield_now();
        }
        transports.iter().for_each(EmbeddedTransport::close);
        waiting.into_iter().map(|thread| thread.join().unwrap().unwrap_err().status()).collect()
    });
    assert_eq!(ended, [Status::Interrupted, Status::Closed]);
}

#[test]
fn a_session_lives_twice_its_ttl_and_a_renewal_is_a_new_life() {
    let (transport, control) = own();
    let id = session(&transport, r#"{"TTL": "10s", "Behavior": "delete", "LockDelay": "0s"}"#);
    assert_eq!(put(&transport, &format!("/v1/kv/a?acquire={id}"), "x").1, "true\n");
    let (_, ended, _cancel) = follow(&transport, "a", "10m");
    control.advance(Duration::from_millis(19_900));
    assert_eq!(put(&transport, &format!("/v1/session/renew/{id}"), "").0, 200);
    control.advance(Duration::from_millis(19_900));
    assert!(ended.try_recv().is_err());
    control.advance(Duration::from_millis(100));
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().unwrap().status, 404);
    let gone = put(&transport, &format!("/v1/session/renew/{id}"), "");
    assert_eq!(gone, (404, format!("Session id '{id}' not found")));
}

#[test]
fn a_lock_delay_begins_when_the_holder_ends() {
    let (transport, control) = own();
    let holder = session(&transport, r#"{"TTL": "10s"}"#);
    let other = session(&transport, "{}");
    let acquire = || put(&transport, &format!("/v1/kv/a?acquire={other}"), "").1;
    put(&transport, &format!("/v1/kv/a?acquire={holder}"), "x");
    // It has ended 20 s in, not when somebody looks.
    control.advance(Duration::from_secs(34));
    assert_eq!(acquire(), "false\n");
    let locked = format!(r#"[{{"KV": {{"Verb": "lock", "Key": "a", "Session": "{other}"}}}}]"#);
    let (status, body) = put(&transport, "/v1/txn", &locked);
    assert!(status == 409 && body.contains("due to lock delay"), "{body}");
    control.advance(Duration::from_secs(1));
    assert_eq!(acquire(), "true\n");
}

#[test]
fn a_transaction_that_fails_changes_nothing_and_wakes_nobody_for_good() {
    let (transport, _) = own();
    put(&transport, "/v1/kv/a", "1");
    let (known, ended, _cancel) = follow(&transport, "a", "5m");
    let failing = r#"[{"KV": {"Verb": "set", "Key": "a", "Value": "Mg=="}},
                      {"KV": {"Verb": "get", "Key": "missing"}}]"#;
    let (status, body) = put(&transport, "/v1/txn", failing);
    assert!(status == 409 && body.contains("key \\\"missing\\\" doesn't exist"), "{body}");
    let same = get(&transport, "/v1/kv/a?raw");
    assert_eq!((same.body.as_slice(), index(&same)), (b"1".as_slice(), known));
    assert!(ended.try_recv().is_err());
    let good = failing.replace("missing", "a");
    assert_eq!(put(&transport, "/v1/txn", &good).0, 200);
    assert!(index(&ended.recv_timeout(PATIENCE).unwrap().unwrap()) > known);
}

#[test]
fn a_failure_that_is_ordered_comes_in_place_of_an_answer() {
    let (transport, control) = own();
    control.under("/v1/kv/").fail_next(1, 500, "rpc error making call: EOF");
    assert_eq!(get(&transport, "/v1/status/leader").status, 200);
    assert_eq!(put(&transport, "/v1/kv/a", "1"), (500, "rpc error making call: EOF".into()));
    assert_eq!(get(&transport, "/v1/kv/a").status, 404);
    control.fail_next(7, 503, "");
    control.reset_faults();
    assert_eq!(put(&transport, "/v1/kv/a", "1").0, 200);
}

#[test]
fn a_lost_answer_leaves_the_outcome_unknown_and_the_change_done() {
    let (transport, control) = own();
    control.lose_answers(1);
    let lost = exchange(&transport, &request(Method::Put, "/v1/kv/a", b"1")).unwrap_err();
    assert_eq!(lost.status(), Status::Io);
    assert!(lost.is_outcome_unknown() && lost.is_retryable());
    assert_eq!(get(&transport, "/v1/kv/a?raw").body, b"1");
}

#[test]
fn without_a_leader_requests_are_held_and_stale_reads_answered() {
    let (transport, control) = own();
    put(&transport, "/v1/kv/a", "1");
    control.no_leader(true);
    let stale = get(&transport, "/v1/kv/a?stale");
    assert_eq!(stale.headers.get("X-Consul-KnownLeader"), Some("false"));
    assert_eq!(told(get(&transport, "/v1/status/leader")), (200, "\"\"\n".into()));
    let begin = || {
        let write = request(Method::Put, "/v1/kv/a", b"2");
        start(&transport, write, &CancelToken::new())
    };
    let held = begin();
    control.advance(Duration::from_millis(6900));
    assert!(held.try_recv().is_err());
    control.advance(Duration::from_millis(200));
    let failed = told(held.recv_timeout(PATIENCE).unwrap().unwrap());
    assert_eq!(failed, (500, "No cluster leader".into()));
    let held = begin();
    control.no_leader(false);
    assert_eq!(held.recv_timeout(PATIENCE).unwrap().unwrap().status, 200);
}

#[test]
fn a_new_leader_lets_sessions_live_anew() {
    let (transport, control) = own();
    let id = session(&transport, r#"{"TTL": "10s"}"#);
    let lives = || put(&transport, &format!("/v1/session/renew/{id}"), "").0 == 200;
    control.advance(Duration::from_secs(19));
    control.no_leader(true);
    control.advance(Duration::from_secs(60));
    control.no_leader(false);
    control.advance(Duration::from_secs(19));
    assert!(lives());
    control.advance(Duration::from_secs(20));
    assert!(!lives());
}

#[test]
fn latency_is_of_the_agents_clock() {
    // The longest one there is comes to an end, too.
    for latency in [Duration::from_secs(3600), Duration::MAX] {
        let (transport, control) = own();
        control.set_latency(latency);
        let write = request(Method::Put, "/v1/kv/a", b"1");
        let ended = start(&transport, write, &CancelToken::new());
        assert!(ended.try_recv().is_err());
        control.advance(latency);
        assert_eq!(ended.recv_timeout(PATIENCE).unwrap().unwrap().status, 200);
        control.set_latency(Duration::ZERO);
        assert_eq!(get(&transport, "/v1/kv/a?raw").body, b"1");
    }
}

#[test]
fn tombstones_keep_an_index_from_going_back_for_a_while() {
    let (transport, control) = own();
    put(&transport, "/v1/kv/a/1", "");
    put(&transport, "/v1/kv/a/2", "");
    let delete = request(Method::Delete, "/v1/kv/a/2", b"");
    exchange(&transport, &delete).unwrap();
    let listed = || index(&get(&transport, "/v1/kv/a/?recurse"));
    let deleted = listed();
    control.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(listed(), deleted);
    control.advance(Duration::from_secs(31));
    assert!(listed() < deleted);
}

#[test]
fn a_forked_child_goes_on_with_a_copy_of_its_own() {
    let (transport, control) = own();
    put(&transport, "/v1/kv/a", "parent");
    let (_, ended, _cancel) = follow(&transport, "a", "5m");
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let writer = std::thread::spawn({
        // At work on the agent whenever the process forks.
        let (transport, busy) = (transport.clone(), busy.clone());
        move || {
            while busy.load(std::sync::atomic::Ordering::Relaxed) {
                put(&transport, "/v1/kv/busy", "x");
            }
        }
    });
    for _ in 0..20 {
        let status = testing::in_child(|| {
            assert_eq!(get(&transport, "/v1/kv/a?raw").body, b"parent");
            put(&transport, "/v1/kv/a", "child");
            control.advance(Duration::from_secs(1));
            let (_, ended, _cancel) = follow(&transport, "a", "5m");
            put(&transport, "/v1/kv/a", "child again");
            i32::from(ended.recv_timeout(PATIENCE).unwrap().unwrap().status == 200)
        });
        assert_eq!(status, 1);
    }
    busy.store(false, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(get(&transport, "/v1/kv/a?raw").body, b"parent");
    assert!(ended.try_recv().is_err());
    put(&transport, "/v1/kv/a", "parent again");
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().unwrap().status, 200);
}
