//! HTTP/1.1 on the caller's thread, by ureq over connections of our own.
//!
//! ureq speaks the protocol and keeps the pool; opening connections, deadlines, cancellation and
//! the number of connections are ours.

mod budget;
mod buffers;
mod call;
mod connection;
mod connector;
mod endpoint;
mod failure;
mod link;
mod resolver;
mod socket;
mod tls;

use super::cancel::CancelToken;
use super::tls::TlsSettings;
use super::{Method, Request, Response, Transport};
use crate::config::{Address, Settings};
use crate::error::{Error, Result, Status};
use call::{Call, Running};
use endpoint::Endpoint;
use parking_lot::Mutex;
use std::io::Read;
use std::sync::Arc;
use ureq::http::header::{HOST, HeaderValue};
use ureq::http::uri::{Authority, PathAndQuery, Scheme, Uri};

/// How a transport reaches its Consul agent.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where the agent listens.
    pub address: Address,
    /// How TLS is spoken, where the address asks for it.
    pub tls: TlsSettings,
    /// How many calls may be in flight to this address, over all clients of the process.
    pub max_connections: usize,
    /// End with `Status::Interrupted` when a signal arrives, instead of going on.
    pub interruptible: bool,
}

/// Blocking HTTP/1.1 to one agent.
#[derive(Debug)]
pub struct HttpTransport {
    /// None after `close`.
    endpoint: Mutex<Option<Arc<Endpoint>>>,
    closing: CancelToken,
    shown: String,
    scheme: Scheme,
    host: HeaderValue,
    prefix: String,
    max_connections: usize,
    interruptible: bool,
}

impl HttpTransport {
    /// The transport that these settings ask for. Reads the files that they name.
    pub fn new(settings: &Settings) -> Result<HttpTransport> {
        let address = Address::parse(&settings.address)?;
        HttpTransport::with(&HttpConfig {
            address: if settings.tls_enabled { address.with_tls() } else { address },
            tls: TlsSettings {
                verify: settings.tls_verify,
                ca_file: settings.tls_ca_file.clone(),
                ca_path: settings.tls_ca_path.clone(),
                cert_file: settings.tls_cert_file.clone(),
                key_file: settings.tls_key_file.clone(),
                server_name: settings.tls_server_name.clone(),
            },
            max_connections: settings.max_connections,
            interruptible: settings.interruptible,
        })
    }

    /// Prepares a transport. Opens no connection yet.
    pub fn with(config: &HttpConfig) -> Result<HttpTransport> {
        let address = &config.address;
        let authority = address.authority();
        let malformed = |_| Error::config(format!("{address} cannot be written into a URL"));
        Ok(HttpTransport {
            endpoint: Mutex::new(Some(Endpoint::shared(address, &config.tls)?)),
            closing: CancelToken::new(),
            shown: address.to_string(),
            scheme: if address.is_tls() { Scheme::HTTPS } else { Scheme::HTTP },
            host: HeaderValue::from_str(&authority).map_err(|_| malformed(()))?,
            prefix: address.prefix().to_owned(),
            max_connections: config.max_connections.max(1),
            interruptible: config.interruptible,
        })
    }

    fn run(&self, request: &Request<'_>, uri: &Uri, call: &Arc<Call>) -> Result<Response> {
        let endpoint = self.endpoint.lock().clone();
        let _closing = self.closing.watch(call.clone())?;
        let _cancel = request.cancel.map(|token| token.watch(call.clone())).transpose()?;
        let endpoint = endpoint.ok_or_else(closed)?;
        call.rest()?;
        let _place = endpoint.budget.take(request.lane, self.max_connections, call)?;
        let _running = Running::new(call)?;

        let first = self.attempt(&endpoint.agent, request, uri, call);
        if first.is_err() && call.died(true) && (request.replay || !call.is_sent()) {
            call.insist_on_fresh();
            return self.attempt(&endpoint.agent, request, uri, call);
        }
        first
    }

