//! HTTP/1.1 to one agent: on the caller's thread ([`blocking`]), or started and carried on by the
//! process's I/O thread ([`mux`]). What is between the two and the protocol is written once, as
//! futures; those of an exchange that blocks never wait.
//!
//! ureq speaks the protocol: its protocol without I/O where an answer is held in memory and is not as
//! [plain](skim) as most are, the whole of it for a [`stream`]. Opening connections, keeping them, deadlines, cancellation and the number of
//! connections are ours.

mod blocking;
mod budget;
mod buffers;
mod call;
mod connection;
mod connector;
mod endpoint;
mod exchange;
mod failure;
mod link;
mod message;
mod mux;
mod pool;
mod resolver;
mod session;
mod skim;
mod socket;
mod stream;
mod tls;
mod wait;

use super::cancel::{CancelToken, Closing};
use super::tasks::Tasks;
use super::tls::{TlsClient, TlsSettings};
use super::{Done, OwnedRequest, Request, Response, Stream, Transport, Usage};
use crate::config::{Address, Settings};
use crate::error::{Error, Result, Status};
use crate::runtime::at_once;
use crate::runtime::io::Io;
use crate::sync::Mutex;
use crate::sys::PerProcess;
use blocking::Blocking;
use budget::Budget;
use call::Call;
use endpoint::Endpoint;
use exchange::Standing;
use message::Messages;
use pool::Pool;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};
use std::time::Instant;
use stream::Carrier;

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
    /// That of its endpoint, which it outlives: what is on after `close` is told, too.
    budget: Arc<Budget>,
    closing: Closing,
    tasks: Arc<Tasks>,
}

struct Links {
    endpoint: Arc<Endpoint>,
    /// Since the first exchange that was started.
    started: Option<Arc<Pool<Io>>>,
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
            if self.closed.load(Acquire) {
                let process = Process::default();
                process.close();
                return process;
            }
            let tls = self.tls.as_ref().map(TlsClient::fresh);
            let endpoint = Endpoint::shared(&self.address, tls);
            let budget = endpoint.budget.clone();
            let links = Mutex::new(Some(Links { endpoint, started: None }));
            Process { links, budget, ..Process::default() }
        })
    }

    /// The connections for exchanges that are started.
    fn pool(&self) -> Result<Arc<Pool<Io>>> {
        let mut links = self.process().links.lock();
        let links = links.as_mut().ok_or_else(closed)?;
        if let Some(pool) = links.started.as_ref().filter(|pool| pool.wait.is_alive()) {
            return Ok(pool.clone());
        }
        let pool = links.endpoint.started()?;
        links.started = Some(pool.clone());
        Ok(pool)
    }

    /// Those for exchanges that block.
    fn blocking(&self) -> Result<Arc<Pool<Blocking>>> {
        let links = self.process().links.lock();
        links.as_ref().map(|links| links.endpoint.blocking.clone()).ok_or_else(closed)
    }

    fn call(&self, request: &Request<'_>) -> Arc<Call> {
        Call::new(request.deadline, request.connect_by, self.interruptible)
    }

    /// A failure as the layer above gets it.
    fn told(&self, error: Error, sent: bool) -> Error {
        let unknown = error.is_outcome_unknown() || sent;
        error.context(&self.shown).with_endpoint(&self.shown).with_outcome_unknown(unknown)
    }

    fn stream_over(
        &self,
        pool: &Pool<Blocking>,
        request: &Request<'_>,
        stream: Stream<'_>,
        call: &Arc<Call>,
    ) -> Result<Response> {
        let _standing = at_once(Standing::begin(self, pool, request, call))?;
        let explain = |error| exchange::explain(error, call);
        let head = stream::head(&self.messages, request)?;
        // An idle connection may turn out to be dead when a part of the stream is gone.
        let connection = at_once(pool.open(call)).map_err(explain)?;
        let carrier = Carrier::new(connection, self.messages.head_length(request), call);
        let answer = stream::run(head, request, stream, carrier);
        answer.map_err(|error| explain(failure::from_ureq(error)))
    }
}

impl Transport for HttpTransport {
    fn exchange(&self, request: Request<'_>) -> Result<Response> {
        let call = self.call(&request);
        let pool = self.blocking();
        // Pinned where it is made: to move it takes a copy of its kilobytes.
        let answer =
            pool.and_then(|pool| at_once(pin!(exchange::run(self, &pool, &request, &call))));
        answer.map_err(|error| self.told(error, call.is_sent()))
    }

    fn stream(&self, request: Request<'_>, stream: Stream<'_>) -> Result<Response> {
        let call = self.call(&request);
        let pool = self.blocking();
        let answer = pool.and_then(|pool| self.stream_over(&pool, &request, stream, &call));
        answer.map_err(|error| self.told(error, call.is_sent()))
    }

    fn start(self: Arc<Self>, request: OwnedRequest, cancel: CancelToken, done: Done) {
        mux::start(self, request, cancel, done);
    }

    fn end_calls(&self) {
        self.process().closing.end_calls();
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

    fn usage(&self) -> Usage {
        // A forked child that has asked for nothing yet has nothing there.
        self.process.get().map(|process| process.budget.usage()).unwrap_or_default()
    }
}

impl Process {
    fn close(&self) {
        self.closing.close();
        // With the last transport of this address its idle connections close too.
        let links = self.links.lock().take();
        drop(links);
    }
}

fn closed() -> Error {
    Error::new(Status::Closed, "the client is closed")
}

#[cfg(test)]
mod tests;
