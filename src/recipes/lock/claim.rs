//! The session that a lock is held with.

use crate::recipes::session::{Keeper, OwnSession};
use std::sync::Arc;
use std::time::Duration;

/// The window of a lock whose session's TTL is not known.
const DEFAULT_WINDOW: Duration = Duration::from_secs(15);

/// The session that a lock is held with. One value for each acquisition.
pub(super) enum Claim {
    /// Its own; destroyed when the claim is dropped.
    Own(OwnSession),
    /// Borrowed, and kept alive by this library.
    Kept(Arc<Keeper>),
    /// Borrowed by its id.
    Id(String),
}

impl Claim {
    pub(super) fn id(&self) -> &str {
        match self {
            Claim::Own(own) => own.0.id(),
            Claim::Kept(keeper) => keeper.id(),
            Claim::Id(id) => id,
        }
    }

    pub(super) fn keeper(&self) -> Option<&Arc<Keeper>> {
        match self {
            Claim::Own(own) => Some(&own.0),
            Claim::Kept(keeper) => Some(keeper),
            Claim::Id(_) => None,
        }
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self, Claim::Own(_))
    }

    /// How long the session is known to live. Of a borrowed id nothing is known, which limits
    /// nothing.
    pub(super) fn remaining(&self) -> Duration {
        self.keeper().map_or(Duration::MAX, |keeper| keeper.remaining())
    }

    /// For how long the key may be unreadable where the lock does not say.
    pub(super) fn window(&self) -> Duration {
        let ttl = self.keeper().and_then(|keeper| keeper.ttl());
        ttl.filter(|ttl| !ttl.is_zero()).unwrap_or(DEFAULT_WINDOW)
    }
}
