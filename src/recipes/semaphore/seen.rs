//! What a read of all keys of a semaphore says: pure decisions.

use super::record::Record;
use super::spec::SemaphoreSpec;
use crate::api::kv::KvPair;
use crate::error::{Error, Result, Status};
use crate::recipes::holding::{Chance, LostReason, Sight};
use std::collections::HashSet;

/// The flags of every key of a semaphore, the same as the official client's (`SemaphoreFlagValue`
/// in <https://github.com/hashicorp/consul/blob/main/api/semaphore.go>).
pub const SEMAPHORE_FLAG: u64 = 0xe0f6_9a2b_aa41_4de0;

/// A slot that is free, as of a look at all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recipes) struct Free {
    pub(super) slots: Slots,
    /// Entries that no session holds any more, each with its last write: some of them, which whoever
    /// takes the slot deletes.
    pub(super) dead: Vec<(String, u64)>,
}

/// As many go at a time: a transaction has 64 operations at most.
const DEAD_AT_ONCE: usize = 16;

/// The holders as of a write of `.lock`; the index is 0 where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::recipes) struct Slots {
    pub(super) record: Record,
    pub(super) index: u64,
}

impl SemaphoreSpec {
    /// As one who wants a slot sees it. Holders whose session is not alive do not count.
    pub(super) fn chance(
        &self,
        pairs: &[KvPair],
        session: Option<&str>,
    ) -> Result<Chance<SemaphoreSpec>> {
        let dead = self.dead(pairs);
        let Some(slots) = self.slots(pairs)? else {
            let slots = Slots { record: Record::new(self.limit), index: 0 };
            return Ok(Chance::Open(Free { slots, dead }));
        };
        if slots.record.limit != self.limit {
            return Err(self.limit_conflict(slots.record.limit));
        }
        let held = session.filter(|session| slots.record.holds(session));
        if held.is_some_and(|session| self.entry_loss(pairs, session).is_none()) {
            return Ok(Chance::Ours(slots));
        }
        // A holder whose entry is gone takes its own slot again.
        if held.is_none() && slots.record.is_full() {
            return Ok(Chance::Taken(slots.record.holders()));
        }
        Ok(Chance::Open(Free { slots, dead }))
    }

    /// Entries of sessions that have ended and did not delete them, as one of the behavior release.
    fn dead(&self, pairs: &[KvPair]) -> Vec<(String, u64)> {
        let lock = self.lock_key();
        let is_dead = |pair: &&KvPair| {
            let is_held = pair.session.as_ref().is_some_and(|session| !session.is_empty());
            pair.flags == SEMAPHORE_FLAG && pair.key != lock && !is_held
        };
        let dead = pairs.iter().filter(is_dead).take(DEAD_AT_ONCE);
        dead.map(|pair| (pair.key.clone(), pair.modify_index)).collect()
    }

    /// As a holder sees it: neither other flags nor another limit end its slot.
    pub(super) fn sight(&self, pairs: &[KvPair], session: &str) -> Sight<Slots> {
        let Some(lock) = self.lock_among(pairs) else { return Sight::Gone(LostReason::KeyDeleted) };
        if let Some(reason) = self.entry_loss(pairs, session) {
            return Sight::Gone(reason);
        }
        match Record::parse(&lock.value).filter(|record| record.holds(session)) {
            Some(record) => Sight::Ours(Slots { record, index: lock.modify_index }),
            None => Sight::Gone(LostReason::KeyReleased),
        }
    }

    /// The slots with their living holders; `None` where there is no `.lock`.
    pub(super) fn slots(&self, pairs: &[KvPair]) -> Result<Option<Slots>> {
        let Some(lock) = self.lock_among(pairs) else { return Ok(None) };
        if lock.flags != SEMAPHORE_FLAG {
            return Err(self.conflict(&format!(
                "its flags are {:#x}, a semaphore's are {SEMAPHORE_FLAG:#x}",
                lock.flags
            )));
        }
        let Some(record) = Record::parse(&lock.value) else {
            return Err(self.conflict(
                "its value is not the JSON {\"Limit\":number,\"Holders\":{\"session\":true}}",
            ));
        };
        let alive: HashSet<&str> =
            pairs.iter().filter_map(|pair| pair.session.as_deref()).collect();
        Ok(Some(Slots { record: record.pruned(&alive), index: lock.modify_index }))
    }

    /// Why the session's entry does not prove it alive; `None` when it does.
    fn entry_loss(&self, pairs: &[KvPair], session: &str) -> Option<LostReason> {
        let key = self.entry_key(session);
        let Some(entry) = pairs.iter().find(|pair| pair.key == key) else {
            return Some(LostReason::KeyDeleted);
        };
        match entry.session.as_deref() {
            None | Some("") => Some(LostReason::KeyReleased),
            Some(holder) if holder != session => Some(LostReason::KeyTaken),
            Some(_) => None,
        }
    }

