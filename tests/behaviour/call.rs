//! What every call carries, and what its answer means.

use crate::clients::{client_at, client_with, shared_client};
use crate::support::control::{GRACE, timed};
use crate::support::fault::{Reply, Request, Server};
use crate::support::unique;
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::api::txn::Txn;
use consul_ffi::{Client, Config, Consistency, Error, Options, Status};
use std::time::Duration;

fn none() -> Options {
    Options::new()
}

/// What happens in it is beside the point.
type Calls = Vec<Result<(), Error>>;

fn reads(client: &Client, options: &Options) -> Calls {
    let (kv, session) = (client.kv(), client.session());
    let mut txn = Txn::new();
    txn.get("a").unwrap();
    vec![
        kv.get("a", options).map(drop),
        kv.list("a", options).map(drop),
        kv.keys("a", Some("/"), options).map(drop),
        session.info("s", options).map(drop),
        session.node("n", options).map(drop),
        session.list(options).map(drop),
        client.commit(&txn, options).map(drop),
        client.request(&RawRequest::new(Method::Get, "/v1/x?y=z"), options).map(drop),
    ]
}

fn changes(client: &Client, options: &Options) -> Calls {
    let (kv, session) = (client.kv(), client.session());
    let mut txn = Txn::new();
    txn.set("a", b"", 0).unwrap();
    vec![
        kv.put("a", b"", 0, options).map(drop),
        kv.cas("a", b"", 0, 1, options).map(drop),
        kv.acquire("a", b"", 0, "s", options).map(drop),
        kv.release("a", b"", 0, "s", options).map(drop),
        kv.delete("a", options).map(drop),
        kv.delete_cas("a", 1, options).map(drop),
        kv.delete_prefix("a", options).map(drop),
        session.create(&SessionSpec::new(), options).map(drop),
        session.renew("s", options).map(drop),
        session.destroy("s", options).map(drop),
        client.commit(&txn, options).map(drop),
        client.request(&RawRequest::new(Method::Post, "/v1/x"), options).map(drop),
    ]
}

/// The requests that these calls make.
fn sent(settings: &[(&str, &str)], calls: impl Fn(&Client) -> Calls) -> Vec<Request> {
    let server = Server::answering(|_| Reply::json(200, "null"));
    let count = calls(&client_with(server.address(), settings)).len();
    let requests = server.requests();
    assert_eq!(requests.len(), count);
    requests
}

fn all(options: Options) -> impl Fn(&Client) -> Calls {
    move |client| reads(client, &options).into_iter().chain(changes(client, &options)).collect()
}

#[test]
fn datacenter_namespace_and_partition_are_on_every_call() {
    let settings = [("datacenter", "d&c"), ("namespace", "team a"), ("partition", "p")];
    for request in sent(&settings, all(none())) {
        assert_eq!(request.parameter("dc"), Some("d%26c"), "{request:?}");
        assert_eq!(request.parameter("ns"), Some("team%20a"), "{request:?}");
        assert_eq!(request.parameter("partition"), Some("p"), "{request:?}");
    }
    let options = none().datacenter("d2").namespace("n2").partition("p2");
    for request in sent(&settings, all(options)) {
        assert_eq!(request.parameter("dc"), Some("d2"), "{request:?}");
        assert_eq!(request.parameter("ns"), Some("n2"), "{request:?}");
        assert_eq!(request.parameter("partition"), Some("p2"), "{request:?}");
    }
    for request in sent(&[], all(none())) {
        for name in ["dc", "ns", "partition"] {
            assert_eq!(request.parameter(name), None, "{request:?}");
        }
    }
}

#[test]
fn a_call_may_take_as_long_as_it_likes() {
    let options = none().index(1).timeout(Duration::MAX).wait(Duration::MAX);
    for request in sent(&[], all(options.clone())) {
        assert!(request.parameter("wait").is_none_or(|wait| wait == "600000ms"), "{request:?}");
    }
    let server = Server::answering(|request| match request.method.as_str() {
        "GET" => Reply::text(404, "").index(1),
        _ => Reply::json(200, "true"),
    });
    client_at(server.address()).kv().update("a", b"", &options).unwrap();
}

