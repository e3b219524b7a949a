//! The session that something is held with.

use crate::recipes::session::{GivingBack, Keeper, OwnSession};
use std::sync::Arc;
use std::time::Duration;

/// The window of what is held with a session whose TTL is not known.
const DEFAULT_WINDOW: Duration = Duration::from_secs(15);

/// The session that something is held with. One value for each acquisition.
pub(in crate::recipes) enum Claim {
    /// Its own; destroyed when the claim is dropped.
    Own(OwnSession),
    /// Borrowed, and kept alive by this library.
    Kept(Arc<Keeper>),
    /// Borrowed by its id.
    Id(String),
}

impl Claim {
    pub(in crate::recipes) fn id(&self) -> &str {
        match self {
            Claim::Own(own) => own.0.id(),
            Claim::Kept(keeper) => keeper.id(),
            Claim::Id(id) => id,
        }
    }

    pub(in crate::recipes) fn keeper(&self) -> Option<&Arc<Keeper>> {
        match self {
            Claim::Own(own) => Some(&own.0),
            Claim::Kept(keeper) => Some(keeper),
            Claim::Id(_) => None,
        }
    }

    pub(in crate::recipes) fn own_session(&self) -> Option<&OwnSession> {
        match self {
            Claim::Own(own) => Some(own),
            Claim::Kept(_) | Claim::Id(_) => None,
        }
    }

    pub(in crate::recipes) fn is_own(&self) -> bool {
        self.own_session().is_some()
    }

    /// Has a borrowed session that the library keeps alive end after what was taken with it. An own one
    /// is ended by who gives that back.
    pub(super) fn begin_giving_back(&self) -> Option<GivingBack> {
        match self {
            Claim::Kept(keeper) => Some(keeper.begin_giving_back()),
            Claim::Own(_) | Claim::Id(_) => None,
        }
    }

    /// How long the session is known to live. Of a borrowed id nothing is known, which limits
    /// nothing.
    pub(in crate::recipes) fn remaining(&self) -> Duration {
        self.keeper().map_or(Duration::MAX, |keeper| keeper.remaining())
    }

    /// For how long Consul may be unreadable where nothing else is said.
    pub(in crate::recipes) fn window(&self) -> Duration {
        let ttl = self.keeper().and_then(|keeper| keeper.ttl());
        ttl.filter(|ttl| !ttl.is_zero()).unwrap_or(DEFAULT_WINDOW)
    }
}
