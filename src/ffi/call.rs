//! How a call of a client begins, always in this order: what goes out is cleared, how the call ends is
//! seen, its handles are looked up.

use super::asynchronous::{self, Ending, consul_async};
use super::client::{self, Caller, consul_client};
use super::handle::Handle;
use super::options::{self, Chosen, consul_options};
use super::output::{self, Out};
use crate::error::Result;

/// A call without a result: its client, its options, and how it ends.
///
/// # Safety
/// `request` is NULL or points to a `consul_async`.
#[inline]
pub(super) unsafe fn begin(
    client: *const consul_client,
    options: *const consul_options,
    request: *const consul_async,
) -> Result<(Caller, Chosen, Ending)> {
    // SAFETY: the caller's promise.
    let ending = unsafe { asynchronous::ending(request) }?;
    Ok((client::ending_in(client, &ending)?, options::chosen(options)?, ending))
}

/// A call with a result, and where that goes.
///
/// # Safety
/// As for [`begin`]; `out` is NULL or may be written for as long as the call lasts.
#[inline]
pub(super) unsafe fn giving<H: Handle>(
    client: *const consul_client,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut H,
) -> Result<(Caller, Chosen, Ending, Out<H>)> {
    // SAFETY: the caller's promise.
    let out = unsafe { output::out_of_call(out, request) }?;
    // SAFETY: as above.
    let (client, options, ending) = unsafe { begin(client, options, request) }?;
    Ok((client, options, ending, out))
}
