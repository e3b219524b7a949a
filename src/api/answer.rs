//! What comes back from a call: the value, and what Consul's headers say about it.

use crate::transport::{Headers, number};

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

impl Meta {
    /// In one walk, which is less than to look up each.
    pub(crate) fn from_headers(headers: &Headers) -> Meta {
        let mut meta = Meta::default();
        for line in headers.lines() {
            if let Some(value) = line.value("X-Consul-Index") {
                meta.index = number(value).unwrap_or(0);
            } else if let Some(value) = line.value("X-Consul-LastContact") {
                meta.last_contact_ms = number(value).unwrap_or(0);
            } else if let Some(value) = line.value("X-Consul-KnownLeader") {
                meta.known_leader = value.eq_ignore_ascii_case(b"true");
            } else if let Some(value) = line.value("X-Cache") {
                meta.cache_hit = value.eq_ignore_ascii_case(b"hit");
            } else if let Some(value) = line.value("Age") {
                meta.cache_age_s = number(value).unwrap_or(0);
            }
        }
        meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_above_2_to_the_63_survives() {
        let headers = Headers::default().with("X-Consul-Index", "15616765216658428665");
        assert_eq!(Meta::from_headers(&headers).index, 15_616_765_216_658_428_665);
    }

    #[test]
    fn missing_and_garbled_headers_read_as_zero() {
        let headers = Headers::default()
            .with("X-Consul-Index", "twelve")
            .with("X-Consul-KnownLeader", "perhaps");
        assert_eq!(Meta::from_headers(&headers), Meta::default());
    }
}
