//! # The servers
//!
//! Who leads, and who votes. Neither needs a token.

use super::asynchronous::{consul_async, refuse_async};
use super::client::consul_client;
use super::guard::guard;
use super::handle;
use super::keys::{self, consul_keys};
use super::options::{self, consul_options};
use super::output;
use super::status::consul_status;
use super::text::consul_text;
use crate::error::Status;

/// Reads the leader among the servers, as `address:port`. `CONSUL_NOT_FOUND` while there is none;
/// `out` is NULL then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_status_leader(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        refuse_async(r#async)?;
        let client = handle::get(client)?;
        let options = options::chosen(options)?;
        match client.status().leader(&options)?.value {
            Some(leader) => out.give(leader.into_bytes().into()),
            None => Ok(Status::NotFound),
        }
    })
}

/// Reads the servers that vote, each as `address:port`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_status_peers(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
    out: *mut *mut consul_keys,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        refuse_async(r#async)?;
        let client = handle::get(client)?;
        let options = options::chosen(options)?;
        out.give(keys::listing(client.status().peers(&options)?))
    })
}
