//! Exchanges that are ended from outside: cancelled, closed, interrupted by a signal.

use super::control::{GRACE, timed};
use super::deadlines::full_tcp;
use super::*;
use crate::error::Status;
use crate::sys;
use crate::transport::CancelToken;
use std::sync::mpsc::channel;

/// Runs an exchange, ends it once `begun` returns, and gives the status it ended with: promptly, that
/// is without waiting for any time-out.
fn ended(
    transport: &Arc<HttpTransport>,
    request: Request<'_>,
    begun: impl FnOnce(),
    end: impl FnOnce(&CancelToken),
) -> Status {
    let token = CancelToken::new();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| exchange(transport, Request { cancel: Some(&token), ..request }));
        begun();
        let (error, timing) = timed(|| {
            end(&token);
            call.join().unwrap().unwrap_err()
        });
        assert!(timing.fair() < GRACE, "{timing:?}: {error}");
        error.status()
    })
}

fn cancel(token: &CancelToken) {
    token.cancel(Status::Cancelled, "cancelled");
}

#[test]
fn waiting_for_an_answer_and_reading_it() {
    let (send, arrived) = channel();
    let server = Server::start(4, move |number, mut stream| {
        read_request(&mut stream);
        if number % 2 == 1 {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha").unwrap();
        }
        send.send(()).unwrap();
        wait_for_close(stream);
    });
    for _ in 0..2 {
        let transport = server.transport();
        let begun = || arrived.recv().unwrap();
        let status = ended(&transport, request(Method::Get, "/"), begun, cancel);
        assert_eq!(status, Status::Cancelled);
        let begun = || arrived.recv().unwrap();
        let status = ended(&transport, request(Method::Get, "/"), begun, |_| transport.close());
        assert_eq!(status, Status::Closed);
    }
    server.join();
}

#[test]
fn connecting() {
    let (_listener, _fillers, address) = full_tcp();
    let transport = transport(address);
    let begun = || std::thread::sleep(Duration::from_millis(20));
    let status = ended(&transport, request(Method::Get, "/"), begun, cancel);
    assert_eq!(status, Status::Cancelled);
}

#[test]
fn sending() {
    let (send, arrived) = channel();
    let (done, wait) = channel::<()>();
    let server = Server::start(1, move |_, mut stream| {
        stream.read_exact(&mut [0; 64]).unwrap();
        send.send(()).unwrap();
        let _ = wait.recv();
    });
    let transport = server.transport();
    let body = vec![0; 64 << 20];
    let request = Request { body: Some(&body), ..request(Method::Put, "/") };
    let status = ended(&transport, request, || arrived.recv().unwrap(), cancel);
    assert_eq!(status, Status::Cancelled);
    drop(done);
    server.join();
}

#[test]
fn waiting_for_a_place() {
    let (send, arrived) = channel();
    let server = Server::start(1, move |_, mut stream| {
        read_request(&mut stream);
        send.send(()).unwrap();
        wait_for_close(stream);
    });
    let limited = HttpConfig { max_connections: 1, ..config(server.address.clone()) };
    let transport = with(&limited);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(&transport));
        arrived.recv().unwrap();
        let begun = || std::thread::sleep(Duration::from_millis(20));
        let status = ended(&transport, request(Method::Get, "/"), begun, cancel);
        assert_eq!(status, Status::Cancelled);
        transport.close();
        assert_eq!(first.join().unwrap().unwrap_err().status(), Status::Closed);
    });
}

#[test]
fn a_cancelled_token_lets_nothing_begin_and_harms_nothing_else() {
    let server = Server::start(1, |_, stream| answer_all(stream, ANSWER));
    let transport = server.transport();
    let token = CancelToken::new();
    let with = |token| Request { cancel: Some(token), ..request(Method::Get, "/") };
    exchange(&transport, with(&token)).unwrap();
    token.cancel(Status::Cancelled, "enough");
    let error = exchange(&transport, with(&token)).unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Cancelled, false));
    // The connection that the finished exchange used was left alone.
    get(&transport).unwrap();
    drop(transport);
    server.join();
}

#[test]
fn no_write_raises_sigpipe() {
    // A thread of ours blocks the signal, so that one raised would stay pending, to be seen.
    let (send, seen) = channel();
    let thread = sys::spawn("consul-test", move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("closing.sock");
        let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap().to_string();
        let closing = std::thread::spawn(move || {
            drop(unix.accept().unwrap());
            rustix::net::connect_unspec(tcp.accept().unwrap().0).unwrap();
        });
        let body = vec![0; 8 << 20];
        for address in [path.to_str().unwrap(), &address] {
            put(&transport(Address::parse(address).unwrap()), &body).unwrap_err();
        }
        closing.join().unwrap();
        let before = sigpipe_is_pending();
        // What the check is worth: a plain write(2) does raise it.
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(theirs);
        rustix::io::write(&ours, b"x").unwrap_err();
        send.send((before, sigpipe_is_pending())).unwrap();
    });
    thread.unwrap().join().unwrap();
    let (ours, control) = seen.recv().unwrap();
    assert!(!ours);
    assert!(control, "the check cannot tell");
}

fn sigpipe_is_pending() -> bool {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let pending = status.lines().find_map(|line| line.strip_prefix("SigPnd:")).unwrap();
    u64::from_str_radix(pending.trim(), 16).unwrap() & (1 << (libc::SIGPIPE - 1)) != 0
}
