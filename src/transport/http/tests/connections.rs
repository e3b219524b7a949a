//! Which connections are used, kept, replaced and closed.

use super::*;
use crate::error::Status;
use rustix::net::{AddressFamily, SocketType};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;

#[test]
fn an_idle_connection_that_was_closed_is_replaced_unnoticed() {
    let (closed, wait) = channel();
    let server = Server::start(2, move |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(ANSWER).unwrap();
        end(&stream);
        closed.send(()).unwrap();
    });
    let transport = server.transport();
    get(&transport).unwrap();
    wait.recv().unwrap();
    // Even a request that must not be sent twice: the look at the socket tells before.
    put(&transport, b"x").unwrap();
    server.join();
}

/// A server whose first connection takes a second request and closes instead of answering.
fn dying_idle_connection() -> (Server, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    let server = Server::start(2, move |number, mut stream| {
        while read_request(&mut stream).is_some() {
            counted.fetch_add(1, SeqCst);
            if number == 0 && counted.load(SeqCst) == 2 {
                return;
            }
            stream.write_all(ANSWER).unwrap();
        }
    });
    (server, requests)
}

#[test]
fn a_connection_that_dies_under_a_safe_request_is_replaced_once() {
    let (server, requests) = dying_idle_connection();
    let transport = server.transport();
    for _ in 0..2 {
        assert_eq!(get(&transport).unwrap().body, b"ok");
    }
    assert_eq!(requests.load(SeqCst), 3);
}

#[test]
fn a_connection_that_dies_under_an_unsafe_request_is_an_unknown_outcome() {
    let (server, requests) = dying_idle_connection();
    let transport = server.transport();
    get(&transport).unwrap();
    let error = put(&transport, b"x").unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
    assert!(error.is_outcome_unknown() && error.is_retryable());
    assert_eq!(requests.load(SeqCst), 2);
}

#[test]
fn a_new_connection_closed_at_once_points_to_consuls_limit() {
    let server = Server::start(2, |number, stream| {
        if number == 1 {
            rustix::net::connect_unspec(&stream).unwrap();
        }
    });
    let transport = server.transport();
    for _ in 0..2 {
        let error = get(&transport).unwrap_err();
        assert_eq!(error.status(), Status::RateLimited, "{error}");
        assert!(error.message().contains("http_max_conns_per_client"), "{error}");
        assert!(error.is_retryable());
    }
}

#[test]
fn a_connection_that_cannot_be_made_is_told_by_its_cause() {
    // Bound and not listened at, so that it is nobody else's meanwhile.
    let bound = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let free: SocketAddr = rustix::net::getsockname(&bound).unwrap().try_into().unwrap();
    let refused = get(&transport(Address::parse(&free.to_string()).unwrap())).unwrap_err();
    assert_eq!(refused.status(), Status::Connect);
    assert_eq!(refused.message(), format!("http://{free}: connection refused"));
    assert_eq!(refused.endpoint(), format!("http://{free}"));
    assert!(refused.is_retryable() && !refused.is_outcome_unknown());

    let both = Address::parse(&format!("localhost:{}", free.port())).unwrap();
    let message = get(&transport(both)).unwrap_err().message().to_owned();
    assert!(message.contains("127.0.0.1:") && message.contains("[::1]:"), "{message}");

    let missing = Address::parse("/does/not/exist.sock").unwrap();
    let error = get(&transport(missing)).unwrap_err();
    assert_eq!(error.status(), Status::Connect);
    assert!(error.message().contains("/does/not/exist.sock"), "{error}");
    assert!(error.message().ends_with("it does not exist"), "{error}");
}

#[test]
fn a_unix_socket_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consul.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (send, seen) = channel();
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        while let Some(request) = read_request(&mut stream) {
            send.send(request).unwrap();
            stream.write_all(ANSWER).unwrap();
        }
    });
    let transport = transport(Address::parse(&format!("unix://{}", path.display())).unwrap());
    for _ in 0..2 {
        assert_eq!(get(&transport).unwrap().body, b"ok");
        assert!(seen.recv().unwrap().contains("host: localhost\r\n"));
    }
}

#[test]
fn thousands_of_writes_use_one_socket() {
    let server = Server::start(1, |_, stream| answer_all(stream, ANSWER));
    let transport = server.transport();
    for _ in 0..10_000 {
        put(&transport, b"x").unwrap();
    }
    drop(transport);
    server.join();
}

