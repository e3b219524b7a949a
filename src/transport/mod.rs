//! "Send this request, give me the answer": one exchange with a Consul agent, whatever carries it.
//!
//! Nothing here knows of KV, sessions or any other area of Consul's API.

mod cancel;
mod embedded;
mod headers;
pub mod http;
mod tasks;
pub mod tls;

pub use cancel::CancelToken;
pub(crate) use cancel::Interrupt;
pub(crate) use embedded::Control;
pub use headers::Headers;
pub(crate) use headers::number;

use crate::config::{Location, Settings};
use crate::error::{Error, Result};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Instant;

/// The HTTP methods that Consul's API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// One request, ready to be sent.
pub struct Request<'a> {
    /// The HTTP method.
    pub method: Method,
    /// Path and query, percent-encoded, without the address's own path prefix: `/v1/kv/a?index=1`.
    pub target: &'a str,
    /// Headers beyond `Host` and `Content-Length`, which the transport sets itself.
    pub headers: &'a [(ureq::http::HeaderName, ureq::http::HeaderValue)],
    /// The body; `Some(&[])` sends `Content-Length: 0`.
    pub body: Option<&'a [u8]>,
    /// When the whole exchange must have ended, retries on another connection included.
    pub deadline: Instant,
    /// When a new connection must stand, its TLS included; not after the deadline. Where others
    /// could serve, an agent that cannot be reached shall not use up all the time.
    pub connect_by: Instant,
    /// True when sending it twice does no harm: then an idle connection that turns out to be dead
    /// is replaced by a fresh one without the caller noticing.
    pub replay: bool,
    /// The most bytes of answer to take; more is `Status::TooLarge`.
    pub max_answer: u64,
    /// Which connections it may use.
    pub lane: Lane,
    /// Ends the exchange early, from another thread.
    pub cancel: Option<&'a CancelToken>,
    /// Ends it early, too: the agent was found not to answer any more.
    pub gone: Option<&'a CancelToken>,
}

/// One request that owns what it needs, for an exchange whose answer comes later. Fields as in
/// [`Request`].
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct OwnedRequest {
    pub method: Method,
    pub target: String,
    pub headers: Vec<(ureq::http::HeaderName, ureq::http::HeaderValue)>,
    pub body: Option<Vec<u8>>,
    pub deadline: Instant,
    pub connect_by: Instant,
    pub replay: bool,
    pub max_answer: u64,
    pub lane: Lane,
    pub gone: Option<CancelToken>,
}

impl OwnedRequest {
    /// The same request, for an exchange that blocks.
    pub fn borrow<'a>(&'a self, cancel: &'a CancelToken) -> Request<'a> {
        Request {
            method: self.method,
            target: &self.target,
            headers: &self.headers,
            body: self.body.as_deref(),
            deadline: self.deadline,
            connect_by: self.connect_by,
            replay: self.replay,
            max_answer: self.max_answer,
            lane: self.lane,
            cancel: Some(cancel),
            gone: self.gone.as_ref(),
        }
    }
}

/// What to do with the answer of an exchange that was started. It runs once, on the I/O thread or,
/// where the exchange could not even begin, on the thread that started it; it must not block.
pub type Done = Box<dyn FnOnce(Result<Response>) + Send>;

/// Which connections a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A caller's request: waits for a place among `max_connections`.
    Calls,
    /// Renewals, heartbeats, releases and lock monitors: they never wait behind calls.
    Upkeep,
}

/// An answer, whatever its HTTP status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the HTTP status is a 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What goes through an exchange piece by piece, because it may be larger than memory.
pub enum Stream<'a> {
    /// The body of the answer is written here, if its HTTP status is a 2xx.
    Download(&'a mut dyn Write),
    /// The body of the request: so many bytes.
    Upload(&'a mut dyn Read, u64),
}

/// What a process has on at one address at a moment, over all its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The requests that are with it.
    pub in_flight: u32,
    /// The open connections to it, idle ones included.
    pub connections: u32,
}

/// Carries requests to one Consul agent.
///
/// Errors carry the endpoint, and `is_outcome_unknown` is set exactly when a byte of the request
/// may have left this process (the layer above clears it for requests that change nothing).
pub trait Transport: Send + Sync + 'static {
    /// Sends one request and reads the whole answer.
    fn exchange(&self, request: Request<'_>) -> Result<Response>;

    /// As [`Transport::exchange`], with a stream in the place of the request's body, or of the
    /// answer's, which is empty then unless the HTTP status is none of the 2xx. Nothing is sent
    /// twice: a stream cannot be had again.
    ///
    /// A transport that does not say otherwise holds the whole of it in memory.
    fn stream(&self, request: Request<'_>, stream: Stream<'_>) -> Result<Response> {
        let once = Request { replay: false, ..request };
        match stream {
            Stream::Download(to) => {
                let answer = self.exchange(Request { max_answer: u64::MAX, ..once })?;
                if !answer.is_success() {
                    return Ok(answer);
                }
                to.write_all(&answer.body).map_err(Error::of_stream)?;
                Ok(Response { body: Vec::new(), ..answer })
            }
            Stream::Upload(from, _) => {
                let mut body = Vec::new();
                from.read_to_end(&mut body).map_err(Error::of_stream)?;
                self.exchange(Request { body: Some(&body), ..once })
            }
        }
    }

    /// Starts an exchange and returns at once; `done` gets what [`Transport::exchange`] would have
    /// given. `cancel` ends it early: its connection is shut at once.
    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done);

    /// As [`Transport::close`], but for the exchanges of [`Lane::Upkeep`], so that something can be given
    /// back yet. A transport that does not say otherwise ends them with the others.
    fn end_calls(&self) {}

    /// Ends every exchange in flight with `Status::Closed`, refuses new ones, and returns at once.
    fn close(&self);

    /// Waits until everything that was started has got its answer. False when that takes longer.
    fn wait_closed(&self, deadline: Instant) -> bool;

    /// The address for messages, without any credential: `http://127.0.0.1:8500`.
    fn endpoint(&self) -> &str;

    /// What is on there. Never blocks. Nothing, where no connection carries the requests.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// What a test does with the agent, where that one is embedded.
    fn embedded(&self) -> Option<Control> {
        None
    }
}

/// What carries requests to this place. Reads the files that the settings name.
pub(crate) fn open(place: &Location, settings: &Settings) -> Result<Arc<dyn Transport>> {
    match place {
        Location::Embedded(name) => {
            Ok(Arc::new(embedded::EmbeddedTransport::new(name, settings.interruptible)))
        }
        Location::Http(address) => Ok(Arc::new(http::HttpTransport::new(address, settings)?)),
    }
}
