//! TLS, addresses and deadlines, as a client meets them.

use crate::support::agent::ClientCertificates;
use crate::support::certs::{self, Pair, certs};
use crate::support::control::{GRACE, timed};
use crate::support::fault::{Door, Reply, Server};
use crate::support::{Consul, unique};
use consul_ffi::{Client, Config, Error, Options, Status};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A configuration of these settings alone. A value that names a file of the certificates is
/// replaced by its path.
fn config(address: &str, settings: &[(&str, &str)]) -> Config {
    let mut config = crate::clients::config(address, &[]);
    for (name, value) in settings {
        let is_file = name.ends_with("_file") || name.ends_with("_path");
        let path = is_file.then(|| certs().path(value));
        config.set(name, path.as_ref().map_or(value, |path| path.to_str().unwrap())).unwrap();
    }
    config
}

fn client(address: &str, settings: &[(&str, &str)]) -> Client {
    Client::new(&config(address, settings)).unwrap()
}

fn get(client: &Client) -> Result<(), Error> {
    client.kv().get("a", &Options::new()).map(drop)
}

/// The error that a configuration is refused with, before anything is sent.
fn refused(settings: &[(&str, &str)]) -> Error {
    Client::new(&config("https://127.0.0.1:1", settings)).err().expect("a refusal")
}

fn secured(pair: Pair) -> Server {
    Server::answering_at(Door::Tls(pair), |_| Reply::json(404, "").index(1))
}

/// The failure of a handshake with a server that has this certificate.
fn handshake(pair: Pair, settings: &[(&str, &str)]) -> Error {
    let server = secured(pair);
    let error = get(&client(server.address(), settings)).unwrap_err();
    assert_eq!(error.status(), Status::Tls, "{error}");
    assert!(!error.is_outcome_unknown(), "{error}");
    assert_eq!(server.requests().len(), 0);
    error
}

const TRUSTED: (&str, &str) = ("tls_ca_file", certs::CA);

#[test]
fn a_server_whose_authority_is_trusted_is_spoken_to() {
    for authority in [TRUSTED, ("tls_ca_file", "any-ca.pem"), ("tls_ca_path", "ca-folder")] {
        let server = secured(certs::SERVER);
        let client = client(server.address(), &[authority]);
        for _ in 0..3 {
            get(&client).unwrap();
        }
        // Session tickets that came meanwhile have not spoiled the connection.
        assert_eq!(server.connections(), 1, "{authority:?}");
    }
}

#[test]
fn a_name_may_stand_for_the_address() {
    let server = secured(certs::OTHER_NAME);
    for name in ["other.example", "other.example:8501"] {
        get(&client(server.address(), &[TRUSTED, ("tls_server_name", name)])).unwrap();
    }
    let server = secured(certs::SERVER);
    get(&client(&server.address().replace("127.0.0.1", "localhost"), &[TRUSTED])).unwrap();
}

#[test]
fn what_is_wrong_with_a_servers_certificate_is_told_with_its_cure() {
    for (pair, settings, words) in [
        (certs::OTHER_SERVER, &[TRUSTED][..], &["not trusted", "tls_ca_file"][..]),
        (
            certs::OTHER_NAME,
            &[TRUSTED],
            &["is for other.example, not for 127.0.0.1", "tls_server_name"],
        ),
        (certs::EXPIRED, &[TRUSTED], &["expired", "clock"]),
        (
            certs::COMMON_NAME,
            &[TRUSTED, ("tls_server_name", "localhost")],
            &["no subjectAltName", "-extfile", "subjectAltName=DNS:localhost"],
        ),
        (
            certs::OLD_SERVER,
            &[("tls_ca_file", certs::OLD_CA)],
            &["version 1", "openssl x509 -req", "-extfile", "subjectAltName=IP:127.0.0.1"],
        ),
    ] {
        let error = handshake(pair, settings);
        for word in words {
            assert!(error.message().contains(word), "{pair:?}: {error}");
        }
    }
}

#[test]
fn without_verification_every_certificate_will_do() {
    for pair in [certs::OTHER_SERVER, certs::OLD_SERVER, certs::EXPIRED, certs::COMMON_NAME] {
        let server = secured(pair);
        get(&client(server.address(), &[("tls_verify", "false")])).unwrap();
    }
}

