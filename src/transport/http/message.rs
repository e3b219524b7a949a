//! Requests and answers as the protocol has them.

use super::failure;
use crate::config::Address;
use crate::error::{Error, Result, Status};
use crate::transport::{Headers, Method, Request, Response};
use ureq::http;
use ureq::http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use ureq::http::uri::PathAndQuery;
use ureq_proto::client::Call as Protocol;
use ureq_proto::client::state::Prepare;

pub(super) type UreqResult<T> = std::result::Result<T, ureq::Error>;

/// Writes the requests to one address.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) host: HeaderValue,
    prefix: String,
}

/// A request, as a connection takes it.
pub(super) struct Outgoing<'a> {
    request: &'a Request<'a>,
    messages: &'a Messages,
    path: PathAndQuery,
}

impl<'a> Outgoing<'a> {
    pub(super) fn body(&self) -> Option<&'a [u8]> {
        body(self.request)
    }

    pub(super) fn max_answer(&self) -> u64 {
        self.request.max_answer
    }

    /// What must be written in one piece.
    pub(super) fn longest_line(&self) -> usize {
        self.messages.longest_line(self.request)
    }

    /// What writes it. Given one by one the headers need no map.
    pub(super) fn protocol(self) -> UreqResult<Protocol<Prepare>> {
        let mut head = http::Request::new(());
        *head.method_mut() = method(self.request.method);
        let body = self.body();
        *head.uri_mut() = self.path.into();
        let mut protocol = Protocol::new(head)?;
        protocol.header(HOST, self.messages.host.clone())?;
        for (name, value) in self.request.headers {
            protocol.header(name.clone(), value.clone())?;
        }
        if let Some(body) = body {
            protocol.header(CONTENT_LENGTH, HeaderValue::from(body.len()))?;
        }
        Ok(protocol)
    }
}

impl Messages {
    pub(super) fn new(address: &Address) -> Result<Messages> {
        Ok(Messages {
            host: HeaderValue::try_from(address.authority())
                .map_err(|_| Error::config(format!("{address} cannot stand in an HTTP header")))?,
            prefix: address.prefix().to_owned(),
        })
    }

    /// An error when it cannot be sent at all.
    pub(super) fn outgoing<'a>(&'a self, request: &'a Request<'a>) -> Result<Outgoing<'a>> {
        Ok(Outgoing { request, messages: self, path: self.path(request.target)? })
    }

    /// What must be written in one piece.
    pub(super) fn longest_line(&self, request: &Request<'_>) -> usize {
        let headers = request.headers.iter();
        headers
            .map(|(name, value)| name.as_str().len() + value.len())
            .fold(self.prefix.len() + request.target.len(), usize::max)
    }

    /// Path and query on the wire.
    pub(super) fn path(&self, target: &str) -> Result<PathAndQuery> {
        let malformed = || Error::argument("the path is not percent-encoded");
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let path = match self.prefix.as_str() {
            "" => PathAndQuery::try_from(target),
            prefix => PathAndQuery::try_from(prefix.to_owned() + target),
        };
        path.map_err(|_| malformed())
    }
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
