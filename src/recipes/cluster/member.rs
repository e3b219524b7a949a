//! A member of a cluster, and what its key holds.

use crate::api::kv::KvPair;
use crate::ring::MAX_WEIGHT;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    /// Its session lives.
    Alive,
    /// Its session has ended, and it stays in the ring as long as it may come back soon; or it came
    /// back, and has to last for a while before it is in the ring again.
    Suspect,
    /// It is not in the cluster any more.
    Left,
}

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its id, which no other member has.
    pub id: String,
    /// Where it is reached, in its own words.
    pub address: String,
    /// How large its share of the keys is, beside the others' weights.
    pub weight: u32,
    /// What it says of itself.
    pub metadata: BTreeMap<String, String>,
    /// How it is.
    pub state: MemberState,
    /// The session that it lives by; `None` when that has ended.
    pub session: Option<String>,
    /// Since when it is so, by this machine's clock, in ms since 1970.
    pub since_ms: u64,
}

impl Member {
    /// Whether it counts as there: alive or suspect.
    pub(super) fn is_present(&self) -> bool {
        self.state != MemberState::Left
    }
}

/// What the key of a member holds, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) weight: u32,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Default for Record {
    fn default() -> Record {
        let (id, address, metadata) = Default::default();
        Record { id, address, weight: 1, metadata }
    }
}

impl Record {
    pub(super) fn to_json(&self) -> Vec<u8> {
        // A record of texts and a number can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A key of a member, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) record: Record,
    pub(super) session: Option<String>,
    /// The index of its last write; 0 where no session has ever held it, as with one that another
    /// program wrote.
    pub(super) index: u64,
}

impl Seen {
    /// The member of this key; `None` when the key is not a member's. Its id is what the key says,
    /// and a value that is something else tells nothing more.
    pub(super) fn of(pair: &KvPair, prefix: &str) -> Option<Seen> {
        let id = pair.key.strip_prefix(prefix)?;
        if id.is_empty() || id.contains('/') {
            return None;
        }
        let mut record: Record = serde_json::from_slice(&pair.value).unwrap_or_default();
        record.id = id.to_string();
        record.weight = record.weight.clamp(1, MAX_WEIGHT);
        let session = pair.session.clone().filter(|id| !id.is_empty());
        let index = if pair.lock_index == 0 { 0 } else { pair.modify_index };
        Some(Seen { record, session, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(key: &str, value: &str) -> Option<Seen> {
        let pair =
            KvPair { key: key.into(), value: value.as_bytes().to_vec(), ..KvPair::default() };
        Seen::of(&pair, "nodes/")
    }

    #[test]
    fn what_is_written_is_read() {
        let metadata = BTreeMap::from([("rack".to_string(), "r\"1".to_string())]);
        let record = Record { id: "a".into(), address: "10.0.0.1:7".into(), weight: 3, metadata };
        let json = String::from_utf8(record.to_json()).unwrap();
        assert_eq!(seen("nodes/a", &json), Some(Seen { record, session: None, index: 0 }));
    }

    #[test]
    fn a_key_that_no_session_has_ever_held_is_told_from_a_dead_members() {
        let index = |lock_index| {
            let key = "nodes/a".into();
            let pair = KvPair { key, lock_index, modify_index: 7, ..KvPair::default() };
            Seen::of(&pair, "nodes/").unwrap().index
        };
        assert_eq!((index(0), index(1)), (0, 7));
    }

    #[test]
    fn the_key_says_who_it_is_and_a_foreign_value_nothing_more() {
        for value in ["", "null", "7", "{\"weight\":\"x\"}", "{\"id\":\"b\"}", "\u{0}"] {
            let record = seen("nodes/a", value).unwrap().record;
            assert_eq!((record.id.as_str(), record.weight), ("a", 1), "{value}");
        }
        let record =
            seen("nodes/a", r#"{"address":"x","weight":99999,"status":"active"}"#).unwrap();
        assert_eq!((record.record.address.as_str(), record.record.weight), ("x", MAX_WEIGHT));
    }

    #[test]
    fn other_keys_are_no_members() {
        for key in ["nodes/", "nodes/a/b", "other/a"] {
            assert_eq!(seen(key, "{}"), None, "{key}");
        }
    }
}
