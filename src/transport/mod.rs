//! "Send this request, give me the answer": one exchange with a Consul agent, whatever carries it.
//!
//! Nothing here knows of KV, sessions or any other area of Consul's API.

mod cancel;
pub mod http;
pub mod tls;

pub use cancel::CancelToken;

use crate::error::Result;
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
    /// True when sending it twice does no harm: then an idle connection that turns out to be dead
    /// is replaced by a fresh one without the caller noticing.
    pub replay: bool,
    /// The most bytes of answer to take; more is `Status::TooLarge`.
    pub max_answer: u64,
    /// Which connections it may use.
    pub lane: Lane,
    /// Ends the exchange early, from another thread.
    pub cancel: Option<&'a CancelToken>,
}

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
    pub headers: ureq::http::HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Carries requests to one Consul agent.
///
/// Errors carry the endpoint, and `is_outcome_unknown` is set exactly when a byte of the request
/// may have left this process (the layer above clears it for requests that change nothing).
pub trait Transport: Send + Sync {
    /// Sends one request and reads the whole answer.
    fn exchange(&self, request: Request<'_>) -> Result<Response>;

    /// Ends every exchange in flight with `Status::Closed`, refuses new ones, and returns at once.
    fn close(&self);

    /// The address for messages, without any credential: `http://127.0.0.1:8500`.
    fn endpoint(&self) -> &str;
}
