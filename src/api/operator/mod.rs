//! What operators do: the servers of Raft, autopilot, the gossip keys
//! (<https://developer.hashicorp.com/consul/api-docs/operator>). Each needs the right
//! `operator`, the keys `keyring`.

mod autopilot;
mod cluster;
mod keyring;
mod raft;

pub use autopilot::{AutopilotConfig, AutopilotHealth, ServerHealth};
pub use cluster::{ClusterReport, EndpointReport, Missing, ServerReport};
pub use keyring::KeyringPool;
pub use raft::RaftPeer;

use crate::client::{Blocking, Client, Style};

/// The operator endpoints of a client.
#[derive(Clone, Copy)]
pub struct Operator<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// What operators do.
    pub fn operator(&self) -> Operator<'_, S> {
        Operator { client: self }
    }
}
