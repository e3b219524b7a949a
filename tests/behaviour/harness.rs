//! The tests' own tools do what they promise.

use crate::support::agent::ClientCertificates;
use crate::support::certs::{self, certs};
use crate::support::control::{GRACE, timed};
use crate::support::fault::{Door, Reply, Server};
use crate::support::http::{self, Endpoint};
use crate::support::{Consul, consul, unique};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[test]
fn the_shared_agent_keeps_what_is_written() {
    let Some(consul) = consul() else { return };
    let key = unique("harness");
    assert_eq!(consul.put(&format!("/v1/kv/{key}"), "bytes").text(), "true");
    let answer = consul.get(&format!("/v1/kv/{key}?raw"));
    assert_eq!((answer.status, answer.text()), (200, "bytes"));
    assert!(answer.header("x-consul-index").is_some());
    consul.delete(&format!("/v1/kv/{key}"));
    assert_eq!(consul.get(&format!("/v1/kv/{key}")).status, 404);
}

#[test]
fn an_agent_restarts_empty_at_its_address_and_ends_with_its_value() {
    let Some(consul) = Consul::start() else { return };
    let before = consul.pid();
    consul.put("/v1/kv/a", "1");
    consul.restart();
    assert_ne!(consul.pid(), before);
    assert_eq!(consul.get("/v1/kv/a").status, 404);
    let port = consul.port();
    drop(consul);
    let refused = TcpStream::connect(("127.0.0.1", port)).map(drop);
    assert_eq!(refused.map_err(|e| e.kind()), Err(ErrorKind::ConnectionRefused));
}

#[test]
fn an_agent_may_listen_on_a_unix_socket() {
    let Some(consul) = Consul::build().unix_socket().start() else { return };
    let leader = |endpoint| http::request(&endpoint, "GET", "/v1/status/leader", &[], b"");
    let answer = leader(Endpoint::Unix(consul.socket())).unwrap();
    assert_eq!(answer.body, leader(Endpoint::Tcp(consul.port())).unwrap().body);
}

#[test]
fn an_agent_with_acls_refuses_who_has_no_token() {
    let Some(consul) = Consul::build().acl().start() else { return };
    assert_eq!(consul.put("/v1/kv/a", "1").status, 200);
    let endpoint = Endpoint::Tcp(consul.port());
    let refused = http::request(&endpoint, "PUT", "/v1/kv/a", &[], b"2").unwrap();
    assert_eq!((refused.status, refused.text()), (403, "Permission denied"));
}

#[test]
fn an_agent_with_tls_wants_a_certificate_of_its_clients_and_takes_old_ones() {
    let Some(consul) = Consul::build().tls(ClientCertificates::Required).start() else { return };
    for pair in [certs::CLIENT, certs::OLD_CLIENT] {
        let text = s_client(consul.https_address(), Some(pair));
        assert!(text.contains("HTTP/1.0 200 OK"), "{pair:?}: {text}");
    }
    for pair in [None, Some(certs::OTHER_CLIENT)] {
        let text = s_client(consul.https_address(), pair);
        assert!(!text.contains("200 OK"), "{pair:?}: {text}");
    }
}

