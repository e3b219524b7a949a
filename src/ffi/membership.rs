//! The agent's membership of the cluster.

use super::asynchronous::{consul_async, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::{call, input};
use std::ffi::c_char;

/// Makes the agent join the cluster of which the agent at this address, `host` or `host:port` of its
/// gossip, is a member; with `wan`, the pool that joins the datacenters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_join(
    client: *const consul_client,
    address: *const c_char,
    wan: bool,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let address = unsafe { input::required_str(address, "address") }?;
        ending.end(client.agent().join(address, wan, &options)?, ok)
    })
}

/// Makes the agent leave the cluster in order, and end. The client has no agent after that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_leave(
    client: *const consul_client,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        ending.end(client.agent().leave(&options)?, ok)
    })
}

/// Takes a node that has failed for one that has left, so that nobody tries to reach it any more; with
/// `prune` it is removed from the list of members, too. A node that is alive joins again by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_agent_force_leave(
    client: *const consul_client,
    node: *const c_char,
    prune: bool,
    options: *const consul_options,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let (client, options, ending) = unsafe { call::begin(client, options, r#async) }?;
        // SAFETY: as above.
        let node = unsafe { input::required_str(node, "node") }?;
        ending.end(client.agent().force_leave(node, prune, &options)?, ok)
    })
}
