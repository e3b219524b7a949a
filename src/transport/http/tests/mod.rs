//! Exchanges with small scripted servers. What is expected is the same whether an exchange blocks
//! or is started, so the same tests run in both ways.

#![allow(clippy::duplicate_mod)] // As said.

mod blocking;
#[path = "../../../../tests/support/control.rs"]
pub(super) mod control;
mod speed;
mod started;
mod streams;

use super::{HttpConfig, HttpTransport};
use crate::config::Address;
use crate::error::Result;
use crate::transport::tls::TlsSettings;
use crate::transport::{Lane, Method, Request, Response, Transport, Usage};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that serves so many connections, one after the other; each comes with its number.
struct Server {
    address: Address,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(connections: usize, mut serve: impl FnMut(usize, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let thread = std::thread::spawn(move || {
            for number in 0..connections {
                serve(number, listener.accept().unwrap().0);
            }
        });
        Server { address: Address::parse(&address).unwrap(), thread }
    }

    fn transport(&self) -> Arc<HttpTransport> {
        transport(self.address.clone())
    }

    /// Waits until every connection has been served.
    fn join(self) {
        self.thread.join().unwrap();
    }
}

fn config(address: Address) -> HttpConfig {
    HttpConfig { address, tls: TlsSettings::default(), max_connections: 16, interruptible: false }
}

fn transport(address: Address) -> Arc<HttpTransport> {
    with(&config(address))
}

fn with(config: &HttpConfig) -> Arc<HttpTransport> {
    Arc::new(HttpTransport::with(config).unwrap())
}

fn request(method: Method, target: &str) -> Request<'_> {
    Request {
        method,
        target,
        headers: &[],
        body: None,
        deadline: Instant::now() + Duration::from_secs(60),
        connect_by: Instant::now() + Duration::from_secs(60),
        replay: method == Method::Get,
        max_answer: 1 << 20,
        lane: Lane::Calls,
        cancel: None,
        gone: None,
    }
}

/// Reads one request: its head, and the body that the head announces.
fn read_request(stream: &mut impl Read) -> Option<String> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        seen.push(byte[0]);
    }
    let head = String::from_utf8(seen.clone()).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    seen.extend(body);
    Some(String::from_utf8(seen).unwrap())
}

/// Answers every request of a connection in the same way.
fn answer_all(mut stream: impl Read + Write, answer: &[u8]) {
    while read_request(&mut stream).is_some() {
        stream.write_all(answer).unwrap();
    }
}

/// Waits until the peer has closed.
fn wait_for_close(mut stream: impl Read) {
    let mut rest = [0; 1024];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}

/// Ends a connection, and waits until the peer's kernel has been told: then its state is FIN_WAIT2,
/// and TIME_WAIT after the peer's own end, 05 and 06 in proc_net_tcp(5).
fn end(stream: &TcpStream) {
    // Asked before: a peer that ends its side at once leaves none to ask for.
    let port = |address: std::io::Result<std::net::SocketAddr>| address.unwrap().port();
    let (ours, theirs) = (port(stream.local_addr()), port(stream.peer_addr()));
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let told = ["05", "06"].map(|state| format!(":{ours:04X} 0100007F:{theirs:04X} {state} "));
    let started = Instant::now();
    let is_told = || {
        let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
        told.iter().any(|state| table.contains(state))
    };
    while !is_told() {
        assert!(started.elapsed() < Duration::from_secs(60), "the peer was not told");
        std::thread::yield_now();
    }
}

/// A server that answers on any number of connections with the connection's number.
fn numbering() -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    std::thread::spawn(move || {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept() else { return };
            let body = format!("{number}");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            std::thread::spawn(move || answer_all(stream, answer.as_bytes()));
        }
    });
    address
}
