//! Nodes, services and checks as transactions write and read them. What a field of the answer has
//! no name for here is kept in `other`, so that what was read can be written back whole.

use crate::api::{duration, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// A node of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Node {
    /// Its id, a UUID; empty where it has none.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Its address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Its datacenter.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub datacenter: String,
    /// Its other addresses by kind, such as `lan` and `wan`.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub tagged_addresses: BTreeMap<String, String>,
    /// Its metadata.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    /// The index of the write that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of the last write, for a compare-and-set.
    pub modify_index: u64,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An instance of a service on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    /// The instance's id.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name of the service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Its tags.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its address; empty means the node's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Its other addresses by kind, such as `lan` and `wan`.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub tagged_addresses: BTreeMap<String, ServiceAddress>,
    /// Its metadata.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    /// Its weights in answers to DNS queries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
    /// Whether others may change its tags in the catalog.
    pub enable_tag_override: bool,
    /// The index of the write that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of the last write, for a compare-and-set.
    pub modify_index: u64,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One of the addresses of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceAddress {
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// How much of the requests a service shall get, by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Weights {
    /// While its checks pass.
    pub passing: u32,
    /// While one of them warns.
    pub warning: u32,
}

/// A health check of a node or of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Check {
    /// The name of its node.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// Its id.
    #[serde(rename = "CheckID", skip_serializing_if = "String::is_empty")]
    pub check_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `passing`, `warning` or `critical`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// A text for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// What it said when it last ran.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// The id of the service that it belongs to; empty when it is the node's own.
    #[serde(rename = "ServiceID", skip_serializing_if = "String::is_empty")]
    pub service_id: String,
    /// The name of that service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_name: String,
    /// How it is done.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "is_default")]
    pub definition: CheckDefinition,
    /// The index of the write that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of the last write, for a compare-and-set.
    pub modify_index: u64,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a check is done, for who does the checks of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CheckDefinition {
    /// The URL to ask.
    #[serde(rename = "HTTP", skip_serializing_if = "String::is_empty")]
    pub http: String,
    /// The address to connect to.
    #[serde(rename = "TCP", skip_serializing_if = "String::is_empty")]
    pub tcp: String,
    /// How often.
    #[serde(skip_serializing_if = "Duration::is_zero", with = "duration")]
    pub interval: Duration,
    /// How long it may take.
    #[serde(skip_serializing_if = "Duration::is_zero", with = "duration")]
    pub timeout: Duration,
    /// The service is deregistered when it was critical for this time; zero for never.
    #[serde(skip_serializing_if = "Duration::is_zero", with = "duration")]
    pub deregister_critical_service_after: Duration,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

fn is_default(definition: &CheckDefinition) -> bool {
    *definition == CheckDefinition::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_here_is_written_back() {
        let text = r#"{"ID":"s","Service":"web","Tags":null,"Port":80,"Proxy":{"Mode":"direct"}}"#;
        let service: Service = serde_json::from_str(text).unwrap();
        assert_eq!((service.tags.len(), service.port), (0, 80));
        let written = serde_json::to_value(&service).unwrap();
        assert_eq!(written["Proxy"]["Mode"], "direct");
    }

    #[test]
    fn durations_of_a_check_are_text_on_the_wire() {
        let text = r#"{"Node":"n","CheckID":"c","Definition":{"Interval":"5s","Timeout":"1m30s"}}"#;
        let check: Check = serde_json::from_str(text).unwrap();
        assert_eq!(check.definition.timeout, Duration::from_secs(90));
        let written = serde_json::to_value(&check).unwrap();
        assert_eq!(written["Definition"]["Interval"], "5s");
    }
}
