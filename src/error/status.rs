//! The one list of statuses: number, names and meaning. The C constants, the Lua table and the
//! reference page are generated from it; numbers never change once released.

macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $name:literal;)+) => {
        /// How a call ended. Zero is success, positive values are honest answers that are not
        /// errors, negative values are errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum Status { $($(#[doc = $doc])+ $variant = $code,)+ }

        impl Status {
            /// Every status, in the order of the list.
            pub const ALL: &'static [Status] = &[$(Status::$variant,)+];

            /// The status with this number, when there is one.
            pub fn from_code(code: i32) -> Option<Status> {
                match code { $($code => Some(Status::$variant),)+ _ => None }
            }

            /// The name of the C constant without its `CONSUL_` prefix, such as `ERR_TIMEOUT`.
            pub fn name(self) -> &'static str {
                match self { $(Status::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub fn message(self) -> &'static str {
                match self { $(Status::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

statuses! {
    /// Done.
    Ok = 0, "OK";
    /// What was asked for does not exist.
    NotFound = 1, "NOT_FOUND";
    /// A compare-and-set or a transaction lost: something else changed the data first.
    Conflict = 2, "CONFLICT";
    /// An acquire found another holder, or the lock-delay, until its time was up.
    Held = 3, "HELD";
    /// The operation goes on; its end arrives in the queue.
    Pending = 4, "PENDING";
    /// A wait ended with nothing new.
    NoChange = 5, "NO_CHANGE";
    /// An argument is not allowed; nothing was sent.
    Argument = -1, "ERR_ARGUMENT";
    /// The handle is not a live handle of the right type.
    Handle = -2, "ERR_HANDLE";
    /// The configuration has an unknown setting or a value out of range.
    Config = -3, "ERR_CONFIG";
    /// No connection to Consul could be made.
    Connect = -4, "ERR_CONNECT";
    /// The deadline passed.
    Timeout = -5, "ERR_TIMEOUT";
    /// The TLS handshake failed, or a certificate or key cannot be used.
    Tls = -6, "ERR_TLS";
    /// Consul refused the token (403).
    Denied = -7, "ERR_DENIED";
    /// The Consul servers have no leader at the moment.
    NoLeader = -8, "ERR_NO_LEADER";
    /// Consul limits the rate of requests or of connections.
    RateLimited = -9, "ERR_RATE_LIMITED";
    /// Consul answered with an HTTP status that means failure.
    Http = -10, "ERR_HTTP";
    /// The answer could not be understood.
    Decode = -11, "ERR_DECODE";
    /// A value, request or answer is above its limit.
    TooLarge = -12, "ERR_TOO_LARGE";
    /// The session does not exist any more.
    SessionInvalid = -13, "ERR_SESSION_INVALID";
    /// The lock was lost.
    LockLost = -14, "ERR_LOCK_LOST";
    /// The key exists and is used for something other than this lock.
    LockConflict = -15, "ERR_LOCK_CONFLICT";
    /// The semaphore exists with another limit.
    LimitConflict = -16, "ERR_LIMIT_CONFLICT";
    /// The lock is not held.
    NotHeld = -17, "ERR_NOT_HELD";
    /// The lock is held already.
    AlreadyHeld = -18, "ERR_ALREADY_HELD";
    /// The client was closed.
    Closed = -19, "ERR_CLOSED";
    /// The operation was cancelled.
    Cancelled = -20, "ERR_CANCELLED";
    /// Too many operations are in flight.
    Busy = -21, "ERR_BUSY";
    /// The handle belongs to the parent of this process.
    Forked = -22, "ERR_FORKED";
    /// A signal interrupted the call.
    Interrupted = -23, "ERR_INTERRUPTED";
    /// This library does not support what was asked for.
    Unsupported = -24, "ERR_UNSUPPORTED";
    /// A file or a socket failed.
    Io = -25, "ERR_IO";
    /// A value could not be encrypted or decrypted.
    Crypto = -26, "ERR_CRYPTO";
    /// Memory or handles ran out.
    NoMemory = -27, "ERR_NO_MEMORY";
    /// A fault in the library itself.
    Internal = -28, "ERR_INTERNAL";
}

impl Status {
    /// The number of the C constant.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// True for failures, false for `Ok` and the honest answers.
    pub fn is_error(self) -> bool {
        self.code() < 0
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn numbers_lead_back_to_their_status() {
        for &status in Status::ALL {
            assert_eq!(Status::from_code(status.code()), Some(status));
        }
        assert_eq!(Status::from_code(6), None);
    }

    #[test]
    fn names_tell_errors_from_answers() {
        for &status in Status::ALL {
            assert_eq!(status.name().starts_with("ERR_"), status.is_error(), "{status:?}");
        }
    }

    #[test]
    fn messages_are_sentences() {
        assert_eq!(Status::Denied.message(), "Consul refused the token (403).");
    }
}