    fn attempt(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
        uri: &Uri,
        call: &Call,
    ) -> Result<Response> {
        self.send(agent, request, uri)
            .and_then(|response| read(response, request.max_answer))
            .map_err(|error| explain(failure::from_ureq(error), call))
    }

    fn send(
        &self,
        agent: &ureq::Agent,
        request: &Request<'_>,
        uri: &Uri,
    ) -> std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        match (request.body, request.method) {
            (Some(body), _) => agent.run(self.http_request(request, uri, body)),
            // These always have a body, an empty one at least (RFC 9110, section 8.6).
            (None, Method::Put | Method::Post) => {
                agent.run(self.http_request(request, uri, [].as_slice()))
            }
            (None, Method::Get | Method::Delete) => agent.run(self.http_request(request, uri, ())),
        }
    }

    fn http_request<B>(&self, request: &Request<'_>, uri: &Uri, body: B) -> ureq::http::Request<B> {
        let mut built = ureq::http::Request::new(body);
        *built.method_mut() = match request.method {
            Method::Get => ureq::http::Method::GET,
            Method::Put => ureq::http::Method::PUT,
            Method::Post => ureq::http::Method::POST,
            Method::Delete => ureq::http::Method::DELETE,
        };
        *built.uri_mut() = uri.clone();
        let headers = built.headers_mut();
        headers.reserve(request.headers.len() + 1);
        headers.insert(HOST, self.host.clone());
        for (name, value) in request.headers {
            headers.append(name.clone(), value.clone());
        }
        built
    }

    fn uri(&self, target: &str) -> Result<Uri> {
        let malformed = || Error::argument("the path is not percent-encoded");
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let mut parts = ureq::http::uri::Parts::default();
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

impl Transport for HttpTransport {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let uri = self.uri(request.target);
        let uri = uri.map_err(|error| error.with_endpoint(&self.shown))?;
        let longest_line = request
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .fold(uri.path_and_query().map_or(0, |target| target.as_str().len()), usize::max);
        let call = Call::new(request.deadline, self.interruptible, longest_line);
        self.run(&request, &uri, &call).map_err(|error| {
            let unknown = error.is_outcome_unknown() || call.is_sent();
            error.context(&self.shown).with_endpoint(&self.shown).with_outcome_unknown(unknown)
        })
    }

    fn close(&self) {
        self.closing.cancel(Status::Closed, "the client is closed");
        // With the last transport of this address its idle connections close too.
        drop(self.endpoint.lock().take());
    }

    fn endpoint(&self) -> &str {
        &self.shown
    }
}

fn closed() -> Error {
    Error::new(Status::Closed, "the client is closed")
}

/// Adds what is known about the likely cause.
fn explain(error: Error, call: &Call) -> Error {
    // Consul 1.8 answers nothing at all to connections beyond its limit; later versions send 429.
    if error.status() == Status::Io && call.died(false) {
        return Error::new(
            Status::RateLimited,
            format!(
                "{}; a Consul agent ends new connections at once beyond \
                 limits.http_max_conns_per_client (200) from one address",
                error.message()
            ),
        );
    }
    error
}

/// Reads the whole answer, so that its connection can serve another exchange.
fn read(
    response: ureq::http::Response<ureq::Body>,
    max_answer: u64,
) -> std::result::Result<Response, ureq::Error> {
    let (parts, body) = response.into_parts();
    let too_large = || {
        let message = format!("the answer is larger than {max_answer} bytes");
        failure::of(Error::new(Status::TooLarge, message))
    };
    let announced = body.content_length().unwrap_or(0);
    if announced > max_answer {
        return Err(too_large());
    }
    // Not more than a page is believed before it is there.
    let capacity = usize::try_from(announced.min(64 * 1024)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(capacity);
    let limit = max_answer.saturating_add(1);
    body.into_reader().take(limit).read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    if bytes.len() as u64 > max_answer {
        return Err(too_large());
    }
    Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body: bytes })
}

#[cfg(test)]
mod tests;
