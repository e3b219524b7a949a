//! A client that is configured anew while work goes on: addresses, tokens, TLS. What users asked for:
//! E7, H2, H3, and `reload`.

use crate::clients::{client_with, config};
use crate::deferred::wait;
use crate::quick::{PATIENCE, eventually, none};
use crate::support::certs::{self, certs};
use crate::support::fault::{Door, Reply, Request, Server};
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::api::raw::{Method, RawRequest};
use consul_ffi::recipes::registration::KeptServiceSpec;
use consul_ffi::watch::WatchSpec;
use consul_ffi::{Client, Status};
use std::path::Path;
use std::time::{Duration, Instant};

fn token_of(request: &Request) -> String {
    request.header("X-Consul-Token").unwrap_or_default().to_string()
}

/// A server that takes this token alone, and tells it to who asks.
fn strict(token: &'static str) -> Server {
    Server::answering(move |request| match token_of(request) {
        sent if sent == token => Reply::json(200, format!("\"{sent}\"")).index(7),
        _ => Reply::text(403, "ACL not found"),
    })
}

fn ask(client: &Client) -> consul_ffi::Result<String> {
    let request = RawRequest::new(Method::Get, "/v1/any/path");
    let answer = client.request(&request, &none())?.value;
    Ok(String::from_utf8(answer.body).unwrap())
}

fn ask_later(client: &Client) -> consul_ffi::Result<String> {
    let request = RawRequest::new(Method::Get, "/v1/any/path");
    let answer = wait(client.deferred().request(&request, &none()).unwrap())?.value;
    Ok(String::from_utf8(answer.body).unwrap())
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
}

#[test]
fn calls_go_where_the_new_configuration_says_and_those_in_flight_end_as_they_began() {
    let old = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        connection.wait_for_release()?;
        connection.reply(&Reply::json(200, "\"old\"").index(7))
    });
    let new = strict("t2");
    let client = Client::new(&config(old.address(), &[])).unwrap();
    let in_flight = std::thread::spawn({
        let client = client.clone();
        move || ask(&client)
    });
    let awaited = std::thread::spawn({
        let client = client.clone();
        move || ask_later(&client)
    });
    old.wait_for_requests(2);
    client.reload(&config(new.address(), &[("token", "t2"), ("timeout_ms", "7000")])).unwrap();
    assert_eq!(client.endpoint(), new.address());
    assert_eq!(
        (ask(&client).unwrap(), ask_later(&client).unwrap()),
        ("\"t2\"".into(), "\"t2\"".into())
    );
    old.release();
    assert_eq!(in_flight.join().unwrap().unwrap(), "\"old\"");
    assert_eq!(awaited.join().unwrap().unwrap(), "\"old\"");
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let server = strict("t1");
    let client = Client::new(&config(server.address(), &[("token", "t1")])).unwrap();
    let bad = config("https://127.0.0.1:1", &[("tls_ca_file", "/does/not/exist")]);
    assert!(client.reload(&bad).is_err());
    assert_eq!(ask(&client).unwrap(), "\"t1\"");
    client.close(PATIENCE).unwrap();
    let closed = client.reload(&config(server.address(), &[])).unwrap_err();
    assert_eq!(closed.status(), Status::Closed);
    assert_eq!(ask(&client).unwrap_err().status(), Status::Closed);
}

#[test]
fn a_closed_client_ends_what_was_in_flight_before_it_was_configured_anew() {
    let (old, new) = (Server::black_hole(), strict("t"));
    let client = Client::new(&config(old.address(), &[("timeout_ms", "600000")])).unwrap();
    let in_flight = std::thread::spawn({
        let client = client.clone();
        move || ask(&client)
    });
    old.wait_for_requests(1);
    client.reload(&config(new.address(), &[])).unwrap();
    client.shutdown();
    assert_eq!(in_flight.join().unwrap().unwrap_err().status(), Status::Closed);
}

