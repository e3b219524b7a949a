//! What a read of a lock's key says: pure decisions.

use crate::api::kv::KvPair;
use crate::error::{Error, Status};
use crate::recipes::holding::{LostReason, Sight};

/// The flags of every lock's key, the same as the official client's (`LockFlagValue` in
/// <https://github.com/hashicorp/consul/blob/main/api/lock.go>).
pub const LOCK_FLAG: u64 = 0x2ddc_cbc0_58a5_0c18;

/// What was found at the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// There is no such key.
    Absent,
    /// Nobody holds it; the index of its last write.
    Free(u64),
    /// Our session holds it; the index of its last write.
    Ours(u64),
    /// This other session holds it.
    Other(String),
    /// It is used for something else; its flags.
    Foreign(u64),
}

impl Seen {
    /// As one who wants to acquire it sees it. With `adopt` the flags do not matter.
    pub(super) fn by_contender(pair: Option<KvPair>, session: Option<&str>, adopt: bool) -> Seen {
        match pair {
            Some(pair) if pair.flags != LOCK_FLAG && !adopt => Seen::Foreign(pair.flags),
            pair => Seen::by_holder(pair, session),
        }
    }

    /// As its holder sees it: that somebody wrote other flags does not end the lock.
    pub(super) fn by_holder(pair: Option<KvPair>, session: Option<&str>) -> Seen {
        let Some(pair) = pair else { return Seen::Absent };
        match pair.session.filter(|holder| !holder.is_empty()) {
            None => Seen::Free(pair.modify_index),
            Some(holder) if session == Some(holder.as_str()) => Seen::Ours(pair.modify_index),
            Some(holder) => Seen::Other(holder),
        }
    }
}

impl From<Seen> for Sight<u64> {
    fn from(seen: Seen) -> Sight<u64> {
        match seen {
            Seen::Ours(index) => Sight::Ours(index),
            Seen::Absent => Sight::Gone(LostReason::KeyDeleted),
            Seen::Free(_) | Seen::Foreign(_) => Sight::Gone(LostReason::KeyReleased),
            Seen::Other(_) => Sight::Gone(LostReason::KeyTaken),
        }
    }
}

/// The error for a key that is used for something else.
pub(super) fn conflict(key: &str, flags: u64) -> Error {
    let message = format!(
        "the key \"{key}\" is used for something other than a lock: its flags are {flags:#x}, a \
         lock's are {LOCK_FLAG:#x}; `adopt` takes it over"
    );
    Error::new(Status::LockConflict, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(flags: u64, session: Option<&str>) -> Option<KvPair> {
        let session = session.map(String::from);
        Some(KvPair { flags, session, modify_index: 7, ..KvPair::default() })
    }

    #[test]
    fn a_contender_tells_free_from_held_from_used_otherwise() {
        let see = |pair, adopt| Seen::by_contender(pair, Some("me"), adopt);
        assert_eq!(see(None, false), Seen::Absent);
        assert_eq!(see(pair(LOCK_FLAG, None), false), Seen::Free(7));
        assert_eq!(see(pair(LOCK_FLAG, Some("")), false), Seen::Free(7));
        assert_eq!(see(pair(LOCK_FLAG, Some("me")), false), Seen::Ours(7));
        assert_eq!(see(pair(LOCK_FLAG, Some("x")), false), Seen::Other("x".into()));
        assert_eq!(see(pair(42, Some("x")), false), Seen::Foreign(42));
        assert_eq!(see(pair(42, Some("x")), true), Seen::Other("x".into()));
        let nameless = Seen::by_contender(pair(LOCK_FLAG, Some("x")), None, false);
        assert_eq!(nameless, Seen::Other("x".into()));
    }

    #[test]
    fn a_holder_does_not_mind_the_flags() {
        assert_eq!(Seen::by_holder(pair(0, Some("me")), Some("me")), Seen::Ours(7));
    }

    #[test]
    fn a_loss_has_its_reason() {
        let cases = [
            (Seen::Absent, LostReason::KeyDeleted),
            (Seen::Free(7), LostReason::KeyReleased),
            (Seen::Other("x".into()), LostReason::KeyTaken),
        ];
        for (seen, reason) in cases {
            assert_eq!(Sight::from(seen), Sight::Gone(reason));
        }
        assert_eq!(Sight::from(Seen::Ours(7)), Sight::Ours(7));
    }

    #[test]
    fn the_conflict_names_the_flags_found() {
        let error = conflict("a", 42);
        assert_eq!(error.status(), Status::LockConflict);
        assert!(error.message().contains("0x2a"), "{error}");
    }
}
