//! The keys that gossip is encrypted with.

use super::Operator;
use crate::api::document::{Document, Text};
use crate::api::input::required;
use crate::api::json::{self, Elements, Reply};
use crate::client::{Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result};
use crate::transport::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The keys of one gossip pool. They are secrets: its `Debug` counts them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct KeyringPool {
    /// Whether it is the pool that joins the datacenters.
    #[serde(rename = "WAN")]
    pub wan: bool,
    /// Its datacenter.
    pub datacenter: String,
    /// The network segment; empty for the default one.
    pub segment: String,
    /// What went wrong on which member.
    #[serde(deserialize_with = "json::nullable")]
    pub messages: BTreeMap<String, String>,
    /// Each key in base64, and how many members have it.
    #[serde(deserialize_with = "json::nullable")]
    pub keys: BTreeMap<String, u64>,
    /// The keys that are in use to encrypt, the same way (Consul 1.9).
    #[serde(deserialize_with = "json::nullable")]
    pub primary_keys: BTreeMap<String, u64>,
    /// How many members there are.
    pub num_nodes: u64,
}

impl fmt::Debug for KeyringPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringPool")
            .field("wan", &self.wan)
            .field("datacenter", &self.datacenter)
            .field("keys", &self.keys.len())
            .field("num_nodes", &self.num_nodes)
            .finish_non_exhaustive()
    }
}

/// The keys of all pools.
pub(crate) struct Pools(Vec<KeyringPool>);

impl Document for Pools {
    fn encode(&self) -> Result<Vec<u8>> {
        json::encode(&self.0)
    }

    fn decode(reply: &Reply<'_>) -> Result<Pools> {
        json::decode(reply).map(|pools: Elements<KeyringPool>| Pools(pools.0))
    }
}

/// The keys of all pools, as JSON.
pub(crate) type PoolsText = Text<Pools>;

impl<S: Style> Operator<'_, S> {
    /// The keys of all gossip pools. `Status::Http` when gossip is not encrypted.
    pub fn keyring(&self, options: &Options) -> Result<S::Output<Vec<KeyringPool>>> {
        let call = Call::get(Target::new(KEYRING), options);
        json::fetch_plain(self.client, call, |reply| Pools::decode(reply).map(|pools| pools.0))
    }

    pub(crate) fn keyring_text(&self, options: &Options) -> Result<S::Output<PoolsText>> {
        json::fetch_plain(self.client, Call::get(Target::new(KEYRING), options), Text::decode)
    }

    /// Gives a new key, 16, 24 or 32 bytes in base64, to all members; it is used once
    /// [`Operator::keyring_use`] says so.
    pub fn keyring_install(&self, key: &str, options: &Options) -> Result<S::Output<()>> {
        change(self.client, Method::Post, key, options)
    }

    /// Makes all members encrypt with a key that they have.
    pub fn keyring_use(&self, key: &str, options: &Options) -> Result<S::Output<()>> {
        change(self.client, Method::Put, key, options)
    }

    /// Takes a key that is not in use from all members.
    pub fn keyring_remove(&self, key: &str, options: &Options) -> Result<S::Output<()>> {
        change(self.client, Method::Delete, key, options)
    }
}

const KEYRING: &str = "/v1/operator/keyring";

fn change<S: Style>(
    client: &Client<S>,
    method: Method,
    key: &str,
    options: &Options,
) -> Result<S::Output<()>> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Change<'a> {
        key: &'a str,
    }
    required(key, "gossip key")?;
    let body = json::encode(&Change { key })?;
    let call = Call::new(method, Target::new(KEYRING), None, options).idempotent();
    let secret = key.to_string();
    client.exchange(call.body(&body, "application/json"), move |_, answer| {
        let hide = |error: Error| error.map_message(|text| text.replace(&secret, "<hidden>"));
        answer.map(drop).map_err(hide)
    })
}
