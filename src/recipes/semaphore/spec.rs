//! What a semaphore shall be.

use crate::api::kv::check_key;
use crate::api::session::{Behavior, SessionSpec};
use crate::config::{Options, Settings};
use crate::error::{Error, Result, Status};
use crate::recipes::holding::{SessionSource, check_window};
use crate::recipes::session::KeptSession;
use std::time::Duration;

/// The name of a semaphore's own session, the same as the official client's.
const SESSION_NAME: &str = "Consul API Semaphore";

/// What a semaphore shall be: its prefix, its limit, and the session to hold a slot with.
#[derive(Clone)]
pub struct SemaphoreSpec {
    pub(super) prefix: String,
    pub(super) limit: u64,
    pub(super) value: Vec<u8>,
    pub(super) session: SessionSource,
    pub(super) monitor_retry: Option<Duration>,
    pub(super) options: Options,
}

impl SemaphoreSpec {
    /// A semaphore of so many slots, whose keys begin with this prefix and a slash; one that the
    /// prefix ends with is left out. With an empty value and a session of its own: TTL 15 s,
    /// behavior delete.
    pub fn new(prefix: impl Into<String>, limit: u64) -> SemaphoreSpec {
        let mut prefix = prefix.into();
        if prefix.ends_with('/') {
            prefix.pop();
        }
        SemaphoreSpec {
            prefix,
            limit,
            value: Vec::new(),
            session: SessionSource::Own(SessionSpec::new()),
            monitor_retry: None,
            options: Options::new(),
        }
    }

    /// The value of the holder's entry, the key `<prefix>/<session>`, while a slot is held.
    pub fn value(mut self, value: impl Into<Vec<u8>>) -> SemaphoreSpec {
        self.value = value.into();
        self
    }

    /// What its own session shall be. The TTL is 15 s and the behavior delete where none is set; a
    /// TTL of zero means none, and such a session stays for ever when this process dies.
    pub fn session_spec(mut self, spec: SessionSpec) -> SemaphoreSpec {
        self.session = SessionSource::Own(spec);
        self
    }

    /// Holds a slot with this session, which the semaphore never destroys. A session holds one slot
    /// of a semaphore at most. When the session ends the slot is lost.
    pub fn session(mut self, session: &KeptSession) -> SemaphoreSpec {
        self.session = SessionSource::Kept(session.shared().clone());
        self
    }

    /// Holds a slot with the session of this id, which the semaphore neither renews nor destroys.
    pub fn session_id(mut self, id: impl Into<String>) -> SemaphoreSpec {
        self.session = SessionSource::Id(id.into());
        self
    }

    /// For how long Consul may be unreadable before the slot counts as lost; the session's TTL by
    /// default, 15 s where that is not known. The session's own deadline ends it in any case.
    pub fn monitor_retry(mut self, window: Duration) -> SemaphoreSpec {
        self.monitor_retry = Some(window);
        self
    }

    /// With what token, datacenter, namespace and partition it calls. The rest is not used.
    pub fn options(mut self, options: &Options) -> SemaphoreSpec {
        self.options = options.scope();
        self
    }

    /// Everything checked, and what was not set filled in.
    pub(super) fn checked(mut self, settings: &Settings) -> Result<SemaphoreSpec> {
        check_key(&self.prefix)?;
        // One slash at its end is left out, two are an empty segment.
        check_key(&self.lock_key())?;
        if self.limit == 0 {
            return Err(Error::argument("a semaphore must have a limit of 1 or more"));
        }
        if self.value.len() as u64 > settings.max_value_bytes {
            let message = format!(
                "a value of {} bytes is above the limit of {} bytes (max_value_bytes)",
                self.value.len(),
                settings.max_value_bytes
            );
            return Err(Error::new(Status::TooLarge, message));
        }
        check_window(self.monitor_retry)?;
        if let SessionSource::Own(spec) = self.session {
            // So that the entry of a holder that died goes with its session.
            self.session = SessionSource::Own(spec.or_behavior(Behavior::Delete));
        }
        self.session = self.session.checked(SESSION_NAME, settings)?;
        Ok(self)
    }

    /// The key with the limit and the holders.
    pub(super) fn lock_key(&self) -> String {
        format!("{}/.lock", self.prefix)
    }

    /// The key that shows that a session is alive.
    pub(super) fn entry_key(&self, session: &str) -> String {
        format!("{}/{session}", self.prefix)
    }
}
