//! The key-value store (<https://developer.hashicorp.com/consul/api-docs/kv>).

mod found;
mod key;
mod portable;
mod reencrypt;
mod scan;

use super::answer::Answer;
use super::json::{self, Reply};
use super::session::check_id;
use crate::client::{Accept, Blocking, Call, Client, Either, Style, Target, Vault};
use crate::config::{Consistency, Options, Settings};
use crate::error::{Error, Result, Status};
use crate::transport::Response;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use found::{Collect, Found};
pub(crate) use key::{check_key, check_prefix};
pub use reencrypt::Reencrypted;

/// A key with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct KvPair {
    /// The key.
    pub key: String,
    /// The value, any bytes.
    #[serde(deserialize_with = "json::base64_bytes")]
    pub value: Vec<u8>,
    /// A number that belongs to the programs that use the key. It fills 64 bits.
    pub flags: u64,
    /// The session that holds the key, when one does.
    pub session: Option<String>,
    /// How often the key was acquired; starts again when it is deleted or plainly written.
    pub lock_index: u64,
    /// The index of the write that made the key.
    pub create_index: u64,
    /// The index of the last write, for a compare-and-set.
    pub modify_index: u64,
}

/// The key-value operations of a client.
///
/// A key is a path without a leading slash: no empty, `.` or `..` segments and no unprintable
/// characters, since Consul cannot be asked for such keys. A bad one is refused before anything is
/// sent.
#[derive(Clone, Copy)]
pub struct Kv<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

const KV: &str = "/v1/kv/";
const OCTETS: &str = "application/octet-stream";

impl<S: Style> Client<S> {
    /// The key-value store.
    pub fn kv(&self) -> Kv<'_, S> {
        Kv { client: self }
    }
}

