//! # What every answer says
//!
//! Answers of reads carry what Consul's headers say about them: `consul_<answer>_meta`.

use super::arena::{Row, Rows};
use crate::api::{Answer, Meta};
use std::ptr;

/// The headers of an answer; 0 and false where Consul did not send one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct consul_meta {
    /// `X-Consul-Index`: the index to pass to the next blocking query. It fills 64 bits.
    pub index: u64,
    /// `X-Consul-LastContact`: how long ago the answering server heard from the leader, in ms.
    pub last_contact_ms: u64,
    /// `Age`: how long a cached answer has been without contact to the servers, in seconds.
    pub cache_age_s: u64,
    /// `X-Consul-KnownLeader`: whether the answering server knew a leader.
    pub known_leader: bool,
    /// `X-Cache: HIT`: the agent answered from its cache.
    pub cache_hit: bool,
}

impl From<Meta> for consul_meta {
    fn from(meta: Meta) -> consul_meta {
        consul_meta {
            index: meta.index,
            last_contact_ms: meta.last_contact_ms,
            cache_age_s: meta.cache_age_s,
            known_leader: meta.known_leader,
            cache_hit: meta.cache_hit,
        }
    }
}

/// The rows of an answer with what its headers say: the object behind most handles of answers.
#[derive(Debug)]
pub struct Listing<R> {
    rows: Rows<R>,
    meta: consul_meta,
}

impl<R: Row> Listing<R> {
    /// Makes rows of what an answer holds.
    pub fn new<T>(answer: Answer<T>, rows: impl FnOnce(T) -> Rows<R>) -> Listing<R> {
        Listing { rows: rows(answer.value), meta: answer.meta.into() }
    }

    /// The same of an answer whose headers say nothing.
    pub fn plain(rows: Rows<R>) -> Listing<R> {
        Listing { rows, meta: Meta::default().into() }
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// One row, valid as long as `self`; null past the end.
    pub fn at(&self, index: usize) -> *const R {
        self.rows.at(index)
    }

    /// What the headers say, valid as long as `self`.
    pub fn meta(&self) -> *const consul_meta {
        ptr::from_ref(&self.meta)
    }
}
