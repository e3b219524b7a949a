//! The end of a session: why it came, and who is told.

/// Why a session is not valid any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// Consul does not know it any more.
    Invalid,
    /// No renewal succeeded in time.
    Deadline,
    /// This program ended it.
    Destroyed,
    /// The client was closed.
    Closed,
}

impl SessionEnd {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            SessionEnd::Invalid => "Consul does not know it any more",
            SessionEnd::Deadline => "no renewal succeeded in time",
            SessionEnd::Destroyed => "it was destroyed",
            SessionEnd::Closed => "the client was closed",
        }
    }
}

/// What depends on a session.
pub(crate) trait Tenant: Send + Sync {
    /// The session of this id is not valid any more. Told once.
    fn session_ended(&self, id: &str, end: SessionEnd);
}
