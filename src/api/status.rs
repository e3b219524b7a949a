//! The state of the Consul servers (<https://developer.hashicorp.com/consul/api-docs/status>).

use super::answer::Answer;
use super::json;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::Result;

/// The status endpoints of a client. They need no token.
#[derive(Clone, Copy)]
pub struct ClusterStatus<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// The state of the Consul servers.
    pub fn status(&self) -> ClusterStatus<'_, S> {
        ClusterStatus { client: self }
    }
}

impl<S: Style> ClusterStatus<'_, S> {
    /// The leader among the servers, as `address:port`; `None` while there is none.
    pub fn leader(&self, options: &Options) -> Result<S::Output<Answer<Option<String>>>> {
        let call = Call::get(Target::new("/v1/status/leader"), options);
        json::fetch_map(self.client, call, |leader: Option<String>| {
            leader.filter(|leader| !leader.is_empty())
        })
    }

    /// The servers that vote, each as `address:port`.
    pub fn peers(&self, options: &Options) -> Result<S::Output<Answer<Vec<String>>>> {
        json::fetch_list(self.client, Call::get(Target::new("/v1/status/peers"), options))
    }
}
