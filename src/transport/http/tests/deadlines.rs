//! Every phase of an exchange ends at the deadline.

use super::control::{GRACE, timed};
use super::*;
use crate::error::Status;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use std::net::{Ipv4Addr, SocketAddrV4};

/// How long such an exchange is given.
const SHORT: Duration = Duration::from_millis(200);

/// Whether the request was sent by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    No,
    Perhaps,
}

/// An exchange that must not end before this time nor much after it, and what it was doing then: a
/// machine that oversleeps half of the time may not have let it come that far.
fn timed_out(
    time: Duration,
    (doing, sent): (&str, Sent),
    exchange: impl FnOnce(Instant) -> Result<Response>,
) {
    let (outcome, timing) = timed(|| exchange(Instant::now() + time));
    let error = outcome.unwrap_err();
    assert_eq!(error.status(), Status::Timeout, "{error}");
    assert!(error.is_retryable());
    assert!(timing.elapsed >= time && timing.fair() < time + GRACE, "{timing:?}, not {time:?}");
    if timing.is_punctual(time / 2) {
        assert!(error.message().contains(doing), "{error}");
        assert_eq!(error.is_outcome_unknown(), sent == Sent::Perhaps, "{error}");
    }
}

/// A transport that has connected already: a busy machine takes its time for that.
fn connected(server: &Server) -> Arc<HttpTransport> {
    let transport = server.transport();
    get(&transport).unwrap();
    transport
}

/// The server's side of that.
fn answer_first(stream: &mut TcpStream) {
    read_request(stream);
    stream.write_all(ANSWER).unwrap();
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
    // Below and above the step in which the kernel's time-outs are set.
    for time in [SHORT, SHORT + Duration::from_millis(330)] {
        let server = Server::start(1, |_, mut stream| {
            answer_first(&mut stream);
            wait_for_close(stream);
        });
        let transport = connected(&server);
        let what = ("waiting for the answer", Sent::Perhaps);
        timed_out(time, what, |deadline| get_by(&transport, deadline));
        server.join();
    }
}

#[test]
fn reading_an_answer_that_drips() {
    for head in ["HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"] {
        let server = Server::start(1, move |_, mut stream| {
            answer_first(&mut stream);
            read_request(&mut stream);
            // On a busy machine it may have been given up by now.
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let transport = connected(&server);
        let what = ("reading the answer", Sent::Perhaps);
        timed_out(SHORT * 3, what, |deadline| get_by(&transport, deadline));
        server.join();
    }
}

#[test]
fn sending_to_a_peer_that_does_not_read() {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let server = Server::start(1, move |_, mut stream| {
        answer_first(&mut stream);
        let _ = wait.recv();
    });
    let transport = connected(&server);
    let body = vec![0; 16 << 20];
    let what = ("sending the request", Sent::Perhaps);
    timed_out(Duration::from_secs(2), what, |deadline| {
        let request = Request { body: Some(&body), deadline, ..request(Method::Put, "/") };
        exchange(&transport, request)
    });
    drop(done);
    server.join();
}

#[test]
fn connecting_to_a_full_backlog() {
    let (_listener, _fillers, address) = full_tcp();
    let transport = transport(address);
    timed_out(SHORT, ("connecting", Sent::No), |deadline| get_by(&transport, deadline));
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
    timed_out(SHORT, ("connecting", Sent::No), |deadline| get_by(&transport, deadline));
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
