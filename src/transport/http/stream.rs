//! Exchanges whose body is a stream: ureq itself, over a connection of ours that serves nothing else.

use super::call::Call;
use super::connection::Connection;
use super::endpoint::MAX_HEAD;
use super::message::{self, Messages, UreqResult};
use super::{blocking, failure};
use crate::error::{Error, Result};
use crate::runtime::at_once;
use crate::sync::Mutex;
use crate::transport::{Request, Response, Stream};
use std::fmt;
use std::future::Future;
use std::io::{Read, Write};
use std::sync::Arc;
use ureq::http;
use ureq::http::header::{CONTENT_LENGTH, HOST};
use ureq::http::uri::{Authority, Parts, Scheme, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Body, SendBody};

/// How much of a stream is in memory at a time.
const PIECE: usize = 64 * 1024;

/// Sends a request over this connection and reads its answer, with a stream in the place of one of the
/// bodies.
pub(super) fn run(
    mut head: http::Request<()>,
    request: &Request<'_>,
    stream: Stream<'_>,
    carrier: Carrier,
) -> UreqResult<Response> {
    let agent = agent(carrier);
    match stream {
        Stream::Download(to) => {
            let unread = match message::body(request) {
                Some(body) => agent.run(head.map(|()| body)),
                None => agent.run(head),
            };
            unread.and_then(|unread| pour(unread, request.max_answer, to))
        }
        Stream::Upload(from, length) => {
            head.headers_mut().insert(CONTENT_LENGTH, length.into());
            let unread = agent.run(head.map(|()| SendBody::from_reader(from)));
            unread.and_then(|unread| read(unread, request.max_answer))
        }
    }
}

/// The head of the request; an error when it cannot be sent at all.
pub(super) fn head(messages: &Messages, request: &Request<'_>) -> Result<http::Request<()>> {
    let mut parts = Parts::default();
    // The connection stands already, so this only has to be something.
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::from_static("c"));
    parts.path_and_query = Some(messages.path(request.target)?);
    let mut head = http::Request::new(());
    *head.method_mut() = message::method(request.method);
    *head.uri_mut() = Uri::from_parts(parts).map_err(|error| Error::argument(error.to_string()))?;
    head.headers_mut().insert(HOST, messages.host.clone());
    for (name, value) in request.headers {
        head.headers_mut().append(name.clone(), value.clone());
    }
    Ok(head)
}

/// Reads the whole answer.
fn read(unread: http::Response<Body>, max_answer: u64) -> UreqResult<Response> {
    let (head, body) = unread.into_parts();
    let mut bytes = message::room_for(body.content_length().unwrap_or(0), max_answer)?;
    let limit = max_answer.saturating_add(1);
    body.into_reader().take(limit).read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    message::check_size(bytes.len(), max_answer)?;
    Ok(message::response(&head, bytes))
}

/// Reads an answer whose body goes to a stream; one that is not a 2xx is read as by [`read`].
fn pour(unread: http::Response<Body>, max_answer: u64, to: &mut dyn Write) -> UreqResult<Response> {
    if !unread.status().is_success() {
        return read(unread, max_answer);
    }
    let (head, body) = unread.into_parts();
    let mut body = body.into_reader();
    let mut piece = vec![0; PIECE];
    loop {
        let length = body.read(&mut piece).map_err(ureq::Error::from)?;
        let piece = piece.get(..length).unwrap_or_default();
        if piece.is_empty() {
            return Ok(message::response(&head, Vec::new()));
        }
        // Not to be taken for an error of the connection.
        to.write_all(piece).map_err(|error| failure::of(Error::of_stream(error)))?;
    }
}

fn agent(carrier: Carrier) -> ureq::Agent {
    let config = ureq::config::Config::builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The deadline is kept by our connection.
        .timeout_await_100(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(MAX_HEAD)
        .build();
    ureq::Agent::with_parts(config, Connected(Mutex::new(Some(carrier))), NoLookup)
}

/// A connection as ureq sees it.
pub(super) struct Carrier {
    connection: Box<Connection<blocking::Socket>>,
    call: Arc<Call>,
}

impl Carrier {
    /// For requests whose heads are no longer than this.
    pub(super) fn new(
        mut connection: Box<Connection<blocking::Socket>>,
        longest_head: usize,
        call: &Arc<Call>,
    ) -> Carrier {
        connection.buffers.reserve(longest_head);
        Carrier { connection, call: call.clone() }
    }
}

/// What a future gives in which everything that waits blocks.
fn here<T>(future: impl Future<Output = UreqResult<T>>) -> UreqResult<T> {
    at_once(async { Ok(future.await) }).map_err(failure::of)?
}

impl Transport for Carrier {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.connection.buffers
    }

    /// Only collects: head and body leave together, when ureq begins to wait for the answer.
    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> UreqResult<()> {
        here(self.connection.written(amount, &self.call))
    }

    fn await_input(&mut self, _: NextTimeout) -> UreqResult<bool> {
        here(async {
            self.connection.flush(&self.call).await?;
            self.connection.receive(&self.call).await
        })
    }

    /// It serves nothing else.
    fn is_open(&mut self) -> bool {
        false
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.call.detach();
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").field("call", &self.call).finish_non_exhaustive()
    }
}

/// Gives ureq the one connection that there is.
#[derive(Debug)]
struct Connected(Mutex<Option<Carrier>>);

impl Connector for Connected {
    type Out = Carrier;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> UreqResult<Option<Carrier>> {
        Ok(self.0.lock().take())
    }
}

/// ureq asks before it connects.
#[derive(Debug)]
struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> UreqResult<ResolvedSocketAddrs> {
        Ok(self.empty())
    }
}
