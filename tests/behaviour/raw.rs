//! The generic request, on a real Consul and on servers that misbehave.

use crate::clients::{client_at, shared_client};
use crate::support::fault::{Door, Reply, Server};
use crate::support::{consul, unique};
use consul_ffi::api::raw::{Method, RawAnswer, RawRequest};
use consul_ffi::{Client, Consistency, Options, Result, Status};
use std::time::Duration;

fn none() -> Options {
    Options::new()
}

fn send(client: &Client, method: Method, target: &str, body: &[u8]) -> Result<RawAnswer> {
    let request = RawRequest::new(method, target).body(body, "");
    client.request(&request, &none()).map(|answer| answer.value)
}

fn text(answer: &RawAnswer) -> &str {
    std::str::from_utf8(&answer.body).unwrap().trim_end()
}

#[test]
fn any_endpoint_is_reached_by_every_method() {
    let Some(client) = shared_client() else { return };
    let key = format!("/v1/kv/{}%20%25", unique("raw"));
    assert_eq!(text(&send(&client, Method::Put, &key, b"\0\xff").unwrap()), "true");
    let read = client.request(&RawRequest::new(Method::Get, &format!("{key}?raw")), &none());
    let read = read.unwrap();
    assert_eq!((read.value.http_status, read.value.body.as_slice()), (200, &b"\0\xff"[..]));
    assert!(read.meta.index > 0 && read.meta.known_leader);
    assert_eq!(text(&send(&client, Method::Delete, &key, b"").unwrap()), "true");

    let query = format!(r#"{{"Name":"{}","Service":{{"Service":"consul"}}}}"#, unique("query"));
    let made = send(&client, Method::Post, "/v1/query", query.as_bytes()).unwrap();
    assert!(made.content_type.starts_with("application/json"), "{}", made.content_type);
    let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
    let query = format!("/v1/query/{}", made["ID"].as_str().unwrap());
    send(&client, Method::Delete, &query, b"").unwrap();
    assert_eq!(send(&client, Method::Get, &query, b"").unwrap().http_status, 404);
}

#[test]
fn a_404_is_an_answer() {
    let Some(client) = shared_client() else { return };
    let target = format!("/v1/kv/{}", unique("absent"));
    let absent = client.request(&RawRequest::new(Method::Get, &target), &none()).unwrap();
    assert_eq!((absent.value.http_status, absent.value.body.len()), (404, 0));
    assert!(absent.meta.index > 0);
    let unknown = send(&client, Method::Get, "/v1/no/such/endpoint", b"").unwrap();
    assert_eq!(unknown.http_status, 404);
}

#[test]
fn what_consul_refuses_is_an_error_with_its_words() {
    let Some(client) = shared_client() else { return };
    let cases = [
        (Method::Get, "/v1/kv/a?stale&consistent", 400),
        (Method::Get, "/v1/kv/a?index=abc", 400),
        (Method::Put, "/v1/kv/a?cas=0&acquire=x", 400),
        (Method::Post, "/v1/kv/a", 405),
        (Method::Put, "/v1/session/create?dc=nowhere", 500),
    ];
    for (method, target, http_status) in cases {
        let error = send(&client, method, target, b"").unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::Http, http_status), "{error}");
        assert!(!error.is_retryable() && !error.is_outcome_unknown(), "{error}");
        let path = target.split('?').next().unwrap();
        assert!(error.message().contains(path), "{error}");
    }
}

/// The typed calls take it for "not found", which here stands for an answer of 404.
#[test]
fn a_check_that_is_not_there_is_told_in_consuls_words() {
    let Some(client) = shared_client() else { return };
    let target = format!("/v1/agent/check/pass/{}", unique("none"));
    let error = send(&client, Method::Put, &target, b"").unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 500), "{error}");
    assert!(
        error.message().contains("TTL") || error.message().contains("Unknown check"),
        "{error}"
    );
    assert!(!error.is_retryable() && !error.is_outcome_unknown(), "{error}");
}

#[test]
fn a_session_that_the_types_cannot_say_is_refused_by_consul() {
    let Some(client) = shared_client() else { return };
    for (session, words) in [
        (r#"{"Behavior":"burn"}"#, "Invalid Behavior"),
        (r#"{"TTL":"10"}"#, "missing unit"),
        (r#"{"TTL":"24h1s"}"#, "Invalid Session TTL"),
    ] {
        let target = "/v1/session/create";
        let error = send(&client, Method::Put, target, session.as_bytes()).unwrap_err();
        assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Http, false), "{error}");
        assert!(error.message().contains(words), "{error}");
    }
}

#[test]
fn a_redirect_is_an_error_and_is_not_followed() {
    let Some(client) = shared_client() else { return };
    let key = unique("redirected");
    for method in [Method::Get, Method::Put, Method::Delete] {
        let error = send(&client, method, &format!("/v1/kv/{key}//a"), b"x").unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::Http, 301));
        assert!(error.message().contains("redirect"), "{error}");
    }
    assert!(client.kv().keys(&key, None, &none()).unwrap().value.is_empty());
}

