//! The agent that the client talks to: what is registered on it, and what it knows of its peers
//! (<https://developer.hashicorp.com/consul/api-docs/agent>).

mod check_definition;
mod health;
mod info;
mod member;
mod membership;
mod service_definition;

use super::check::{Check, CheckStatus};
use super::input::required;
use super::json;
use super::service::Service;
use crate::client::{Accept, Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Result, Status};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use check_definition::CheckDefinition;
pub use health::ServiceHealth;
pub use info::AgentInfo;
pub use member::{Member, MemberStatus};
pub use service_definition::ServiceDefinition;

/// A service as its agent knows it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AgentService {
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// What [`Agent::service`] compares to tell whether it has changed.
    pub content_hash: String,
}

/// The agent endpoints of a client. They are answered by the agent itself, so they know neither
/// datacenters nor consistency.
///
/// The agent passes on what is registered with it; a moment may go by until the catalog and other
/// nodes see it.
#[derive(Clone, Copy)]
pub struct Agent<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// The agent that this client talks to.
    pub fn agent(&self) -> Agent<'_, S> {
        Agent { client: self }
    }
}

impl<S: Style> Agent<'_, S> {
    /// Who the agent is and how it is configured.
    pub fn info(&self, options: &Options) -> Result<S::Output<AgentInfo>> {
        let call = Call::get(Target::new("/v1/agent/self"), options);
        json::fetch_plain(self.client, call, |reply| {
            let document = json::decode::<info::Document>(reply)?;
            Ok(AgentInfo::new(document, &reply.response.body))
        })
    }

    /// The members of the agent's gossip pool; with `wan`, of the pool that joins the datacenters.
    pub fn members(&self, wan: bool, options: &Options) -> Result<S::Output<Vec<Member>>> {
        let target = Target::new("/v1/agent/members");
        self.list(if wan { target.number("wan", 1) } else { target }, options)
    }

    /// The services that are registered with the agent.
    pub fn services(&self, options: &Options) -> Result<S::Output<Vec<Service>>> {
        self.list(Target::new("/v1/agent/services"), options)
    }

    /// A service that is registered with the agent, by its id; `None` when there is none. With the
    /// hash of an earlier answer it is a blocking query: the answer comes when the service is not
    /// as it was, or when the options' wait is over.
    pub fn service(
        &self,
        id: &str,
        unless_hash: Option<&str>,
        options: &Options,
    ) -> Result<S::Output<Option<AgentService>>> {
        let target = target("/v1/agent/service/", id, "service's id")?;
        let call = Call::get(target, options).unless_hash(unless_hash);
        json::fetch_plain(self.client, call.accept(Accept::NotFound), found)
    }

    /// The checks that the agent runs.
    pub fn checks(&self, options: &Options) -> Result<S::Output<Vec<Check>>> {
        self.list(Target::new("/v1/agent/checks"), options)
    }

    /// Registers a service with its checks, or changes the one that has its id.
    pub fn register_service(
        &self,
        service: &ServiceDefinition,
        options: &Options,
    ) -> Result<S::Output<()>> {
        service.validate()?;
        let mut target = Target::new("/v1/agent/service/register");
        if service.replaces_checks() {
            target = target.flag("replace-existing-checks");
        }
        self.change_by(target, &service.wire()?, options)
    }

    /// Deregisters a service with its checks. Nothing happens when it is not registered.
    pub fn deregister_service(&self, id: &str, options: &Options) -> Result<S::Output<()>> {
        self.remove(target("/v1/agent/service/deregister/", id, "service's id")?, options)
    }

    /// Registers a check, or changes the one that has its id. A check of a service needs that
    /// service to be registered.
    pub fn register_check(
        &self,
        check: &CheckDefinition,
        options: &Options,
    ) -> Result<S::Output<()>> {
        check.validate_alone()?;
        self.change_by(Target::new("/v1/agent/check/register"), &check.wire_alone()?, options)
    }

    /// Deregisters a check. Nothing happens when it is not registered.
    pub fn deregister_check(&self, id: &str, options: &Options) -> Result<S::Output<()>> {
        self.remove(target("/v1/agent/check/deregister/", id, "check's id")?, options)
    }

    /// Reports a TTL check as passing. `Status::NotFound` when the agent has no such TTL check.
    ///
    /// Every change of a note wakes all who watch the service, so a constant one is best.
    pub fn check_pass(&self, id: &str, note: &str, options: &Options) -> Result<S::Output<()>> {
        self.check_update(id, CheckStatus::Passing, note, options)
    }

    /// Reports a TTL check as warning; as [`Agent::check_pass`].
    pub fn check_warn(&self, id: &str, note: &str, options: &Options) -> Result<S::Output<()>> {
        self.check_update(id, CheckStatus::Warning, note, options)
    }

    /// Reports a TTL check as critical; as [`Agent::check_pass`].
    pub fn check_fail(&self, id: &str, note: &str, options: &Options) -> Result<S::Output<()>> {
        self.check_update(id, CheckStatus::Critical, note, options)
    }

    /// Reports the status of a TTL check with its output, of which the agent keeps 4096 bytes; as
    /// [`Agent::check_pass`].
    pub fn check_update(
        &self,
        id: &str,
        status: CheckStatus,
        output: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Update<'a> {
            status: CheckStatus,
            output: &'a str,
        }
        let target = target("/v1/agent/check/update/", id, "check's id")?;
        self.change_by(target, &Update { status, output }, options)
    }

    /// Puts the agent's node into maintenance, or ends it: none of its services counts as healthy.
    /// The reason is for people, and may be empty.
    pub fn maintenance(
        &self,
        enable: bool,
        reason: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        self.maintain(Target::new("/v1/agent/maintenance"), enable, reason, options)
    }

    /// Puts one service into maintenance, or ends it. `Status::NotFound` when it is not registered.
    pub fn service_maintenance(
        &self,
        id: &str,
        enable: bool,
        reason: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        let target = target("/v1/agent/service/maintenance/", id, "service's id")?;
        self.maintain(target, enable, reason, options)
    }

    /// How a service on this agent is, by its id; `None` when it is not registered.
    pub fn service_health(
        &self,
        id: &str,
        options: &Options,
    ) -> Result<S::Output<Option<ServiceHealth>>> {
        let target = target("/v1/agent/health/service/id/", id, "service's id")?;
        json::fetch_plain(self.client, Call::get(target, options).accept(Accept::Health), found)
    }

    /// How the instances of a service on this agent are, by the service's name. None when none is
    /// registered.
    pub fn services_health(
        &self,
        name: &str,
        options: &Options,
    ) -> Result<S::Output<Vec<ServiceHealth>>> {
        let target = target("/v1/agent/health/service/name/", name, "service's name")?;
        let call = Call::get(target, options).accept(Accept::Health);
        json::fetch_plain(self.client, call, elements)
    }

    fn list<T: DeserializeOwned + Send + 'static>(
        &self,
        target: Target,
        options: &Options,
    ) -> Result<S::Output<Vec<T>>> {
        json::fetch_plain(self.client, Call::get(target, options), elements)
    }

    fn maintain(
        &self,
        target: Target,
        enable: bool,
        reason: &str,
        options: &Options,
    ) -> Result<S::Output<()>> {
        let mut target = target.param("enable", if enable { "true" } else { "false" });
        if !reason.is_empty() {
            target = target.param("reason", reason);
        }
        self.done(Call::put(target, options).idempotent())
    }

    fn change_by(
        &self,
        target: Target,
        body: &impl Serialize,
        options: &Options,
    ) -> Result<S::Output<()>> {
        let body = json::encode(body)?;
        self.done(Call::put_json(target, &body, options).idempotent())
    }

    /// Older versions of Consul answer 200 for what does not exist, newer ones 404.
    fn remove(&self, target: Target, options: &Options) -> Result<S::Output<()>> {
        let call = Call::put(target, options).idempotent().accept(Accept::NotFound);
        self.client.exchange(call, |_, answer| match answer {
            // With ACLs Consul 1.8 has a 500 for it.
            Err(error) if error.status() == Status::NotFound => Ok(()),
            answer => answer.map(drop),
        })
    }

    /// A change whose answer says nothing.
    fn done(&self, call: Call<'_>) -> Result<S::Output<()>> {
        self.client.exchange(call, |_, answer| answer.map(drop))
    }
}

/// An answer, or none where there is no such thing.
fn found<T: DeserializeOwned>(reply: &json::Reply<'_>) -> Result<Option<T>> {
    match reply.response.status {
        404 => Ok(None),
        _ => json::decode(reply).map(Some),
    }
}

fn elements<T: DeserializeOwned>(reply: &json::Reply<'_>) -> Result<Vec<T>> {
    json::decode(reply).map(|elements: json::Elements<T>| elements.0)
}

fn target(path: &str, segment: &str, what: &str) -> Result<Target> {
    required(segment, what)?;
    Ok(Target::new(path).segment(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_an_agent_has_its_hash_beside_it() {
        let text = r#"{"ID": "web-1", "Service": "web", "Tags": ["a"], "Meta": {}, "Port": 80,
            "Address": "", "Weights": {"Passing": 1, "Warning": 1}, "EnableTagOverride": false,
            "ContentHash": "be81f995e3ec64d4"}"#;
        let found: AgentService = serde_json::from_str(text).unwrap();
        assert_eq!((found.service.id.as_str(), found.service.port), ("web-1", 80));
        assert_eq!(found.content_hash, "be81f995e3ec64d4");
    }
}
