//! Who is told when an address of the client changes.

use super::{Condition, Endpoints};
use crate::error::{Error, Result, Status};
use crate::sync::{Mutex, MutexGuard};
use crate::sys::PerProcess;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// How an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointState {
    /// How its agent is.
    pub condition: Condition,
    /// Whether calls go there.
    pub in_use: bool,
}

/// An address that is not as it was: it failed, it serves again, or calls began or ceased to go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChange {
    /// The address: `http://127.0.0.1:8500`.
    pub address: String,
    /// How it was when it was told of last.
    pub before: EndpointState,
    /// How it is.
    pub after: EndpointState,
    /// What is wrong with it now; `None` where it serves.
    pub reason: Option<Error>,
}

/// What a listener to a client's addresses is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EndpointNews {
    /// Addresses have changed, together.
    Changed(Vec<EndpointChange>),
    /// Nothing more comes: the client was closed.
    Ended(Error),
}

/// Hears of changes, one after the other, on whichever thread notices them; it must not block, nor
/// call into the client.
pub type EndpointListener = Box<dyn Fn(EndpointNews) + Send + Sync>;

/// What was told, and to whom: the same for all addresses that a client has one after the other.
#[derive(Clone)]
pub(in crate::client) struct News(Arc<PerProcess<Mutex<Told>>>);

#[derive(Default)]
struct Told {
    listener: Option<EndpointListener>,
    states: Vec<(String, EndpointState)>,
}

impl News {
    pub(in crate::client) fn new() -> News {
        News(Arc::new(PerProcess::new()))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.get_or_init(Mutex::default).lock()
    }
}

impl Told {
    /// Takes down how all are, and gives what has changed. One that was not there has not.
    fn compare(&mut self, endpoints: &Endpoints) -> Vec<EndpointChange> {
        let before = std::mem::take(&mut self.states);
        let mut changes = Vec::new();
        for endpoint in endpoints.stats() {
            let after = EndpointState { condition: endpoint.condition, in_use: endpoint.in_use };
            self.states.push((endpoint.address.clone(), after));
            let known = before.iter().find(|(address, _)| *address == endpoint.address);
            let Some(&(_, before)) = known.filter(|(_, before)| *before != after) else { continue };
            let reason = endpoint.last_error.filter(|_| after.condition != Condition::Up);
            changes.push(EndpointChange { address: endpoint.address, before, after, reason });
        }
        changes
    }

    fn tell(&mut self, endpoints: &Endpoints) {
        let changes = self.compare(endpoints);
        if let Some(listener) = self.listener.as_ref().filter(|_| !changes.is_empty()) {
            listener(EndpointNews::Changed(changes));
        }
    }
}

// The lock is held while the listener hears: what changes one after the other is told in this order.
impl Endpoints {
    /// Tells from now on, in the place of those that a client had before.
    pub(in crate::client) fn tell_in_place_of(&self, before: Option<&Endpoints>) {
        let mut told = self.news.told();
        if let Some(before) = before {
            before.tells.store(false, Relaxed);
        }
        self.tells.store(true, Relaxed);
        told.tell(self);
    }

    /// Looks what has changed, and tells it. For what happens seldom.
    pub(super) fn tell(&self) {
        let mut told = self.news.told();
        if self.tells.load(Relaxed) {
            told.tell(self);
        }
    }

    /// Has this one told from now on, and nobody else. An error once the client is closed.
    pub(in crate::client) fn listen(&self, listener: Option<EndpointListener>) -> Result<()> {
        let before = {
            let mut told = self.news.told();
            if self.tells.load(Relaxed) {
                // What was before is no news to it; a forked child knows nothing yet.
                told.compare(self);
            }
            std::mem::replace(&mut told.listener, listener)
        };
        drop(before);
        let open = self.check_open();
        if open.is_err() {
            self.news.told().listener = None;
        }
        open
    }

    /// Tells that nothing more comes.
    pub(super) fn end_news(&self) {
        let listener = self.news.told().listener.take();
        if let Some(listener) = listener {
            listener(EndpointNews::Ended(Error::new(Status::Closed, "the client is closed")));
        }
    }
}
