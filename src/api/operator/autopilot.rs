//! Autopilot: what keeps the servers healthy, and how it finds them.

use super::Operator;
use crate::api::answer::Answer;
use crate::api::document::{Document, documents};
use crate::api::json;
use crate::client::{Accept, Call, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How autopilot is configured. Durations are in Consul's syntax, such as `200ms`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AutopilotConfig {
    /// Whether servers that are gone are removed when another one joins.
    pub cleanup_dead_servers: bool,
    /// How long a server may be without contact to the leader.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_contact_threshold: String,
    /// How many entries of the log a server may be behind.
    pub max_trailing_logs: u64,
    /// How few servers are left at least by the clean-up.
    pub min_quorum: u64,
    /// How long a new server must be healthy before it votes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_stabilization_time: String,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change, for a compare-and-set.
    #[serde(skip_serializing)]
    pub modify_index: u64,
    /// What is not named here (Consul Enterprise), written back as it was read.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// How the servers are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AutopilotHealth {
    /// Whether all of them are healthy.
    pub healthy: bool,
    /// How many may fail until there is no leader any more.
    pub failure_tolerance: u64,
    /// Each of them.
    #[serde(deserialize_with = "json::nullable")]
    pub servers: Vec<ServerHealth>,
}

/// How a server is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServerHealth {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The name of its node.
    pub name: String,
    /// Its address for Raft.
    pub address: String,
    /// What gossip says of it: `alive`, `failed`, ...
    pub serf_status: String,
    /// Its version of Consul.
    pub version: String,
    /// Whether it leads.
    pub leader: bool,
    /// How long ago it heard from the leader, in Consul's syntax.
    pub last_contact: String,
    /// The last term of Raft that it knows.
    pub last_term: u64,
    /// The index of the last entry of its log.
    pub last_index: u64,
    /// Whether it is healthy.
    pub healthy: bool,
    /// Whether it votes.
    pub voter: bool,
    /// Since when it is as healthy as it is, as RFC 3339.
    pub stable_since: String,
}

documents!(AutopilotConfig, AutopilotHealth);

const CONFIGURATION: &str = "/v1/operator/autopilot/configuration";

impl<S: Style> Operator<'_, S> {
    /// How autopilot is configured.
    pub fn autopilot_config(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<AutopilotConfig>>> {
        self.autopilot_config_as(options)
    }

    pub(crate) fn autopilot_config_as<T: Document>(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        json::fetch_with(self.client, Call::get(Target::new(CONFIGURATION), options), T::decode)
    }

    /// Replaces autopilot's configuration, of which what is not set becomes zero or false: read it
    /// first. With a modify index only if it is still this one: false when it is not.
    pub fn set_autopilot_config(
        &self,
        config: &AutopilotConfig,
        modify_index: Option<u64>,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        self.set_autopilot_config_as(config, modify_index, options)
    }

    pub(crate) fn set_autopilot_config_as(
        &self,
        config: &impl Document,
        modify_index: Option<u64>,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        let body = config.encode()?;
        let target = Target::new(CONFIGURATION);
        let target = match modify_index {
            Some(index) => target.number("cas", index),
            None => target,
        };
        let call = Call::put_json(target, &body, options);
        json::fetch_with(self.client, call, |reply| match reply.response.body.as_slice() {
            // Only a compare-and-set is answered.
            b"" => Ok(true),
            _ => json::decode_bool(reply),
        })
    }

    /// How the servers are, in the eyes of autopilot. That they are not healthy is an answer, too.
    pub fn autopilot_health(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<AutopilotHealth>>> {
        self.autopilot_health_as(options)
    }

    pub(crate) fn autopilot_health_as<T: Document>(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        let target = Target::new("/v1/operator/autopilot/health");
        let call = Call::get(target, options).accept(Accept::Health);
        json::fetch_with(self.client, call, |reply| match reply.response.status {
            404 => Err(unknown("this Consul does not know the endpoint", reply.endpoint)),
            _ => T::decode(reply),
        })
    }

    /// The whole state of autopilot, as JSON. `Status::Unsupported` before Consul 1.9.
    pub fn autopilot_state(&self, options: &Options) -> Result<S::Output<Answer<Value>>> {
        self.autopilot_state_as(options)
    }

    pub(crate) fn autopilot_state_as<T: Document>(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        let target = Target::new("/v1/operator/autopilot/state");
        let call = Call::get(target, options).accept(Accept::NotFound);
        json::fetch_with(self.client, call, |reply| match reply.response.status {
            404 => Err(unknown(NEEDS, reply.endpoint)),
            _ => T::decode(reply),
        })
    }
}

const NEEDS: &str =
    "the state of autopilot needs Consul 1.9; autopilot's health is there before it";

fn unknown(message: &str, endpoint: &str) -> Error {
    Error::new(Status::Unsupported, message).with_http_status(404).with_endpoint(endpoint)
}

impl Document for Value {
    fn encode(&self) -> Result<Vec<u8>> {
        json::encode(self)
    }

    fn decode(reply: &json::Reply<'_>) -> Result<Value> {
        json::decode(reply)
    }
}
