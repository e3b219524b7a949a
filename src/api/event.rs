//! User events, which agents pass on by gossip
//! (<https://developer.hashicorp.com/consul/api-docs/event>).

use super::answer::Answer;
use super::input::required;
use super::json;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::Result;
use serde::Deserialize;

/// An event that somebody fired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UserEvent {
    /// Its id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// What was sent with it, any bytes.
    #[serde(deserialize_with = "json::base64_bytes")]
    pub payload: Vec<u8>,
    /// A regular expression of the nodes it is meant for; empty means all.
    pub node_filter: String,
    /// The same of services.
    pub service_filter: String,
    /// The same of tags.
    pub tag_filter: String,
    /// The version of its format.
    pub version: u64,
    /// When it was fired, by the Lamport clock of the gossip.
    #[serde(rename = "LTime")]
    pub ltime: u64,
}

/// The event endpoints of a client.
#[derive(Clone, Copy)]
pub struct Events<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// User events.
    pub fn events(&self) -> Events<'_, S> {
        Events { client: self }
    }
}

impl<S: Style> Events<'_, S> {
    /// Fires an event to every agent; gives it with its id. The payload is some 100 bytes at most.
    pub fn fire(
        &self,
        name: &str,
        payload: &[u8],
        options: &Options,
    ) -> Result<S::Output<Answer<UserEvent>>> {
        required(name, "event's name")?;
        let target = Target::new("/v1/event/fire/").segment(name);
        let call = Call::put(target, options).body(payload, "application/octet-stream");
        json::fetch_map(self.client, call, |event: UserEvent| event)
    }

    /// The last events that the agent has heard of, the oldest first, at most 256; with a name,
    /// those of this name. Their index is a hash: it differs, and may go down.
    pub fn list(
        &self,
        name: Option<&str>,
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<UserEvent>>>> {
        let target = Target::new("/v1/event/list");
        let target = match name.filter(|name| !name.is_empty()) {
            Some(name) => target.param("name", name),
            None => target,
        };
        json::fetch_list(self.client, Call::get(target, options))
    }
}
