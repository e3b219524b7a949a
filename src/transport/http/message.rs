//! Requests and answers as ureq has them.

use super::failure;
use crate::config::Address;
use crate::error::{Error, Result, Status};
use crate::transport::{Method, Request, Response};
use std::io::{Read, Write};
use ureq::http;
use ureq::http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use ureq::http::uri::{Authority, Parts, PathAndQuery, Scheme, Uri};

/// An answer whose body is still to be read.
type Unread = http::Response<ureq::Body>;
pub(super) type UreqResult<T> = std::result::Result<T, ureq::Error>;

/// How much of a stream is in memory at a time.
const PIECE: usize = 64 * 1024;

/// Writes the requests to one address.
#[derive(Debug)]
pub(super) struct Messages {
    scheme: Scheme,
    host: HeaderValue,
    prefix: String,
}

impl Messages {
    pub(super) fn new(address: &Address) -> Result<Messages> {
        Ok(Messages {
            scheme: if address.is_tls() { Scheme::HTTPS } else { Scheme::HTTP },
            host: HeaderValue::try_from(address.authority())
                .map_err(|_| Error::config(format!("{address} cannot stand in an HTTP header")))?,
            prefix: address.prefix().to_owned(),
        })
    }

    /// What ureq must be able to write in one piece.
    pub(super) fn longest_line(&self, request: &Request<'_>) -> usize {
        let headers = request.headers.iter();
        headers
            .map(|(name, value)| name.as_str().len() + value.len())
            .fold(self.prefix.len() + request.target.len(), usize::max)
    }

    /// Sends a request. A request that cannot be sent at all is the outer error.
    pub(super) fn send(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
    ) -> Result<UreqResult<Unread>> {
        Ok(match (request.body, request.method) {
            (Some(body), _) => agent.run(self.of(request, body)?),
            // These always have a body, an empty one at least (RFC 9110, section 8.6).
            (None, Method::Put | Method::Post) => agent.run(self.of(request, [].as_slice())?),
            (None, Method::Get | Method::Delete) => agent.run(self.of(request, ())?),
        })
    }

    /// Sends a request whose body is a stream of this length.
    pub(super) fn send_stream(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
        from: &mut dyn Read,
        length: u64,
    ) -> Result<UreqResult<Unread>> {
        let mut built = self.of(request, ureq::SendBody::from_reader(from))?;
        built.headers_mut().insert(CONTENT_LENGTH, length.into());
        Ok(agent.run(built))
    }

    fn of<B>(&self, request: &Request<'_>, body: B) -> Result<http::Request<B>> {
        self.request(request.method, request.target, request.headers, body)
    }

    /// A request as the `http` crate has it.
    pub(super) fn request<B>(
        &self,
        method: Method,
        target: &str,
        sent: &[(HeaderName, HeaderValue)],
        body: B,
    ) -> Result<http::Request<B>> {
        let mut built = http::Request::new(body);
        *built.method_mut() = match method {
            Method::Get => http::Method::GET,
            Method::Put => http::Method::PUT,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        };
        *built.uri_mut() = self.uri(target)?;
        let headers = built.headers_mut();
        headers.reserve(sent.len() + 1);
        headers.insert(HOST, self.host.clone());
        for (name, value) in sent {
            headers.append(name.clone(), value.clone());
        }
        Ok(built)
    }

    fn uri(&self, target: &str) -> Result<Uri> {
        let malformed = || Error::argument("the path is not percent-encoded");
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        // ureq compares it to find an idle connection. All those of an endpoint lead to one place,
        // and the `Host` header is ours.
        parts.authority = Some(Authority::from_static("c"));
        let path_and_query = match self.prefix.as_str() {
            "" => PathAndQuery::try_from(target),
            prefix => PathAndQuery::try_from(prefix.to_owned() + target),
        };
        parts.path_and_query = Some(path_and_query.map_err(|_| malformed())?);
        Uri::from_parts(parts).map_err(|_| malformed())
    }
}

/// Reads the whole answer, so that its connection can serve another exchange.
pub(super) fn read(unread: Unread, max_answer: u64) -> UreqResult<Response> {
    let (parts, body) = unread.into_parts();
    let mut bytes = room_for(body.content_length().unwrap_or(0), max_answer)?;
    let limit = max_answer.saturating_add(1);
    body.into_reader().take(limit).read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    check_size(bytes.len(), max_answer)?;
    Ok(response(parts, bytes))
}

/// Reads an answer whose body goes to a stream; one that is not a 2xx is read as by [`read`].
pub(super) fn pour(unread: Unread, max_answer: u64, to: &mut dyn Write) -> UreqResult<Response> {
    if !unread.status().is_success() {
        return read(unread, max_answer);
    }
    let (parts, body) = unread.into_parts();
    let mut body = body.into_reader();
    let mut piece = vec![0; PIECE];
    loop {
        let length = body.read(&mut piece).map_err(ureq::Error::from)?;
        let piece = piece.get(..length).unwrap_or_default();
        if piece.is_empty() {
            return Ok(response(parts, Vec::new()));
        }
        // Not to be taken for an error of the connection.
        to.write_all(piece).map_err(|error| failure::of(Error::of_stream(error)))?;
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

pub(super) fn response(parts: http::response::Parts, body: Vec<u8>) -> Response {
    Response { status: parts.status.as_u16(), headers: parts.headers, body }
}
