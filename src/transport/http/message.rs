//! Requests and answers as the protocol has them.

use super::buffers::Buffers;
use super::failure;
use crate::config::Address;
use crate::error::{Error, Result, Status};
use crate::transport::{Headers, Method, Request, Response};
use ureq::http;
use ureq::http::header::HeaderValue;
use ureq::http::uri::PathAndQuery;

/// The longest method with its space, the length of a body, and the empty line.
const REST_OF_HEAD: usize = "DELETE content-length: 18446744073709551615\r\n\r\n".len();

pub(super) type UreqResult<T> = std::result::Result<T, ureq::Error>;

/// Writes the requests to one address.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) host: HeaderValue,
    prefix: String,
    /// What stands between the path and the other headers.
    version_and_host: Vec<u8>,
}

/// A request, as a connection takes it.
pub(super) struct Outgoing<'a> {
    request: &'a Request<'a>,
    messages: &'a Messages,
}

impl<'a> Outgoing<'a> {
    pub(super) fn body(&self) -> Option<&'a [u8]> {
        body(self.request)
    }

    pub(super) fn max_answer(&self) -> u64 {
        self.request.max_answer
    }

    /// Writes the head. Its parts cannot break out of their lines: the path was looked at, and a
    /// header's type lets nothing in that could. Through a protocol's types it takes 3,000 instructions.
    pub(super) fn write_head(&self, to: &mut Buffers) {
        let Request { method, target, headers, .. } = self.request;
        to.reserve(self.messages.head_length(self.request));
        for part in [method.as_str(), " ", &self.messages.prefix, target] {
            to.append(part.as_bytes());
        }
        to.append(&self.messages.version_and_host);
        for (name, value) in *headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                to.append(part);
            }
        }
        if let Some(body) = self.body() {
            to.append(format!("content-length: {}\r\n", body.len()).as_bytes());
        }
        to.append(b"\r\n");
    }
}

impl Messages {
    pub(super) fn new(address: &Address) -> Result<Messages> {
        let host = HeaderValue::try_from(address.authority())
            .map_err(|_| Error::config(format!("{address} cannot stand in an HTTP header")))?;
        let version_and_host = [b" HTTP/1.1\r\nhost: ", host.as_bytes(), b"\r\n"].concat();
        Ok(Messages { host, prefix: address.prefix().to_owned(), version_and_host })
    }

    /// An error when it cannot be sent at all.
    pub(super) fn outgoing<'a>(&'a self, request: &'a Request<'a>) -> Result<Outgoing<'a>> {
        check(request.target)?;
        Ok(Outgoing { request, messages: self })
    }

    /// No head of this request is longer, and no line of it.
    pub(super) fn head_length(&self, request: &Request<'_>) -> usize {
        let first = self.prefix.len() + request.target.len() + self.version_and_host.len();
        let headers = request.headers.iter();
        let lines = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
        first + lines.sum::<usize>() + REST_OF_HEAD
    }

    /// Path and query on the wire.
    pub(super) fn path(&self, target: &str) -> Result<PathAndQuery> {
        check(target)?;
        PathAndQuery::try_from(self.prefix.clone() + target).map_err(|_| malformed())
    }
}

/// An error when this cannot stand in the first line of a request.
fn check(target: &str) -> Result<()> {
    let is_sendable = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if target.bytes().all(is_sendable) { Ok(()) } else { Err(malformed()) }
}

fn malformed() -> Error {
    Error::argument("the path is not percent-encoded")
}

pub(super) fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Put => http::Method::PUT,
        Method::Post => http::Method::POST,
        Method::Delete => http::Method::DELETE,
    }
}

pub(super) fn body<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    match (request.body, request.method) {
        (Some(body), _) => Some(body),
        // These always have a body, an empty one at least (RFC 9110, section 8.6).
        (None, Method::Put | Method::Post) => Some(&[]),
        (None, Method::Get | Method::Delete) => None,
    }
}

/// Where an answer goes that announces so many bytes.
pub(super) fn room_for(announced: u64, max_answer: u64) -> UreqResult<Vec<u8>> {
    if announced > max_answer {
        return Err(too_large(max_answer));
    }
    // No more than this is believed before it is there.
    Ok(Vec::with_capacity(usize::try_from(announced.min(64 * 1024)).unwrap_or(0)))
}

/// An error when an answer of so many bytes is too large.
pub(super) fn check_size(length: usize, max_answer: u64) -> UreqResult<()> {
    if length as u64 > max_answer { Err(too_large(max_answer)) } else { Ok(()) }
}

fn too_large(max_answer: u64) -> ureq::Error {
    let message = format!("the answer is larger than {max_answer} bytes");
    failure::of(Error::new(Status::TooLarge, message))
}

pub(super) fn response(head: &http::response::Parts, body: Vec<u8>) -> Response {
    Response { status: head.status.as_u16(), headers: Headers::from(&head.headers), body }
}
