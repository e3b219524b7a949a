//! What an election shall be.

use crate::api::session::{Behavior, SessionSpec};
use crate::config::Options;
use crate::recipes::lock::LockSpec;
use std::time::Duration;

/// What an election shall be: its key, what this candidate writes there when it leads, and the
/// session that it leads with.
#[derive(Clone)]
pub struct ElectionSpec {
    pub(super) key: String,
    value: Vec<u8>,
    session: SessionSpec,
    session_ttl: Option<Duration>,
    lock_delay: Option<Duration>,
    behavior: Option<Behavior>,
    adopt: bool,
    monitor_retry: Option<Duration>,
    pub(super) observes_only: bool,
    pub(super) options: Options,
}

impl ElectionSpec {
    /// An election by this key, with an empty value and a session of its own for each term: TTL
    /// 15 s, lock-delay and behavior as Consul has them by default.
    pub fn new(key: impl Into<String>) -> ElectionSpec {
        ElectionSpec {
            key: key.into(),
            value: Vec::new(),
            session: SessionSpec::new(),
            session_ttl: None,
            lock_delay: None,
            behavior: None,
            adopt: true,
            monitor_retry: None,
            observes_only: false,
            options: Options::new(),
        }
    }

    /// What the others read while this one leads, such as its name or address.
    pub fn value(mut self, value: impl Into<Vec<u8>>) -> ElectionSpec {
        self.value = value.into();
        self
    }

    /// What its session shall be where nothing else is said: [`ElectionSpec::session_ttl`],
    /// [`ElectionSpec::lock_delay`] and [`ElectionSpec::ephemeral`] come before it.
    pub fn session_spec(mut self, spec: SessionSpec) -> ElectionSpec {
        self.session = spec;
        self
    }

    /// The TTL of its session, 15 s unless set: a leader that dies is followed by another one after
    /// twice of it and the lock-delay at the latest. Zero means none, and such a leader leads for
    /// ever when its process dies.
    pub fn session_ttl(mut self, ttl: Duration) -> ElectionSpec {
        self.session_ttl = Some(ttl);
        self
    }

    /// For how long nobody can lead after the session of a leader ended. Not after it resigned.
    pub fn lock_delay(mut self, delay: Duration) -> ElectionSpec {
        self.lock_delay = Some(delay);
        self
    }

    /// Whether the key goes when its leader does, however that is.
    pub fn ephemeral(mut self, ephemeral: bool) -> ElectionSpec {
        self.behavior = Some(if ephemeral { Behavior::Delete } else { Behavior::Release });
        self
    }

    /// Whether to take a key that nobody holds and that was written without flags, as by a program
    /// that knew nothing of locks; true unless set. A key with other flags is used for something
    /// else, and is never taken.
    pub fn adopt(mut self, adopt: bool) -> ElectionSpec {
        self.adopt = adopt;
        self
    }

    /// For how long the key may be unreadable before the leader counts as lost; the session's TTL
    /// by default. The session's own deadline ends it in any case.
    pub fn monitor_retry(mut self, window: Duration) -> ElectionSpec {
        self.monitor_retry = Some(window);
        self
    }

    /// Whether only to see who leads, without campaigning.
    pub fn observe_only(mut self, only: bool) -> ElectionSpec {
        self.observes_only = only;
        self
    }

    /// With what token, datacenter, namespace and partition it calls. The rest is not used.
    pub fn options(mut self, options: &Options) -> ElectionSpec {
        self.options = options.scope();
        self
    }

    fn session(&self) -> SessionSpec {
        let mut session = self.session.clone();
        if let Some(ttl) = self.session_ttl {
            session = session.ttl(ttl);
        }
        if let Some(delay) = self.lock_delay {
            session = session.lock_delay(delay);
        }
        if let Some(behavior) = self.behavior {
            session = session.behavior(behavior);
        }
        session
    }

    /// The lock that whoever leads holds.
    pub(super) fn lock(&self) -> LockSpec {
        let lock = LockSpec::new(&self.key).value(self.value.clone()).options(&self.options);
        let lock = lock.session_spec(self.session());
        let lock = if self.adopt { lock.adopt_plain() } else { lock };
        match self.monitor_retry {
            Some(window) => lock.monitor_retry(window),
            None => lock,
        }
    }
}
