//! Bodies that go through piece by piece.

use super::*;
use crate::error::Status;
use crate::transport::Stream;
use std::io;
use std::sync::mpsc::channel;

const SIZE: usize = 8 << 20;

/// How many bytes it got, and how many at most at a time.
#[derive(Default)]
struct Measured {
    all: usize,
    largest: usize,
    /// Refuses what goes beyond.
    room: Option<usize>,
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.all += bytes.len();
        self.largest = self.largest.max(bytes.len());
        match self.room {
            Some(room) if self.all > room => Err(io::Error::other("the disk is full")),
            _ => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// So many bytes, of which it tells how many were asked for at most at a time.
struct Source {
    rest: usize,
    largest: usize,
}

impl Read for Source {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        self.largest = self.largest.max(piece.len());
        let length = piece.len().min(self.rest);
        self.rest -= length;
        Ok(length)
    }
}

fn download(transport: &HttpTransport, to: &mut Measured) -> Result<Response> {
    transport.stream(request(Method::Get, "/v1/snapshot"), Stream::Download(to))
}

fn serving(answer: impl Fn() -> Vec<u8> + Send + 'static) -> Server {
    Server::start(1, move |_, mut stream| {
        read_request(&mut stream);
        // The other side may have had enough.
        let _ = stream.write_all(&answer());
    })
}

fn large() -> Vec<u8> {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Consul-Index: 7\r\n\r\n".to_vec();
    for _ in 0..SIZE >> 16 {
        answer.extend_from_slice(b"10000\r\n");
        answer.resize(answer.len() + (1 << 16), b'x');
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

#[test]
fn an_answer_of_any_size_goes_out_in_small_pieces() {
    let server = serving(large);
    let mut seen = Measured::default();
    // `max_answer` is for what is held in memory.
    let answer = download(&server.transport(), &mut seen).unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.headers.get("X-Consul-Index"), Some("7"));
    assert_eq!(seen.all, SIZE);
    assert!(seen.largest <= 64 << 10, "{}", seen.largest);
    server.join();
}

#[test]
fn an_error_is_no_part_of_the_stream() {
    let answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops";
    let server = serving(|| answer.to_vec());
    let mut seen = Measured::default();
    let answer = download(&server.transport(), &mut seen).unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), seen.all), (500, &b"oops"[..], 0));
    server.join();
}

#[test]
fn what_is_cut_off_is_not_taken_for_the_end() {
    let server = serving(|| large()[..SIZE / 2].to_vec());
    let error = download(&server.transport(), &mut Measured::default()).unwrap_err();
    assert_eq!(error.status(), Status::Io, "{error}");
    server.join();
}

#[test]
fn where_nothing_more_can_be_written_it_ends() {
    let server = serving(large);
    let mut seen = Measured { room: Some(100_000), ..Measured::default() };
    let error = download(&server.transport(), &mut seen).unwrap_err();
    assert_eq!(error.status(), Status::Io);
    assert!(error.message().ends_with("the disk is full"), "{error}");
    assert!(seen.all < SIZE);
    server.join();
}

#[test]
fn a_request_of_any_size_is_read_in_small_pieces_and_sent_once() {
    let (send, seen) = channel();
    let server = Server::start(1, move |_, mut stream| {
        send.send(read_request(&mut stream).unwrap()).unwrap();
        stream.write_all(ANSWER).unwrap();
    });
    let mut source = Source { rest: SIZE, largest: 0 };
    let upload = Stream::Upload(&mut source, SIZE as u64);
    let answer = server.transport().stream(request(Method::Put, "/v1/snapshot"), upload).unwrap();
    assert_eq!(answer.body, b"ok");
    let request = seen.recv().unwrap();
    assert!(request.contains(&format!("content-length: {SIZE}\r\n")), "{}", &request[..200]);
    assert!(!request[..200].contains("chunked"));
    assert_eq!(source.rest, 0);
    assert!(source.largest <= 256 << 10, "{}", source.largest);
    server.join();
}

#[test]
fn a_stream_takes_a_fresh_connection_and_is_not_given_twice() {
    let (send, connections) = channel();
    let server = Server::start(2, move |number, stream| {
        send.send(number).unwrap();
        std::thread::spawn(move || match number {
            0 => answer_all(stream, ANSWER),
            // Closed without an answer.
            _ => drop(read_request(&mut { stream })),
        });
    });
    let transport = server.transport();
    transport.exchange(request(Method::Get, "/v1/kv/a")).unwrap();
    let error = download(&transport, &mut Measured::default()).unwrap_err();
    // What a Consul agent does with connections beyond its limit.
    assert_eq!(error.status(), Status::RateLimited, "{error}");
    server.join();
    assert_eq!(connections.iter().collect::<Vec<_>>(), [0, 1]);
}
