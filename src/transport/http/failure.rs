//! From what sockets and ureq report to errors that a caller can decide by.

use crate::error::{Error, Status};
use std::fmt::Display;
use std::io::{self, ErrorKind};

/// The same error on its way through ureq.
pub(super) fn of(error: Error) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// An error of a socket in use. An error of ours may travel inside of it.
pub(super) fn of_io(error: io::Error) -> ureq::Error {
    of(from_io(error))
}

/// True when the error says that the peer is gone.
pub(super) fn is_death(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
    )
}

pub(super) fn from_io(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) if is_death(&error) => broken(words(&error)),
        Err(error) => Error::new(Status::Io, words(&error)),
    }
}

/// What ureq reports, an error of ours among it.
pub(super) fn from_ureq(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(inner) => Error::new(Status::Internal, inner.to_string()),
        },
        ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            broken("the connection was closed in the middle of the answer")
        }
        ureq::Error::Io(error) => from_io(error),
        ureq::Error::Protocol(cause) => {
            Error::new(Status::Decode, format!("the answer is not proper HTTP: {cause}"))
        }
        ureq::Error::LargeResponseHeader(_, limit) => Error::new(
            Status::TooLarge,
            format!("the head of the answer is longer than {limit} bytes"),
        ),
        ureq::Error::Http(cause) => Error::argument(format!("the request is malformed: {cause}")),
        other => Error::new(Status::Internal, other.to_string()),
    }
}

/// A connection that could not be made.
pub(super) fn connect(cause: impl Display) -> Error {
    Error::new(Status::Connect, cause.to_string())
}

/// A connection that broke; another one may do.
pub(super) fn broken(cause: impl Display) -> Error {
    Error::new(Status::Io, cause.to_string()).with_retryable(true)
}

/// The plain words for an error of the system.
pub(super) fn words(error: &io::Error) -> String {
    let known = match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused",
        ErrorKind::ConnectionReset => "connection reset by the peer",
        ErrorKind::ConnectionAborted => "connection aborted",
        ErrorKind::BrokenPipe => "connection closed by the peer",
        ErrorKind::UnexpectedEof => "connection closed by the peer without the end of TLS",
        ErrorKind::HostUnreachable => "no route to the host",
        ErrorKind::NetworkUnreachable => "the network is unreachable",
        ErrorKind::AddrNotAvailable => "no local address or port is left for it",
        ErrorKind::NotFound => "it does not exist",
        ErrorKind::PermissionDenied => "permission denied",
        _ => return error.to_string(),
    };
    known.to_owned()
}
