//! What went wrong, with everything a caller needs to decide what to do about it.

mod status;

pub use status::Status;

/// A failure: its status, a message for people, and the facts a program decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    status: Status,
    message: String,
    http_status: u16,
    retryable: bool,
    outcome_unknown: bool,
    local: bool,
    endpoint: String,
}

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure of this status. Whether trying again can help is the status's own answer until
    /// [`Error::with_retryable`] says otherwise.
    pub fn new(status: Status, message: impl Into<String>) -> Error {
        let retryable = matches!(
            status,
            Status::Connect
                | Status::Timeout
                | Status::NoLeader
                | Status::RateLimited
                | Status::Busy
                | Status::Interrupted
        );
        Error(Box::new(Details {
            status,
            message: message.into(),
            http_status: 0,
            retryable,
            outcome_unknown: false,
            local: false,
            endpoint: String::new(),
        }))
    }

    /// An argument that is not allowed; nothing was sent.
    pub fn argument(message: impl Into<String>) -> Error {
        Error::new(Status::Argument, message)
    }

    /// A setting that is unknown or out of range.
    pub fn config(message: impl Into<String>) -> Error {
        Error::new(Status::Config, message)
    }

    /// What a stream fails with is an error of ours already, or one of the system.
    pub(crate) fn of_stream(error: std::io::Error) -> Error {
        error.downcast::<Error>().unwrap_or_else(|error| Error::new(Status::Io, error.to_string()))
    }

    /// The same failure under another status, where a caller knows better what it means.
    pub fn with_status(mut self, status: Status) -> Error {
        self.0.status = status;
        self
    }

    /// The same failure with the HTTP status that came with it.
    pub fn with_http_status(mut self, http_status: u16) -> Error {
        self.0.http_status = http_status;
        self
    }

    /// The same failure, saying whether trying again can help.
    pub fn with_retryable(mut self, retryable: bool) -> Error {
        self.0.retryable = retryable;
        self
    }

    /// The same failure, saying whether a change may have been applied all the same.
    pub fn with_outcome_unknown(mut self, outcome_unknown: bool) -> Error {
        self.0.outcome_unknown = outcome_unknown;
        self
    }

    /// The same failure, saying whether the agent had no part in it: a wait for a connection of our
    /// own, or a file of ours, says nothing about the agent.
    pub(crate) fn with_local(mut self, local: bool) -> Error {
        self.0.local = local;
        self
    }

    pub(crate) fn is_local(&self) -> bool {
        self.0.local
    }

    /// The same failure with the address it concerns.
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Error {
        self.0.endpoint = endpoint.into();
        self
    }

    /// The same failure with `context` and a colon before its message.
    pub fn context(mut self, context: impl std::fmt::Display) -> Error {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The same failure with its message passed through `edit`, for example to hide a secret.
    pub fn map_message(mut self, edit: impl FnOnce(String) -> String) -> Error {
        self.0.message = edit(std::mem::take(&mut self.0.message));
        self
    }

    /// Which kind of failure it is.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// One line for people: what was asked, what came back. Never holds a secret.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The HTTP status that came with it, 0 where there was none.
    pub fn http_status(&self) -> u16 {
        self.0.http_status
    }

    /// True when the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// True when a change was sent and may have been applied, now or within minutes: there was no
    /// answer, or one that does not prove that nothing was done.
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// The address of the Consul agent it concerns, empty where there is none.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
