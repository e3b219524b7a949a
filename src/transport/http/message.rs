//! Requests and answers as the protocol has them.

use super::failure;
use crate::config::Address;
use crate::error::{Error, Result, Status};
use crate::transport::{Method, Request, Response};
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
    pub(super) protocol: Protocol<Prepare>,
    pub(super) body: Option<&'a [u8]>,
    /// What must be written in one piece.
    pub(super) longest_line: usize,
    pub(super) max_answer: u64,
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
    pub(super) fn outgoing<'a>(&self, request: &Request<'a>) -> Result<Outgoing<'a>> {
        let mut head = http::Request::new(());
        *head.method_mut() = method(request.method);
        *head.uri_mut() = self.path(request.target)?.into();
        let body = body(request);
        let protocol = self.protocol(head, request, body).map_err(failure::from_ureq)?;
        let (longest_line, max_answer) = (self.longest_line(request), request.max_answer);
        Ok(Outgoing { protocol, body, longest_line, max_answer })
    }

    /// Gives it the headers one by one, for then they need no map.
    fn protocol(
        &self,
        head: http::Request<()>,
        request: &Request<'_>,
        body: Option<&[u8]>,
    ) -> UreqResult<Protocol<Prepare>> {
        let mut protocol = Protocol::new(head)?;
        protocol.header(HOST, self.host.clone())?;
        for (name, value) in request.headers {
            protocol.header(name.clone(), value.clone())?;
        }
        if let Some(body) = body {
            protocol.header(CONTENT_LENGTH, HeaderValue::from(body.len()))?;
        }
        Ok(protocol)
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

pub(super) fn response<B>(head: http::Response<B>, body: Vec<u8>) -> Response {
    let (parts, _) = head.into_parts();
    Response { status: parts.status.as_u16(), headers: parts.headers, body }
}
