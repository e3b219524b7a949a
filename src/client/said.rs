//! What Consul's text beside a 5xx says, whichever of its servers has said it.
//!
//! A follower, or a client agent, puts the same words before all that it passes on, what the leader
//! has refused no less than what it could not send there (agent/pool/pool.go of Consul's source): only
//! what follows them tells.

/// What stands before that which another server said; once for each that passed it on.
const PASSED_ON: &str = "rpc error making call: ";

/// Between the servers something failed (Go's net, hashicorp/yamux, agent/pool/pool.go, gRPC). What
/// is wrapped by other words is about something else, such as the servers that were to be joined.
const TRANSPORT: &[&str] = &[
    "rpc error getting client",
    "rpc error: failed to get conn",
    "failed to get conn",
    "rpc error: lead thread",
    "rpc error: shutdown",
    "rpc error: code = Unavailable",
    "rpc error: code = DeadlineExceeded",
    "dial tcp",
    "read tcp",
    "write tcp",
    "i/o timeout",
    "i/o deadline reached",
    "connection refused",
    "connection reset",
    "connection is shut down",
    "connection write timeout",
    "use of closed network connection",
    "broken pipe",
    "stream closed",
    "stream reset",
    "streams exhausted",
    "session shutdown",
    "keepalive timeout",
    "remote end is not accepting connections",
    "context deadline exceeded",
];

/// The same, where the text is this and no more: a parser that has met the end of its text says so too.
const CUT: &[&str] = &["EOF", "unexpected EOF"];

/// There is no leader, or it is one no more (agent/structs/errors.go, hashicorp/raft).
const LEADERLESS: &[&str] = &["No cluster leader", "leadership lost", "node is not the leader"];

/// A leader is not ready, or is not found.
const UNSETTLED: &[&str] = &[
    "leadership transfer",
    "raft is already shutdown",
    "timed out enqueuing operation",
    "Not ready to serve consistent reads",
    "not ready to serve consistent reads",
    "shutdown waiting for leader",
    "Raft leader not found in server lookup mapping",
    "No known Consul servers",
    "Remote DC has no server currently reachable",
];

/// What nobody has taken, though it may be taken later.
const NOT_TAKEN: &[&str] = &[
    "No cluster leader",
    "rpc error getting client",
    "failed to get conn",
    "No known Consul servers",
    "Remote DC has no server currently reachable",
    "Raft leader not found in server lookup mapping",
    "timed out enqueuing operation",
    "rate limit",
];

/// How a refusal begins, in small letters. Consul checks before it writes, and what its state cannot
/// hold is undone as a whole.
const REFUSAL_BEGINS: &[&str] = &[
    "invalid ",
    "missing ",
    "must ",
    "cannot ",
    "unknown ",
    "unsupported ",
    "no such ",
    "no path to datacenter",
    "failed to create boolean expression",
    "failed to parse ",
    "failed parsing ",
    "failed inserting ",
    "scripts are disabled",
    // A leader of another version.
    "rpc: can't find ",
];

/// What is in a refusal.
const REFUSAL_HAS: &[&str] = &[
    "Permission denied",
    "ACL not found",
    "missing session",
    "invalid session",
    "failed session lookup",
    "Session TTL",
    "does not have associated TTL",
    "Unknown check",
    "strconv.",
    "user event exceeds",
    "invalid check",
    "Invalid check",
    "index error: ",
    " not found",
    " already exists",
    " does not exist",
    " doesn't exist",
    " is not valid",
    " is required",
    " must be ",
    " not enabled",
    " not supported",
    " not permitted",
    " not allowed",
    " is disabled",
    " is in critical state",
    " aliases an existing ",
    "not the primary datacenter",
];

/// The text beside a 5xx.
pub(super) struct Said<'a> {
    /// As it came.
    text: &'a str,
    /// Without what those have added that passed it on.
    own: &'a str,
}

impl<'a> Said<'a> {
    pub(super) fn new(text: &'a str) -> Said<'a> {
        let own = text.rsplit_once(PASSED_ON).map_or(text, |(_, own)| own);
        Said { text, own }
    }

    pub(super) fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.contains(word))
    }

    pub(super) fn begins(&self, words: &[&str]) -> bool {
        begins(self.own, words)
    }

    /// There is no leader at present.
    pub(super) fn is_leaderless(&self) -> bool {
        begins(self.cause(), LEADERLESS)
    }

    /// After which the same call may succeed.
    pub(super) fn is_passing(&self) -> bool {
        self.is_leaderless()
            || begins(self.cause(), UNSETTLED)
            || self.begins(TRANSPORT)
            || CUT.contains(&self.own)
    }

    /// That proves that nothing was done. What nobody here has heard yet proves nothing.
    pub(super) fn is_undone(&self) -> bool {
        self.has(NOT_TAKEN) || (!self.is_passing() && self.is_refusal())
    }

    fn is_refusal(&self) -> bool {
        begins(&self.own.to_ascii_lowercase(), REFUSAL_BEGINS) || self.has(REFUSAL_HAS)
    }

    /// What stands behind the words of an endpoint, as Go's programs wrap their errors.
    fn cause(&self) -> &'a str {
        self.own.rsplit_once(": ").map_or(self.own, |(_, cause)| cause)
    }
}

fn begins(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}
