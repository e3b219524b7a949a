//! Where the session comes from that something is held with.

use crate::api::session::{SessionSpec, check_id};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::recipes::session::{DEFAULT_TTL, Shared as SharedSession};
use std::sync::Arc;
use std::time::Duration;

/// Below this a healthy monitor would not come in time.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);

/// Where the session comes from that something is held with.
#[derive(Clone)]
pub(in crate::recipes) enum SessionSource {
    /// Made for each acquisition, and destroyed after it.
    Own(SessionSpec),
    /// Borrowed from one that this library keeps alive.
    Kept(Arc<SharedSession>),
    /// Borrowed by its id; somebody else keeps it alive.
    Id(String),
}

impl SessionSource {
    /// Checked, with the name and the TTL of an own one filled in where they were not set.
    pub(in crate::recipes) fn checked(self, name: &str, settings: &Settings) -> Result<Self> {
        match &self {
            SessionSource::Own(spec) => {
                let spec = spec.clone().or_name(name).or_ttl(DEFAULT_TTL);
                spec.check(settings.min_session_ttl)?;
                return Ok(SessionSource::Own(spec));
            }
            SessionSource::Id(id) => drop(check_id(id)?),
            SessionSource::Kept(session) => session.check_process()?,
        }
        Ok(self)
    }
}

/// Refuses a time for which Consul may be unreadable that no monitor can keep.
pub(in crate::recipes) fn check_window(window: Option<Duration>) -> Result<()> {
    if window.is_some_and(|window| window < SHORTEST_WINDOW) {
        return Err(Error::argument(format!(
            "a monitor retry window of less than {} ms is not allowed",
            SHORTEST_WINDOW.as_millis()
        )));
    }
    Ok(())
}
