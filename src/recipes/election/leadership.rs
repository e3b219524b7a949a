//! Who leads.

use crate::api::kv::KvPair;

/// Who leads, as far as is known at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// 0 before anything was heard of Consul; it grows with each change.
    pub version: u64,
    /// Who leads; `None` when nobody does, or nothing was heard yet.
    pub leader: Option<Leader>,
    /// It is this candidate, at this moment.
    pub is_self: bool,
}

/// A leader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leader {
    /// What it wrote.
    pub value: Vec<u8>,
    /// The session that it leads with.
    pub session: String,
    /// The Consul node of that session; empty where Consul could not tell, or the token may not
    /// read sessions.
    pub node: String,
    /// The index of the last write to the key: the leader's fencing token, unless the leader has
    /// changed its value since. It is never lower, and grows from leader to leader.
    pub modify_index: u64,
    /// How often the key was acquired since it exists.
    pub lock_index: u64,
}

impl Leader {
    /// Who holds a key. One that no session holds has no leader, whatever stands there.
    pub(super) fn of(pair: &KvPair) -> Option<Leader> {
        let session = pair.session.clone().filter(|session| !session.is_empty())?;
        Some(Leader {
            value: pair.value.clone(),
            session,
            node: String::new(),
            modify_index: pair.modify_index,
            lock_index: pair.lock_index,
        })
    }

    /// Whether this says the same: another write of the same is none of an observer's business,
    /// another term of the same session is.
    pub(super) fn is_same(&self, other: &Leader) -> bool {
        let essence =
            |leader: &Leader| (leader.session.clone(), leader.lock_index, leader.node.clone());
        essence(self) == essence(other) && self.value == other.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(session: Option<&str>) -> KvPair {
        KvPair {
            value: b"v".to_vec(),
            session: session.map(String::from),
            modify_index: 7,
            lock_index: 2,
            ..KvPair::default()
        }
    }

    #[test]
    fn who_leads_is_whose_session_holds_the_key() {
        assert_eq!(Leader::of(&pair(None)), None);
        assert_eq!(Leader::of(&pair(Some(""))), None);
        let leader = Leader::of(&pair(Some("s"))).unwrap();
        assert_eq!((leader.value.as_slice(), leader.session.as_str()), (&b"v"[..], "s"));
    }

    #[test]
    fn another_term_is_a_change_and_another_write_of_the_same_is_none() {
        let leader = Leader::of(&pair(Some("s"))).unwrap();
        assert!(leader.is_same(&Leader { modify_index: 9, ..leader.clone() }));
        assert!(!leader.is_same(&Leader { lock_index: 3, ..leader.clone() }));
        assert!(!leader.is_same(&Leader { value: b"w".to_vec(), ..leader.clone() }));
        assert!(!leader.is_same(&Leader { session: "t".into(), ..leader.clone() }));
    }
}
