//! The connections to one address, shared by all clients of the process that mean the same one.

use super::budget::Budget;
use super::connector::{Connector, SharedConnector};
use super::mux::Pool;
use crate::config::{Address, Place};
use crate::error::Result;
use crate::sync::Mutex;
use crate::sys::PerProcess;
use crate::transport::tls::{Identity, TlsClient};
use std::sync::{Arc, Weak};
use std::time::Duration;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Idle connections kept, and for how long: shorter than a Consul agent keeps them.
pub(super) const MAX_IDLE: usize = 16;
pub(super) const MAX_IDLE_AGE: Duration = Duration::from_secs(60);
/// The longest head of an answer that is read.
pub(super) const MAX_HEAD: usize = 64 * 1024;

pub(super) struct Endpoint {
    pub(super) agent: ureq::Agent,
    pub(super) budget: Arc<Budget>,
    connector: Arc<Connector>,
    pool: Mutex<Weak<Pool>>,
}

/// Which clients may share connections: those of one address and one TLS identity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    address: Address,
    tls: Option<Identity>,
}

type Known = Mutex<Vec<(Key, Weak<Endpoint>)>>;

static ENDPOINTS: PerProcess<Known> = PerProcess::new();

impl Endpoint {
    /// The endpoint of this address, made when no other client has it.
    pub(super) fn shared(address: &Address, tls: Option<TlsClient>) -> Arc<Endpoint> {
        let identity = tls.as_ref().map(|tls| tls.identity.clone());
        let key = Key { address: address.canonical(), tls: identity };
        let mut endpoints = ENDPOINTS.get_or_init(Mutex::default).lock();
        endpoints.retain(|(_, endpoint)| endpoint.strong_count() > 0);
        let known = endpoints.iter().find(|(known, _)| *known == key);
        if let Some(endpoint) = known.and_then(|(_, endpoint)| endpoint.upgrade()) {
            return endpoint;
        }
        let budget = endpoints
            .iter()
            .filter(|(known, _)| known.address.place() == key.address.place())
            .find_map(|(_, endpoint)| Some(endpoint.upgrade()?.budget.clone()))
            .unwrap_or_default();
        let connector = Arc::new(Connector::new(address, tls));
        let agent = agent(connector.clone());
        let endpoint = Arc::new(Endpoint { agent, budget, connector, pool: Mutex::default() });
        endpoints.push((key, Arc::downgrade(&endpoint)));
        endpoint
    }

    /// The idle connections for exchanges that are started.
    pub(super) fn pool(&self) -> Result<Arc<Pool>> {
        let mut known = self.pool.lock();
        if let Some(pool) = known.upgrade().filter(|pool| pool.is_alive()) {
            return Ok(pool);
        }
        let pool = Pool::new(self.connector.clone(), self.budget.clone())?;
        *known = Arc::downgrade(&pool);
        Ok(pool)
    }
}

/// The name that a server's certificate must be for, where no setting gives one.
pub(super) fn host(address: &Address) -> &str {
    match address.place() {
        Place::Tcp { host, .. } => host,
        Place::Unix(_) => "localhost",
    }
}

fn agent(connector: Arc<Connector>) -> ureq::Agent {
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
    ureq::Agent::with_parts(config, SharedConnector(connector), NoLookup)
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
