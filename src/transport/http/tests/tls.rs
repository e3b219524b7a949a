//! Exchanges over TLS, with servers that end it well and badly.

use super::control::timed;
use super::*;
use crate::error::Status;
use crate::transport::CancelToken;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::mpsc::channel;

type Secured = StreamOwned<ServerConnection, TcpStream>;

/// A folder with `cert.pem` for 127.0.0.1, which is its own authority, and `key.pem`.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=test \
                     -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem";
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(folder.path())
        .output();
    assert!(made.unwrap().status.success());
    folder
});

fn file(name: &str) -> PathBuf {
    Path::join(FOLDER.path(), name)
}

fn server_side(stream: TcpStream) -> Secured {
    static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
        let certificate = CertificateDer::from_pem_file(file("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![certificate], key).unwrap())
    });
    StreamOwned::new(ServerConnection::new(CONFIG.clone()).unwrap(), stream)
}

/// A transport that trusts this authority.
fn trusting(server: &Server, authority: PathBuf) -> Arc<HttpTransport> {
    let tls = TlsSettings { ca_file: Some(authority), ..TlsSettings::default() };
    with(&HttpConfig { tls, ..config(server.address.clone().with_tls()) })
}

fn secured(server: &Server) -> Arc<HttpTransport> {
    trusting(server, file("cert.pem"))
}

#[test]
fn one_secured_connection_serves_small_and_large() {
    let large = "0123456789abcdef".repeat(50_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    let server = Server::start(1, move |_, stream| {
        let mut stream = server_side(stream);
        while let Some(request) = read_request(&mut stream) {
            let is_large = request.starts_with("PUT");
            stream.write_all(if is_large { answer.as_bytes() } else { ANSWER }).unwrap();
        }
    });
    let transport = secured(&server);
    for _ in 0..2 {
        // The tickets that come after the handshake do not spoil the connection.
        assert_eq!(get(&transport).unwrap().body, b"ok");
        assert!(put(&transport, large.as_bytes()).unwrap().body == large.as_bytes());
    }
    drop(transport);
    server.join();
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_its_cure() {
    let server = Server::start(1, |_, stream| {
        let mut stream = server_side(stream);
        // The refusal of the client, not a mere end.
        let told = stream.read(&mut [0]).unwrap_err().to_string();
        assert!(told.contains("alert"), "{told}");
    });
    let transport = trusting(&server, other_authority());
    let error = get(&transport).unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Tls, false), "{error}");
    assert!(error.message().contains("tls_ca_file"), "{error}");
    server.join();
}

/// The certificate of somebody else.
fn other_authority() -> PathBuf {
    static OTHER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let arguments = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
                         -subj /CN=other -keyout key.pem -out cert.pem";
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split_whitespace()).current_dir(folder.path());
        assert!(openssl.output().unwrap().status.success());
        folder
    });
    OTHER.path().join("cert.pem")
}

#[test]
fn a_handshake_that_fails_is_told_by_its_cause() {
    for (said, expected, words) in [
        (&b""[..], Status::RateLimited, "closed in the TLS handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Status::Tls, "does not speak TLS"),
    ] {
        let server = Server::start(1, move |_, mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            stream.write_all(said).unwrap();
        });
        let error = get(&secured(&server)).unwrap_err();
        assert_eq!((error.status(), error.is_outcome_unknown()), (expected, false), "{error}");
        assert!(error.message().contains(words), "{error}");
        server.join();
    }
}

#[test]
fn a_silent_handshake_ends_at_the_deadline_and_when_it_is_cancelled() {
    let (send, arrived) = channel();
    let silent = |send: std::sync::mpsc::Sender<()>| {
        Server::start(1, move |_, mut stream| {
            let _ = stream.read(&mut [0; 4096]);
            let _ = send.send(());
            wait_for_close(stream);
        })
    };
    // On a busy machine the time may be over before it has connected, so nobody waits for this one.
    let transport = secured(&silent(channel().0));
    let time = Duration::from_millis(600);
    let (late, timing) = timed(|| {
        let deadline = Instant::now() + time;
        exchange(&transport, Request { deadline, ..request(Method::Get, "/") }).unwrap_err()
    });
    assert_eq!((late.status(), late.is_outcome_unknown()), (Status::Timeout, false));
    let got_there = late.message().contains("in the TLS handshake");
    assert!(got_there || !timing.is_punctual(time / 2), "{late} {timing:?}");

    let server = silent(send);
    let transport = secured(&server);
    let token = CancelToken::new();
    std::thread::scope(|scope| {
        let (transport, cancel) = (&transport, Some(&token));
        let call = scope
            .spawn(move || exchange(transport, Request { cancel, ..request(Method::Get, "/") }));
        arrived.recv().unwrap();
        token.cancel(Status::Cancelled, "enough");
        assert_eq!(call.join().unwrap().unwrap_err().status(), Status::Cancelled);
    });
    server.join();
}

#[test]
fn a_connection_that_merely_ends_may_have_been_cut() {
    for (says_goodbye, answer) in [
        (true, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole"),
        (false, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf"),
        (false, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
    ] {
        let server = Server::start(1, move |_, stream| {
            let mut stream = server_side(stream);
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            if says_goodbye {
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        });
        match get(&secured(&server)) {
            Ok(response) => assert!(says_goodbye && response.body == b"whole"),
            Err(error) => {
                assert!(!says_goodbye && error.is_outcome_unknown(), "{error}");
                assert_eq!(error.status(), Status::Io, "{error}");
            }
        }
        server.join();
    }
}

#[test]
fn an_idle_secured_connection_that_was_closed_is_replaced_unnoticed() {
    let (closed, wait) = channel();
    let server = Server::start(2, move |_, stream| {
        let mut stream = server_side(stream);
        read_request(&mut stream);
        stream.write_all(ANSWER).unwrap();
        end(&stream.sock);
        closed.send(()).unwrap();
    });
    let transport = secured(&server);
    get(&transport).unwrap();
    wait.recv().unwrap();
    put(&transport, b"x").unwrap();
    server.join();
}
