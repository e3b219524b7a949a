//! A panic as an error. It must never end a thread that others depend on.

use crate::error::{Error, Result, Status};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic in it is `Status::Internal` with its text.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let error = Error::new(Status::Internal, panic_text(payload.as_ref()));
        std::mem::forget(payload); // Its own drop could panic.
        error
    })
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!("a fault in the library: {}", text.unwrap_or("a panic without a message"))
}
