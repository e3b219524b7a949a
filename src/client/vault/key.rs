//! One key, and a value that is encrypted or decrypted by it.
//!
//! AES-256-GCM. Each value has a key of its own, made by HKDF-SHA-256 from the key that was set and a
//! random salt, and used once: so its nonce can be all zeros, and no number of values wears the key
//! out, which random nonces of 96 bits under one key would
//! (<https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf>, 8.3).

use super::header::{Header, KeyId, Salt};
use crate::config::Secret;
use crate::error::{Error, Result, Status};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{self, HKDF_SHA256};

/// What the derived bytes are for, so that none serves two purposes.
const ID: &[u8] = b"consul-ffi key id";
const VALUE: &[u8] = b"consul-ffi value 1";

/// A key that was set.
pub(super) struct Key {
    secret: Secret,
    pub(super) id: KeyId,
}

impl Key {
    pub(super) fn new(secret: &Secret) -> Result<Key> {
        let mut id = KeyId([0; 8]);
        hkdf::Salt::new(HKDF_SHA256, &[])
            .extract(secret)
            .expand(&[ID], IdLength)
            .and_then(|bytes| bytes.fill(&mut id.0))
            .map_err(|_| broken())?;
        Ok(Key { secret: *secret, id })
    }

    /// Encrypts a value that belongs to this key of Consul. The salt must be new.
    pub(super) fn seal(&self, consul_key: &str, value: &[u8], salt: Salt) -> Result<Vec<u8>> {
        let header = Header { key: self.id, salt };
        let prefix = header.to_bytes();
        let mut stored = Vec::with_capacity(prefix.len() + value.len() + AES_256_GCM.tag_len());
        stored.extend_from_slice(&prefix);
        stored.extend_from_slice(value);
        let tag = self
            .of_value(&salt)?
            .seal_in_place_separate_tag(
                nonce(),
                bound_to(&prefix, consul_key),
                &mut stored[prefix.len()..],
            )
            .map_err(|_| broken())?;
        stored.extend_from_slice(tag.as_ref());
        Ok(stored)
    }

    /// Decrypts in place; `None` when not every byte is as it was sealed, for this key of Consul.
    pub(super) fn open(
        &self,
        consul_key: &str,
        header: Header,
        stored: &mut Vec<u8>,
    ) -> Result<Option<()>> {
        let prefix = header.to_bytes();
        let bound = bound_to(&prefix, consul_key);
        let value_key = self.of_value(&header.salt)?;
        let Some(sealed) = stored.get_mut(prefix.len()..) else { return Ok(None) };
        let Ok(value) = value_key.open_in_place(nonce(), bound, sealed) else {
            return Ok(None);
        };
        let end = prefix.len() + value.len();
        stored.truncate(end);
        stored.drain(..prefix.len());
        Ok(Some(()))
    }

    fn of_value(&self, salt: &Salt) -> Result<LessSafeKey> {
        let derived = hkdf::Salt::new(HKDF_SHA256, salt).extract(&self.secret);
        let key = derived.expand(&[VALUE], &AES_256_GCM).map_err(|_| broken())?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// The header has a fixed length, so no two pairs of header and name give the same bytes.
fn bound_to(header: &[u8], consul_key: &str) -> Aad<Vec<u8>> {
    Aad::from([header, consul_key.as_bytes()].concat())
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn broken() -> Error {
    Error::new(Status::Crypto, "the value cannot be encrypted")
}

struct IdLength;

impl hkdf::KeyType for IdLength {
    fn len(&self) -> usize {
        8
    }
}
