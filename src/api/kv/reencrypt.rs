//! Brings what is stored under the key that encrypts now: what is under an old one, or plain.

use super::{Kv, KvPair, check_key, check_prefix};
use crate::api::answer::Answer;
use crate::client::{Client, Either, Sealing, Style, Vault};
use crate::config::{Consistency, Options};
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use std::sync::Arc;
use std::time::Instant;

/// What re-encryption came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reencrypted {
    /// Values that were under an old key or plain, and are under `encryption_key` now.
    pub rewritten: u64,
    /// Values that were under `encryption_key` already.
    pub current: u64,
    /// Left as they are, since a session holds the key: its holder writes it.
    pub held: u64,
    /// Left as they are, since no prefix of `encryption_prefixes` covers the key.
    pub outside: u64,
    /// Left as they are, since they cannot be decrypted, or are plain where that is not allowed.
    /// Each is a warning in the log.
    pub failed: u64,
}

/// What became of one key.
enum Outcome {
    Rewritten,
    Current,
    Held,
    Failed,
    Gone,
}

impl<S: Style> Kv<'_, S> {
    /// Encrypts every value below `prefix` anew that is under an old key or plain, by check-and-set:
    /// what others write meanwhile stays. Flags stay too. It may take the call's timeout in all; one
    /// that ended early is begun again and goes on where it was.
    pub fn reencrypt(
        &self,
        prefix: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<Reencrypted>>> {
        check_prefix(prefix)?;
        let Some(vault) = self.client.vault().filter(|vault| vault.encrypts()) else {
            return Err(Error::config(
                "nothing is encrypted: set encryption_key and encryption_prefixes",
            ));
        };
        let (prefix, options) = (prefix.to_string(), options.clone());
        self.client
            .run(move |client| async move { reencrypt(&client, &vault, &prefix, &options).await })
    }
}

async fn reencrypt(
    client: &Client<Either>,
    vault: &Arc<Vault>,
    prefix: &str,
    options: &Options,
) -> Result<Answer<Reencrypted>> {
    let pass = Pass::new(client, vault, options);
    let Answer { value: keys, meta } =
        client.kv().keys(prefix, None, &pass.options(prefix)?)?.await?;
    let mut done = Reencrypted::default();
    for key in &keys {
        if !vault.covers(key) {
            done.outside += 1;
            continue;
        }
        match pass.one(key).await? {
            Outcome::Rewritten => done.rewritten += 1,
            Outcome::Current => done.current += 1,
            Outcome::Held => done.held += 1,
            Outcome::Failed => done.failed += 1,
            Outcome::Gone => {}
        }
    }
    Ok(Answer { value: done, meta })
}

fn failed(error: &Error) -> Outcome {
    log::add(Level::Warning, "kv", || format!("re-encryption: {error}"));
    Outcome::Failed
}

/// One pass over the keys, with a time of its own.
struct Pass<'a> {
    client: &'a Client<Either>,
    vault: &'a Vault,
    options: &'a Options,
    end: Instant,
}

impl<'a> Pass<'a> {
    fn new(client: &'a Client<Either>, vault: &'a Vault, options: &'a Options) -> Pass<'a> {
        let end = Instant::now() + options.timeout.unwrap_or(client.settings().timeout);
        Pass { client, vault, options, end }
    }

    /// The options of the next request.
    fn options(&self, at: &str) -> Result<Options> {
        let rest = self.end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            let message = format!("re-encryption: the time was over at \"{at}\"");
            return Err(Error::new(Status::Timeout, message));
        }
        let options = Options { index: 0, ..self.options.clone() };
        Ok(options.timeout(rest).consistency(Consistency::Default))
    }

    /// Reads and rewrites until nobody came in between.
    async fn one(&self, key: &str) -> Result<Outcome> {
        if let Err(error) = check_key(key) {
            return Ok(failed(&error));
        }
        loop {
            let read = self.client.as_stored().kv().get(key, &self.options(key)?)?.await?;
            let Some(mut pair) = read.value else { return Ok(Outcome::Gone) };
            let sealing = self.vault.sealing(&pair.value);
            if let Err(error) = self.vault.open(key, &mut pair.value) {
                return Ok(failed(&error));
            }
            if sealing == Sealing::Current {
                return Ok(Outcome::Current);
            }
            if pair.session.is_some() {
                return Ok(Outcome::Held);
            }
            if self.rewrite(&pair).await? {
                return Ok(Outcome::Rewritten);
            }
        }
    }

    async fn rewrite(&self, pair: &KvPair) -> Result<bool> {
        let options = self.options(&pair.key)?;
        let kv = self.client.kv();
        Ok(kv.cas(&pair.key, &pair.value, pair.flags, pair.modify_index, &options)?.await?.value)
    }
}
