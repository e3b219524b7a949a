//! Every phase of an exchange ends at the deadline.

use super::*;
use crate::error::{Error, Status};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use std::net::{Ipv4Addr, SocketAddrV4};

/// How long such an exchange is given: a busy machine has connected by then.
const SHORT: Duration = Duration::from_millis(200);

/// How much later than its deadline an exchange may end on a busy machine. Under ThreadSanitizer
/// the copy of a large body alone takes seconds.
fn grace() -> Duration {
    let is_slow = std::env::var_os("TSAN_OPTIONS").is_some();
    Duration::from_millis(if is_slow { 10_000 } else { 500 })
}

/// The error of an exchange that must not end before this time nor much after it.
fn timed_out(time: Duration, exchange: impl FnOnce(Instant) -> Result<Response>) -> Error {
    let start = Instant::now();
    // What such a thread oversleeps is the machine's.
    let control = std::thread::spawn(move || {
        std::thread::sleep(time);
        start.elapsed() - time
    });
    let error = exchange(start + time).unwrap_err();
    let elapsed = start.elapsed();
    let grace = grace() + control.join().unwrap() * 2;
    assert_eq!(error.status(), Status::Timeout, "{error}");
    assert!(error.is_retryable());
    assert!(elapsed >= time && elapsed < time + grace, "{elapsed:?} instead of {time:?}");
    error
}

fn get_by(transport: &Arc<HttpTransport>, deadline: Instant) -> Result<Response> {
    exchange(transport, Request { deadline, ..request(Method::Get, "/v1/kv/a") })
}

#[test]
fn a_deadline_in_the_past_sends_nothing() {
    let transport = transport(Address::parse("127.0.0.1:1").unwrap());
    let error = get_by(&transport, Instant::now()).unwrap_err();
    assert_eq!(error.status(), Status::Timeout);
    assert!(!error.is_outcome_unknown());
}

#[test]
fn waiting_for_an_answer() {
    let server = Server::start(2, |_, stream| wait_for_close(stream));
    let transport = server.transport();
    // Below and above the step in which the kernel's time-outs are set.
    for time in [SHORT, SHORT + Duration::from_millis(330)] {
        let error = timed_out(time, |deadline| get_by(&transport, deadline));
        assert!(error.message().contains("waiting for the answer"), "{error}");
        assert!(error.is_outcome_unknown());
    }
    server.join();
}

#[test]
fn reading_an_answer_that_drips() {
    for head in ["HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"] {
        let server = Server::start(1, move |_, mut stream| {
            read_request(&mut stream);
            stream.write_all(head.as_bytes()).unwrap();
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let transport = server.transport();
        let error = timed_out(SHORT * 3, |deadline| get_by(&transport, deadline));
        assert!(error.message().contains("reading the answer"), "{error}");
        server.join();
    }
}

#[test]
fn sending_to_a_peer_that_does_not_read() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let server = Server::start(1, move |_, _stream| {
        let _ = wait.recv();
    });
    let transport = server.transport();
    let body = vec![0; 16 << 20];
    let error = timed_out(Duration::from_secs(2), |deadline| {
        let request = Request { body: Some(&body), deadline, ..request(Method::Put, "/") };
        exchange(&transport, request)
    });
    assert!(error.message().contains("sending the request"), "{error}");
    assert!(error.is_outcome_unknown());
    drop(done);
    server.join();
}

#[test]
fn connecting_to_a_full_backlog() {
    let (_listener, _fillers, address) = full_tcp();
    let transport = transport(address);
    let error = timed_out(Duration::from_millis(60), |deadline| get_by(&transport, deadline));
    assert!(error.message().contains("connecting"), "{error}");
    assert!(!error.is_outcome_unknown());
}

#[test]
fn connecting_to_a_unix_socket_with_a_full_backlog() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let listener = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    let address = SocketAddrUnix::new(&path).unwrap();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _filler = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let transport = transport(Address::parse(path.to_str().unwrap()).unwrap());
    let error = timed_out(Duration::from_millis(60), |deadline| get_by(&transport, deadline));
    assert!(error.message().contains("connecting"), "{error}");
    // As soon as there is room, the connection is made.
    std::thread::scope(|scope| {
        let call = scope.spawn(|| get(&transport));
        let served: Vec<_> = (0..2).map(|_| rustix::net::accept(&listener).unwrap()).collect();
        let mut stream = std::os::unix::net::UnixStream::from(served.into_iter().nth(1).unwrap());
        read_request(&mut stream);
        stream.write_all(ANSWER).unwrap();
        assert_eq!(call.join().unwrap().unwrap().body, b"ok");
    });
}

/// A listener that completes no more handshakes.
pub(super) fn full_tcp() -> (std::os::fd::OwnedFd, Vec<TcpStream>, Address) {
    let listener = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let address: std::net::SocketAddr =
        rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
    let mut fillers = Vec::new();
    while let Ok(filler) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        fillers.push(filler);
    }
    (listener, fillers, Address::parse(&address.to_string()).unwrap())
}