#[test]
fn a_client_certificate_of_any_version_is_shown() {
    let Some(consul) = Consul::build().tls(ClientCertificates::Required).start() else { return };
    for pair in [certs::CLIENT, certs::OLD_CLIENT] {
        let settings = [TRUSTED, ("tls_cert_file", pair.certificate), ("tls_key_file", pair.key)];
        let client = client(&consul.https_address(), &settings);
        for value in [b"1", b"2"] {
            client.kv().put("tls", value, 0, &Options::new()).unwrap();
        }
    }
    for key in ["client-key-sec1.pem", "client-bundle.pem"] {
        let settings = [TRUSTED, ("tls_cert_file", "client.pem"), ("tls_key_file", key)];
        get(&client(&consul.https_address(), &settings)).unwrap();
    }
    for key in ["client-key-rsa.pem", "client-key-pkcs1.pem"] {
        let settings = [TRUSTED, ("tls_cert_file", "client-rsa.pem"), ("tls_key_file", key)];
        get(&client(&consul.https_address(), &settings)).unwrap();
    }
}

#[test]
fn a_server_that_wants_another_client_certificate_applies_nothing() {
    let Some(consul) = Consul::build().tls(ClientCertificates::Required).start() else { return };
    let other = [
        TRUSTED,
        ("tls_cert_file", certs::OTHER_CLIENT.certificate),
        ("tls_key_file", certs::OTHER_CLIENT.key),
    ];
    for (settings, word) in
        [(&[TRUSTED][..], "asks for a client certificate"), (&other, "does not accept")]
    {
        let client = client(&consul.https_address(), settings);
        let error = client.kv().put("mtls", b"1", 0, &Options::new()).unwrap_err();
        assert_eq!(error.status(), Status::Tls, "{error}");
        assert!(error.message().contains(word), "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    assert_eq!(consul.get("/v1/kv/mtls").status, 404);
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_cause() {
    let client_key = ("tls_key_file", certs::CLIENT.key);
    let client_cert = ("tls_cert_file", certs::CLIENT.certificate);
    for (settings, words) in [
        (&[("tls_ca_file", "garbage.pem")][..], &["tls_ca_file", "garbage.pem", "PEM"][..]),
        (&[("tls_ca_file", "empty.pem")], &["empty.pem", "no certificate"]),
        (&[("tls_ca_file", "broken.pem")], &["tls_ca_file", "broken.pem", "certificate"]),
        (&[TRUSTED, client_cert], &["tls_key_file"]),
        (&[TRUSTED, client_key], &["tls_cert_file"]),
        (&[TRUSTED, ("tls_cert_file", "client.der"), client_key], &["client.der", "PEM"]),
        (&[TRUSTED, ("tls_cert_file", "broken.pem"), client_key], &["broken.pem", "certificate"]),
        (&[TRUSTED, client_cert, ("tls_key_file", "client.pem")], &["client.pem", "private key"]),
        (
            &[TRUSTED, client_cert, ("tls_key_file", "client-key-encrypted.pem")],
            &["client-key-encrypted.pem", "encrypted", "openssl pkey"],
        ),
        (
            &[TRUSTED, client_cert, ("tls_key_file", certs::SERVER.key)],
            &["server-key.pem", "not the key", "client.pem"],
        ),
        (&[TRUSTED, ("tls_server_name", "no name")], &["tls_server_name", "no name"]),
    ] {
        let error = refused(settings);
        assert!(matches!(error.status(), Status::Tls | Status::Config), "{error}");
        for word in words {
            assert!(error.message().contains(word), "{settings:?}: {error}");
        }
    }
    for name in ["tls_ca_file", "tls_ca_path"] {
        let mut config = Config::without_environment();
        config.set("address", "https://127.0.0.1:1").unwrap();
        config.set(name, "/does/not/exist").unwrap();
        let error = Client::new(&config).err().unwrap();
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().contains(&format!("{name} /does/not/exist")), "{error}");
    }
}

#[test]
fn tls_and_plain_http_mistaken_for_each_other_are_told() {
    let Some(consul) = Consul::build().tls(ClientCertificates::Ignored).start() else { return };
    let error = get(&client(&consul.address().replace("http:", "https:"), &[TRUSTED])).unwrap_err();
    assert_eq!(error.status(), Status::Tls, "{error}");
    assert!(error.message().contains("does not speak TLS"), "{error}");
    let error = get(&client(&consul.https_address().replace("https:", "http:"), &[])).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 400), "{error}");
    assert!(error.message().contains("HTTPS"), "{error}");
}

