//! What comes back, and what must not.

use super::*;
use crate::error::Status;
use std::sync::mpsc::channel;

/// What becomes of an answer of these bytes, after which the server closes.
fn answered(bytes: impl Into<Vec<u8>>) -> Result<Response> {
    let bytes = bytes.into();
    let server = Server::start(1, move |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(&bytes).unwrap();
    });
    let answer = get(&server.transport());
    server.join();
    answer
}

fn refused(bytes: impl Into<Vec<u8>>) -> Status {
    let error = answered(bytes).unwrap_err();
    assert!(error.is_outcome_unknown(), "{error}");
    assert!(error.message().starts_with(error.endpoint()), "{error}");
    error.status()
}

#[test]
fn one_connection_serves_many_requests() {
    let (send, seen) = channel();
    let server = Server::start(1, move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            send.send(request).unwrap();
            stream.write_all(ANSWER).unwrap();
        }
    });
    let transport = server.transport();
    for _ in 0..3 {
        assert_eq!(get(&transport).unwrap().body, b"ok");
    }
    put(&transport, b"value").unwrap();
    exchange(&transport, request(Method::Put, "/v1/kv/b")).unwrap();
    exchange(&transport, request(Method::Delete, "/v1/kv/b")).unwrap();
    let host = server.address.authority();
    drop(transport);
    server.join();
    let seen: Vec<_> = seen.iter().collect();
    assert_eq!(seen[0], format!("GET /v1/kv/a HTTP/1.1\r\nhost: {host}\r\n\r\n"));
    assert!(seen[3].starts_with("PUT /v1/kv/a HTTP/1.1\r\n"), "{}", seen[3]);
    assert!(seen[3].contains("content-length: 5\r\n") && seen[3].ends_with("\r\n\r\nvalue"));
    assert!(seen[4].contains("content-length: 0\r\n"), "{}", seen[4]);
    assert!(!seen[5].contains("content-length"), "{}", seen[5]);
}

#[test]
fn the_prefix_of_the_address_stands_before_the_path() {
    let (send, seen) = channel();
    let server = Server::start(1, move |_, mut stream| {
        send.send(read_request(&mut stream).unwrap()).unwrap();
        stream.write_all(ANSWER).unwrap();
    });
    let address = format!("http://{}/behind/proxy/", server.address.authority());
    get(&transport(Address::parse(&address).unwrap())).unwrap();
    assert!(seen.recv().unwrap().starts_with("GET /behind/proxy/v1/kv/a HTTP/1.1\r\n"));
}

#[test]
fn a_body_may_be_framed_in_every_way_of_http() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "body"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n",
            "body",
        ),
        ("HTTP/1.0 200 OK\r\n\r\nbody", "body"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "body"),
    ] {
        let response = answered(answer).unwrap();
        assert_eq!(response.body, expected.as_bytes(), "{answer}");
    }
}

#[test]
fn what_is_left_out_of_a_head_stays_in_a_body() {
    let body = "Vary: a\r\nDate: b\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nVary: x\r\nAge: 1\r\nDate: y\r\nContent-Length: 20\r\n\r\n";
    let response = answered(format!("{head}{body}")).unwrap();
    assert_eq!(response.body, body.as_bytes());
    let names = ["Vary", "Age", "Date", "Content-Length"];
    assert_eq!(names.map(|name| response.headers.get(name)), ["x", "1", "y", "20"].map(Some));
}

#[test]
fn redirects_and_errors_are_answers_like_any_other() {
    let moved =
        answered("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n").unwrap();
    assert_eq!((moved.status, moved.headers.get("location")), (302, Some("/b")));
    let failed = answered("HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nwhy").unwrap();
    assert_eq!((failed.status, failed.body.as_slice()), (500, b"why".as_slice()));
}

#[test]
fn a_cut_answer_is_never_a_short_success() {
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let error = answered(cut).unwrap_err();
        assert_eq!(error.status(), Status::Io, "{cut}: {error}");
        assert!(error.is_retryable() && error.is_outcome_unknown(), "{cut}: {error}");
        assert!(error.message().contains("in the middle of the answer"), "{cut}: {error}");
    }
}

