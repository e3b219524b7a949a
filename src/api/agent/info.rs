//! Who an agent is.

use serde::Deserialize;

/// Who an agent is, and all that it tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentInfo {
    /// The name of its node.
    pub node_name: String,
    /// The UUID of its node.
    pub node_id: String,
    /// The datacenter it is in.
    pub datacenter: String,
    /// Its version, such as `1.8.7`.
    pub version: String,
    /// Whether it is a server.
    pub server: bool,
    /// The whole answer: its configuration, statistics and more.
    pub json: String,
}

/// The part of the answer with a fixed shape.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Document {
    config: Config,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    datacenter: String,
    node_name: String,
    #[serde(rename = "NodeID")]
    node_id: String,
    version: String,
    server: bool,
}

impl AgentInfo {
    pub(super) fn new(document: Document, json: &[u8]) -> AgentInfo {
        let config = document.config;
        AgentInfo {
            node_name: config.node_name,
            node_id: config.node_id,
            datacenter: config.datacenter,
            version: config.version,
            server: config.server,
            json: String::from_utf8_lossy(json).into_owned(),
        }
    }
}