    fn lock_among<'a>(&self, pairs: &'a [KvPair]) -> Option<&'a KvPair> {
        let key = self.lock_key();
        pairs.iter().find(|pair| pair.key == key)
    }

    /// The error for a `.lock` that is used for something else.
    fn conflict(&self, why: &str) -> Error {
        let key = self.lock_key();
        let message =
            format!("the key \"{key}\" is used for something other than a semaphore: {why}");
        Error::new(Status::LockConflict, message)
    }

    fn limit_conflict(&self, found: u64) -> Error {
        let (prefix, limit) = (&self.prefix, self.limit);
        let message = format!(
            "the semaphore \"{prefix}\" has the limit {found} at Consul, not {limit} as here: all \
             who use it must agree; destroy it, which works while nobody holds a slot, to change it"
        );
        Error::new(Status::LimitConflict, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> SemaphoreSpec {
        SemaphoreSpec::new("a", 2)
    }

    fn lock(flags: u64, value: &str) -> KvPair {
        let (key, value) = ("a/.lock".into(), value.as_bytes().into());
        KvPair { key, value, flags, modify_index: 7, ..KvPair::default() }
    }

    fn entry(name: &str, session: Option<&str>) -> KvPair {
        let session = session.map(String::from);
        let key = format!("a/{name}");
        KvPair { key, session, flags: SEMAPHORE_FLAG, modify_index: 5, ..KvPair::default() }
    }

    fn pairs(holders: &[&str], entries: &[(&str, Option<&str>)]) -> Vec<KvPair> {
        let record = holders.iter().fold(Record::new(2), |record, holder| record.with(holder));
        let value = String::from_utf8(record.encode().unwrap()).unwrap();
        let entries = entries.iter().map(|&(name, session)| entry(name, session));
        std::iter::once(lock(SEMAPHORE_FLAG, &value)).chain(entries).collect()
    }

    fn refused(pair: KvPair) -> Error {
        spec().chance(&[pair], None).err().unwrap()
    }

    #[test]
    fn a_contender_tells_open_from_full_and_does_not_count_the_dead() {
        let see = |pairs: &[KvPair], session| spec().chance(pairs, session).unwrap();
        let Chance::Open(free) = see(&[], None) else { panic!("it is free") };
        assert_eq!((free.slots.index, free.dead), (0, vec![]));
        let full = pairs(&["x", "y"], &[("x", Some("x")), ("y", Some("y"))]);
        let Chance::Taken(holders) = see(&full, Some("me")) else { panic!("it is full") };
        assert_eq!(holders, ["x", "y"]);
        assert!(matches!(see(&full, Some("x")), Chance::Ours(_)));
        for dead in [pairs(&["x", "y"], &[("x", Some("x")), ("y", None)]), {
            pairs(&["x", "y"], &[("x", Some("x"))])
        }] {
            let Chance::Open(free) = see(&dead, Some("me")) else { panic!("y is dead") };
            let slots = free.slots;
            assert_eq!((slots.record.holders(), slots.index), (vec!["x".to_string()], 7));
        }
    }

    #[test]
    fn an_entry_that_no_session_holds_is_dead_and_nothing_else_is() {
        let mut found = pairs(&["x"], &[("x", Some("x")), ("y", None), ("z", Some(""))]);
        found.push(KvPair { flags: 0, ..entry("notes", None) });
        let Chance::Open(free) = spec().chance(&found, None).unwrap() else { panic!("it is free") };
        assert_eq!(free.dead, [("a/y".to_string(), 5), ("a/z".to_string(), 5)]);
        let many: Vec<KvPair> = (0..100).map(|n| entry(&n.to_string(), None)).collect();
        assert_eq!(spec().dead(&many).len(), DEAD_AT_ONCE);
    }

    #[test]
    fn the_limit_of_another_is_a_conflict_that_names_both() {
        let error = refused(lock(SEMAPHORE_FLAG, r#"{"Limit":3,"Holders":{}}"#));
        assert_eq!(error.status(), Status::LimitConflict);
        assert!(error.message().contains("limit 3 at Consul, not 2"), "{error}");
    }

    #[test]
    fn a_key_of_something_else_is_a_conflict_that_says_what_it_is() {
        for (pair, says) in [(lock(42, "{}"), "0x2a"), (lock(SEMAPHORE_FLAG, "[]"), "Holders")] {
            let error = refused(pair);
            assert_eq!(error.status(), Status::LockConflict);
            assert!(error.message().contains(says), "{error}");
        }
    }

    #[test]
    fn a_loss_has_its_reason() {
        let both: &[_] = &[("me", Some("me"))];
        let cases = [
            (pairs(&[], both), LostReason::KeyReleased),
            (pairs(&["me"], &[]), LostReason::KeyDeleted),
            (pairs(&["me"], &[("me", None)]), LostReason::KeyReleased),
            (pairs(&["me"], &[("me", Some("x"))]), LostReason::KeyTaken),
            (vec![entry("me", Some("me"))], LostReason::KeyDeleted),
            (vec![entry("me", Some("me")), lock(0, "x")], LostReason::KeyReleased),
        ];
        for (pairs, reason) in cases {
            assert_eq!(spec().sight(&pairs, "me"), Sight::Gone(reason), "{pairs:?}");
        }
        assert!(matches!(spec().sight(&pairs(&["me"], both), "me"), Sight::Ours(_)));
    }
}