#[test]
fn the_token_is_in_its_header_and_nowhere_else() {
    let settings = [("token", "s3cr3t-client"), ("http_auth", "user:s3cr3t-password")];
    for request in sent(&settings, all(none())) {
        assert_eq!(request.header("x-consul-token"), Some("s3cr3t-client"));
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjpzM2NyM3QtcGFzc3dvcmQ="));
        let rest = format!("{}{}", request.target, String::from_utf8_lossy(&request.body));
        assert!(!rest.contains("s3cr3t") && !rest.contains("token"), "{rest}");
    }
    for request in sent(&settings, all(none().token("s3cr3t-call"))) {
        let tokens = request.headers.iter().filter(|(_, value)| value.contains("s3cr3t"));
        assert_eq!(tokens.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["s3cr3t-call"]);
    }
    for request in sent(&[], all(none())) {
        assert_eq!(request.header("x-consul-token"), None);
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn no_text_shows_a_token_even_when_a_server_repeats_it() {
    let server = Server::answering(|request| {
        let token = request.header("x-consul-token").unwrap_or_default();
        let login = request.header("authorization").unwrap_or_default();
        Reply::text(500, format!("bad token {token} of {login} for {}", request.target))
    });
    let mut config = Config::without_environment();
    config.set("address", server.address()).unwrap();
    config.set("token", "s3cr3t-client").unwrap();
    config.set("http_auth", "user:s3cr3t-password").unwrap();
    let client = Client::new(&config).unwrap();
    let options = none().token("s3cr3t-call");
    let mut texts = vec![format!("{config:?}"), config.dump(), format!("{options:?}")];
    for options in [&none(), &options] {
        for result in reads(&client, options).into_iter().chain(changes(&client, options)) {
            let error = result.unwrap_err();
            assert!(error.message().contains("<hidden>"), "{error}");
            texts.extend([format!("{error}"), format!("{error:?}"), error.endpoint().into()]);
        }
    }
    for text in texts {
        assert!(!text.contains("s3cr3t") && !text.contains("dXNlcjpzM2NyM3Q"), "{text}");
    }
}

#[test]
fn a_token_that_cannot_stand_in_a_header_is_refused_and_not_shown() {
    let server = Server::answering(|_| Reply::json(200, "null"));
    let client = client_at(server.address());
    let error = client.kv().get("a", &none().token("s3cr3t\r\nX: y")).unwrap_err();
    assert_eq!(error.status(), Status::Argument);
    assert!(!error.message().contains("s3cr3t"), "{error}");
    let error = Config::without_environment().set("token", "s3cr3t\n").unwrap_err();
    assert!(!error.message().contains("s3cr3t"), "{error}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_only_reads_know_is_sent_with_reads_only() {
    let options = || {
        none()
            .near("_agent")
            .filter("Node == \"a\"")
            .max_stale(Duration::from_millis(1500))
            .cached(true)
            .node_meta("rack", "2:b")
            .consistency(Consistency::Stale)
    };
    for request in sent(&[], |client| reads(client, &options())) {
        assert_eq!(request.parameter("near"), Some("_agent"));
        assert_eq!(request.parameter("filter"), Some("Node%20%3D%3D%20%22a%22"));
        assert_eq!(request.parameter("max_stale"), Some("1500ms"));
        assert_eq!(request.parameter("cached"), Some(""));
        assert_eq!(request.parameter("node-meta"), Some("rack%3A2%3Ab"));
        assert_eq!((request.parameter("stale"), request.parameter("consistent")), (Some(""), None));
    }
    for request in sent(&[], |client| changes(client, &options())) {
        for name in ["near", "filter", "max_stale", "cached", "node-meta", "stale"] {
            assert_eq!(request.parameter(name), None, "{request:?}");
        }
    }
}

#[test]
fn the_consistency_of_the_client_gives_way_to_that_of_the_call() {
    let settings = [("consistency", "consistent")];
    for request in sent(&settings, |client| reads(client, &none())) {
        assert_eq!(request.parameter("consistent"), Some(""));
    }
    let default = none().consistency(Consistency::Default);
    for request in sent(&settings, |client| reads(client, &default)) {
        assert_eq!((request.parameter("consistent"), request.parameter("stale")), (None, None));
    }
}

#[test]
fn a_wait_is_sent_with_an_index_only_and_is_never_zero() {
    let server = Server::answering(|_| Reply::json(200, "[]").index(9));
    let client = client_with(server.address(), &[("wait_ms", "1234")]);
    let get = |options: Options| client.kv().get("a", &options).map(drop).unwrap();
    get(none().wait(Duration::from_secs(100)));
    get(none().index(5));
    get(none().index(5).wait(Duration::ZERO));
    get(none().index(5).wait(Duration::from_micros(1)));
    get(none().index(5).wait(Duration::from_secs(100)));
    let requests = server.requests();
    let waits: Vec<_> = requests.iter().map(|request| request.parameter("wait")).collect();
    assert_eq!(waits, [None, Some("1234ms"), Some("1ms"), Some("1ms"), Some("100000ms")]);
    assert_eq!(requests[0].parameter("index"), None);
    assert_eq!(requests[1].parameter("index"), Some("5"));
}

#[test]
fn headers_that_are_missing_or_garbled_do_no_harm() {
    let server = Server::answering(|request| match request.path() {
        "/v1/kv/garbled" => Reply::json(200, "[]")
            .header("X-Consul-Index", "many")
            .header("X-Consul-LastContact", -1)
            .header("X-Consul-KnownLeader", "perhaps")
            .header("Age", ""),
        "/v1/kv/full" => Reply::json(200, "[]")
            .header("x-consul-index", 7)
            .header("X-CONSUL-LASTCONTACT", 12)
            .header("X-Consul-Knownleader", "true")
            .header("X-Cache", "HIT")
            .header("Age", 3),
        _ => Reply::json(200, "[]"),
    });
    let client = client_at(server.address());
    let meta = |key| client.kv().get(key, &none()).unwrap().meta;
    assert_eq!(meta("missing"), consul_ffi::Meta::default());
    assert_eq!(meta("garbled"), consul_ffi::Meta::default());
    let full = meta("full");
    assert_eq!((full.index, full.last_contact_ms, full.cache_age_s), (7, 12, 3));
    assert!(full.known_leader && full.cache_hit);
}

#[test]
fn a_path_prefix_of_the_address_stands_before_every_path() {
    let server = Server::answering(|_| Reply::json(200, "null"));
    for address in
        [format!("{}/gate/way", server.address()), format!("{}/gate/way/", server.address())]
    {
        let before = server.requests().len();
        let client = client_at(&address);
        let _ = all(none())(&client);
        for request in &server.requests()[before..] {
            assert!(request.path().starts_with("/gate/way/v1/"), "{}", request.target);
        }
    }
}

/// HTTP status, body; status, retryable, outcome of a change unknown.
type Case = (u16, &'static str, Status, bool, bool);

const ANSWERS: &[Case] = &[
    (400, "Bad request: x", Status::Http, false, false),
    (400, "", Status::Http, false, false),
    (301, "", Status::Http, false, false),
    (403, "Permission denied", Status::Denied, false, false),
    (403, "ACL not found", Status::Denied, false, false),
    (405, "method X not allowed", Status::Http, false, false),
    (413, "Request body(N bytes) too large", Status::TooLarge, false, false),
    (429, "", Status::RateLimited, true, false),
    (500, "No cluster leader", Status::NoLeader, true, false),
    (500, "rpc error making call: No cluster leader", Status::NoLeader, true, false),
    (500, "leadership lost while committing log", Status::NoLeader, true, true),
    (500, "rpc error making call: EOF", Status::Http, true, true),
    (
        500,
        "rpc error making call: leadership lost while committing log",
        Status::NoLeader,
        true,
        true,
    ),
    (500, "rpc error making call: Intention not found", Status::Http, false, false),
    (500, "rpc error making call: Invalid Policy: no Name is set", Status::Http, false, false),
    (500, "rpc error making call: stream closed", Status::Http, true, true),
    (500, "rpc error getting client: failed to get conn", Status::Http, true, false),
    (500, "No path to datacenter", Status::Http, false, false),
    (500, "invalid session \"x\"", Status::SessionInvalid, false, false),
    (500, "Permission denied", Status::Denied, false, false),
    (500, "something nobody has seen", Status::Http, false, true),
    (502, "Bad Gateway", Status::Http, true, true),
    (503, "rate limit exceeded, try again later", Status::RateLimited, true, false),
];

#[test]
fn each_failure_has_its_status_and_says_whether_to_try_again_and_whether_it_may_be_done() {
    let server = Server::answering(|request| {
        let case = request.path().rsplit('/').next().unwrap().parse::<usize>().unwrap();
        Reply::text(ANSWERS[case].0, ANSWERS[case].1).index(1)
    });
    let client = client_at(server.address());
    for (case, &(http_status, body, status, retryable, unknown)) in ANSWERS.iter().enumerate() {
        let key = case.to_string();
        let read = client.kv().get(&key, &none()).unwrap_err();
        let write = client.kv().put(&key, b"", 0, &none()).unwrap_err();
        for error in [&read, &write] {
            assert_eq!(error.status(), status, "{error}");
            assert_eq!(error.http_status(), http_status, "{error}");
            assert_eq!(error.is_retryable(), retryable, "{error}");
            assert_eq!(error.endpoint(), server.address());
            assert!(error.message().contains(body), "{error}");
            assert!(error.message().contains(&format!("/v1/kv/{case}")), "{error}");
        }
        assert!(!read.is_outcome_unknown(), "{read}");
        assert_eq!(write.is_outcome_unknown(), unknown, "{write}");
    }
}

#[test]
fn an_answer_that_makes_no_sense_is_a_decode_error() {
    let server = Server::answering(|request| match request.path() {
        "/v1/kv/html" => Reply::text(200, "<html>"),
        "/v1/kv/shape" => Reply::json(200, r#"{"Key":"a"}"#),
        "/v1/kv/base64" => Reply::json(200, r#"[{"Key":"a","Value":"%%%"}]"#),
        "/v1/kv/number" => Reply::json(200, r#"[{"Key":"a","Flags":-1}]"#),
        _ => Reply::json(200, ""),
    });
    let client = client_at(server.address());
    for key in ["html", "shape", "base64", "number", "empty"] {
        let read = client.kv().get(key, &none()).unwrap_err();
        assert_eq!((read.status(), read.http_status()), (Status::Decode, 200), "{read}");
        assert!(!read.is_outcome_unknown());
        let write = client.kv().put(key, b"", 0, &none()).unwrap_err();
        assert_eq!((write.status(), write.is_outcome_unknown()), (Status::Decode, true), "{write}");
    }
}

#[test]
fn compression_is_not_asked_for() {
    for request in sent(&[], all(none())) {
        assert_eq!(request.header("accept-encoding"), None);
    }
}

#[test]
fn a_blocking_query_ends_at_once_when_its_client_is_closed() {
    let Some(client) = shared_client() else { return };
    let key = unique("watched");
    client.kv().put(&key, b"", 0, &none()).unwrap();
    let index = client.kv().get(&key, &none()).unwrap().meta.index;
    let ((), timing) = timed(|| {
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let options = none().index(index).wait(Duration::from_secs(60));
                client.kv().get(&key, &options).unwrap_err()
            });
            client.shutdown();
            assert_eq!(watcher.join().unwrap().status(), Status::Closed);
        });
    });
    assert!(timing.fair() < GRACE, "{timing:?}");
    assert_eq!(client.kv().get(&key, &none()).unwrap_err().status(), Status::Closed);
}

#[test]
fn nobody_at_the_address_is_a_connect_error_that_can_be_tried_again() {
    let address = Server::refused_address();
    let client = client_at(&address);
    for result in all(none())(&client) {
        let error = result.unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::Connect, 0), "{error}");
        assert!(error.is_retryable() && !error.is_outcome_unknown(), "{error}");
        assert_eq!(error.endpoint(), address);
    }
}

#[test]
fn silence_is_a_timeout_and_leaves_the_outcome_of_a_change_unknown() {
    let server = Server::black_hole();
    let client = client_at(server.address());
    let time = Duration::from_millis(50);
    let options = none().timeout(time);
    let (read, timing) = timed(|| client.kv().get("a", &options).unwrap_err());
    assert_eq!((read.status(), read.is_outcome_unknown()), (Status::Timeout, false));
    assert!(timing.fair() < GRACE, "{timing:?}");
    let (write, timing) = timed(|| client.kv().put("a", b"", 0, &options).unwrap_err());
    assert_eq!(write.status(), Status::Timeout);
    // A machine that stood still may not have sent it.
    assert!(write.is_outcome_unknown() || !timing.is_punctual(time / 2), "{write} {timing:?}");
}
