//! What a service that stays registered shall be.

use super::schedule::Schedule;
use crate::api::CheckStatus;
use crate::api::agent::{CheckDefinition, ServiceDefinition};
use crate::config::Options;
use crate::error::{Error, Result};
use std::time::Duration;

/// The TTL of a heartbeat for which none was set.
const DEFAULT_TTL: Duration = Duration::from_secs(15);

/// Below this a heartbeat would hardly come in time.
const SHORTEST_TTL: Duration = Duration::from_secs(1);

/// Who says that the program is well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heartbeat {
    /// The library, as long as the process lives: whatever the program's threads do.
    #[default]
    Background,
    /// The program, by [`KeptService::pat`](super::KeptService::pat) at least once a TTL. Without
    /// it the service turns critical.
    Program,
}

/// What a service that stays registered shall be.
///
/// Beside the checks of its definition it gets a TTL check of its own, `service:ID:ttl`, which the
/// library reports on.
#[derive(Clone, Debug)]
pub struct KeptServiceSpec {
    definition: ServiceDefinition,
    ttl: Duration,
    heartbeat: Heartbeat,
    status: CheckStatus,
    note: String,
    deregister_critical_after: Option<Duration>,
    options: Options,
}

impl KeptServiceSpec {
    /// This service, with a heartbeat in the background every 15 s at most, passing from the
    /// start.
    pub fn new(definition: ServiceDefinition) -> KeptServiceSpec {
        KeptServiceSpec {
            definition,
            ttl: DEFAULT_TTL,
            heartbeat: Heartbeat::Background,
            status: CheckStatus::Passing,
            note: String::new(),
            deregister_critical_after: None,
            options: Options::new(),
        }
    }

    /// After how long without a heartbeat the agent takes it for critical, 1 s at least. Zero for
    /// a service without a heartbeat: it stays registered, and only its own checks tell how it is.
    pub fn ttl(mut self, ttl: Duration) -> KeptServiceSpec {
        self.ttl = ttl;
        self
    }

    /// Who says that the program is well.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> KeptServiceSpec {
        self.heartbeat = heartbeat;
        self
    }

    /// What it is until the program says otherwise; passing when it is not set.
    pub fn status(mut self, status: CheckStatus) -> KeptServiceSpec {
        self.status = status;
        self
    }

    /// The note of its heartbeat until the program says otherwise. It does not change from one
    /// heartbeat to the next, since every change wakes all who watch the service.
    pub fn note(mut self, note: impl Into<String>) -> KeptServiceSpec {
        self.note = note.into();
        self
    }

    /// Has the agent deregister it after it was critical for this long: what a program that was
    /// killed leaves behind. Consul takes less than a minute as a minute, and looks every 30 s.
    pub fn deregister_critical_after(mut self, after: Duration) -> KeptServiceSpec {
        self.deregister_critical_after = Some(after);
        self
    }

    /// With what token, namespace and partition it is registered. The rest is not used.
    pub fn options(mut self, options: &Options) -> KeptServiceSpec {
        self.options = options.scope();
        self
    }

    /// What will do, or what is wrong with it.
    pub(super) fn checked(self) -> Result<Checked> {
        self.definition.validate()?;
        let refuse = |message: &str| {
            let name = &self.definition.service().name;
            Err(Error::argument(format!("service \"{name}\": {message}")))
        };
        if !self.ttl.is_zero() && self.ttl < SHORTEST_TTL {
            return refuse("a TTL below 1 s is not allowed, it takes 1 s or more, or 0 for none");
        }
        if self.ttl.is_zero() && self.heartbeat == Heartbeat::Program {
            return refuse("without a TTL the program has nothing to report on");
        }
        if self.ttl.is_zero() && self.deregister_critical_after.is_some() {
            return refuse("without a TTL deregister_critical_after belongs to one of its checks");
        }
        let kept = Kept {
            id: self.definition.registered_id().to_string(),
            schedule: Schedule::new(self.ttl),
            ttl: self.ttl,
            heartbeat: self.heartbeat,
            deregister_critical_after: self.deregister_critical_after,
        };
        kept.definition(&self.definition, CheckStatus::Passing).validate()?;
        Ok(Checked {
            kept,
            definition: self.definition,
            status: self.status,
            note: self.note,
            options: self.options,
        })
    }
}

/// A description that was checked.
pub(super) struct Checked {
    pub(super) kept: Kept,
    pub(super) definition: ServiceDefinition,
    pub(super) status: CheckStatus,
    pub(super) note: String,
    pub(super) options: Options,
}

/// What stays as it is as long as the handle lives.
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) schedule: Schedule,
    pub(super) ttl: Duration,
    pub(super) heartbeat: Heartbeat,
    deregister_critical_after: Option<Duration>,
}

impl Kept {
    /// The check that the library reports on.
    pub(super) fn check_id(&self) -> String {
        format!("service:{}:ttl", self.id)
    }

    /// The definition with that check, which is in this status when the agent does not have it
    /// yet: one that it has keeps its status.
    pub(super) fn definition(
        &self,
        definition: &ServiceDefinition,
        status: CheckStatus,
    ) -> ServiceDefinition {
        if self.ttl.is_zero() {
            return definition.clone();
        }
        let name = format!("heartbeat of {}", definition.service().name);
        let mut check = CheckDefinition::new(name).id(self.check_id()).ttl(self.ttl).status(status);
        if let Some(after) = self.deregister_critical_after {
            check = check.deregister_critical_service_after(after);
        }
        definition.clone().check(check)
    }
}