#[test]
fn transports_of_one_address_share_connections_until_the_last_is_closed() {
    let server = Server::start(1, |_, stream| answer_all(stream, ANSWER));
    let (one, other) = (server.transport(), server.transport());
    for transport in [&one, &other] {
        get(transport).unwrap();
    }
    one.close();
    get(&other).unwrap();
    other.close();
    // Both still exist, and yet their only connection ends.
    server.join();
    assert_eq!(get(&one).unwrap_err().status(), Status::Closed);
}

fn usage(in_flight: u32, connections: u32) -> Usage {
    Usage { in_flight, connections }
}

/// Waits until that is on: the last of those who hold connections may be the I/O thread.
fn wait_for_usage(transport: &HttpTransport, wanted: Usage) {
    let started = Instant::now();
    while transport.usage() != wanted {
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", transport.usage());
        std::thread::yield_now();
    }
}

#[test]
fn connections_count_while_they_stand_for_all_transports_of_the_address() {
    let server = Server::start(1, |_, stream| answer_all(stream, ANSWER));
    let (one, other) = (server.transport(), server.transport());
    assert_eq!(one.usage(), usage(0, 0));
    for transport in [&one, &other] {
        get(transport).unwrap();
        // It lies idle now.
        assert_eq!((one.usage(), other.usage()), (usage(0, 1), usage(0, 1)));
    }
    one.close();
    assert_eq!(one.usage(), usage(0, 1));
    other.close();
    server.join();
    wait_for_usage(&one, usage(0, 0));
    assert_eq!(other.usage(), usage(0, 0));
}

#[test]
fn a_connection_that_never_stood_or_that_broke_does_not_count() {
    let server = Server::start(1, |_, mut stream| drop(read_request(&mut stream)));
    let broken = server.transport();
    assert!(put(&broken, b"x").is_err());
    server.join();
    assert_eq!(broken.usage(), usage(0, 0));
    let missing = transport(Address::parse("/does/not/exist.sock").unwrap());
    assert_eq!(get(&missing).unwrap_err().status(), Status::Connect);
    assert_eq!(missing.usage(), usage(0, 0));
}

#[test]
fn what_is_in_flight_counts_from_its_place_to_its_answer() {
    let (arrived, wait) = channel();
    let (go, turn) = channel::<()>();
    let server = Server::start(1, move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            arrived.send(()).unwrap();
            turn.recv().unwrap();
            stream.write_all(ANSWER).unwrap();
        }
    });
    let transport = with(&HttpConfig { max_connections: 1, ..config(server.address.clone()) });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(&transport));
        wait.recv().unwrap();
        assert_eq!(transport.usage(), usage(1, 1));
        // Who waits for a place is not in flight.
        let second = scope.spawn(|| get(&transport));
        while transport.blocking().unwrap().budget.waiting() < 1 {
            std::thread::yield_now();
        }
        assert_eq!(transport.usage(), usage(1, 1));
        go.send(()).unwrap();
        first.join().unwrap().unwrap();
        wait.recv().unwrap();
        assert_eq!(transport.usage(), usage(1, 1));
        go.send(()).unwrap();
        second.join().unwrap().unwrap();
    });
    assert_eq!(transport.usage(), usage(0, 1));
}

#[test]
fn calls_beyond_max_connections_wait_and_upkeep_does_not() {
    let (arrived, wait) = channel();
    let server = Server::start(2, move |_, mut stream| {
        read_request(&mut stream);
        arrived.send(()).unwrap();
        std::thread::spawn(move || {
            // No answer: it lasts until the transports are closed.
            wait_for_close(stream);
        });
    });
    let limited = HttpConfig { max_connections: 1, ..config(server.address.clone()) };
    let one = with(&limited);
    let other = with(&limited);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| get(&one));
        wait.recv().unwrap();
        // The limit is the address's, over all its transports.
        let deadline = Instant::now() + Duration::from_millis(50);
        let waited =
            exchange(&other, Request { deadline, ..request(Method::Get, "/") }).unwrap_err();
        assert_eq!(waited.status(), Status::Timeout);
        assert!(waited.message().contains("max_connections"), "{waited}");
        assert!(!waited.is_outcome_unknown());

        let upkeep = scope.spawn(|| {
            exchange(&other, Request { lane: Lane::Upkeep, ..request(Method::Get, "/") })
        });
        wait.recv().unwrap();
        assert_eq!(one.usage(), usage(2, 2));
        one.close();
        other.close();
        assert_eq!(first.join().unwrap().unwrap_err().status(), Status::Closed);
        assert_eq!(upkeep.join().unwrap().unwrap_err().status(), Status::Closed);
    });
}
