//! User events, which agents pass on by gossip
//! (<https://developer.hashicorp.com/consul/api-docs/event>).

use super::answer::Answer;
use super::json;
use crate::client::{Call, Client, Target};
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
pub struct Events<'a> {
    client: &'a Client,
}

impl Client {
    /// User events.
    pub fn events(&self) -> Events<'_> {
        Events { client: self }
    }
}

impl Events<'_> {
    /// Fires an event to every agent; gives its id. The payload is some 100 bytes at most.
    pub fn fire(&self, name: &str, payload: &[u8], options: &Options) -> Result<String> {
        super::input::required(name, "event's name")?;
        let target = Target::new("/v1/event/fire/").segment(name);
        let call = Call::put(target, options).body(payload, "application/octet-stream");
        Ok(json::fetch::<UserEvent>(self.client, call)?.into_value().id)
    }

    /// The last events that the agent has heard of, the oldest first, at most 256; with a name,
    /// those of this name. Their index is a hash: it differs, and may go down.
    pub fn list(&self, name: Option<&str>, options: &Options) -> Result<Answer<Vec<UserEvent>>> {
        json::fetch_list(self.client, list_call(name, options))
    }
}

/// The call of [`Events::list`].
pub(crate) fn list_call<'a>(name: Option<&str>, options: &'a Options) -> Call<'a> {
    let target = Target::new("/v1/event/list");
    let target = match name.filter(|name| !name.is_empty()) {
        Some(name) => target.param("name", name),
        None => target,
    };
    Call::get(target, options)
}
