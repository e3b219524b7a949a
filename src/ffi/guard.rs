//! Around the body of every exported function: no panic leaves it, and a failure is kept as the
//! thread's last error.
//!
//! Rust's panic hook belongs to the process, so it is left alone: a Rust host keeps its own, and
//! anywhere else a fault in this library also writes its place to stderr, once.

use super::error::set_last_error;
use super::status::consul_status;
use crate::error::{Error, Result, Status};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the body of a function that returns a status. Only a failure touches the thread's last
/// error; an honest answer such as `NotFound` does not.
#[inline]
pub fn guard(body: impl FnOnce() -> Result<Status>) -> consul_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) if !status.is_error() => return status.code(),
        Ok(Ok(status)) => Error::new(status, status.message()),
        // "Not found" travels as an error where the caller did not ask for an answer.
        Ok(Err(error)) if !error.status().is_error() => return error.status().code(),
        Ok(Err(error)) => error,
        Err(payload) => Error::new(Status::Internal, panic_message(payload)),
    };
    set_last_error(&failure);
    failure.status().code()
}

/// Runs the body of an accessor: `fallback` when it has nothing to give. Never touches the
/// thread's last error.
#[inline]
pub fn guard_or<T>(fallback: T, body: impl FnOnce() -> Option<T>) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value.unwrap_or(fallback),
        Err(payload) => {
            panic_message(payload);
            fallback
        }
    }
}

#[cold]
fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let text = payload.downcast::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|payload| payload.downcast::<String>().map(|text| *text));
    let text = text.unwrap_or_else(|payload| {
        std::mem::forget(payload); // Its drop could panic too.
        "a panic without a message".to_owned()
    });
    format!("a fault in the library: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::error::consul_last_error;
    use std::ffi::CStr;

    fn last_message() -> String {
        // SAFETY: the row is valid until the thread's next failure.
        unsafe { CStr::from_ptr((*consul_last_error()).message) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_becomes_an_internal_error() {
        let status = guard(|| panic!("the answer was {}", 41));
        assert_eq!(status, Status::Internal.code());
        assert_eq!(last_message(), "a fault in the library: the answer was 41");
        assert_eq!(guard(|| std::panic::panic_any(7)), Status::Internal.code());
        assert_eq!(last_message(), "a fault in the library: a panic without a message");
    }

    #[test]
    fn only_failures_replace_the_last_error() {
        guard(|| Err(Error::argument("first")));
        assert_eq!(guard(|| Ok(Status::Ok)), 0);
        assert_eq!(guard(|| Ok(Status::NotFound)), 1);
        assert_eq!(guard(|| Err(Error::new(Status::NotFound, "no such service"))), 1);
        assert_eq!(guard_or(5, || None), 5);
        assert_eq!(guard_or(5, || panic!("unseen")), 5);
        assert_eq!(last_message(), "first");
        assert_eq!(guard(|| Ok(Status::Closed)), Status::Closed.code());
        assert_eq!(last_message(), Status::Closed.message());
    }
}
