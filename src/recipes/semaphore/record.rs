//! The value of a semaphore's `.lock`: the limit and the holders, in JSON.
//!
//! It is the official client's (`semaphoreLock` in
//! <https://github.com/hashicorp/consul/blob/main/api/semaphore.go>), where the holders are the
//! members of an object: the guide at the time had a list.

use crate::api::json;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Who holds the slots of a semaphore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::recipes) struct Record {
    pub(super) limit: u64,
    /// By their session. Go writes a map that was never made as `null`.
    #[serde(default, deserialize_with = "json::nullable")]
    holders: Map<String, Value>,
    /// What others put there stays there.
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Record {
    /// Without holders.
    pub(super) fn new(limit: u64) -> Record {
        Record { limit, holders: Map::new(), other: Map::new() }
    }

    /// `None` for what is no such record.
    pub(super) fn parse(value: &[u8]) -> Option<Record> {
        serde_json::from_slice(value).ok()
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        json::encode(self)
    }

    pub(super) fn holds(&self, session: &str) -> bool {
        self.holders.contains_key(session)
    }

    pub(super) fn holders(&self) -> Vec<String> {
        self.holders.keys().cloned().collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.holders.len() as u64 >= self.limit
    }

    pub(super) fn is_unused(&self) -> bool {
        self.holders.is_empty()
    }

    /// The same with one holder more.
    pub(super) fn with(mut self, session: &str) -> Record {
        self.holders.insert(session.to_string(), Value::Bool(true));
        self
    }

    /// The same with one holder less.
    pub(super) fn without(mut self, session: &str) -> Record {
        self.holders.remove(session);
        self
    }

    /// The same without those whose session is not alive.
    pub(super) fn pruned(mut self, alive: &HashSet<&str>) -> Record {
        self.holders.retain(|session, _| alive.contains(session.as_str()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Record> {
        Record::parse(text.as_bytes())
    }

    #[test]
    fn it_is_written_as_the_official_client_writes_it() {
        let record = Record::new(2).with("b").with("a");
        assert_eq!(record.encode().unwrap(), br#"{"Limit":2,"Holders":{"a":true,"b":true}}"#);
        assert_eq!(Record::new(1).encode().unwrap(), br#"{"Limit":1,"Holders":{}}"#);
        assert_eq!(parse(r#"{"Limit":1,"Holders":null}"#), Some(Record::new(1)));
        assert_eq!(parse(r#"{"Limit":1}"#), Some(Record::new(1)));
    }

    #[test]
    fn what_others_put_there_stays_there() {
        let record = parse(r#"{"Limit":3,"Holders":{"a":{"since":1},"b":true},"Note":[1]}"#);
        let written = record.unwrap().without("b").with("c").encode().unwrap();
        let expected = r#"{"Limit":3,"Holders":{"a":{"since":1},"c":true},"Note":[1]}"#;
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn what_is_no_such_record_is_told_from_it() {
        for text in ["", "null", "x", "{}", r#"{"Limit":-1}"#, r#"{"Limit":1,"Holders":["a"]}"#] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
