//! # Client
//!
//! Talks to a Consul agent, or to the servers of one cluster. One is enough for a process; any number of threads may use it at
//! once. Making one opens no connection and starts no thread.

use super::asynchronous::{self, Ending, consul_async};
use super::config::consul_config;
use super::guard::guard;
use super::handle::{self, Handle};
pub use super::kind::consul_client;
use super::status::consul_status;
use super::{input, output};
use crate::client::{Client, Either};
use crate::config::Config;
use crate::error::{Result, Status};
use crate::sync::Mutex;
use std::ffi::{CString, c_char};
use std::ops::Deref;
use std::ptr;
use std::time::Duration;

/// A client, and its endpoints as C reads them.
pub struct Object {
    client: Client,
    /// The same for calls of either style, so that none makes its own.
    blocks: Client<Either>,
    defers: Client<Either>,
    /// Every endpoint that was asked for, once: what C was given stays valid. There are as many as
    /// the client has had addresses.
    endpoints: Mutex<Vec<CString>>,
}

impl Object {
    fn endpoint(&self) -> *const c_char {
        let endpoint = CString::new(self.client.endpoint()).unwrap_or_default();
        let mut known = self.endpoints.lock();
        if let Some(same) = known.iter().find(|known| **known == endpoint) {
            return same.as_ptr();
        }
        // Its bytes stay where they are when the list grows.
        let given = endpoint.as_ptr();
        known.push(endpoint);
        given
    }
}

impl Deref for Object {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Handle for consul_client {
    type Object = Object;

    /// Calls in flight on other threads end at once.
    fn freed(client: &Object) {
        client.retire();
    }
}

/// The client of a call, which ends in its own way.
pub(super) struct Caller {
    client: handle::Shared<consul_client>,
    style: Either,
}

impl Deref for Caller {
    type Target = Client<Either>;

    fn deref(&self) -> &Client<Either> {
        match self.style {
            Either::Blocks => &self.client.blocks,
            Either::Defers => &self.client.defers,
        }
    }
}

/// The client of a call that ends in this way.
pub(super) fn ending_in(client: *const consul_client, ending: &Ending) -> Result<Caller> {
    Ok(Caller { client: handle::get(client)?, style: ending.style() })
}

/// Makes a client from a copy of a configuration; a NULL `config` is what `consul_config_new` gives.
/// Reads the files that it names, connects on first use. `CONSUL_ERR_CONFIG` or `CONSUL_ERR_TLS`
/// when a setting, or a file that it names, cannot be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_client_new(
    config: *const consul_config,
    out: *mut *mut consul_client,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let out = unsafe { output::out(out) }?;
        let client = match handle::get_optional(config)? {
            Some(config) => Client::new(&config)?,
            None => Client::new(&Config::new())?,
        };
        let (blocks, defers) = (client.styled(Either::Blocks), client.styled(Either::Defers));
        out.give(Object { client, blocks, defers, endpoints: Mutex::default() })
    })
}

/// Takes this configuration from now on, a copy of it: addresses, token, TLS, limits, times, all of it.
/// No call fails for it: those in flight end as they began. Sessions, locks, watches and kept services live on; a service is registered anew where the
/// token has changed. After an error (`CONSUL_ERR_CONFIG`, `CONSUL_ERR_TLS`) nothing has changed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_client_reload(
    client: *const consul_client,
    config: *const consul_config,
) -> consul_status {
    guard(|| {
        let (client, config) = (handle::get(client)?, handle::get(config)?);
        client.reload(&config)?;
        Ok(Status::Ok)
    })
}

/// Takes this token from now on; a NULL `token` for the one that was configured, whose file is read again. What is
/// kept registered with the client's token is registered anew. Options of a call that name a token
/// are not touched. Returns at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_client_set_token(
    client: *const consul_client,
    token: *const c_char,
) -> consul_status {
    guard(|| {
        let client = handle::get(client)?;
        // SAFETY: pointers as the header asks for.
        let token = unsafe { input::optional_str(token, "token") }?;
        client.set_token(token)?;
        Ok(Status::Ok)
    })
}

/// Deregisters the services that are kept registered, releases the locks that are held, ends the
/// sessions that are kept alive, waits for the threads of this client, and shuts it down: from then on
/// calls end with `CONSUL_ERR_CLOSED`. The handle stays the caller's to free. `CONSUL_ERR_TIMEOUT`
/// when it took longer: what is left at Consul ends by its TTL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_client_close(
    client: *const consul_client,
    timeout_ms: u64,
) -> consul_status {
    // SAFETY: handles are checked; it blocks.
    unsafe { consul_client_close_async(client, timeout_ms, ptr::null()) }
}

/// As `consul_client_close`, which it is where `async` is NULL; else the end arrives in a queue, and a
/// thread that lives until then does the waiting. Cancelling its tag ends nothing but the wait: the
/// client is closed all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn consul_client_close_async(
    client: *const consul_client,
    timeout_ms: u64,
    r#async: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: pointers as the header asks for.
        let ending = unsafe { asynchronous::ending(r#async) }?;
        let client = handle::get(client)?.client.clone();
        ending.work("consul-close", move || client.close(Duration::from_millis(timeout_ms)))
    })
}

/// Ends a client, whatever is in flight, and waits for nobody: calls of other threads end with
/// `CONSUL_ERR_CLOSED`, and what is held is lost, a lock for example. What was freed before and is being
/// given back is given back in the background, within five seconds; a process that ends earlier calls
/// `consul_client_close` first. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn consul_client_free(client: *mut consul_client) {
    handle::free(client);
}

/// Where its calls go at the moment: `http://127.0.0.1:8500`; of several addresses the one in use. NULL
/// for a handle that is not live. Borrowed: valid until the client is freed.
#[unsafe(no_mangle)]
pub extern "C" fn consul_client_endpoint(client: *const consul_client) -> *const c_char {
    handle::read(client, ptr::null(), |client| client.endpoint())
}