/// Asks for the leader with openssl's own client, which checks the server's certificate.
fn s_client(address: String, pair: Option<certs::Pair>) -> String {
    let mut command = std::process::Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
    command.args(["-connect", address.trim_start_matches("https://")]);
    command.arg("-CAfile").arg(certs().path(certs::CA));
    if let Some(pair) = pair {
        command.arg("-cert").arg(certs().path(pair.certificate));
        command.arg("-key").arg(certs().path(pair.key));
    }
    let mut client = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Refused clients may be gone before they have read all of it.
    let mut input = client.stdin.take().unwrap();
    let _ = input.write_all(b"GET /v1/status/leader HTTP/1.0\r\n\r\n");
    let output = client.wait_with_output().unwrap();
    drop(input);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn requests_are_counted_and_recorded_as_they_came() {
    let server = Server::answering(|request| {
        Reply::json(200, format!("[\"{}\"]", request.path())).index(7).chunked()
    });
    let mut client = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    client
        .write_all(
            b"PUT /v1/kv/a?cas=0&raw HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
              GET /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n",
        )
        .unwrap();
    let requests = server.wait_for_requests(2);
    assert_eq!((requests[0].method.as_str(), requests[0].path()), ("PUT", "/v1/kv/a"));
    assert_eq!((requests[0].parameter("cas"), requests[0].parameter("raw")), (Some("0"), Some("")));
    assert_eq!((requests[0].header("HOST"), requests[0].text()), (Some("x"), "abc"));
    assert_eq!((requests[1].text(), requests[1].connection), ("de", 0));
    assert_eq!((server.connections(), server.open_connections()), (1, 1));
    drop(client);
    server.wait_for_open_connections(0);
}

#[test]
fn a_script_may_cut_reset_stall_and_drip() {
    let server = Server::start(Door::Tcp, |connection| {
        connection.read_request()?;
        match connection.number() {
            0 => connection.cut(),
            1 => connection.reset(),
            2 => {
                connection.wait_for_release()?;
                connection.reply(&Reply::text(200, "late").closing())
            }
            _ => connection.drip(b"drop", 1, Duration::from_millis(1)),
        }
    });
    let outcomes: Vec<_> = (0..4)
        .map(|number| {
            let mut client = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            if number == 2 {
                server.wait_for_requests(3);
                server.release();
            }
            let mut text = String::new();
            client.read_to_string(&mut text).map(|_| text).map_err(|e| e.kind())
        })
        .collect();
    assert_eq!(outcomes[0], Ok(String::new()));
    assert_eq!(outcomes[1], Err(ErrorKind::ConnectionReset));
    assert!(outcomes[2].as_ref().unwrap().ends_with("\r\n\r\nlate"), "{outcomes:?}");
    assert_eq!(outcomes[3].as_deref(), Ok("drop"));
}

#[test]
fn a_full_backlog_never_connects_and_a_dead_address_refuses() {
    let server = Server::full_backlog(Door::Tcp);
    let address = server.address().trim_start_matches("http://").parse().unwrap();
    let outcome = TcpStream::connect_timeout(&address, Duration::from_millis(50));
    assert_eq!(outcome.map(drop).map_err(|e| e.kind()), Err(ErrorKind::TimedOut));

    let dead = Server::refused_address();
    let outcome = TcpStream::connect(dead.trim_start_matches("http://"));
    assert_eq!(outcome.map(drop).map_err(|e| e.kind()), Err(ErrorKind::ConnectionRefused));
}

#[test]
fn a_server_ends_at_once_whatever_its_scripts_do() {
    let hole = Server::black_hole();
    let stalled = Server::start(Door::Unix, |connection| connection.wait_for_release());
    let slow = Server::start(Door::Tcp, |connection| connection.pause(Duration::from_secs(3600)));
    let _clients = (
        TcpStream::connect(("127.0.0.1", hole.port())).unwrap(),
        UnixStream::connect(stalled.address().trim_start_matches("unix://")).unwrap(),
        TcpStream::connect(("127.0.0.1", slow.port())).unwrap(),
    );
    for server in [&hole, &stalled, &slow] {
        server.wait_for_connections(1);
    }
    let ((), timing) = timed(|| drop((hole, stalled, slow)));
    assert!(timing.fair() < GRACE, "{timing:?}");
}

#[test]
fn a_server_with_tls_shows_the_certificate_it_was_given() {
    for pair in [certs::SERVER, certs::OLD_SERVER] {
        let server = Server::answering_at(Door::Tls(pair), |_| Reply::text(200, "true").closing());
        let text = s_client(server.address().to_owned(), None);
        assert_eq!(text.contains("HTTP/1.1 200"), pair.certificate == "server.pem", "{text}");
    }
}

#[test]
#[should_panic(expected = "script panicked")]
fn a_script_that_panics_fails_the_test() {
    let server = Server::start(Door::Tcp, |_| panic!("a wrong request"));
    let mut client = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    // Its connection is closed when the script has panicked.
    let _ = client.read(&mut [0]);
}
