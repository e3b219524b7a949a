//! The state of the Consul servers (<https://developer.hashicorp.com/consul/api-docs/status>).

use super::answer::Answer;
use super::json;
use crate::client::{Call, Client, Target};
use crate::config::Options;
use crate::error::Result;

/// The status endpoints of a client. They need no token.
#[derive(Clone, Copy)]
pub struct ClusterStatus<'a> {
    client: &'a Client,
}

impl Client {
    /// The state of the Consul servers.
    pub fn status(&self) -> ClusterStatus<'_> {
        ClusterStatus { client: self }
    }
}

impl ClusterStatus<'_> {
    /// The leader among the servers, as `address:port`; `None` while there is none.
    pub fn leader(&self, options: &Options) -> Result<Answer<Option<String>>> {
        let call = Call::get(Target::new("/v1/status/leader"), options);
        let leader: Answer<Option<String>> = json::fetch(self.client, call)?;
        Ok(leader.map(|leader| leader.filter(|leader| !leader.is_empty())))
    }

    /// The servers that vote, each as `address:port`.
    pub fn peers(&self, options: &Options) -> Result<Answer<Vec<String>>> {
        json::fetch_list(self.client, Call::get(Target::new("/v1/status/peers"), options))
    }
}
