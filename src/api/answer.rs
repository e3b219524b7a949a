//! What comes back from a call: the value, and what Consul's headers say about it.

use ureq::http::header::AGE;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

/// The value of an answer with what its headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// What the headers say about it.
    pub meta: Meta,
}

impl<T> Answer<T> {
    /// The same answer with its value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), meta: self.meta }
    }

    /// The value alone, where the headers say nothing.
    pub(crate) fn into_value(self) -> T {
        self.value
    }
}

/// The headers of an answer. A header that is missing or garbled reads as 0 or `false`
/// (<https://developer.hashicorp.com/consul/api-docs/features/consistency>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// `X-Consul-Index`: pass it to the next blocking query. It fills 64 bits.
    pub index: u64,
    /// `X-Consul-LastContact`: how long ago the answering server heard from the leader, in ms.
    pub last_contact_ms: u64,
    /// `X-Consul-KnownLeader`: whether the answering server knew a leader.
    pub known_leader: bool,
    /// `X-Cache: HIT`: the agent answered from its cache.
    pub cache_hit: bool,
    /// `Age`: how long the cached answer has been without contact to the servers, in seconds.
    pub cache_age_s: u64,
}

const INDEX: HeaderName = HeaderName::from_static("x-consul-index");
const LAST_CONTACT: HeaderName = HeaderName::from_static("x-consul-lastcontact");
const KNOWN_LEADER: HeaderName = HeaderName::from_static("x-consul-knownleader");
const CACHE: HeaderName = HeaderName::from_static("x-cache");

impl Meta {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Meta {
        let text = |name| headers.get(&name).map_or(&b""[..], HeaderValue::as_bytes);
        let cache = text(CACHE);
        Meta {
            index: number(text(INDEX)),
            last_contact_ms: number(text(LAST_CONTACT)),
            known_leader: text(KNOWN_LEADER).eq_ignore_ascii_case(b"true"),
            cache_hit: cache.eq_ignore_ascii_case(b"hit"),
            // Only an answer of the agent's cache has an age.
            cache_age_s: if cache.is_empty() { 0 } else { number(text(AGE)) },
        }
    }
}

fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_above_2_to_the_63_survives() {
        let mut headers = HeaderMap::new();
        headers.insert("X-Consul-Index", "15616765216658428665".parse().unwrap());
        assert_eq!(Meta::from_headers(&headers).index, 15_616_765_216_658_428_665);
    }

    #[test]
    fn missing_and_garbled_headers_read_as_zero() {
        let mut headers = HeaderMap::new();
        headers.insert("X-Consul-Index", "twelve".parse().unwrap());
        headers.insert("X-Consul-KnownLeader", "perhaps".parse().unwrap());
        assert_eq!(Meta::from_headers(&headers), Meta::default());
    }
}
