//! The servers that Raft counts.

use super::Operator;
use crate::api::input::required;
use crate::api::json;
use crate::client::{Call, Style, Target};
use crate::config::Options;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A server as Raft has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RaftPeer {
    /// Its id, which is that of its node.
    #[serde(rename = "ID")]
    pub id: String,
    /// The name of its node; `(unknown)` for one that is no member any more.
    pub node: String,
    /// Its address for Raft: `address:port`.
    pub address: String,
    /// The version of Raft's protocol.
    pub protocol_version: String,
    /// Whether it leads.
    pub leader: bool,
    /// Whether it votes.
    pub voter: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Configuration {
    #[serde(deserialize_with = "json::nullable")]
    servers: Vec<RaftPeer>,
}

const PEER: &str = "/v1/operator/raft/peer";

impl<S: Style> Operator<'_, S> {
    /// The servers of Raft, those among them that are gone included. With the consistency `stale`
    /// any server answers, also while there is no leader.
    pub fn raft_peers(&self, options: &Options) -> Result<S::Output<Vec<RaftPeer>>> {
        let call = Call::get(Target::new("/v1/operator/raft/configuration"), options);
        json::fetch_plain(self.client, call, |reply| {
            json::decode(reply).map(|configuration: Configuration| configuration.servers)
        })
    }

    /// Removes a server that is gone for good from Raft, by its id. One that lives is to leave by
    /// itself. `Status::Http` when Raft does not have it.
    pub fn remove_raft_peer(&self, id: &str, options: &Options) -> Result<S::Output<()>> {
        required(id, "peer's id")?;
        self.remove(Target::new(PEER).param("id", id), options)
    }

    /// As [`Operator::remove_raft_peer`], by the address for Raft: `address:port`.
    pub fn remove_raft_peer_at(&self, address: &str, options: &Options) -> Result<S::Output<()>> {
        required(address, "peer's address")?;
        self.remove(Target::new(PEER).param("address", address), options)
    }

    fn remove(&self, target: Target, options: &Options) -> Result<S::Output<()>> {
        self.client.exchange(Call::delete(target, options), |_, answer| answer.map(drop))
    }
}
