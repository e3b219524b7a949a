//! What a lock shall be.

use crate::api::kv::check_key;
use crate::api::session::SessionSpec;
use crate::config::{Options, Settings};
use crate::error::{Error, Result, Status};
use crate::recipes::holding::{SessionSource, check_window};
use crate::recipes::session::KeptSession;
use std::time::Duration;

/// The name of a lock's own session, the same as the official client's.
const SESSION_NAME: &str = "Consul API Lock";

/// What a lock shall be: its key, the value to write there, and the session to hold it with.
#[derive(Clone)]
pub struct LockSpec {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) session: SessionSource,
    pub(super) adopt: bool,
    pub(super) monitor_retry: Option<Duration>,
    pub(super) options: Options,
}

impl LockSpec {
    /// A lock on this key, with an empty value and a session of its own: TTL 15 s, lock-delay and
    /// behavior as Consul has them by default.
    pub fn new(key: impl Into<String>) -> LockSpec {
        LockSpec {
            key: key.into(),
            value: Vec::new(),
            session: SessionSource::Own(SessionSpec::new()),
            adopt: false,
            monitor_retry: None,
            options: Options::new(),
        }
    }

    /// The value of the key while it is held, and after its release.
    pub fn value(mut self, value: impl Into<Vec<u8>>) -> LockSpec {
        self.value = value.into();
        self
    }

    /// What its own session shall be. The TTL is 15 s where none is set; one of zero means none,
    /// and such a session stays for ever when this process dies.
    pub fn session_spec(mut self, spec: SessionSpec) -> LockSpec {
        self.session = SessionSource::Own(spec);
        self
    }

    /// Holds it with this session, which the lock never destroys. When the session ends the lock
    /// is lost.
    pub fn session(mut self, session: &KeptSession) -> LockSpec {
        self.session = SessionSource::Kept(session.shared().clone());
        self
    }

    /// Holds it with the session of this id, which the lock neither renews nor destroys.
    pub fn session_id(mut self, id: impl Into<String>) -> LockSpec {
        self.session = SessionSource::Id(id.into());
        self
    }

    /// Takes the key over even if it was used for something else than a lock.
    pub fn adopt(mut self, adopt: bool) -> LockSpec {
        self.adopt = adopt;
        self
    }

    /// For how long the key may be unreadable before the lock counts as lost; the session's TTL by
    /// default, 15 s where that is not known. The session's own deadline ends the lock in any case.
    pub fn monitor_retry(mut self, window: Duration) -> LockSpec {
        self.monitor_retry = Some(window);
        self
    }

    /// With what token, datacenter, namespace and partition it calls. The rest is not used.
    pub fn options(mut self, options: &Options) -> LockSpec {
        self.options = options.scope();
        self
    }

    /// Everything checked, and what was not set filled in.
    pub(super) fn checked(mut self, settings: &Settings) -> Result<LockSpec> {
        check_key(&self.key)?;
        if self.value.len() as u64 > settings.max_value_bytes {
            let message = format!(
                "a value of {} bytes is above the limit of {} bytes (max_value_bytes)",
                self.value.len(),
                settings.max_value_bytes
            );
            return Err(Error::new(Status::TooLarge, message));
        }
        check_window(self.monitor_retry)?;
        self.session = self.session.checked(SESSION_NAME, settings)?;
        Ok(self)
    }
}