#[test]
fn health_that_is_told_by_the_http_status_is_an_answer() {
    let Some(client) = shared_client() else { return };
    let (consul, service) = (consul().unwrap(), unique("service"));
    let registration = format!(r#"{{"Name":"{service}","Check":{{"TTL":"60s"}}}}"#);
    consul.put("/v1/agent/service/register", registration);
    let target = format!("/v1/agent/health/service/id/{service}");
    for (verb, http_status, word) in
        [("fail", 503, "critical"), ("warn", 429, "warning"), ("pass", 200, "passing")]
    {
        consul.put(&format!("/v1/agent/check/{verb}/service:{service}"), "");
        let answer = send(&client, Method::Get, &target, b"").unwrap();
        assert_eq!(answer.http_status, http_status);
        assert!(text(&answer).contains(word), "{answer:?}");
    }
    consul.put(&format!("/v1/agent/service/deregister/{service}"), "");
    assert_eq!(send(&client, Method::Get, &target, b"").unwrap().http_status, 404);
}

#[test]
fn a_limit_of_requests_is_an_error_at_every_endpoint() {
    let server = Server::answering(|request| match request.parameter("case") {
        Some("0") => Reply::text(429, "rate limit exceeded, try a different server"),
        Some("1") => Reply::text(503, "rate limit exceeded, try again later"),
        Some("2") => Reply::text(429, ""),
        _ => Reply::text(429, "Your IP is issuing too many concurrent connections"),
    });
    let client = client_at(server.address());
    for path in ["/v1/agent/health/service/id/x", "/v1/operator/autopilot/health", "/v1/kv/a"] {
        for case in 0..4 {
            let error =
                send(&client, Method::Get, &format!("{path}?case={case}"), b"").unwrap_err();
            assert_eq!(error.status(), Status::RateLimited, "{path} {error}");
            assert!(error.is_retryable());
        }
    }
}

#[test]
fn a_failing_cluster_tells_its_health_by_429() {
    let server = Server::answering(|_| Reply::json(429, r#"{"Healthy":false}"#));
    let client = client_at(server.address());
    let answer = send(&client, Method::Get, "/v1/operator/autopilot/health", b"").unwrap();
    assert_eq!((answer.http_status, text(&answer)), (429, r#"{"Healthy":false}"#));
}

#[test]
fn the_request_goes_out_as_it_was_given_with_the_options_added() {
    let server = Server::answering(|_| Reply::json(200, "[]"));
    let client = client_at(server.address());
    let options = none().datacenter("dc2").consistency(Consistency::Stale).index(7);
    let options = options.wait(Duration::from_secs(60)).token("s3cr3t");

    let read = RawRequest::new(Method::Get, "/v1/a%2Fb?filter=Name%20%3D%3D%20%22x%22&dc=dc3");
    client.request(&read, &options).unwrap();
    let plain = RawRequest::new(Method::Put, "/v1/plain");
    client.request(&plain, &options).unwrap();
    let typed = RawRequest::new(Method::Delete, "/v1/typed").body(b"\0body", "text/x-test");
    client.request(&typed, &options).unwrap();

    let [read, plain, typed] = &server.requests()[..] else { panic!("three requests") };
    let added = "&dc=dc2&stale&index=7&wait=60000ms";
    assert_eq!(read.target, format!("/v1/a%2Fb?filter=Name%20%3D%3D%20%22x%22&dc=dc3{added}"));
    assert_eq!((read.body.len(), read.header("content-type")), (0, None));
    assert_eq!((plain.method.as_str(), plain.target.as_str()), ("PUT", "/v1/plain?dc=dc2"));
    assert_eq!(plain.header("content-length"), Some("0"));
    assert_eq!((typed.method.as_str(), typed.body.as_slice()), ("DELETE", &b"\0body"[..]));
    assert_eq!(typed.header("content-type"), Some("text/x-test"));
    for request in [read, plain, typed] {
        assert_eq!(request.header("x-consul-token"), Some("s3cr3t"));
    }
}

#[test]
fn what_cannot_be_a_request_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::json(200, "[]"));
    let client = client_at(server.address());
    for target in
        ["", "/", "/v2/kv/a", "/v1/a b", "/v1/a\r\nX: y", "/v1/é", "/v1/a#b", "/v1/a?token=s3cr3t"]
    {
        let error = send(&client, Method::Get, target, b"").unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{target:?}");
        assert!(!error.message().contains("s3cr3t"), "{error}");
    }
    let odd = RawRequest::new(Method::Put, "/v1/a").body(b"x", "text/plain\r\nX: y");
    assert_eq!(client.request(&odd, &none()).unwrap_err().status(), Status::Argument);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn only_a_get_is_sent_again_when_the_idle_connection_turns_out_dead() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.reply(&Reply::json(200, "[]"))?;
        connection.read_request()?;
        connection.cut()
    });
    let client = client_at(server.address());
    for _ in 0..2 {
        send(&client, Method::Get, "/v1/a", b"").unwrap();
    }
    assert_eq!(server.requests().len(), 3);
    for method in [Method::Put, Method::Post, Method::Delete] {
        let before = server.requests().len();
        let error = send(&client, method, "/v1/a", b"").unwrap_err();
        assert!(error.is_outcome_unknown(), "{error}");
        assert_eq!(server.requests().len(), before + 1);
        send(&client, Method::Get, "/v1/a", b"").unwrap();
    }
}