impl<S: Style> Kv<'_, S> {
    /// Reads a key; `None` when it does not exist.
    pub fn get(&self, key: &str, options: &Options) -> Result<S::Output<Answer<Option<KvPair>>>> {
        let vault = self.client.vault();
        self.found_or_empty(Call::get(target(key)?, options), move |reply| {
            Ok(decode_pairs::<Vec<KvPair>>(reply, vault.as_ref())?.into_iter().next())
        })
    }

    /// As [`Kv::get`], straight to where the pair is kept.
    pub(crate) fn get_into<C: Collect>(
        &self,
        key: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<C>>> {
        let vault = self.client.vault();
        self.found_or_empty(Call::get(target(key)?, options), move |reply| {
            decode_pairs(reply, vault.as_ref())
        })
    }

    /// Reads every key that begins with `prefix`, byte by byte: `a` finds `ab` too. The empty
    /// prefix reads all.
    pub fn list(&self, prefix: &str, options: &Options) -> Result<S::Output<Answer<Vec<KvPair>>>> {
        self.list_into(prefix, options)
    }

    /// As [`Kv::list`], straight to where the pairs are kept.
    pub(crate) fn list_into<C: Collect>(
        &self,
        prefix: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<C>>> {
        check_prefix(prefix)?;
        let target = Target::new(KV).path(prefix).flag("recurse");
        let vault = self.client.vault();
        self.found_or_empty(Call::get(target, options), move |reply| {
            decode_pairs(reply, vault.as_ref())
        })
    }

    /// The names of the keys that begin with `prefix`. With a separator, a name ends after its
    /// first separator past the prefix, each such name once.
    pub fn keys(
        &self,
        prefix: &str,
        separator: Option<&str>,
        options: &Options,
    ) -> Result<S::Output<Answer<Vec<String>>>> {
        check_prefix(prefix)?;
        let mut target = Target::new(KV).path(prefix).flag("keys");
        if let Some(separator) = separator.filter(|separator| !separator.is_empty()) {
            target = target.param("separator", separator);
        }
        self.found_or_empty(Call::get(target, options), json::decode)
    }

    /// Writes a key, whatever it held. `flags` replace the key's flags. Gives true.
    pub fn put(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        self.write(key, target(key)?.flags(flags), value, options)
    }

    /// Writes a key and keeps its flags: reads them, then compares and sets, until nobody came in
    /// between or the time is over.
    pub fn update(
        &self,
        key: &str,
        value: &[u8],
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        check_key(key)?;
        self.check_value(value)?;
        self.client.check_sealing(key, value)?;
        let (key, value, options) = (key.to_string(), value.to_vec(), options.clone());
        self.client.run(move |client| async move { update(&client, &key, &value, &options).await })
    }

    /// Writes a key if its modify index is still this one; 0 means "if it does not exist". False
    /// when it is not.
    pub fn cas(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        modify_index: u64,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        let target = target(key)?.flags(flags).number("cas", modify_index);
        self.write(key, target, value, options)
    }

    /// Writes a key and locks it for a session. False when another session holds it, or its
    /// lock-delay is not over. The holder may do it again to write the value.
    pub fn acquire(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        session: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        let target = target(key)?.flags(flags).param("acquire", check_id(session)?);
        self.write(key, target, value, options)
    }

    /// Writes a key and unlocks it. False when this session does not hold it.
    pub fn release(
        &self,
        key: &str,
        value: &[u8],
        flags: u64,
        session: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        let target = target(key)?.flags(flags).param("release", check_id(session)?);
        self.write(key, target, value, options)
    }

    /// Deletes a key. True also when it did not exist.
    pub fn delete(&self, key: &str, options: &Options) -> Result<S::Output<Answer<bool>>> {
        json::confirm(self.client, Call::delete(target(key)?, options))
    }

    /// Deletes a key if its modify index is still this one. False when it is not; true also when
    /// the key does not exist.
    pub fn delete_cas(
        &self,
        key: &str,
        modify_index: u64,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        json::confirm(self.client, Call::delete(target(key)?.number("cas", modify_index), options))
    }

    /// Deletes every key that begins with `prefix`, byte by byte: `a` deletes `ab` too. The empty
    /// prefix, which would delete all, is refused.
    pub fn delete_prefix(
        &self,
        prefix: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        if prefix.is_empty() {
            return Err(Error::argument(
                "an empty prefix would delete every key: DELETE /v1/kv/?recurse by the generic \
                 request if this is meant",
            ));
        }
        check_prefix(prefix)?;
        json::confirm(
            self.client,
            Call::delete(Target::new(KV).path(prefix).flag("recurse"), options),
        )
    }

    fn write(
        &self,
        key: &str,
        target: Target,
        value: &[u8],
        options: &Options,
    ) -> Result<S::Output<Answer<bool>>> {
        let stored = self.client.sealed(key, value)?;
        self.check_value(&stored)?;
        json::confirm(self.client, Call::put(target, options).body(&stored, OCTETS))
    }

    fn check_value(&self, value: &[u8]) -> Result<()> {
        check_size(value.len(), &self.client.settings())
    }

    /// A 404 is the answer "there is none" and carries an index to wait on.
    fn found_or_empty<T: Default + Send + 'static>(
        &self,
        call: Call<'_>,
        decode: impl FnOnce(&Reply<'_>) -> Result<T> + Send + 'static,
    ) -> Result<S::Output<Answer<T>>> {
        json::fetch_with(self.client, call.accept(Accept::NotFound), |reply| {
            match reply.response.status {
                404 if is_word_of_consul(reply.response) => Ok(T::default()),
                404 => Err(foreign_404(reply.endpoint)),
                _ => decode(reply),
            }
        })
    }
}

/// Refuses a value that is above Consul's limit.
fn check_size(length: usize, settings: &Settings) -> Result<()> {
    let limit = settings.max_value_bytes;
    if length as u64 <= limit {
        return Ok(());
    }
    let message = format!(
        "a value of {length} bytes is above the limit of {limit} bytes \
         (max_value_bytes, which must match Consul's kv_max_value_size)"
    );
    Err(Error::new(Status::TooLarge, message))
}

/// Consul's own 404 has no text, and headers that nobody else sends, not even Consul for a path that it
/// does not know.
fn is_word_of_consul(response: &Response) -> bool {
    response.body.is_empty() && response.headers.lines().any(|line| line.begins_with("X-Consul-"))
}

/// What stands in between, or at a wrong address, and knows no path of Consul's does not tell that
/// there is no key.
fn foreign_404(endpoint: &str) -> Error {
    let message = format!(
        "{endpoint}: a 404 that is not Consul's word that there is no such key: is it Consul's address?"
    );
    Error::new(Status::Http, message).with_http_status(404).with_endpoint(endpoint)
}

/// The pairs of an answer, decrypted where a key is set.
fn decode_pairs<C: Collect>(reply: &Reply<'_>, vault: Option<&Arc<Vault>>) -> Result<C> {
    match vault {
        None => stored_pairs(reply),
        Some(vault) => opened_pairs(reply, vault),
    }
}

fn opened_pairs<C: Collect>(reply: &Reply<'_>, vault: &Vault) -> Result<C> {
    let mut pairs = C::default();
    for mut pair in stored_pairs::<Vec<KvPair>>(reply)? {
        vault
            .open(&pair.key, &mut pair.value)
            .map_err(|error| error.with_endpoint(reply.endpoint))?;
        // Its value is decoded already.
        let _ = pairs.add(&Found::from(&pair));
    }
    Ok(pairs)
}

/// The pairs of an answer, their values as they are stored.
fn stored_pairs<C: Collect>(reply: &Reply<'_>) -> Result<C> {
    let plain = std::str::from_utf8(&reply.response.body).ok().and_then(scan::pairs);
    if let Some(pairs) = plain {
        return Ok(pairs);
    }
    let mut pairs = C::default();
    for pair in json::decode::<Vec<KvPair>>(reply)? {
        // Its value is decoded already.
        let _ = pairs.add(&Found::from(&pair));
    }
    Ok(pairs)
}

/// Reads the flags, then compares and sets, until nobody came in between or the time is over.
async fn update(
    client: &Client<Either>,
    key: &str,
    value: &[u8],
    options: &Options,
) -> Result<Answer<bool>> {
    let end = Instant::now() + options.timeout.unwrap_or(client.settings().timeout);
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            let message = format!("PUT {KV}{key}: others kept changing it");
            return Err(Error::new(Status::Timeout, message));
        }
        let options =
            Options { index: 0, ..options.clone() }.timeout(rest).consistency(Consistency::Default);
        let found = client.kv().get(key, &options)?.await?.value.unwrap_or_default();
        let (flags, index) = (found.flags, found.modify_index);
        let written = client.kv().cas(key, value, flags, index, &options)?.await?;
        if written.value {
            return Ok(written);
        }
    }
}

impl Target {
    fn flags(self, flags: u64) -> Target {
        if flags == 0 { self } else { self.number("flags", flags) }
    }
}

fn target(key: &str) -> Result<Target> {
    check_key(key)?;
    Ok(Target::new(KV).path(key))
}
