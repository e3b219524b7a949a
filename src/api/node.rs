//! A node of the catalog.

use super::json;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A node: a machine that an agent runs on, or one that was registered from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Node {
    /// Its UUID; empty where it was registered without one.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name.
    #[serde(rename = "Node")]
    pub name: String,
    /// Its address.
    pub address: String,
    /// The datacenter it is in.
    pub datacenter: String,
    /// Its addresses by name, such as `lan` and `wan`.
    #[serde(deserialize_with = "json::nullable")]
    pub tagged_addresses: BTreeMap<String, String>,
    /// What its operator wrote about it.
    #[serde(deserialize_with = "json::nullable")]
    pub meta: BTreeMap<String, String>,
    /// The index of the write that made it.
    pub create_index: u64,
    /// The index of the last write.
    pub modify_index: u64,
}
