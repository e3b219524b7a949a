//! Sessions: what they depend on, and what their end does to the keys that they hold.

use super::{Due, State};
use crate::transport::embedded::go;
use std::collections::BTreeMap;
use std::time::Duration;

/// A session ends after this many times its TTL: the TTL is only the least that it lives.
const TTL_MULTIPLIER: u32 = 2;
/// No lock-delay is longer, whatever the session says.
const LONGEST_LOCK_DELAY: Duration = Duration::from_secs(60);

/// What happens to the keys that a session holds when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::transport::embedded) enum Behavior {
    #[default]
    Release,
    Delete,
}

impl Behavior {
    pub(in crate::transport::embedded) fn as_str(self) -> &'static str {
        match self {
            Behavior::Release => "release",
            Behavior::Delete => "delete",
        }
    }
}

/// A check of a service that a session depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::transport::embedded) struct ServiceCheck {
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) namespace: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::transport::embedded) struct Session {
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) name: String,
    pub(in crate::transport::embedded) node: String,
    /// In nanoseconds, as it was given.
    pub(in crate::transport::embedded) lock_delay: i64,
    pub(in crate::transport::embedded) behavior: Behavior,
    /// As it was given.
    pub(in crate::transport::embedded) ttl: String,
    pub(in crate::transport::embedded) node_checks: Vec<String>,
    pub(in crate::transport::embedded) service_checks: Option<Vec<ServiceCheck>>,
    /// The older name for checks that are not among `node_checks`.
    pub(in crate::transport::embedded) checks: Vec<String>,
    pub(in crate::transport::embedded) create_index: u64,
}

impl Session {
    /// Every check that it depends on.
    fn check_ids(&self) -> impl Iterator<Item = &str> {
        let service = self.service_checks.iter().flatten().map(|check| check.id.as_str());
        let node = self.checks.iter().chain(&self.node_checks).map(String::as_str);
        node.chain(service)
    }

    /// How long it lives without being renewed; none lives for ever.
    fn life(&self) -> Option<Duration> {
        let ttl = u64::try_from(go::parse_duration(&self.ttl).ok()?).ok()?;
        (ttl > 0).then(|| Duration::from_nanos(ttl) * TTL_MULTIPLIER)
    }

    fn delay(&self) -> Duration {
        let delay = u64::try_from(self.lock_delay).unwrap_or_default();
        Duration::from_nanos(delay).min(LONGEST_LOCK_DELAY)
    }
}

/// The table of sessions.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Sessions {
    /// By the bytes of their ids, in which order Consul lists them.
    all: BTreeMap<Vec<u8>, Session>,
    index: u64,
}

impl Sessions {
    /// The session of this id. An error says what is wrong with the id.
    pub(in crate::transport::embedded) fn get(&self, id: &str) -> Result<Option<&Session>, String> {
        let failed = |cause| format!("failed session lookup: index error: {cause}");
        Ok(self.all.get(&go::parse_uuid(id).map_err(failed)?))
    }

    pub(in crate::transport::embedded) fn all(&self) -> impl Iterator<Item = &Session> {
        self.all.values()
    }

    /// The highest index of the table.
    pub(in crate::transport::embedded) fn index(&self) -> u64 {
        self.index
    }
}

impl State {
    /// Creates a session. An error is Consul's text for what it depends on and is not there.
    pub(in crate::transport::embedded) fn session_create(
        &mut self,
        index: u64,
        mut session: Session,
    ) -> Result<(), String> {
        if !self.has_node(&session.node) {
            return Err("Missing node registration".into());
        }
        for check in session.check_ids() {
            match self.check_status(&session.node, check) {
                None => return Err(format!("Missing check '{check}' registration")),
                Some("critical") => return Err(format!("Check '{check}' is in critical state")),
                Some(_) => {}
            }
        }
        let key = go::parse_uuid(&session.id)?;
        session.create_index = index;
        self.session_renew(&session);
        let sessions = self.sessions_mut();
        sessions.all.insert(key, session);
        sessions.index = index;
        Ok(())
    }

    /// Lets it live its whole time anew.
    pub(in crate::transport::embedded) fn session_renew(&mut self, session: &Session) {
        if let Some(life) = session.life() {
            self.agenda.set(Due::Session(session.id.clone()), self.now + life);
        }
    }

    /// The leader is gone, and with it who looks after the sessions' time.
    pub(in crate::transport::embedded) fn suspend_sessions(&mut self) {
        let ids: Vec<String> = self.sessions().all().map(|session| session.id.clone()).collect();
        ids.into_iter().for_each(|id| self.agenda.cancel(&Due::Session(id)));
    }

    /// A new leader lets every session live its whole time anew.
    pub(in crate::transport::embedded) fn resume_sessions(&mut self) {
        let sessions: Vec<Session> = self.sessions().all().cloned().collect();
        sessions.iter().for_each(|session| self.session_renew(session));
    }

    /// Ends a session, if it is there. What it holds is released or deleted, and nobody gets hold of
    /// it until the lock-delay is over.
    pub(in crate::transport::embedded) fn session_destroy(
        &mut self,
        index: u64,
        id: &str,
    ) -> Result<(), String> {
        let Some(session) = self.sessions().get(id)?.cloned() else { return Ok(()) };
        let key = go::parse_uuid(id)?;
        self.agenda.cancel(&Due::Session(session.id.clone()));
        let sessions = self.sessions_mut();
        sessions.all.remove(&key);
        sessions.index = index;
        let delay = session.delay();
        for held in self.kv().held_by(&key) {
            match session.behavior {
                Behavior::Release => self.kv_abandon(index, &held),
                Behavior::Delete => self.kv_delete(index, &held),
            }
            if !delay.is_zero() {
                let until = self.now + delay;
                self.kv_mut().delay(held, until);
            }
        }
        Ok(())
    }

    /// Ends every session of a node that goes.
    pub(in crate::transport::embedded) fn invalidate_sessions_of_node(
        &mut self,
        index: u64,
        node: &str,
    ) {
        self.invalidate(index, |session| session.node.eq_ignore_ascii_case(node));
    }

    /// Ends every session that depends on a check which fails or goes.
    pub(in crate::transport::embedded) fn invalidate_sessions_of_check(
        &mut self,
        index: u64,
        node: &str,
        check: &str,
    ) {
        self.invalidate(index, |session| {
            session.node.eq_ignore_ascii_case(node)
                && session.check_ids().any(|id| id.eq_ignore_ascii_case(check))
        });
    }

    fn invalidate(&mut self, index: u64, is_meant: impl Fn(&Session) -> bool) {
        let meant = self.sessions().all().filter(|session| is_meant(session));
        let ids: Vec<String> = meant.map(|session| session.id.clone()).collect();
        for id in ids {
            // Its id was good when it was made.
            let _ = self.session_destroy(index, &id);
        }
    }
}
