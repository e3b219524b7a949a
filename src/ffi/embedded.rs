//! # The embedded agent
//!
//! A client whose address is `embedded:` has a Consul agent in this process's memory, `embedded:NAME`
//! one that all clients of the process share that name it: for development and tests, not for
//! production. A test turns its clock on, and orders faults.
//!
//! ```c
//! consul_config_set(config, "address", "embedded:");
//! ...
//! consul_embedded_fail_next(client, "/v1/kv/", 1, 500, "rpc error making call: EOF");
//! consul_embedded_advance(client, 30000);    // the session of 10 s has ended
//! ```
//!
//! Each of these functions ends with `CONSUL_ERR_UNSUPPORTED` when the client's agent is not
//! embedded. Where there is a `prefix`, a fault meets only requests whose path begins with that, such
//! as `/v1/kv/`; NULL is all of them.

use super::client::consul_client;
use super::guard::guard;
use super::status::consul_status;
use super::{handle, input, output};
use crate::client::Embedded;
use crate::error::{Result, Status};
use std::ffi::c_char;
use std::time::Duration;

fn of(client: *const consul_client) -> Result<Embedded> {
    Embedded::of(&*handle::get(client)?)
}

/// # Safety
/// `prefix` is NULL or NUL-terminated.
unsafe fn under(client: *const consul_client, prefix: *const c_char) -> Result<Embedded> {
    let agent = of(client)?;
    // SAFETY: the caller's promise.
    let prefix = unsafe { input::optional_str(prefix, "prefix") }?.unwrap_or_default();
    Ok(agent.under(prefix))
}

/// Turns the agent's clock on. What is due until then has happened when this returns: sessions have
/// ended, checks have failed, waits are over. It can be turned by a year in all.
#[unsafe(no_mangle)]
pub extern "C" fn consul_embedded_advance(
    client: *const consul_client,
    time_ms: u64,
) -> consul_status {
    guard(|| {
        of(client)?.advance(Duration::from_millis(time_ms));
        Ok(Status::Ok)
    })
}

/// How long the agent has lived by its own clock, in ms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_embedded_now(
    client: *const consul_client,
    now_ms: *mut u64,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out_value(now_ms, "now_ms") }?;
        *out = u64::try_from(of(client)?.now().as_millis()).unwrap_or(u64::MAX);
        Ok(Status::Ok)
    })
}

/// Lets every request wait this long, by the agent's clock, before it is looked at. 0 ends that.
/// `prefix` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_embedded_set_latency(
    client: *const consul_client,
    prefix: *const c_char,
    latency_ms: u64,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let agent = unsafe { under(client, prefix) }?;
        agent.set_latency(Duration::from_millis(latency_ms));
        Ok(Status::Ok)
    })
}

/// Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does nothing
/// for them; 0 takes the order back. `prefix` may be NULL, and so may `text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_embedded_fail_next(
    client: *const consul_client,
    prefix: *const c_char,
    count: u64,
    http_status: u32,
    text: *const c_char,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let agent = unsafe { under(client, prefix) }?;
        // SAFETY: as above.
        let text = unsafe { input::optional_str(text, "text") }?.unwrap_or_default();
        agent.fail_next(count, input::small(http_status, "http_status")?, text)?;
        Ok(Status::Ok)
    })
}

/// Takes the leader away, or gives one back. Without one, requests that need it are held for seven
/// seconds of the agent's clock, and answered with 500 `No cluster leader` when there is still none;
/// stale reads are answered. `prefix` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_embedded_no_leader(
    client: *const consul_client,
    prefix: *const c_char,
    is_gone: bool,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        unsafe { under(client, prefix) }?.no_leader(is_gone);
        Ok(Status::Ok)
    })
}

/// Does what the next `count` requests ask for and loses the answers: whether it was done is unknown
/// to who asked. 0 takes the order back. `prefix` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_embedded_lose_answers(
    client: *const consul_client,
    prefix: *const c_char,
    count: u64,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        unsafe { under(client, prefix) }?.lose_answers(count);
        Ok(Status::Ok)
    })
}

/// Takes every order of a fault back, whatever its prefix.
#[unsafe(no_mangle)]
pub extern "C" fn consul_embedded_reset_faults(client: *const consul_client) -> consul_status {
    guard(|| {
        of(client)?.reset_faults();
        Ok(Status::Ok)
    })
}
