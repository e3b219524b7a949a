//! Values that are encrypted at rest in Consul: which ones, and by which of several keys.
//! docs/encryption.md is the guide.

mod header;
mod key;

use crate::config::Encryption;
use crate::error::{Error, Result, Status};
use crate::observe::log::{self, Level};
use header::{Header, Salt};
use key::Key;
use ring::rand::{SecureRandom, SystemRandom};
use std::borrow::Cow;

/// How many bytes stand behind the cipher text.
const TAG: usize = 16;

const LIKE_ENCRYPTED: &str = "it begins like an encrypted one (\\0CFE) and would be taken for one when \
                              it is read. Under one of encryption_prefixes it would be encrypted";

/// Encrypts what is written under some prefixes, and decrypts what was encrypted under any name.
pub(crate) struct Vault {
    key: Key,
    old_keys: Vec<Key>,
    prefixes: Vec<String>,
    allow_plain: bool,
    random: SystemRandom,
}

/// How a stored value stands to the keys that are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    /// Under the key that encrypts.
    Current,
    /// Under another key.
    Old,
    /// Not encrypted.
    Plain,
}

impl Vault {
    pub(crate) fn new(encryption: &Encryption) -> Result<Vault> {
        if encryption.prefixes.is_empty() {
            log::add(Level::Warning, "client", || {
                "encryption_key is set and encryption_prefixes is not: nothing is encrypted".into()
            });
        }
        Ok(Vault {
            key: Key::new(&encryption.key)?,
            old_keys: encryption.old_keys.iter().map(Key::new).collect::<Result<_>>()?,
            prefixes: encryption.prefixes.clone(),
            allow_plain: encryption.allow_plain,
            random: SystemRandom::new(),
        })
    }

    /// Whether what is written to this key is encrypted.
    pub(crate) fn covers(&self, consul_key: &str) -> bool {
        self.prefixes.iter().any(|prefix| consul_key.starts_with(prefix.as_str()))
    }

    /// Refuses a value that would be stored in plain and begins like an encrypted one: nobody with a
    /// key could read it again.
    pub(crate) fn check(&self, consul_key: &str, value: &[u8]) -> Result<()> {
        if self.covers(consul_key) || !Header::is_begun_by(value) {
            return Ok(());
        }
        Err(Error::argument(LIKE_ENCRYPTED).context(subject(consul_key)))
    }

    /// Refuses what is to be stored as it is, such as what was exported, and begins like an encrypted
    /// value without being one. By which key it was encrypted is not asked: it is only moved.
    pub(crate) fn check_stored(&self, consul_key: &str, stored: &[u8]) -> Result<()> {
        match Header::of(stored) {
            Ok(Some(_)) if stored.len() >= header::LENGTH + TAG => Ok(()),
            Ok(None) => Ok(()),
            _ => Err(Error::argument(LIKE_ENCRYPTED).context(subject(consul_key))),
        }
    }

    /// Whether anything is encrypted.
    pub(crate) fn encrypts(&self) -> bool {
        !self.prefixes.is_empty()
    }

    /// What is stored for a value.
    pub(crate) fn seal<'a>(&self, consul_key: &str, value: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        if !self.covers(consul_key) {
            self.check(consul_key, value)?;
            return Ok(Cow::Borrowed(value));
        }
        let mut salt: Salt = [0; 32];
        self.random
            .fill(&mut salt)
            .map_err(|_| about(consul_key, "the system gives no random bytes"))?;
        self.key.seal(consul_key, value, salt).map(Cow::Owned)
    }

    /// Makes of what is stored the value again. What is not encrypted stays as it is, where it may
    /// be so.
    pub(crate) fn open(&self, consul_key: &str, stored: &mut Vec<u8>) -> Result<()> {
        match Header::of(stored).map_err(|error| error.context(subject(consul_key)))? {
            Some(header) => self.open_sealed(consul_key, header, stored),
            None if self.allow_plain || !self.covers(consul_key) => Ok(()),
            None => Err(about(consul_key, "it is not encrypted (encryption_allow_plain is false)")),
        }
    }

    /// How a stored value stands to the keys that are set.
    pub(crate) fn sealing(&self, stored: &[u8]) -> Sealing {
        match Header::of(stored) {
            Ok(None) => Sealing::Plain,
            Ok(Some(header)) if header.key == self.key.id => Sealing::Current,
            _ => Sealing::Old,
        }
    }

    fn open_sealed(&self, consul_key: &str, header: Header, stored: &mut Vec<u8>) -> Result<()> {
        let id = header.key;
        let mut keys = std::iter::once(&self.key).chain(&self.old_keys);
        let Some(key) = keys.find(|key| key.id == id) else {
            return Err(about(
                consul_key,
                &format!(
                    "it is encrypted under the key {id}, which is none of encryption_key and \
                     encryption_old_keys"
                ),
            ));
        };
        key.open(consul_key, header, stored)?.ok_or_else(|| {
            about(
                consul_key,
                &format!(
                    "it is not what was encrypted under the key {id}: changed, cut off, or of \
                     another key of Consul"
                ),
            )
        })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({}, {:?})", self.key.id, self.prefixes)
    }
}

fn subject(consul_key: &str) -> String {
    format!("the value of \"{}\"", consul_key.escape_debug())
}

fn about(consul_key: &str, why: &str) -> Error {
    Error::new(Status::Crypto, why).context(subject(consul_key))
}

#[cfg(test)]
mod tests;
