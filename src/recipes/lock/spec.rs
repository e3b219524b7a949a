//! What a lock shall be.

use super::seen::LOCK_FLAG;
use crate::api::kv::check_key;
use crate::api::session::{Behavior, SessionSpec, check_id};
use crate::config::{Options, Settings};
use crate::error::{Error, Result, Status};
use crate::recipes::session::{DEFAULT_TTL, KeptSession, Shared as SharedSession};
use std::sync::Arc;
use std::time::Duration;

/// The name of a lock's own session, the same as the official client's.
const SESSION_NAME: &str = "Consul API Lock";

/// Below this a healthy monitor would not come in time.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);

/// What a lock shall be: its key, the value to write there, and the session to hold it with.
#[derive(Clone)]
pub struct LockSpec {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) session: SessionSource,
    pub(super) adopt: Adopt,
    pub(super) monitor_retry: Option<Duration>,
    pub(super) options: Options,
}

/// What of a key that was no lock is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adopt {
    Nothing,
    /// One that was written without flags, as a plain write does.
    Plain,
    Anything,
}

impl Adopt {
    /// Whether a key with these flags may be taken.
    pub(super) fn takes(self, flags: u64) -> bool {
        match self {
            Adopt::Nothing => flags == LOCK_FLAG,
            Adopt::Plain => flags == LOCK_FLAG || flags == 0,
            Adopt::Anything => true,
        }
    }
}

/// Where the session of a lock comes from.
#[derive(Clone)]
pub(super) enum SessionSource {
    /// Made for each acquisition, and destroyed after it.
    Own(SessionSpec),
    /// Borrowed from one that this library keeps alive.
    Kept(Arc<SharedSession>),
    /// Borrowed by its id; somebody else keeps it alive.
    Id(String),
}

impl LockSpec {
    /// A lock on this key, with an empty value and a session of its own: TTL 15 s, lock-delay and
    /// behavior as Consul has them by default.
    pub fn new(key: impl Into<String>) -> LockSpec {
        LockSpec {
            key: key.into(),
            value: Vec::new(),
            session: SessionSource::Own(SessionSpec::new()),
            adopt: Adopt::Nothing,
            monitor_retry: None,
            options: Options::new(),
        }
    }

    /// The value of the key while it is held, and after its release. With an own session of the
    /// behavior [`Behavior::Delete`] the key goes with the lock: nothing is left after a release
    /// either.
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
        self.adopt = if adopt { Adopt::Anything } else { Adopt::Nothing };
        self
    }

    /// Takes the key over if it was written without flags, as by who knows nothing of locks.
    pub(crate) fn adopt_plain(mut self) -> LockSpec {
        self.adopt = Adopt::Plain;
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
        check_value(&self.value, settings)?;
        if self.monitor_retry.is_some_and(|window| window < SHORTEST_WINDOW) {
            return Err(Error::argument(format!(
                "a monitor retry window of less than {} ms is not allowed",
                SHORTEST_WINDOW.as_millis()
            )));
        }
        match &mut self.session {
            SessionSource::Own(spec) => {
                *spec = std::mem::take(spec).or_name(SESSION_NAME).or_ttl(DEFAULT_TTL);
                spec.check(settings.min_session_ttl)?;
            }
            SessionSource::Id(id) => drop(check_id(id)?),
            SessionSource::Kept(session) => session.check_process()?,
        }
        Ok(self)
    }
}

impl LockSpec {
    /// Whether its key goes with it.
    pub(super) fn is_ephemeral(&self) -> bool {
        match &self.session {
            SessionSource::Own(spec) => spec.ends_with(Behavior::Delete),
            SessionSource::Kept(_) | SessionSource::Id(_) => false,
        }
    }
}

/// That a value is not longer than allowed.
pub(super) fn check_value(value: &[u8], settings: &Settings) -> Result<()> {
    if value.len() as u64 <= settings.max_value_bytes {
        return Ok(());
    }
    let message = format!(
        "a value of {} bytes is above the limit of {} bytes (max_value_bytes)",
        value.len(),
        settings.max_value_bytes
    );
    Err(Error::new(Status::TooLarge, message))
}

/// Why a lock was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum LostReason {
    /// Its session ended: destroyed, expired, or one of its checks turned critical.
    SessionInvalid = 1,
    /// Somebody deleted the key.
    KeyDeleted = 2,
    /// Another session holds the key.
    KeyTaken = 3,
    /// Consul could not be asked for too long: it may still be held, but nobody can count on it.
    Deadline = 4,
    /// The client was closed.
    Closed = 5,
    /// Somebody released the key with the lock's own session.
    KeyReleased = 6,
}

impl LostReason {
    /// The number of the C constant.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// What happened, in words.
    pub fn message(self) -> &'static str {
        match self {
            LostReason::SessionInvalid => "its session ended",
            LostReason::KeyDeleted => "its key was deleted",
            LostReason::KeyTaken => "another session holds its key",
            LostReason::Deadline => "Consul could not be asked in time",
            LostReason::Closed => "the client was closed",
            LostReason::KeyReleased => "its key was released with its own session",
        }
    }
}

impl From<LostReason> for Error {
    fn from(reason: LostReason) -> Error {
        Error::new(Status::LockLost, format!("the lock was lost: {}", reason.message()))
    }
}
