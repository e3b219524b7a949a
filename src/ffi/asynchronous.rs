//! # Asynchronous calls
//!
//! Every call that waits for Consul takes a `consul_async`; NULL makes it a blocking call.

use super::kind::consul_queue;
use crate::error::{Error, Result, Status};

/// Where the end of an asynchronous call arrives. This layout never changes.
#[repr(C)]
#[derive(Debug)]
pub struct consul_async {
    /// The queue it arrives in.
    pub queue: *mut consul_queue,
    /// The caller's own number for the call.
    pub tag: u64,
}

/// Asynchronous calls are not in this release; their parameter is.
pub fn refuse_async(request: *const consul_async) -> Result<()> {
    if request.is_null() {
        return Ok(());
    }
    let message = "asynchronous calls are not in this release; pass NULL for `async`";
    Err(Error::new(Status::Unsupported, message))
}
