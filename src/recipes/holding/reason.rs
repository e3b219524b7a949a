//! Why something that was held is not any more.

use crate::error::{Error, Status};

/// Why a lock, or a semaphore's slot, was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum LostReason {
    /// Its session ended: destroyed, expired, or one of its checks turned critical.
    SessionInvalid = 1,
    /// Somebody deleted the key; of a semaphore, its `.lock` or the holder's entry.
    KeyDeleted = 2,
    /// Another session holds the key.
    KeyTaken = 3,
    /// Consul could not be asked for too long: it may still be held, but nobody can count on it.
    Deadline = 4,
    /// The client was closed.
    Closed = 5,
    /// Somebody released the key with the lock's own session; of a semaphore, somebody took the
    /// session out of the holders.
    KeyReleased = 6,
}

impl LostReason {
    /// The number of the C constant.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// What happened, in words.
    pub fn message(self) -> &'static str {
        match self {
            LostReason::SessionInvalid => "its session ended",
            LostReason::KeyDeleted => "its key was deleted",
            LostReason::KeyTaken => "another session holds its key",
            LostReason::Deadline => "Consul could not be asked in time",
            LostReason::Closed => "the client was closed",
            LostReason::KeyReleased => "somebody else released it",
        }
    }

    /// The error of who lost something that is called so.
    pub(crate) fn error(self, what: &str) -> Error {
        Error::new(Status::LockLost, format!("the {what} was lost: {}", self.message()))
    }
}

impl From<LostReason> for Error {
    fn from(reason: LostReason) -> Error {
        reason.error("lock")
    }
}
