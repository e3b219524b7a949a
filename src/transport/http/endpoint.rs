//! The connections to one address, shared by all clients of the process that mean the same one.

use super::blocking::Blocking;
use super::budget::Budget;
use super::connector::Connector;
use super::pool::Pool;
use crate::config::{Address, Place};
use crate::error::Result;
use crate::runtime::io::Io;
use crate::sync::Mutex;
use crate::sys::PerProcess;
use crate::transport::tls::{Identity, TlsClient};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Idle connections kept, and for how long: shorter than a Consul agent keeps them.
pub(super) const MAX_IDLE: usize = 16;
pub(super) const MAX_IDLE_AGE: Duration = Duration::from_secs(60);
/// The longest head of an answer that is read.
pub(super) const MAX_HEAD: usize = 64 * 1024;

pub(super) struct Endpoint {
    pub(super) budget: Arc<Budget>,
    connector: Arc<Connector>,
    /// For exchanges that wait on their caller's thread.
    pub(super) blocking: Arc<Pool<Blocking>>,
    /// For those that are started.
    started: Mutex<Weak<Pool<Io>>>,
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
        let blocking = Pool::new(Blocking, connector.clone(), budget.clone());
        let endpoint = Endpoint { budget, connector, blocking, started: Mutex::default() };
        let endpoint = Arc::new(endpoint);
        endpoints.push((key, Arc::downgrade(&endpoint)));
        endpoint
    }

    /// The connections for exchanges that are started.
    pub(super) fn started(&self) -> Result<Arc<Pool<Io>>> {
        let mut known = self.started.lock();
        if let Some(pool) = known.upgrade().filter(|pool| pool.wait.is_alive()) {
            return Ok(pool);
        }
        let pool = Pool::new(Io::get()?, self.connector.clone(), self.budget.clone());
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
