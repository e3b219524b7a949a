//! HTTP by hand, to ask Consul past the library under test.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Where to ask.
pub enum Endpoint {
    /// A port of 127.0.0.1.
    Tcp(u16),
    /// A unix socket.
    Unix(PathBuf),
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8").trim_end()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header, in whatever case it came.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// Sends one request on a connection of its own and reads the answer to its end.
pub fn request(
    endpoint: &Endpoint,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    // Longer than any blocking query of a test; a hung agent still ends the test.
    let limit = Some(Duration::from_secs(60));
    match endpoint {
        Endpoint::Tcp(port) => {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
            stream.set_read_timeout(limit)?;
            exchange(stream, method, target, headers, body)
        }
        Endpoint::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(limit)?;
            exchange(stream, method, target, headers, body)
        }
    }
}

fn exchange(
    mut stream: impl Read + Write,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    // In HTTP/1.0 an answer is never chunked: it ends with the connection.
    let mut head = format!("{method} {target} HTTP/1.0\r\nHost: 127.0.0.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        io::Error::new(io::ErrorKind::InvalidData, format!("no whole HTTP answer: {text:?}"))
    })
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = end_of_head(bytes)?;
    let (first, headers) = parse_head(&bytes[..end])?;
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let body = bytes[end..].to_vec();
    let length: Option<usize> = find(&headers, "content-length").and_then(|n| n.parse().ok());
    let whole = length.is_none_or(|length| length == body.len());
    whole.then_some(Answer { status, headers, body })
}

/// The length of an HTTP head with its empty line, once that is there.
pub fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The first line of a head, and its headers.
pub fn parse_head(head: &[u8]) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = std::str::from_utf8(head).ok()?.trim_end().split("\r\n");
    let first = lines.next()?.to_owned();
    let headers = lines
        .map(|line| {
            line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        })
        .collect::<Option<Vec<_>>>()?;
    Some((first, headers))
}

/// The first header of that name, in whatever case.
pub fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
