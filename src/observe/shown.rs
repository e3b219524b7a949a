//! What of a request's target may be written down: in messages, in the log, in the audit log.
//!
//! Only what is known to name something is shown: a parameter or a part of a path that nobody knows
//! here may be a value or a secret.

use std::borrow::Cow;

/// In the place of what is not shown.
pub(crate) const HIDDEN: &str = "<hidden>";

/// Parameters that say where or on which condition. A note, a reason or flags are values.
const PARAMETERS: &[&str] = &[
    "acquire",
    "address",
    "cas",
    "dc",
    "enable",
    "force",
    "id",
    "node",
    "ns",
    "partition",
    "prune",
    "recurse",
    "release",
    "relay-factor",
    "replace-existing-checks",
    "service",
    "stale",
    "tag",
    "wan",
];

/// Paths whose last part is a token: Consul's access control before 1.4, which it had up to 1.10
/// (<https://developer.hashicorp.com/consul/api-docs/acl/legacy>).
const SECRET_PATHS: &[&[&str]] =
    &[&["v1", "acl", "destroy"], &["v1", "acl", "clone"], &["v1", "acl", "info"]];

/// A path without what is secret in it.
pub(crate) fn path(path: &str) -> Cow<'_, str> {
    match secret(path) {
        "" => Cow::Borrowed(path),
        secret => Cow::Owned(format!("{}{HIDDEN}", &path[..path.len() - secret.len()])),
    }
}

/// A message that may repeat a path, without what is secret in that.
pub(crate) fn message(message: String, path: &str) -> String {
    // Also without the slash that may end it.
    match secret(path).trim_matches('/') {
        "" => message,
        secret => message.replace(secret, HIDDEN),
    }
}

/// A query with the values that may be shown.
pub(crate) fn query(query: &str) -> String {
    let shown = |pair| match str::split_once(pair, '=') {
        Some((name, _)) if !PARAMETERS.contains(&name) => Cow::Owned(format!("{name}={HIDDEN}")),
        _ => Cow::Borrowed(pair),
    };
    // Old versions of Consul take a semicolon for a separator, too.
    let pairs = query.split(['&', ';']).filter(|pair| !pair.is_empty());
    pairs.map(shown).collect::<Vec<_>>().join("&")
}

/// The rest of a path that begins as one of those with a secret; empty for others.
fn secret(path: &str) -> &str {
    SECRET_PATHS.iter().find_map(|&known| rest_after(path, known)).unwrap_or_default()
}

/// What stands in a path behind these segments, however those are spelt.
fn rest_after<'a>(path: &'a str, segments: &[&str]) -> Option<&'a str> {
    segments.iter().try_fold(path.trim_start_matches('/'), |rest, &wanted| {
        let (segment, rest) = rest.split_once('/')?;
        is(segment, wanted).then(|| rest.trim_start_matches('/'))
    })
}

/// Whether a segment is this plain word, percent-encoded or not: Consul decodes it before it looks.
fn is(segment: &str, word: &str) -> bool {
    let mut rest = segment.bytes();
    let mut next = || match rest.next() {
        Some(b'%') => hex(rest.next()?).zip(hex(rest.next()?)).map(|(high, low)| high << 4 | low),
        byte => byte,
    };
    word.bytes().all(|byte| next() == Some(byte)) && next().is_none()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_in_a_path_is_hidden() {
        for begin in
            ["/v1/acl/clone/", "/v1/acl/destroy/", "/v1//acl/info/", "/%76%31/acl/%63lone/"]
        {
            for secret in ["s3cr3t", "s3cr3t/", "s3/cr3t"] {
                assert_eq!(path(&format!("{begin}{secret}")), format!("{begin}<hidden>"));
            }
        }
        for plain in ["/v1/acl/clone", "/v1/acl/clone/", "/v1/acl/token/id", "/v1/kv/acl/clone/a"] {
            assert_eq!(path(plain), plain);
        }
        for odd in ["", "/", "/v1/acl/%6/a", "/v1/acl/%/a", "/v1/acl/clone%2F/a"] {
            assert_eq!(path(odd), odd);
        }
    }

    #[test]
    fn a_message_that_repeats_it_is_changed_and_no_other() {
        let said = |path| message("no /v1/acl/clone/s3cr3t".into(), path);
        assert_eq!(said("/v1/acl/clone/s3cr3t/"), "no /v1/acl/clone/<hidden>");
        assert_eq!(said("/v1/acl/clone/"), "no /v1/acl/clone/s3cr3t");
        assert_eq!(said("/v1/kv/s3cr3t"), "no /v1/acl/clone/s3cr3t");
    }
}
