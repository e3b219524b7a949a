//! Paths and queries on the wire.

use super::call::Freshness;
use std::fmt::Write;

/// A request's path and query, percent-encoded as it grows.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// Starts with a path that needs no encoding: `/v1/kv/`.
    pub(crate) fn new(path: &str) -> Target {
        let mut text = String::with_capacity(path.len() + 64);
        text.push_str(path);
        Target { text, has_query: false }
    }

    /// Starts with a path, and a query where there is one, that are encoded already.
    pub(crate) fn encoded(target: &str) -> Target {
        Target { has_query: target.contains('?'), ..Target::new(target) }
    }

    /// Appends a path whose slashes separate segments, such as a key.
    pub(crate) fn path(mut self, path: &str) -> Target {
        encode(&mut self.text, path, |byte| byte == b'/');
        self
    }

    /// Appends one segment of a path, slashes encoded.
    pub(crate) fn segment(mut self, segment: &str) -> Target {
        encode(&mut self.text, segment, |_| false);
        self
    }

    /// Appends a parameter without a value: `?raw`.
    pub(crate) fn flag(mut self, name: &str) -> Target {
        self.separate();
        self.text.push_str(name);
        self
    }

    /// Appends a parameter: `?name=value`.
    pub(crate) fn param(mut self, name: &str, value: &str) -> Target {
        self.separate();
        self.text.push_str(name);
        self.text.push('=');
        encode(&mut self.text, value, |_| false);
        self
    }

    /// Appends a parameter whose value is a number.
    pub(crate) fn number(mut self, name: &str, value: u64) -> Target {
        self.separate();
        let _ = write!(self.text, "{name}={value}");
        self
    }

    /// Appends a parameter whose value is a duration, in Consul's syntax.
    pub(crate) fn duration(mut self, name: &str, value: std::time::Duration) -> Target {
        self.separate();
        let _ = write!(self.text, "{name}={}ms", value.as_millis());
        self
    }

    /// The whole, for the wire.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole, to be kept.
    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// The same for another answerer than it was written for: any server, or the leader alone.
    pub(super) fn for_answerer(target: &str, answerer: Freshness) -> String {
        if answerer == Freshness::AnyServer {
            let separator = if target.contains('?') { '&' } else { '?' };
            return format!("{target}{separator}stale");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let is_kept = |part: &&str| {
            let name = part.split('=').next().unwrap_or_default();
            !matches!(name, "stale" | "max_stale")
        };
        let kept: Vec<_> = query.split('&').filter(is_kept).collect();
        if kept.is_empty() { path.to_string() } else { format!("{path}?{}", kept.join("&")) }
    }

    /// The whole for another answerer than it was written for.
    pub(super) fn answered_by(&self, answerer: Freshness) -> String {
        Target::for_answerer(&self.text, answerer)
    }

    /// The path alone. It may hold a secret: what of it may be shown, `observe::shown` says.
    pub(super) fn path_alone(&self) -> &str {
        self.text.split('?').next().unwrap_or_default()
    }

    fn separate(&mut self) {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters and what `keep` names. A space
/// becomes `%20`, never `+`: in a path Consul takes a plus literally.
fn encode(out: &mut String, text: &str, keep: impl Fn(u8) -> bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte);
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if plain(byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_segment_by_segment() {
        let cases = [
            ("a/b", "a/b"),
            ("a%b", "a%25b"),
            ("a#b", "a%23b"),
            ("a b", "a%20b"),
            ("a+b", "a%2Bb"),
            ("a?b=c&d", "a%3Fb%3Dc%26d"),
            ("dir/", "dir/"),
            ("é€", "%C3%A9%E2%82%AC"),
        ];
        for (key, wire) in cases {
            assert_eq!(Target::new("/v1/kv/").path(key).as_str(), format!("/v1/kv/{wire}"));
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_stand_there() {
        let target = |text| Target::encoded(text).flag("stale").as_str().to_string();
        assert_eq!(target("/v1/a%20b"), "/v1/a%20b?stale");
        assert_eq!(target("/v1/a?raw"), "/v1/a?raw&stale");
    }

    #[test]
    fn another_answerer_is_named() {
        let stale = |text| Target::for_answerer(text, Freshness::AnyServer);
        assert_eq!(
            (stale("/v1/a"), stale("/v1/a?x")),
            ("/v1/a?stale".into(), "/v1/a?x&stale".into())
        );
        let leader = |text| Target::for_answerer(text, Freshness::Leader);
        assert_eq!(leader("/v1/a?stale&max_stale=1ms"), "/v1/a");
        assert_eq!(leader("/v1/a?dc=stale&stale&index=7"), "/v1/a?dc=stale&index=7");
    }

    #[test]
    fn a_segment_hides_its_slashes() {
        assert_eq!(Target::new("/v1/x/").segment("a/b").as_str(), "/v1/x/a%2Fb");
    }

    #[test]
    fn parameters_follow_each_other() {
        let target = Target::new("/v1/kv/").path("a").flag("recurse").number("index", 7);
        assert_eq!(target.path_alone(), "/v1/kv/a");
        let target = target.param("near", "_agent").param("dc", "a&b");
        assert_eq!(target.as_str(), "/v1/kv/a?recurse&index=7&near=_agent&dc=a%26b");
    }
}