#[test]
fn an_answer_over_tls_cut_without_a_proper_end_is_no_success() {
    for head in ["Content-Length: 9", "Connection: close"] {
        let server = Server::start(Door::Tls(certs::SERVER), move |connection| {
            connection.read_request()?;
            connection.write(format!("HTTP/1.1 404 No\r\n{head}\r\n\r\nhalf").as_bytes())?;
            connection.cut()
        });
        let error = get(&client(server.address(), &[TRUSTED])).unwrap_err();
        assert_eq!(error.status(), Status::Io, "{head}: {error}");
    }
}

#[test]
fn an_idle_connection_with_tls_that_was_closed_is_replaced() {
    for properly in [true, false] {
        let server = Server::start(Door::Tls(certs::SERVER), move |connection| {
            connection.read_request()?;
            connection.reply(&Reply::json(200, "true"))?;
            if properly { connection.close() } else { connection.cut() }
        });
        let client = client(server.address(), &[TRUSTED]);
        for count in 1..=3 {
            client.kv().put("a", b"1", 0, &Options::new()).unwrap();
            server.wait_for_connections(count);
            server.wait_for_open_connections(0);
        }
    }
}

#[test]
fn large_values_go_both_ways_over_tls() {
    let Some(consul) = Consul::build().tls(ClientCertificates::Ignored).start() else { return };
    let client = client(&consul.https_address(), &[TRUSTED]);
    let (key, value) = (unique("large"), vec![7; 500_000]);
    client.kv().put(&key, &value, 0, &Options::new()).unwrap();
    let pair = client.kv().get(&key, &Options::new()).unwrap().value.unwrap();
    assert!(pair.value == value);
}

#[test]
fn a_unix_socket_leads_to_the_same_agent() {
    let Some(consul) = Consul::build().unix_socket().start() else { return };
    for address in [consul.unix_address(), consul.socket().to_str().unwrap().to_owned()] {
        let key = unique("unix");
        let client = client(&address, &[]);
        client.kv().put(&key, b"bytes", 0, &Options::new()).unwrap();
        assert_eq!(consul.get(&format!("/v1/kv/{key}?raw")).text(), "bytes");
    }
}

#[test]
fn a_handshake_and_a_silent_server_end_at_the_deadline() {
    let time = Duration::from_millis(150);
    let options = Options::new().timeout(time);
    let hole = Server::black_hole();
    for (address, phase) in [
        (hole.address().to_owned(), "waiting for the answer"),
        (hole.address().replace("http:", "https:"), "TLS handshake"),
    ] {
        let client = client(&address, &[TRUSTED]);
        let (outcome, timing) = timed(|| client.kv().get("a", &options));
        let error = outcome.unwrap_err();
        assert_eq!(error.status(), Status::Timeout, "{error}");
        // A machine that stood still may not have come that far.
        let came_there = error.message().contains(phase);
        assert!(came_there || !timing.is_punctual(time / 2), "{error} {timing:?}");
        assert!(timing.elapsed >= time && timing.fair() < time + GRACE, "{timing:?}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    const CHILD: &str = "CONSUL_FFI_TEST_PROXIED";
    if let Ok(address) = std::env::var(CHILD) {
        return get(&client(&address, &[])).unwrap();
    }
    let server = Server::answering(|_| Reply::json(404, "").index(1));
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "transport::a_proxy_of_the_environment_is_not_used"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        child.env(name, Server::refused_address());
    }
    let done = child.env(CHILD, server.address()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn connections_beyond_the_agents_limit_are_told() {
    let agent = Consul::build().hcl("limits { http_max_conns_per_client = 3 }");
    let Some(consul) = agent.tls(ClientCertificates::Ignored).start() else { return };
    // Those that asked whether the agent is up may not be forgotten yet: an answer shows that a
    // connection counts.
    let answered = || {
        let mut stream = TcpStream::connect(("127.0.0.1", consul.port())).ok()?;
        stream.write_all(b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
        stream.read_exact(&mut [0; 12]).ok().map(|()| stream)
    };
    let _held: Vec<_> = std::iter::repeat_with(answered).flatten().take(3).collect();
    for (address, settings) in [(consul.address(), &[][..]), (consul.https_address(), &[TRUSTED])] {
        let error = get(&client(&address, settings)).unwrap_err();
        assert_eq!(error.status(), Status::RateLimited, "{error}");
        assert!(error.message().contains("http_max_conns_per_client"), "{error}");
        assert!(error.is_retryable(), "{error}");
    }
}
