//! Picking an instance of a watched service.
//!
//! A pick reads what was found last, however old that is: an error never empties the list. It takes
//! no lock and makes no system call. An instance that is critical or in maintenance is never
//! picked, whatever the watch holds.

mod roster;
mod shares;
mod usage;

pub use usage::Lease;

pub(super) use roster::{Bench, Roster};

use super::{Content, State, Watch};
use crate::api::health::ServiceEntry;
use crate::error::{Error, Result};
use crate::ring::murmur::hash;
use std::sync::Arc;

/// How an instance is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other.
    RoundRobin,
    /// Any.
    Random,
    /// By chance, each as often as its weight says: that for passing or that for warning, as it is.
    Weighted,
    /// The one with the fewest leases. Among many instances the better of two, which is nearly as
    /// good and need not look at all of them.
    LeastConnections,
    /// The nearest by the cluster's network coordinates, for a watch whose options say `near`.
    Nearest,
    /// The one that a key of this hash belongs to: see [`Strategy::of_key`].
    Hash(u64),
}

impl Strategy {
    /// The one that this key belongs to: it stays the same while the instance is there, and of the
    /// keys of an instance that goes each goes to another.
    #[inline]
    pub fn of_key(key: &[u8]) -> Strategy {
        Strategy::Hash(hash(key))
    }
}

/// An instance that was picked.
#[derive(Clone, Debug)]
pub struct Pick {
    state: Arc<State>,
    at: usize,
}

impl Pick {
    /// The instance.
    pub fn entry(&self) -> &ServiceEntry {
        // A pick is made of a state that has it.
        &self.state.content().map(Content::entries).unwrap_or_default()[self.at]
    }

    /// Counts a use of it until the lease is dropped, for [`Strategy::LeastConnections`].
    pub fn lease(&self) -> Lease {
        self.state.lease(self.at).unwrap_or_default()
    }
}

impl Watch {
    /// Picks an instance of the service that is watched; `None` when there is none to pick.
    /// `Status::Argument` for a watch of something else.
    pub fn pick(&self, strategy: Strategy) -> Result<Option<Pick>> {
        let state = self.state();
        let at = state.pick(strategy)?;
        Ok(at.map(|at| Pick { state, at }))
    }
}

impl State {
    /// The place of an instance among the entries, picked; `None` when there is none to pick.
    pub fn pick(&self, strategy: Strategy) -> Result<Option<usize>> {
        match &self.roster {
            Some(roster) => roster.pick(strategy),
            None if self.content.is_none() => Ok(None),
            None => Err(Error::argument("only a watch of a service can pick an instance")),
        }
    }

    /// Counts a use of the instance at this place until the lease is dropped.
    pub fn lease(&self, at: usize) -> Option<Lease> {
        self.roster.as_ref()?.lease(at)
    }
}