#[test]
fn a_reset_is_not_the_end_of_an_answer_without_length() {
    let server = Server::start(1, |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhalf").unwrap();
        // To disconnect a connected socket resets the connection.
        rustix::net::connect_unspec(&stream).unwrap();
    });
    let error = get(&server.transport()).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
}

#[test]
fn nonsense_is_an_error_of_decoding() {
    for nonsense in [
        "lorem ipsum\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        assert_eq!(refused(nonsense), Status::Decode, "{nonsense}");
    }
    let endless = "1".repeat(200_000);
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{endless}");
    assert_eq!(refused(endless), Status::Decode);
    let many = "a: b\r\n".repeat(500);
    assert_eq!(refused(format!("HTTP/1.1 200 OK\r\n{many}\r\n")), Status::Decode);
}

#[test]
fn what_is_too_large_is_not_taken() {
    // The latter is not read by the protocol, and counts all the same.
    for name in ["a", "X-Consul-A"] {
        let head = format!("HTTP/1.1 200 OK\r\n{name}: {}\r\n\r\n", "b".repeat(70_000));
        assert_eq!(refused(head), Status::TooLarge);
    }
    let most = 1 << 20;
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", most + 1);
    assert_eq!(refused(announced), Status::TooLarge);
    let absurd = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", u64::MAX);
    assert_eq!(refused(absurd), Status::TooLarge);

    let limited = |length: usize| {
        let body = "x".repeat(length);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        );
        let server = Server::start(1, move |_, mut stream| {
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let request = Request { max_answer: 100, ..request(Method::Get, "/") };
        exchange(&server.transport(), request).map(|response| response.body.len())
    };
    assert_eq!(limited(100), Ok(100));
    assert_eq!(limited(101).unwrap_err().status(), Status::TooLarge);
}

#[test]
fn bytes_after_the_answer_spoil_the_connection_and_nothing_else() {
    let server = Server::start(2, |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(&[ANSWER, b"HTTP/1.1 500 leftover\r\n\r\n"].concat()).unwrap();
        wait_for_close(stream);
    });
    let transport = server.transport();
    for _ in 0..2 {
        assert_eq!(get(&transport).unwrap().body, b"ok");
    }
    drop(transport);
    server.join();
}

#[test]
fn large_bodies_go_both_ways() {
    let large = "0123456789abcdef".repeat(50_000);
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}", large.len());
    let (send, seen) = channel();
    let server = Server::start(1, move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            send.send(request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let transport = server.transport();
    for _ in 0..2 {
        let response = put(&transport, large.as_bytes()).unwrap();
        assert!(response.body == large.as_bytes());
        assert!(seen.recv().unwrap().ends_with(&format!("\r\n\r\n{large}")));
    }
}

#[test]
fn a_long_path_is_sent_whole() {
    let (send, seen) = channel();
    let server = Server::start(1, move |_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            send.send(request).unwrap();
            stream.write_all(ANSWER).unwrap();
        }
    });
    let transport = server.transport();
    for length in [10, 60_000] {
        let target = format!("/v1/kv/{}", "k".repeat(length));
        exchange(&transport, request(Method::Get, &target)).unwrap();
        assert!(seen.recv().unwrap().starts_with(&format!("GET {target} HTTP/1.1\r\n")));
    }
}

#[test]
fn an_answer_before_the_end_of_the_request_counts() {
    let server = Server::start(1, |_, mut stream| {
        let mut head = [0; 64];
        stream.read_exact(&mut head).unwrap();
        let answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";
        stream.write_all(answer).unwrap();
        // What is unread at the close makes it a reset, once the answer has been taken in.
    });
    let transport = server.transport();
    let result = put(&transport, &vec![b'x'; 4 << 20]);
    server.join();
    match result {
        Ok(response) => {
            assert_eq!((response.status, response.body.as_slice()), (413, b"big".as_slice()))
        }
        // The reset may overtake the answer; then nothing is claimed.
        Err(error) => assert!(error.is_outcome_unknown(), "{error}"),
    }
}

#[test]
fn a_path_that_cannot_be_sent_is_refused_before() {
    let transport = transport(Address::parse("127.0.0.1:1").unwrap());
    for target in ["/a b", "/a\r\nb", "/ä"] {
        let error = exchange(&transport, request(Method::Get, target)).unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{target}");
        assert!(!error.is_outcome_unknown());
    }
}
