//! Several addresses that limit the rate of requests: each is left alone for its own `Retry-After`.

use crate::deferred::wait;
use crate::failover::{calls, get, healthy, unwatched, value};
use crate::quick::none;
use crate::support::fault::{Reply, Server};
use consul_ffi::{Client, Result, Status};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

const A_SECOND: Duration = Duration::from_millis(990);

/// A server that limits the first call, and serves from then on.
fn limiting(retry_after: Option<u64>) -> Server {
    let limits = AtomicBool::new(true);
    let limit = Reply::text(429, "");
    let limit = match retry_after {
        Some(seconds) => limit.header("Retry-After", seconds),
        None => limit,
    };
    Server::answering(move |request| match request.path() {
        "/v1/status/leader" => healthy(request, value("")),
        _ if limits.swap(false, SeqCst) => limit.clone(),
        _ => value("served"),
    })
}

/// Two of them, and a client that knows both.
fn pair(
    first: Option<u64>,
    second: Option<u64>,
    settings: &[(&str, &str)],
) -> (Client, [Server; 2]) {
    let servers = [limiting(first), limiting(second)];
    let client = unwatched(&[servers[0].address(), servers[1].address()], settings);
    (client, servers)
}

fn asked(servers: &[Server; 2]) -> [usize; 2] {
    servers.each_ref().map(|server| calls(server).len())
}

fn awaited(client: &Client) -> Result<()> {
    wait(client.deferred().kv().get("a", &none()).unwrap()).map(drop)
}

fn blocking(client: &Client) -> Result<()> {
    client.kv().get("a", &none()).map(drop)
}

const EITHER: [fn(&Client) -> Result<()>; 2] = [blocking, awaited];

#[test]
fn the_one_that_may_be_asked_first_is_waited_for_and_the_other_left_alone() {
    for ask in EITHER {
        for (first, second, expected) in [(1, 60, [2, 1]), (60, 1, [1, 2])] {
            let (client, servers) = pair(Some(first), Some(second), &[("timeout_ms", "30000")]);
            let started = Instant::now();
            ask(&client).unwrap();
            assert!(started.elapsed() >= A_SECOND, "{:?}", started.elapsed());
            assert_eq!(asked(&servers), expected);
        }
        // One that does not say for how long is asked in the next round.
        let (client, servers) = pair(Some(60), None, &[("timeout_ms", "30000")]);
        ask(&client).unwrap();
        assert_eq!(asked(&servers), [1, 2]);
    }
}

#[test]
fn where_none_may_be_asked_in_time_the_call_ends_at_once_and_the_next_one_asks_nobody() {
    for ask in EITHER {
        let (client, servers) = pair(Some(60), Some(50), &[("timeout_ms", "30000")]);
        let error = ask(&client).unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::RateLimited, 429));
        assert_eq!(asked(&servers), [1, 1]);
        let error = ask(&client).unwrap_err();
        assert_eq!((error.status(), error.is_outcome_unknown()), (Status::RateLimited, false));
        assert!(error.is_retryable() && error.message().contains("left alone"), "{error}");
        assert_eq!(error.endpoint(), servers[1].address());
        assert_eq!(asked(&servers), [1, 1]);
    }
}

#[test]
fn a_call_that_begins_while_all_limit_waits_for_the_first_one() {
    for ask in EITHER {
        let (client, servers) = pair(Some(60), Some(2), &[("timeout_ms", "30000")]);
        let hurried = client.kv().get("a", &none().timeout(Duration::from_millis(1500)));
        assert_eq!(hurried.unwrap_err().status(), Status::RateLimited);
        assert_eq!(asked(&servers), [1, 1]);
        ask(&client).unwrap();
        assert_eq!(asked(&servers), [1, 2]);
    }
    // Where no rounds are wanted it ends.
    let (client, servers) = pair(Some(60), Some(1), &[("retry_attempts", "0")]);
    for _ in 0..2 {
        assert_eq!(blocking(&client).unwrap_err().status(), Status::RateLimited);
    }
    assert_eq!(asked(&servers), [1, 1]);
}

#[test]
fn one_that_limits_is_not_asked_even_where_the_others_fail() {
    let (limits, dead) = (limiting(Some(60)), Server::refused_address());
    let client = unwatched(&[limits.address(), &dead], &[("retry_interval_ms", "1")]);
    assert_eq!(blocking(&client).unwrap_err().status(), Status::RateLimited);
    assert_eq!(calls(&limits).len(), 1);
    assert_eq!(client.endpoints()[1].requests, 4);
    let other = unwatched(&[limits.address()], &[]);
    assert_eq!(get(&other), "served");
}
