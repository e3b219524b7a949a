//! HTTP/1.1 to one agent: on the caller's thread by ureq over connections of our own, or started
//! and carried on by the process's I/O thread ([`mux`]).
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
mod message;
mod mux;
mod resolver;
mod session;
mod socket;
mod tls;

use super::cancel::CancelToken;
use super::tasks::Tasks;
use super::tls::{TlsClient, TlsSettings};
use super::{Done, OwnedRequest, Request, Response, Stream, Transport};
use crate::config::{Address, Settings};
use crate::error::{Error, Result, Status};
use crate::sync::Mutex;
use crate::sys::PerProcess;
use call::{Call, Running};
use endpoint::Endpoint;
use message::{Messages, UreqResult};
use mux::Pool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::Instant;

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

/// HTTP/1.1 to one agent.
pub struct HttpTransport {
    address: Address,
    tls: Option<TlsClient>,
    process: PerProcess<Process>,
    /// Closed, in this process or in one that it was forked from.
    closed: AtomicBool,
    shown: String,
    messages: Messages,
    max_connections: usize,
    interruptible: bool,
}

/// What a transport has in one process.
#[derive(Default)]
struct Process {
    /// None after `close`.
    links: Mutex<Option<Links>>,
    closing: CancelToken,
    tasks: Arc<Tasks>,
}

struct Links {
    endpoint: Arc<Endpoint>,
    /// Since the first exchange that was started.
    pool: Option<Arc<Pool>>,
}

impl HttpTransport {
    /// The transport to this address that these settings ask for. Reads the files that they name.
    pub fn new(address: &Address, settings: &Settings) -> Result<HttpTransport> {
        HttpTransport::with(&HttpConfig {
            address: address.clone(),
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
        let tls = address.is_tls().then(|| config.tls.load(endpoint::host(address)));
        let transport = HttpTransport {
            address: address.clone(),
            tls: tls.transpose()?,
            process: PerProcess::new(),
            closed: AtomicBool::new(false),
            shown: address.to_string(),
            messages: Messages::new(address)?,
            max_connections: config.max_connections.max(1),
            interruptible: config.interruptible,
        };
        transport.process();
        Ok(transport)
    }

    /// What it has in this process; a forked child has connections of its own.
    fn process(&self) -> &Process {
        self.process.get_or_init(|| {
            let process = Process::default();
            if self.closed.load(Acquire) {
                process.close();
            } else {
                let tls = self.tls.as_ref().map(TlsClient::fresh);
                let endpoint = Endpoint::shared(&self.address, tls);
                *process.links.lock() = Some(Links { endpoint, pool: None });
            }
            process
        })
    }

    fn pool(&self) -> Result<Arc<Pool>> {
        let mut links = self.process().links.lock();
        let links = links.as_mut().ok_or_else(closed)?;
        if let Some(pool) = links.pool.as_ref().filter(|pool| pool.is_alive()) {
            return Ok(pool.clone());
        }
        let pool = links.endpoint.pool()?;
        links.pool = Some(pool.clone());
        Ok(pool)
    }

    fn call(&self, request: &Request<'_>) -> Arc<Call> {
        let longest_line = self.messages.longest_line(request);
        Call::new(request.deadline, request.connect_by, self.interruptible, longest_line)
    }

    /// A failure as the layer above gets it.
    fn told(&self, error: Error, sent: bool) -> Error {
        let unknown = error.is_outcome_unknown() || sent;
        error.context(&self.shown).with_endpoint(&self.shown).with_outcome_unknown(unknown)
    }

    /// Runs an exchange, whose attempts these are.
    fn run(
        &self,
        request: &Request<'_>,
        call: &Arc<Call>,
        mut attempt: impl FnMut(&ureq::Agent) -> Result<UreqResult<Response>>,
    ) -> Result<Response> {
        let process = self.process();
        let endpoint = process.links.lock().as_ref().map(|links| links.endpoint.clone());
        let _closing = process.closing.watch(call.clone())?;
        let _cancel = request.cancel.map(|token| token.watch(call.clone())).transpose()?;
        let _gone = request.gone.map(|token| token.watch(call.clone())).transpose()?;
        let endpoint = endpoint.ok_or_else(closed)?;
        call.rest()?;
        let _place = endpoint.budget.take(request.lane, self.max_connections, call)?;
        let _running = Running::new(call)?;

        let mut attempt = || {
            let answer = attempt(&endpoint.agent)?;
            answer.map_err(|error| explain(failure::from_ureq(error), call))
        };
        let first = attempt();
        if first.is_err() && call.died(true) && (request.replay || !call.is_sent()) {
            call.insist_on_fresh();
            return attempt();
        }
        first
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let call = self.call(&request);
        let answer = self.run(&request, &call, |agent| {
            let unread = self.messages.send(agent, &request)?;
            Ok(unread.and_then(|unread| message::read(unread, request.max_answer)))
        });
        answer.map_err(|error| self.told(error, call.is_sent()))
    }

    fn stream(&self, request: Request<'_>, mut stream: Stream<'_>) -> Result<Response> {
        let call = self.call(&request);
        // An idle connection may turn out to be dead when a part of the stream is gone.
        call.insist_on_fresh();
        let answer = self.run(&request, &call, |agent| match &mut stream {
            Stream::Download(to) => {
                let unread = self.messages.send(agent, &request)?;
                Ok(unread.and_then(|unread| message::pour(unread, request.max_answer, *to)))
            }
            Stream::Upload(from, length) => {
                let unread = self.messages.send_stream(agent, &request, *from, *length)?;
                Ok(unread.and_then(|unread| message::read(unread, request.max_answer)))
            }
        });
        answer.map_err(|error| self.told(error, call.is_sent()))
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        mux::start(self, request, cancel, done);
    }

    fn close(&self) {
        self.closed.store(true, Release);
        self.process().close();
    }

    fn wait_closed(&self, deadline: Instant) -> bool {
        self.process().tasks.wait_ended(deadline)
    }

    fn endpoint(&self) -> &str {
        &self.shown
    }
}

impl Process {
    fn close(&self) {
        self.closing.cancel(Status::Closed, "the client is closed");
        // With the last transport of this address its idle connections close too.
        let links = self.links.lock().take();
        drop(links);
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

#[cfg(test)]
mod tests;
