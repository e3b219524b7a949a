//! The format, which must never change unnoticed, and everything that must not be decrypted.

use super::*;

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
const OTHER: [u8; 32] = [7; 32];

fn vault_with(key: [u8; 32], old_keys: &[[u8; 32]], allow_plain: bool) -> Vault {
    Vault::new(&Encryption {
        key,
        old_keys: old_keys.to_vec(),
        prefixes: vec!["app/".into(), "x".into()],
        allow_plain,
    })
    .unwrap()
}

fn vault() -> Vault {
    vault_with(KEY, &[], true)
}

fn opened(vault: &Vault, consul_key: &str, stored: &[u8]) -> Result<Vec<u8>> {
    let mut value = stored.to_vec();
    vault.open(consul_key, &mut value).map(|()| value)
}

fn sealed(vault: &Vault, consul_key: &str, value: &[u8]) -> Vec<u8> {
    vault.seal(consul_key, value).unwrap().into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Made once, by another implementation: tests/support/vault_vectors.py.
const VECTORS: &[(&str, &[u8], &str)] = &[
    (
        "app/a",
        b"secret",
        "0043464501f019752f75b3eb80a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\
         afe78386ac5002c5661e38bfcbbcfc04cbd611e8aaf0",
    ),
    (
        "x",
        b"",
        "0043464501f019752f75b3eb80a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\
         40be2089db52699d8289d3fda7584bc6",
    ),
    (
        "app/\u{e4}/\u{43a}\u{43b}\u{44e}\u{447}",
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
        "0043464501f019752f75b3eb80a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\
         dc83e2f7cd21238c1677f1f085f15a170f64271ce44c53eea96d0b00b774d5618c825074",
    ),
];

#[test]
fn what_was_ever_written_can_be_read() {
    for &(consul_key, value, stored) in VECTORS {
        let written = vault().key.seal(consul_key, value, [0xA5; 32]).unwrap();
        assert_eq!(hex(&written), stored);
        assert_eq!(opened(&vault(), consul_key, &written).unwrap(), value);
    }
}

#[test]
fn what_is_sealed_is_opened_and_never_the_same_twice() {
    let vault = vault();
    for value in [&b""[..], b"secret", &[0; 100_000]] {
        let (first, second) = (sealed(&vault, "app/a", value), sealed(&vault, "app/a", value));
        assert_ne!(first, second);
        assert_eq!(first.len(), value.len() + 61);
        assert_eq!(opened(&vault, "app/a", &first).unwrap(), value);
        assert_eq!(opened(&vault, "app/a", &second).unwrap(), value);
    }
}

#[test]
fn only_what_a_prefix_covers_is_sealed() {
    let vault = vault();
    assert!(matches!(vault.seal("apple", b"v").unwrap(), Cow::Borrowed(b"v")));
    assert_ne!(sealed(&vault, "xyz", b"v"), b"v");
    assert!(vault.covers("app/") && !vault.covers("app"));
}

/// It could not be told from a sealed one when it is read.
#[test]
fn what_begins_like_a_sealed_value_is_not_sent_in_plain() {
    let vault = vault();
    let sealed = sealed(&vault, "app/a", b"v");
    for value in [&b"\0CFE"[..], b"\0CFE\x01", b"\0CFEhello", &sealed] {
        let error = vault.seal("other", value).unwrap_err();
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().contains("other") && error.message().contains("\\0CFE"), "{error}");
        // Sealed, it is a value like any other.
        let stored = vault.seal("app/a", value).unwrap().into_owned();
        assert_eq!(opened(&vault, "app/a", &stored).unwrap(), value);
    }
    assert!(vault.seal("other", b"\0CF").is_ok() && vault.seal("other", b"x\0CFE").is_ok());
}

/// A prefix that was taken back must not make cipher text the value.
#[test]
fn what_is_sealed_is_opened_under_any_name() {
    let stored = vault().key.seal("outside", b"v", [1; 32]).unwrap();
    assert_eq!(opened(&vault(), "outside", &stored).unwrap(), b"v");
}

#[test]
fn every_changed_byte_and_every_cut_is_an_error() {
    let vault = vault();
    let stored = sealed(&vault, "app/a", b"secret");
    // Of the first four bytes, which tell an encrypted value from a plain one, below.
    for position in 4..stored.len() {
        let mut changed = stored.clone();
        changed[position] ^= 1;
        let error = opened(&vault, "app/a", &changed).unwrap_err();
        assert_eq!(error.status(), Status::Crypto, "{position}: {error}");
        assert!(error.message().contains("app/a"), "{error}");
    }
    for length in 4..stored.len() {
        assert_eq!(
            opened(&vault, "app/a", &stored[..length]).unwrap_err().status(),
            Status::Crypto
        );
    }
    let longer = [&stored[..], b"x"].concat();
    assert_eq!(opened(&vault, "app/a", &longer).unwrap_err().status(), Status::Crypto);
}

#[test]
fn a_value_moved_to_another_key_of_consul_is_an_error() {
    let vault = vault();
    let stored = sealed(&vault, "app/a", b"secret");
    let error = opened(&vault, "app/b", &stored).unwrap_err();
    assert_eq!(error.status(), Status::Crypto);
    assert!(
        error.message().contains("app/b") && error.message().contains(&vault.key.id.to_string())
    );
}

#[test]
fn another_key_is_named_by_its_id_and_no_secret_is_shown() {
    let stored = sealed(&vault_with(OTHER, &[], true), "app/a", b"secret");
    let error = opened(&vault(), "app/a", &stored).unwrap_err();
    let id = Key::new(&OTHER).unwrap().id.to_string();
    assert!(error.message().contains(&format!("under the key {id}")), "{error}");
    let shown = format!("{error:?} {:?}", vault());
    assert!(!shown.contains("0123456789abcdef") && !shown.contains("secret"), "{shown}");
}

#[test]
fn an_old_key_decrypts_and_does_not_encrypt() {
    let before = vault_with(OTHER, &[], true);
    let stored = sealed(&before, "app/a", b"secret");
    let after = vault_with(KEY, &[OTHER], false);
    assert_eq!(opened(&after, "app/a", &stored).unwrap(), b"secret");
    assert_eq!(after.sealing(&stored), Sealing::Old);
    let anew = sealed(&after, "app/a", b"secret");
    assert_eq!(after.sealing(&anew), Sealing::Current);
    assert!(opened(&before, "app/a", &anew).is_err());
    assert_eq!(opened(&vault(), "app/a", &anew).unwrap(), b"secret");
}

#[test]
fn a_plain_value_is_taken_or_refused_as_set() {
    for plain in [&b"plain"[..], b"", b"\0CF"] {
        assert_eq!(opened(&vault(), "app/a", plain).unwrap(), plain);
        let strict = vault_with(KEY, &[], false);
        let error = opened(&strict, "app/a", plain).unwrap_err();
        assert!(error.message().contains("encryption_allow_plain"), "{error}");
        // Outside the prefixes nothing is promised.
        assert_eq!(opened(&strict, "other", plain).unwrap(), plain);
        assert_eq!(strict.sealing(plain), Sealing::Plain);
    }
}

#[test]
fn a_later_format_is_told_from_a_changed_byte() {
    let error = opened(&vault(), "app/a", b"\0CFE\x02later").unwrap_err();
    assert!(error.message().contains("format 2"), "{error}");
}
