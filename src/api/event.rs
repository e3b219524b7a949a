//! User events, which agents pass on by gossip
//! (<https://developer.hashicorp.com/consul/api-docs/event>).

use super::answer::Answer;
use super::input::required;
use super::json;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result};
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

/// Whom an event is meant for: the agents that match all of these regular expressions keep it, the
/// others let it pass. The default means everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventFilters<'a> {
    /// Those on a node of such a name.
    pub node: Option<&'a str>,
    /// Those with a service of such an id.
    pub service: Option<&'a str>,
    /// Those whose service has such a tag; needs `service`.
    pub tag: Option<&'a str>,
}

impl EventFilters<'_> {
    fn check(&self) -> Result<()> {
        if given(self.tag).is_some() && given(self.service).is_none() {
            return Err(Error::argument("the tag filter needs a service filter beside it"));
        }
        Ok(())
    }

    fn add_to(&self, target: Target) -> Target {
        let filters = [("node", self.node), ("service", self.service), ("tag", self.tag)];
        let filters = filters.into_iter().filter_map(|(name, filter)| Some((name, given(filter)?)));
        filters.fold(target, |target, (name, filter)| target.param(name, filter))
    }
}

/// A text that is there and says something.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
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
    /// Fires an event to the agents of the datacenter; gives it with its id, before any of them has
    /// heard of it. Consul takes 512 bytes for all of it, which leaves some 400 for the payload.
    pub fn fire(
        &self,
        name: &str,
        payload: &[u8],
        filters: EventFilters<'_>,
        options: &Options,
    ) -> Result<S::Output<Answer<UserEvent>>> {
        required(name, "event's name")?;
        filters.check()?;
        let target = filters.add_to(Target::new("/v1/event/fire/").segment(name));
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
        let target = match given(name) {
            Some(name) => target.param("name", name),
            None => target,
        };
        json::fetch_list(self.client, Call::get(target, options))
    }
}
