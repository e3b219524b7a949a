//! An instance of a service, as the catalog and the agent know it.

use super::json;
use super::node::Node;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An instance of a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Service {
    /// Its id, unique on its node.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name of the service.
    #[serde(rename = "Service")]
    pub name: String,
    /// What it is when it is no plain service, such as `connect-proxy` or `ingress-gateway`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its tags.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where it listens; empty means at its node's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Its addresses by name, such as `lan` and `wan`.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub tagged_addresses: BTreeMap<String, ServiceAddress>,
    /// What its owner wrote about it.
    #[serde(deserialize_with = "json::nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    /// The port it listens at, 0 when it has none.
    #[serde(deserialize_with = "json::number")]
    pub port: u16,
    /// How much of the traffic it shall get.
    #[serde(deserialize_with = "json::nullable")]
    pub weights: Weights,
    /// Whether its tags may be changed in the catalog, past its agent.
    pub enable_tag_override: bool,
    /// How a proxy is set up, as Consul writes it; `null` for what is no proxy.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub proxy: Value,
    /// How it takes part in the service mesh, as Consul writes it.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub connect: Value,
    /// The index of the write that made it; 0 from an agent, which has no indexes.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of the last write; 0 from an agent.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

impl Service {
    /// Where it listens: its own address, or else that of the node it runs on.
    pub fn address_at<'a>(&'a self, node: &'a Node) -> &'a str {
        match self.address.as_str() {
            "" => &node.address,
            address => address,
        }
    }
}

/// One of a service's addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceAddress {
    /// The host.
    pub address: String,
    /// The port.
    #[serde(deserialize_with = "json::number")]
    pub port: u16,
}

/// How much of the traffic an instance shall get, compared with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Weights {
    /// While it is passing; 1 to 65535.
    #[serde(deserialize_with = "json::number")]
    pub passing: u16,
    /// While it is warning; 0 to 65535.
    #[serde(deserialize_with = "json::number")]
    pub warning: u16,
}

/// Consul's own default: all alike.
impl Default for Weights {
    fn default() -> Weights {
        Weights { passing: 1, warning: 1 }
    }
}
