//! The settings of encryption at rest, which say something only together.

use super::settings::Reader;
use super::table::Id;
use crate::error::{Error, Result};
use base64_simd::STANDARD;

/// A key as it was set.
pub(crate) type Secret = [u8; 32];

/// Which values are encrypted, and by what.
#[derive(Clone)]
pub(crate) struct Encryption {
    /// Encrypts and decrypts.
    pub(crate) key: Secret,
    /// Only decrypt.
    pub(crate) old_keys: Vec<Secret>,
    /// The beginnings of the keys whose values are encrypted.
    pub(crate) prefixes: Vec<String>,
    /// A value under a prefix may be there in plain.
    pub(crate) allow_plain: bool,
}

/// `None` where no key is set. Old keys or prefixes without a key would look like encryption and
/// be none, so they are refused.
pub(super) fn resolve(read: &Reader<'_>) -> Result<Option<Encryption>> {
    let key = read.read(Id::EncryptionKey, |_, text| key(text))?;
    let old_keys = read.read(Id::EncryptionOldKeys, |_, text| keys(text))?;
    let prefixes = read.read(Id::EncryptionPrefixes, |_, text| prefixes(text))?;
    let allow_plain = read.flag(Id::EncryptionAllowPlain)?;
    match key {
        Some(key) => Ok(Some(Encryption { key, old_keys, prefixes, allow_plain })),
        None if old_keys.is_empty() && prefixes.is_empty() => Ok(None),
        None => Err(Error::config(
            "encryption_prefixes and encryption_old_keys need an encryption_key, which is not set",
        )),
    }
}

fn key(text: &str) -> Result<Option<Secret>> {
    let text = text.trim();
    (!text.is_empty()).then(|| secret(text)).transpose()
}

fn keys(text: &str) -> Result<Vec<Secret>> {
    elements(text).map(secret).collect()
}

/// No error quotes what was set.
fn secret(text: &str) -> Result<Secret> {
    let bytes = STANDARD.decode_to_vec(text).ok();
    bytes.and_then(|bytes| Secret::try_from(bytes).ok()).ok_or_else(|| {
        Error::config("a key must be 32 bytes in base64, 44 characters: openssl rand -base64 32")
    })
}

fn prefixes(text: &str) -> Result<Vec<String>> {
    elements(text)
        .map(|prefix| match prefix.starts_with('/') {
            true => Err(Error::config(format!(
                "the prefix \"{prefix}\" begins with a slash: leave it out"
            ))),
            false => Ok(prefix.to_string()),
        })
        .collect()
}

fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "/////////////////////////////////////////w8=";

    fn resolved(settings: &[(&str, &str)]) -> Result<Option<Encryption>> {
        let mut config = Config::without_environment();
        for (name, value) in settings {
            config.set(name, value)?;
        }
        Settings::resolve(&config).map(|settings| settings.encryption)
    }

    #[test]
    fn nothing_set_is_no_encryption() {
        assert!(resolved(&[]).unwrap().is_none());
        assert!(
            resolved(&[("encryption_key", ""), ("encryption_prefixes", " , ")]).unwrap().is_none()
        );
    }

    #[test]
    fn lists_are_taken_apart() {
        let encryption = resolved(&[
            ("encryption_key", KEY),
            ("encryption_old_keys", &format!("{OTHER}, {KEY}")),
            ("encryption_prefixes", "app/secrets/, app/tokens/,"),
            ("encryption_allow_plain", "false"),
        ]);
        let encryption = encryption.unwrap().unwrap();
        assert_eq!(encryption.key[31], 31);
        assert_eq!(encryption.old_keys.len(), 2);
        assert_eq!(encryption.prefixes, ["app/secrets/", "app/tokens/"]);
        assert!(!encryption.allow_plain);
    }

    #[test]
    fn what_is_wrong_is_named_and_no_key_is_quoted() {
        let cases = [
            (&[("encryption_key", "c2hvcnQ=")][..], "encryption_key: a key must be 32 bytes"),
            (&[("encryption_key", "not base64")], "encryption_key: a key must be 32 bytes"),
            (
                &[("encryption_key", KEY), ("encryption_old_keys", "c2hvcnQ=")],
                "encryption_old_keys: a key",
            ),
            (
                &[("encryption_key", KEY), ("encryption_prefixes", "/app")],
                "encryption_prefixes: the prefix \"/app\"",
            ),
            (&[("encryption_prefixes", "app/")], "need an encryption_key"),
            (&[("encryption_old_keys", KEY)], "need an encryption_key"),
        ];
        for (settings, expected) in cases {
            let error = resolved(settings).err().unwrap();
            assert!(error.message().contains(expected), "{error}");
            assert!(!error.message().contains("c2hvcnQ"), "{error}");
        }
    }

    #[test]
    fn the_environment_gives_the_key_and_is_named_when_it_is_wrong() {
        let from = |value: &'static str| {
            let config = Config::from_environment(|name| {
                (name == "CONSUL_ENCRYPTION_KEY").then(|| value.to_string())
            });
            Settings::resolve(&config)
        };
        assert!(from(KEY).unwrap().encryption.is_some());
        assert!(from("").unwrap().encryption.is_none());
        assert!(from("x").err().unwrap().message().starts_with("CONSUL_ENCRYPTION_KEY: "));
    }
}
