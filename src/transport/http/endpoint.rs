//! The connections to one address, shared by all clients of the process that mean the same one.

use super::budget::Budget;
use super::connector::Connector;
use crate::config::{Address, Place};
use crate::error::Result;
use crate::transport::tls::{Identity, TlsSettings};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Idle connections kept, and for how long: shorter than a Consul agent keeps them.
const MAX_IDLE: usize = 16;
const MAX_IDLE_AGE: Duration = Duration::from_secs(60);
/// The longest head of an answer that is read.
const MAX_HEAD: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) agent: ureq::Agent,
    pub(super) budget: Arc<Budget>,
}

/// Which clients may share connections: those of one address and one TLS identity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    address: Address,
    tls: Option<Identity>,
}

static ENDPOINTS: Mutex<Vec<(Key, Weak<Endpoint>)>> = Mutex::new(Vec::new());

impl Endpoint {
    /// The endpoint of this address, made when no other client has it.
    pub(super) fn shared(address: &Address, tls: &TlsSettings) -> Result<Arc<Endpoint>> {
        let tls = address.is_tls().then(|| tls.load(host(address))).transpose()?;
        let identity = tls.as_ref().map(|tls| tls.identity.clone());
        let key = Key { address: address.canonical(), tls: identity };
        let mut endpoints = ENDPOINTS.lock();
        endpoints.retain(|(_, endpoint)| endpoint.strong_count() > 0);
        let known = endpoints.iter().find(|(known, _)| *known == key);
        if let Some(endpoint) = known.and_then(|(_, endpoint)| endpoint.upgrade()) {
            return Ok(endpoint);
        }
        let budget = endpoints
            .iter()
            .filter(|(known, _)| known.address.place() == key.address.place())
            .find_map(|(_, endpoint)| Some(endpoint.upgrade()?.budget.clone()))
            .unwrap_or_default();
        let endpoint = Arc::new(Endpoint { agent: agent(Connector::new(address, tls)), budget });
        endpoints.push((key, Arc::downgrade(&endpoint)));
        Ok(endpoint)
    }
}

/// The name that a server's certificate must be for, where no setting gives one.
fn host(address: &Address) -> &str {
    match address.place() {
        Place::Tcp { host, .. } => host,
        Place::Unix(_) => "localhost",
    }
}

fn agent(connector: Connector) -> ureq::Agent {
    let config = ureq::config::Config::builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The deadline is kept by our connections: a time-out of ureq's costs system calls.
        .timeout_await_100(None)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_idle_connections(MAX_IDLE)
        .max_idle_connections_per_host(MAX_IDLE)
        .max_idle_age(MAX_IDLE_AGE)
        .max_response_header_size(MAX_HEAD)
        .build();
    ureq::Agent::with_parts(config, connector, NoLookup)
}

/// ureq asks before every exchange, even when an idle connection serves it. Our connector looks
/// names up by itself, when it opens a connection.
#[derive(Debug)]
struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