#[test]
fn a_watch_lives_on_with_the_new_configuration() {
    let value = |text: &str| {
        let value = base64_simd::STANDARD.encode_to_string(text);
        Reply::json(200, format!(r#"[{{"Key":"a","Value":"{value}"}}]"#))
    };
    let old = Server::start(Door::Tcp, move |connection| {
        connection.read_request()?;
        connection.reply(&value("1").index(5))?;
        connection.read_request()?;
        connection.wait_for_release()?;
        connection.reply(&value("1").index(5))
    });
    let new = Server::answering(move |_| value("2").index(9));
    let client = Client::new(&config(old.address(), &[])).unwrap();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    old.wait_for_requests(2);
    client.reload(&config(new.address(), &[])).unwrap();
    old.release();
    eventually("it has the new one's", || watch.stats().index == 9);
    watch.stop();
}

/// H2: a token can be set while work goes on, and is in use at once.
#[test]
fn a_token_is_set_and_taken_back() {
    let server = strict("t2");
    let client = Client::new(&config(server.address(), &[("token", "t1")])).unwrap();
    assert_eq!(ask(&client).unwrap_err().status(), Status::Denied);
    client.set_token(Some("t2")).unwrap();
    assert_eq!(
        (ask(&client).unwrap(), ask_later(&client).unwrap()),
        ("\"t2\"".into(), "\"t2\"".into())
    );
    let own = none().token("t2");
    client.set_token(None).unwrap();
    assert_eq!(ask(&client).unwrap_err().status(), Status::Denied);
    let request = RawRequest::new(Method::Get, "/v1/any/path");
    assert!(client.request(&request, &own).is_ok());
    assert!(client.set_token(Some("a\nb")).is_err());
}

/// H2: a file is read again when it changes.
#[test]
fn a_token_file_that_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    write(&file, "t1\n");
    let server =
        Server::answering(|request| Reply::json(200, format!("\"{}\"", token_of(request))));
    let named = file.to_str().unwrap();
    let client = Client::new(&config(server.address(), &[("token_file", named)])).unwrap();
    assert_eq!(ask(&client).unwrap(), "\"t1\"");
    write(&file, "t2\n");
    eventually("it is seen", || ask(&client).unwrap() == "\"t2\"");
    // Empty, while it is being written, or gone: the last good one stays.
    write(&file, "");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ask(&client).unwrap(), "\"t2\"");
    write(&file, "t3");
    eventually("it is seen", || ask_later(&client).unwrap() == "\"t3\"");
    // One that the program sets wins.
    client.set_token(Some("own")).unwrap();
    assert_eq!(ask(&client).unwrap(), "\"own\"");
    client.set_token(None).unwrap();
    assert_eq!(ask(&client).unwrap(), "\"t3\"");
}

/// H2: a refusal has the file read at once, and the call repeated once.
#[test]
fn a_refused_token_is_read_anew_and_the_call_repeated_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let server = strict("t2");
    let named = file.to_str().unwrap();
    let settings = [("token_file", named)];
    let asks: [fn(&Client) -> consul_ffi::Result<String>; 2] = [ask, ask_later];
    for ask in asks {
        write(&file, "t1");
        let client = Client::new(&config(server.address(), &settings)).unwrap();
        write(&file, "t2");
        assert_eq!(ask(&client).unwrap(), "\"t2\"");
        let before = server.requests().len();
        write(&file, "t4");
        // Refused, and so is what the file has now: not a third time.
        client.set_token(Some("t3")).unwrap();
        assert_eq!(ask(&client).unwrap_err().status(), Status::Denied);
        assert_eq!(server.requests().len(), before + 1);
        client.set_token(None).unwrap();
        let error = ask(&client).unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
        assert_eq!(server.requests().len(), before + 2);
    }
}

/// E7: an agent syncs with the token of the registration.
#[test]
fn a_new_token_is_registered_with_at_once() {
    let server = Server::answering(|request| match request.path() {
        path if path.contains("health/service") => Reply::text(404, "unknown service"),
        _ => Reply::bytes(200, ""),
    });
    let client = Client::new(&config(server.address(), &[("token", "t1")])).unwrap();
    let spec =
        KeptServiceSpec::new(ServiceDefinition::new("web").port(80)).ttl(Duration::from_secs(60));
    let service = client.keep_service(spec).unwrap();
    service.start().unwrap();
    let registered = |token: &str| {
        let requests = server.requests();
        let mut writes = requests.iter().filter(|r| r.path() == "/v1/agent/service/register");
        writes.any(|request| token_of(request) == token)
    };
    assert!(registered("t1") && !registered("t2"));
    client.set_token(Some("t2")).unwrap();
    eventually("registered with the new token", || registered("t2"));
    client.reload(&config(server.address(), &[("token", "t3")])).unwrap();
    eventually("registered with the third", || registered("t3"));
    service.stop();
}

fn tls_answer(pair: certs::Pair) -> Server {
    Server::answering_at(Door::Tls(pair), |_| Reply::json(200, "\"secure\"").closing())
}

/// H3: certificates and keys are read again when they change; the last good ones stay in use.
#[test]
fn files_of_tls_that_change_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    write(&ca, std::fs::read(certs().path(certs::OTHER_CA)).unwrap());
    let server = tls_answer(certs::SERVER);
    let named = ca.to_str().unwrap();
    let client = client_with(server.address(), &[("tls_ca_file", named)]);
    assert_eq!(ask(&client).unwrap_err().status(), Status::Tls);
    write(&ca, std::fs::read(certs().path(certs::CA)).unwrap());
    eventually("the right authority is seen", || ask(&client).is_ok());
    write(&ca, "no certificate at all");
    // Longer than from one look at the files to the next.
    let written = Instant::now();
    while written.elapsed() < Duration::from_millis(1500) {
        assert_eq!(ask(&client).unwrap(), "\"secure\"");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(ask_later(&client).unwrap(), "\"secure\"");
}
