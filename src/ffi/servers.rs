//! # The servers
//!
//! Who leads, and who votes. Neither needs a token.

use super::asynchronous::{consul_async, done};
use super::call;
use super::client::consul_client;
use super::guard::guard;
use super::keys::{self, consul_keys};
use super::options::consul_options;
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
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.status().leader(&options)?, |leader| match leader.value {
            Some(leader) => done(leader.into_bytes().into()),
            None => (Status::NotFound, None),
        })
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
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, r#async, out) }?;
        ending.give(out, client.status().peers(&options)?, |found| done(keys::listing(found)))
    })
}
