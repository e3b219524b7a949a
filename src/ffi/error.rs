//! # Errors
//!
//! A negative status is an error, and `consul_last_error()` has the details:
//!
//! ```c
//! if (consul_kv_put(client, "app/limit", value, len, 0, NULL, NULL) < 0) {
//!     const consul_error *error = consul_last_error();
//!     fprintf(stderr, "%s: %s\n", consul_status_name(error->status), error->message);
//! }
//! ```

use super::arena::Arena;
use super::status::{self, consul_status};
use crate::error::Error;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_char;

/// What went wrong.
#[repr(C)]
#[derive(Debug)]
pub struct consul_error {
    /// Which error it is, `CONSUL_ERR_...`; `CONSUL_OK` when there was none.
    pub status: consul_status,
    /// The HTTP status that came with it; 0 where there was none.
    pub http_status: i32,
    /// The same call may succeed later.
    pub retryable: bool,
    /// A change was sent and may have been applied, now or within minutes: there was no answer,
    /// or one that does not prove that nothing was done.
    pub outcome_unknown: bool,
    /// The address of the Consul agent it concerns; empty where there is none.
    pub endpoint: *const c_char,
    /// The bytes in `endpoint`.
    pub endpoint_len: usize,
    /// One line for people. Holds no secret.
    pub message: *const c_char,
    /// The bytes in `message`.
    pub message_len: usize,
}

// SAFETY: read-only, and its pointers lead to memory that is read-only and lives as long.
unsafe impl Send for consul_error {}
// SAFETY: as above.
unsafe impl Sync for consul_error {}

/// The row where nothing went wrong.
pub(super) static NO_ERROR: consul_error = consul_error {
    status: status::CONSUL_OK,
    http_status: 0,
    retryable: false,
    outcome_unknown: false,
    endpoint: c"".as_ptr(),
    endpoint_len: 0,
    message: c"".as_ptr(),
    message_len: 0,
};

/// An error row and the texts it points to.
#[derive(Debug)]
pub struct ErrorRow {
    row: *const consul_error,
    _arena: Arena,
}

// SAFETY: the row is read-only and lives in the arena.
unsafe impl Send for ErrorRow {}
// SAFETY: as above.
unsafe impl Sync for ErrorRow {}

impl ErrorRow {
    /// The row of this error.
    pub fn new(error: &Error) -> ErrorRow {
        let texts = error.endpoint().len() + error.message().len() + 2;
        let arena = Arena::with_capacity(size_of::<consul_error>() + texts);
        // C reads up to the first NUL, so one inside would hide the rest.
        let endpoint = arena.text(&error.endpoint().replace('\0', "\u{fffd}"));
        let message = arena.text(&error.message().replace('\0', "\u{fffd}"));
        let row = arena.row(consul_error {
            status: error.status().code(),
            http_status: i32::from(error.http_status()),
            retryable: error.is_retryable(),
            outcome_unknown: error.is_outcome_unknown(),
            endpoint: endpoint.ptr,
            endpoint_len: endpoint.len,
            message: message.ptr,
            message_len: message.len,
        });
        ErrorRow { row, _arena: arena }
    }

    /// The row, valid as long as `self`.
    pub fn as_ptr(&self) -> *const consul_error {
        self.row
    }
}

/// How many of a thread's last errors stay readable. In a host with a garbage collector finalizers
/// run while a program reads a row, and may fail themselves.
const KEPT: usize = 16;

thread_local! {
    static LAST: RefCell<VecDeque<ErrorRow>> = const { RefCell::new(VecDeque::new()) };
}

/// Keeps an error as this thread's last. Only `guard` calls it.
#[cold]
pub fn set_last_error(error: &Error) {
    let row = ErrorRow::new(error);
    // A thread that is ending has no last error any more.
    let _ = LAST.try_with(|last| {
        let mut last = last.borrow_mut();
        last.truncate(KEPT - 1);
        last.push_front(row);
    });
}

/// The last error of a call on this thread. Only a call that fails replaces it: calls that
/// succeed, accessors and `_free` leave it as it is. Never NULL; before any failure its status is
/// `CONSUL_OK`.
///
/// The row is borrowed, and valid until this thread has failed 16 times more.
#[unsafe(no_mangle)]
pub extern "C" fn consul_last_error() -> *const consul_error {
    LAST.try_with(|last| last.borrow().front().map(ErrorRow::as_ptr))
        .ok()
        .flatten()
        .unwrap_or(&raw const NO_ERROR)
}

/// The name of a status, such as `"CONSUL_ERR_TIMEOUT"`; `"unknown status"` for a number that is
/// none. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn consul_status_name(status: consul_status) -> *const c_char {
    status::texts(status).0.as_ptr()
}

/// What a status means, in a sentence; `"unknown status"` for a number that is none. Valid for
/// ever.
#[unsafe(no_mangle)]
pub extern "C" fn consul_status_message(status: consul_status) -> *const c_char {
    status::texts(status).1.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use std::ffi::CStr;

    fn string(text: *const c_char) -> String {
        // SAFETY: the tests pass what the functions above return.
        unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_last_error_is_the_threads_own_and_never_null() {
        set_last_error(
            &Error::new(Status::Http, "GET /v1/x: 500\0rest")
                .with_http_status(500)
                .with_endpoint("http://127.0.0.1:8500")
                .with_outcome_unknown(true),
        );
        // SAFETY: never NULL, and this thread fails no more.
        let last = unsafe { &*consul_last_error() };
        assert_eq!((last.status, last.http_status), (Status::Http.code(), 500));
        assert!(last.outcome_unknown && !last.retryable);
        assert_eq!(string(last.message), "GET /v1/x: 500\u{fffd}rest");
        assert_eq!(last.message_len, string(last.message).len());
        assert_eq!(string(last.endpoint), "http://127.0.0.1:8500");
        std::thread::spawn(|| {
            // SAFETY: as above.
            let other = unsafe { &*consul_last_error() };
            assert_eq!((other.status, string(other.message)), (0, String::new()));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_row_outlives_failures_while_it_is_read() {
        set_last_error(&Error::argument("first"));
        let row = consul_last_error();
        for _ in 1..KEPT {
            set_last_error(&Error::argument("of a finalizer"));
        }
        // SAFETY: the thread has failed 15 times more.
        assert_eq!(string(unsafe { (*row).message }), "first");
        // SAFETY: this thread fails no more.
        assert_eq!(string(unsafe { (*consul_last_error()).message }), "of a finalizer");
    }

    #[test]
    fn it_can_be_asked_while_its_thread_ends() {
        struct AsksWhileDropped;
        impl Drop for AsksWhileDropped {
            fn drop(&mut self) {
                set_last_error(&Error::argument("late"));
                assert!(!consul_last_error().is_null());
            }
        }
        thread_local!(static EARLY: AsksWhileDropped = const { AsksWhileDropped });
        thread_local!(static LATE: AsksWhileDropped = const { AsksWhileDropped });
        std::thread::spawn(|| {
            // One is dropped before the last error's own storage and one after it.
            EARLY.with(|_| ());
            set_last_error(&Error::argument("first"));
            LATE.with(|_| ());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn every_number_has_texts() {
        for &status in Status::ALL {
            let name = string(consul_status_name(status.code()));
            assert_eq!(name, format!("CONSUL_{}", status.name()));
            assert_eq!(string(consul_status_message(status.code())), status.message());
        }
        assert_eq!(string(consul_status_name(6)), "unknown status");
        assert_eq!(string(consul_status_message(i32::MIN)), "unknown status");
    }
}
